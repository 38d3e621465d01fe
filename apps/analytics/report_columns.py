"""From judgment records to columns: what the report computes from, whether files or the database hold the judgments."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from apps.analytics.stats.labels import MISSING, NO_VERDICT, Codes, Ints, LabelMatrix, Scale, dense_groups, scatter
from apps.analytics.stats.swap import headline
from apps.datasets.formats.records import ItemRecord, JudgmentRecord, Problem, group_key
from apps.rubrics.reader import DEFAULT_SCALE, CriterionDraft, RubricDraft

Kind = Literal["pair", "score", "choice"]
Orders = Literal["both", "AB only", "BA only"]
MARKS = ("warmup", "gold", "late", "adjudicated")
_VERDICTS = {"A": 0, "tie": 1, "B": 2}


@dataclass(frozen=True, slots=True)
class InputProblem:
    """A fault of the input and the file it is in."""

    source: str
    problem: Problem

    def __str__(self) -> str:
        return f"{self.source}: {self.problem}" if self.source else str(self.problem)


class BadInput(ValueError):
    """The judgments cannot be reported on; `problems` says everything that is wrong with them."""

    def __init__(self, problems: Sequence[InputProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, eq=False)
class CriterionColumns:
    """The judgments of one criterion, one a row: the latest revisions only, without the marked ones.

    Args:
        raters: their names; `is_judge` says which are models.
        item, rater, order: indexes; order 0 is AB, 1 is BA.
        code: the label, or NO_VERDICT; for scores None.
        score: the score, NaN without a verdict; only for scores.
        groups: (n_items,) the group of each item, or None.
        declared: the scale comes from a rubric or the user, not from what was observed.
    """

    name: str
    kind: Kind
    scale: Scale
    raters: tuple[str, ...]
    is_judge: NDArray[np.bool_]
    n_items: int
    item: NDArray[np.integer]
    rater: NDArray[np.integer]
    order: NDArray[np.integer]
    code: NDArray[np.int8] | None = None
    score: NDArray[np.float32] | None = None
    groups: Ints | None = None
    declared: bool = True

    def verdicts(self) -> Verdicts:
        """The headline verdicts as a matrix, and what they were made from."""
        shape = (self.n_items, len(self.raters))
        if self.kind == "score" and self.score is not None:
            return self._scores(shape, self.score)
        assert self.code is not None
        first, second = (
            scatter(self.item[rows], self.rater[rows], self.code[rows], shape)
            for rows in (self.order == 0, self.order == 1)
        )
        either = np.where(first == MISSING, second, first)
        combined = either
        if self.kind == "pair":
            in_both_orders = self.is_judge & (first != MISSING).any(axis=0) & (second != MISSING).any(axis=0)
            complete = (first != MISSING) & (second != MISSING)
            combined = np.where(complete | in_both_orders, headline(first, second), either)
        matrix = LabelMatrix(np.maximum(combined, MISSING).astype(np.int8), self.scale, self.raters, groups=self.groups)
        return Verdicts(matrix, first, second)

    def _scores(self, shape: tuple[int, int], score: NDArray[np.float32]) -> Verdicts:
        rows = np.argsort(-self.order, kind="stable")  # an item has one order; of two the AB one stands
        item, rater, score = self.item[rows], self.rater[rows], score[rows]
        matrix = LabelMatrix.from_columns(
            item, rater, n_items=shape[0], raters=self.raters, scale=self.scale, score=score, groups=self.groups
        )
        recorded = scatter(item, rater, np.where(np.isnan(score), NO_VERDICT, 0), shape)
        return Verdicts(matrix, recorded, np.full(shape, MISSING, dtype=np.int8))


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Headline verdicts, and each order's own codes with NO_VERDICT where the answer could not be read."""

    matrix: LabelMatrix
    first: Codes
    second: Codes

    def orders(self, rater: int) -> Orders:
        recorded = [(codes[:, rater] != MISSING).any() for codes in (self.first, self.second)]
        return "both" if all(recorded) else "BA only" if recorded[1] else "AB only"

    def unread(self, rater: int) -> int:
        """Answers that held no verdict, over both orders."""
        return sum(int((codes[:, rater] == NO_VERDICT).sum()) for codes in (self.first, self.second))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Judgments that were read and do not count, by reason."""

    superseded: int
    other_samples: int
    marked: dict[str, int]


def latest(
    *,
    item: NDArray[np.integer],
    rater: NDArray[np.integer],
    order: NDArray[np.integer],
    sample: NDArray[np.integer],
    revision: NDArray[np.integer],
    mark: NDArray[np.integer],
) -> tuple[NDArray[np.bool_], LeftOut, list[tuple[int, int]]]:
    """Which judgments count: of each key the latest revision, unmarked, and of several samples the first.

    Args:
        mark: index into MARKS, or negative.
    Returns:
        The rows that count, how many do not by reason, and rows that say the same thing twice: (the later, the other).
    """
    by_key = np.lexsort((revision, sample, order, rater, item))
    cell = np.stack([item, rater, order])[:, by_key]
    same_cell = (cell[:, 1:] == cell[:, :-1]).all(axis=0)
    same_key = same_cell & (np.diff(sample[by_key]) == 0)
    repeated = [
        (int(max(by_key[i], by_key[i + 1])), int(min(by_key[i], by_key[i + 1])))
        for i in np.flatnonzero(same_key & (np.diff(revision[by_key]) == 0))
    ]
    superseded = np.zeros(len(by_key), dtype=bool)
    superseded[by_key[:-1]] = same_key
    marked = ~superseded & (mark >= 0)
    counts = {name: int((marked & (mark == i)).sum()) for i, name in enumerate(MARKS)}
    candidates = ~superseded & ~marked
    kept = by_key[candidates[by_key]]
    cell = np.stack([item, rater, order])[:, kept]
    further = np.zeros(len(by_key), dtype=bool)
    further[kept[1:]] = (cell[:, 1:] == cell[:, :-1]).all(axis=0)
    return candidates & ~further, LeftOut(int(superseded.sum()), int(further.sum()), counts), repeated


class Collector:
    """Takes judgments of any number of files and gives the columns of each criterion.

    A few bytes a judgment are kept, never the records. What is wrong with single judgments is in `problems` at once,
    what is wrong between them after `criteria`.
    """

    def __init__(
        self,
        *,
        items: Iterable[ItemRecord] | None = None,
        rubric: RubricDraft | None = None,
        scale: tuple[int, int] | None = None,
    ) -> None:
        self.problems: list[InputProblem] = []
        self.raters: dict[str, str] = {}
        self._rater_index: dict[str, int] = {}
        self._sources: list[str] = []
        self._rubric = None if rubric is None else {criterion.id: criterion for criterion in rubric.criteria}
        self._scale = scale
        self._item_index: dict[str, int] = {}
        self._items: list[tuple[bool, int]] | None = None if items is None else []
        for index, item in enumerate(items or ()):
            assert self._items is not None
            key = group_key(group=item.group, instruction=item.instruction, context=item.context)
            self._item_index[item.id] = index
            self._items.append((item.kind == "pair", key))
        self._buckets: dict[tuple[str, str | None], _Bucket] = {}

    def add(self, record: JudgmentRecord, source: str = "") -> None:
        if not self._sources or self._sources[-1] != source:
            self._sources.append(source)
        if self.raters.setdefault(record.rater, record.kind) != record.kind:
            self._fault(
                record.line,
                "kind",
                record.kind,
                _("is not what this rater was before: {kind}").format(kind=self.raters[record.rater]),
                _("Give people and judges different names."),
            )
        rater = self._rater_index.setdefault(record.rater, len(self._rater_index))
        item = self._item(record)
        bucket = self._buckets.setdefault((record.criterion, record.rubric), _Bucket())
        kind, value = bucket.value_of(record)
        if kind is not None:
            expected = self._expected_kind(record, bucket, kind)
            if expected != kind:
                self._fault(
                    record.line,
                    {"pair": "verdict", "score": "score", "choice": "choice"}[kind],
                    str(record.verdict or record.choice or record.score),
                    _("is not how the criterion {criterion} is answered").format(criterion=record.criterion),
                    _("Give a {kind}, or use another criterion.").format(kind=_KIND_ANSWERS[expected]),
                )
            elif kind == "pair" and self._items is not None and item >= 0 and not self._items[item][0]:
                self._fault(
                    record.line,
                    "verdict",
                    str(record.verdict),
                    _("compares two responses, but the item {item} has one").format(item=record.item),
                    _("Give a score, or correct the item."),
                )
        bucket.append(record, item, rater, value, len(self._sources) - 1)

    def criteria(self) -> tuple[list[CriterionColumns], LeftOut]:
        """The columns of every criterion, in the rubric's order or the files'; raises BadInput.

        A criterion under two rubrics is two criteria. Judgments that name no rubric belong to the only one named.
        """
        self._merge_unnamed_rubrics()
        several = Counter(name for name, _rubric in self._buckets)
        names = sorted(self._rater_index)
        place = np.empty(len(names), dtype=np.int64)
        place[[self._rater_index[name] for name in names]] = np.arange(len(names))
        groups = self._groups()
        columns, left_out = [], LeftOut(0, 0, dict.fromkeys(MARKS, 0))
        for (name, rubric), bucket in self._buckets.items():
            unnamed = _("no rubric named")
            title = name if several[name] == 1 else f"{name} ({rubric or unnamed})"
            made, left = self._columns(title, name, bucket, names, place, groups)
            columns.append(made)
            left_out = LeftOut(
                left_out.superseded + left.superseded,
                left_out.other_samples + left.other_samples,
                {mark: left_out.marked[mark] + left.marked[mark] for mark in MARKS},
            )
        if self.problems:
            raise BadInput(self.problems)
        if self._rubric is not None:
            rank = {name: i for i, name in enumerate(self._rubric)}
            columns.sort(key=lambda c: rank.get(c.name, len(rank)))
        return columns, left_out

    def _columns(
        self, title: str, name: str, bucket: _Bucket, names: list[str], place: Ints, groups: Ints | None
    ) -> tuple[CriterionColumns, LeftOut]:
        rows = bucket.arrays()
        kind = bucket.kind or self._declared_kind(name) or "pair"
        scale, declared = self._scale_of(name, kind, bucket)
        if kind == "score":
            self._check_scores(rows, scale)
        keep, left_out = self._latest(rows)
        rater = place[rows.rater[keep]]
        present = np.unique(rater)
        rank = np.zeros(len(names), dtype=np.int64)
        rank[present] = np.arange(len(present))
        value = rows.value[keep]
        if kind == "choice":
            value = self._choice_codes(rows, keep, bucket, scale)
        coded = kind != "score"
        return CriterionColumns(
            name=title,
            kind=kind,
            scale=scale,
            raters=tuple(names[i] for i in present),
            is_judge=np.array([self.raters[names[i]] == "judge" for i in present], dtype=bool),
            n_items=len(self._item_index),
            item=rows.item[keep],
            rater=rank[rater],
            order=rows.order[keep],
            code=np.where(np.isnan(value), NO_VERDICT, value).astype(np.int8) if coded else None,
            score=None if coded else value.astype(np.float32),
            groups=groups,
            declared=declared,
        ), left_out

    def _latest(self, rows: _Rows) -> tuple[NDArray[np.bool_], LeftOut]:
        kept, left_out, repeated = latest(
            item=rows.item,
            rater=rows.rater,
            order=rows.order,
            sample=rows.sample,
            revision=rows.revision,
            mark=rows.mark,
        )
        for again, before in repeated:
            self._fault(
                int(rows.line[again]),
                "item",
                "",
                _("this judgment is there twice: see line {line}").format(line=int(rows.line[before])),
                _("Remove one, or give a later one a higher revision."),
                source=int(rows.source[again]),
            )
        return kept, left_out

    def _check_scores(self, rows: _Rows, scale: Scale) -> None:
        low, high = scale.positions()[[0, -1]]
        for i in np.flatnonzero((rows.value < low) | (rows.value > high)):
            self._fault(
                int(rows.line[i]),
                "score",
                f"{rows.value[i]:g}",
                _("is off the scale {low:g}-{high:g}").format(low=low, high=high),
                _("Correct the score, or say what the scale is (--scale or --rubric)."),
                source=int(rows.source[i]),
            )

    def _choice_codes(self, rows: _Rows, keep: NDArray[np.bool_], bucket: _Bucket, scale: Scale) -> NDArray[np.float64]:
        code_of = {label: code for code, label in enumerate(scale.labels)}
        codes = np.array([code_of.get(label, -1) for label in bucket.choices] or [-1], dtype=np.float64)
        given = ~np.isnan(rows.value)
        code = np.where(given, codes[np.where(given, rows.value, 0).astype(np.int64)], np.nan)
        for i in np.flatnonzero(code == -1):
            self._fault(
                int(rows.line[i]),
                "choice",
                list(bucket.choices)[int(rows.value[i])],
                _("is not one of the options"),
                _("The rubric has: {options}.").format(options=", ".join(scale.labels)),
                source=int(rows.source[i]),
            )
        return np.asarray(code[keep])

    def _scale_of(self, name: str, kind: Kind, bucket: _Bucket) -> tuple[Scale, bool]:
        criterion = self._criterion(name)
        if kind == "pair":
            return Scale.pair(), True
        if kind == "score":
            given = self._scale if self._scale is not None else criterion.scale if criterion is not None else None
            return Scale.scores(*(given or DEFAULT_SCALE)), given is not None
        if criterion is not None and criterion.options:
            return Scale.choices([option.id for option in criterion.options]), True
        return Scale.choices(sorted(bucket.choices) or [""]), False

    def _criterion(self, name: str) -> CriterionDraft | None:
        return None if self._rubric is None else self._rubric.get(name)

    def _declared_kind(self, name: str) -> Kind | None:
        criterion = self._criterion(name)
        return None if criterion is None else criterion.kind

    def _expected_kind(self, record: JudgmentRecord, bucket: _Bucket, kind: Kind) -> Kind:
        if bucket.kind is None:
            if self._rubric is not None and record.criterion not in self._rubric:
                self._fault(
                    record.line,
                    "criterion",
                    record.criterion,
                    _("is not a criterion of the rubric"),
                    _("The rubric has: {criteria}.").format(criteria=", ".join(self._rubric)),
                )
            bucket.kind = self._declared_kind(record.criterion) or kind
        return bucket.kind

    def _item(self, record: JudgmentRecord) -> int:
        if self._items is None:
            return self._item_index.setdefault(record.item, len(self._item_index))
        index = self._item_index.get(record.item, -1)
        if index < 0:
            self._fault(
                record.line,
                "item",
                record.item,
                _("is not in the items file"),
                _("Correct the id, or add the item."),
            )
        return index

    def _groups(self) -> Ints | None:
        return None if self._items is None else dense_groups([group for _pair, group in self._items])

    def _merge_unnamed_rubrics(self) -> None:
        for name in {name for name, rubric in self._buckets if rubric is None}:
            named = [key for key in self._buckets if key[0] == name and key[1] is not None]
            if len(named) == 1:
                self._buckets[named[0]].extend(self._buckets.pop((name, None)))

    def _fault(
        self, line: int, field_name: str, value: str, message: str, remedy: str, *, source: int | None = None
    ) -> None:
        where = self._sources[-1 if source is None else source]
        self.problems.append(InputProblem(where, Problem(line, field_name, value, message, remedy)))


_KIND_ANSWERS = {"pair": "verdict", "score": "score", "choice": "choice"}


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    item: Ints
    rater: Ints
    order: Ints
    sample: Ints
    revision: Ints
    mark: Ints
    value: NDArray[np.float64]
    line: Ints
    source: Ints


@dataclass(slots=True)
class _Bucket:
    """The judgments of one criterion under one rubric, as growing columns."""

    kind: Kind | None = None
    choices: dict[str, int] = field(default_factory=dict)
    whole: array[int] = field(default_factory=lambda: array("q"))  # eight numbers a judgment
    values: array[float] = field(default_factory=lambda: array("d"))

    def value_of(self, record: JudgmentRecord) -> tuple[Kind | None, float]:
        if record.verdict is not None:
            return "pair", float(_VERDICTS[record.verdict])
        if record.score is not None:
            return "score", record.score
        if record.choice is not None:
            return "choice", float(self.choices.setdefault(record.choice, len(self.choices)))
        return None, float("nan")

    def append(self, record: JudgmentRecord, item: int, rater: int, value: float, source: int) -> None:
        mark = -1 if record.mark is None else MARKS.index(record.mark)
        order = 0 if record.order == "AB" else 1
        self.whole.extend((item, rater, order, record.sample, record.revision, mark, record.line, source))
        self.values.append(value)

    def extend(self, other: _Bucket) -> None:
        self.kind = self.kind or other.kind
        renumbered = [float(self.choices.setdefault(label, len(self.choices))) for label in other.choices]
        self.whole.extend(other.whole)
        if renumbered:
            self.values.extend(value if value != value else renumbered[int(value)] for value in other.values)
        else:
            self.values.extend(other.values)

    def arrays(self) -> _Rows:
        item, rater, order, sample, revision, mark, line, source = (
            np.frombuffer(self.whole, dtype=np.int64).reshape(-1, 8).T
        )
        return _Rows(item, rater, order, sample, revision, mark, np.frombuffer(self.values), line, source)
