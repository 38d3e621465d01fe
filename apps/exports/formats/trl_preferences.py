"""Pairwise preferences as TRL trains on them: `prompt`, `chosen`, `rejected`.

A pair gives a line where people prefer one side. Ties, even votes and too little agreement give none and are counted.
The prompt is the context, where there is one, above the instruction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson

from apps.exports.models import Export
from apps.exports.options import PreferenceOptions
from apps.exports.rows import stream
from apps.judgments.models import Mark, Rater

# People's latest unmarked verdicts, one a person: an edit supersedes, and a second round in the other order is the same
# person again, so the later one counts. An adjudicated verdict stands apart.
_SQL = """
WITH latest AS (
    SELECT DISTINCT ON (j.item_id, j.rater_id, j.mark IS NOT NULL) j.item_id, j.verdict, j.mark
    FROM judgments_judgment j JOIN judgments_rater r ON r.id = j.rater_id
    WHERE j.dataset_id = %(dataset)s AND j.criterion_id = %(criterion)s AND j.id <= %(upto)s
      AND j.status = 0 AND r.kind = %(human)s
      AND (j.mark IS NULL OR j.mark = %(adjudicated)s)
    ORDER BY j.item_id, j.rater_id, j.mark IS NOT NULL, j.id DESC
), votes AS (
    SELECT item_id, count(*) FILTER (WHERE mark IS NULL AND verdict = 0) AS a,
           count(*) FILTER (WHERE mark IS NULL AND verdict = 1) AS tie,
           count(*) FILTER (WHERE mark IS NULL AND verdict = 2) AS b,
           max(verdict) FILTER (WHERE mark IS NOT NULL) AS final
    FROM latest GROUP BY item_id
)
SELECT i.external_id, i.instruction, i.messages, i.context, ra.text, ra.messages, rb.text, rb.messages,
       v.a, v.tie, v.b, v.final
FROM votes v JOIN datasets_item i ON i.id = v.item_id
JOIN datasets_response ra ON ra.item_id = i.id AND ra.position = 0
JOIN datasets_response rb ON rb.item_id = i.id AND rb.position = 1
ORDER BY i.id
"""


def write(export: Export, counts: Counter[str]) -> Iterator[bytes]:
    """Lines; counts the pairs kept and, by reason, those left out."""
    options = PreferenceOptions.from_dict(export.options)
    criterion = export.rubric_version.criteria.get(key=options.criterion)
    parameters = {
        "dataset": export.dataset_id,
        "criterion": criterion.pk,
        "upto": export.upto,
        "human": Rater.Kind.HUMAN.value,
        "adjudicated": Mark.ADJUDICATED.value,
    }
    for row in stream(_SQL, parameters):
        *texts, a, tie, b, final = row
        winner, agreement, reason = decide(a, tie, b, final, options)
        counts["pairs with labels"] += 1
        if winner is None:
            counts[reason] += 1
            continue
        counts["kept"] += 1
        yield _line(texts, winner, agreement, options)


def decide(a: int, tie: int, b: int, final: int | None, options: PreferenceOptions) -> tuple[str | None, float, str]:
    """Which side won ("A", "B" or None), with which share of the votes, and why none did."""
    if final is not None:
        return {0: ("A", 1.0, ""), 1: (None, 0.0, "tie"), 2: ("B", 1.0, "")}[final]
    if options.source == "adjudicated":
        return None, 0.0, "not adjudicated"
    total = a + tie + b
    if total < options.min_raters:
        return None, 0.0, "too few people"
    most = max(a, tie, b)
    if (a, tie, b).count(most) > 1:
        return None, most / total, "even votes"
    if tie == most:
        return None, most / total, "tie"
    share = most / total
    if share < options.min_agreement:
        return None, share, "too little agreement"
    return ("A" if a == most else "B"), share, ""


def _line(texts: list[Any], winner: str, agreement: float, options: PreferenceOptions) -> bytes:
    item, instruction, messages, context, text_a, messages_a, text_b, messages_b = texts
    answers = [(text_a, messages_a), (text_b, messages_b)]
    chosen, rejected = answers if winner == "A" else answers[::-1]
    line: dict[str, object]
    if options.form == "text":
        prompt = f"{context}\n\n{instruction}" if context else instruction
        line = {"prompt": prompt, "chosen": chosen[0], "rejected": rejected[0]}
    else:
        turns = list(messages) if messages else [{"role": "user", "content": instruction}]
        if context:
            turns = [{"role": "system", "content": context}, *turns]
        line = {
            "prompt": turns,
            "chosen": chosen[1] or [{"role": "assistant", "content": chosen[0]}],
            "rejected": rejected[1] or [{"role": "assistant", "content": rejected[0]}],
        }
    if options.extras:
        line |= {"item": item, "agreement": round(agreement, 4)}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
