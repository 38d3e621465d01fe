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
    for criterion in export.rubric_version.criteria.all():
        parameters = {
            "dataset": export.dataset_id,
            "criterion": criterion.pk,
            "upto": export.upto,
            "raters": list(raters),
        }
        answers = _Answers(raters, criterion, export.rubric_version.rubric.name, counts)
        for item, *answer, rationale, confidence, seconds, at in stream(sql + "ORDER BY j.id", parameters):
            rest: dict[str, object] = {"at": at}
            if rationale is not None:
                rest["rationale"] = rationale
            if confidence is not None:
                rest["confidence"] = confidence
            if seconds is not None:
                rest["seconds"] = seconds
            yield b'{"item":%b,%b,%b\n' % (orjson.dumps(item), answers.of(tuple(answer)), orjson.dumps(rest)[1:])


class _Answers:
    """The middle of a line: who answered what. A million judgments hold a few hundred different ones, so each is
    written once and then looked up, which halves the time of an export.
    """

    def __init__(
        self, raters: dict[int, tuple[str, str]], criterion: Criterion, rubric: str, counts: Counter[str]
    ) -> None:
        self._raters = raters
        self._criterion = criterion
        self._rubric = rubric
        self._counts = counts
        self._written: dict[tuple[Any, ...], tuple[bytes, tuple[str, ...]]] = {}

    def of(self, answer: tuple[Any, ...]) -> bytes:
        known = self._written.get(answer)
        if known is None:
            if len(self._written) > 50_000:  # scores with many decimals; memory stays flat
                self._written.clear()
            known = self._written[answer] = self._write(answer)
        for name in known[1]:
            self._counts[name] += 1
        return known[0]

    def _write(self, answer: tuple[Any, ...]) -> tuple[bytes, tuple[str, ...]]:
        rater_id, order, status, verdict, score, choice, strength, both_bad, sample, revision, mark = answer
        rater, kind = self._raters[rater_id]
        counted = [kind]
        line: dict[str, object] = {"rater": rater, "kind": kind, "criterion": self._criterion.key}
        line["order"] = _ORDERS[order]
        if status:
            line |= {"status": _STATUSES[status], "verdict": None}
            counted.append("not read as a verdict")
        elif verdict is not None:
            line["verdict"] = _VERDICTS[verdict]
        elif score is not None:
            line["score"] = int(score) if score == int(score) else score
        else:
            line["choice"] = self._criterion.options[choice]["id"]
        if strength is not None:
            line["strength"] = _STRENGTHS[strength]
        if both_bad:
            line["both_bad"] = True
        if sample:
            line["sample"] = sample
        if revision:
            line["revision"] = revision
        if mark is not None:
            line["mark"] = _MARKS[mark]
            counted.append("marked")
        line["rubric"] = self._rubric
        return orjson.dumps(line)[1:-1], tuple(counted)
