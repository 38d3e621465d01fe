"""Raw judgments, one a line, in the form that the import and `analyze` read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson

from apps.exports.models import Export
from apps.exports.options import JudgmentOptions
from apps.exports.rows import stream
from apps.judgments.models import Mark, Order, Rater, Status, Strength, Verdict
from apps.rubrics.models import Criterion

_KINDS = {Rater.Kind.HUMAN.value: "human", Rater.Kind.JUDGE.value: "judge"}
_ORDERS = {choice.value: choice.label for choice in Order}
_VERDICTS = {choice.value: choice.label for choice in Verdict}
_STATUSES = {choice.value: choice.label for choice in Status}
_STRENGTHS = {choice.value: choice.label for choice in Strength}
_MARKS = {choice.value: choice.label for choice in Mark}

# A criterion at a time, by id: the index `judgment_by_criterion` gives that order, so the first row waits for no sort.
# The anti-join looks into `judgment_later_revisions`, which holds only the few rows that supersede others.
_SQL = """
SELECT i.external_id, j.rater_id, j."order", j.status, j.verdict, j.score, j.choice, j.strength, j.both_bad, j.sample,
       j.revision, j.mark, j.rationale, j.confidence, j.seconds, j.created_at
FROM judgments_judgment j JOIN datasets_item i ON i.id = j.item_id
WHERE j.dataset_id = %(dataset)s AND j.criterion_id = %(criterion)s AND j.id <= %(upto)s
"""
_LATEST = """
AND NOT EXISTS (SELECT 1 FROM judgments_judgment n
    WHERE n.revision > 0 AND n.item_id = j.item_id AND n.rater_id = j.rater_id AND n.criterion_id = j.criterion_id
      AND n."order" = j."order" AND n.sample = j.sample AND n.revision > j.revision AND n.id <= %(upto)s)
"""
_UNMARKED = "AND j.mark IS NULL\n"
_OF_KIND = "AND j.rater_id = ANY(%(raters)s)\n"


def write(export: Export, counts: Counter[str]) -> Iterator[bytes]:
    """Lines, several in a chunk; counts rows by kind of rater, and marked and unread ones."""
    options = JudgmentOptions.from_dict(export.options)
    raters = {
        pk: (name, _KINDS[kind])
        for pk, name, kind in Rater.objects.filter(project=export.project).values_list("pk", "name", "kind")
        if options.raters == "all" or _KINDS[kind] == options.raters.removesuffix("s")
    }
    sql = _SQL
    if not options.revisions:
        sql += _LATEST
    if not options.marked:
        sql += _UNMARKED
    if options.raters != "all":
        sql += _OF_KIND
    rubric = export.rubric_version.rubric.name
    for criterion in export.rubric_version.criteria.all():
        parameters = {
            "dataset": export.dataset_id,
            "criterion": criterion.pk,
            "upto": export.upto,
            "raters": list(raters),
        }
        for row in stream(sql + "ORDER BY j.id", parameters):
            yield _line(row, raters, criterion, rubric, counts)


def _line(
    row: tuple[Any, ...],
    raters: dict[int, tuple[str, str]],
    criterion: Criterion,
    rubric: str,
    counts: Counter[str],
) -> bytes:
    (
        item, rater_id, order, status, verdict, score, choice, strength, both_bad, sample,
        revision, mark, rationale, confidence, seconds, at,
    ) = row  # fmt: skip
    rater, kind = raters[rater_id]
    counts[kind] += 1
    line: dict[str, object] = {"item": item, "rater": rater, "kind": kind, "criterion": criterion.key}
    line["order"] = _ORDERS[order]
    if status:
        line["status"] = _STATUSES[status]
        counts["not read as a verdict"] += 1
        line["verdict"] = None
    elif verdict is not None:
        line["verdict"] = _VERDICTS[verdict]
        if strength is not None:
            line["strength"] = _STRENGTHS[strength]
        if both_bad:
            line["both_bad"] = True
    elif score is not None:
        line["score"] = int(score) if score == int(score) else score
    else:
        line["choice"] = criterion.options[choice]["id"]
    if sample:
        line["sample"] = sample
    if revision:
        line["revision"] = revision
    if mark is not None:
        line["mark"] = _MARKS[mark]
        counts["marked"] += 1
    if rationale is not None:
        line["rationale"] = rationale
    if confidence is not None:
        line["confidence"] = confidence
    if seconds is not None:
        line["seconds"] = seconds
    line["rubric"] = rubric
    line["at"] = at
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
