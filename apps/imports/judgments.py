"""Judgments of a file beside those a dataset has, all or nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from apps.core.said import said as _
from apps.datasets.formats.judgments_jsonl import read_judgments
from apps.datasets.formats.records import JudgmentRecord, Problem
from apps.datasets.models import Dataset, Item
from apps.imports.copying import copy_rows, lazy_batches, refresh_statistics
from apps.imports.items import Refused
from apps.imports.reading import Outcome, Problems
from apps.judgments.models import Mark, Order, Rater, Status, Strength, Verdict
from apps.rubrics.models import Criterion, RubricVersion

_BATCH = 2000
_COLUMNS = (
    "item_id", "created_at", "dataset_id", "rater_id", "rubric_version_id", "criterion_id", "seconds", "score",
    "confidence", "kind", '"order"', "sample", "revision", "status", "verdict", "choice", "strength", "mark",
    "both_bad", "rationale",
)  # fmt: skip
_KINDS = {"human": Rater.Kind.HUMAN, "judge": Rater.Kind.JUDGE}
_ORDERS = {choice.label: choice.value for choice in Order}
_VERDICTS = {choice.label: choice.value for choice in Verdict}
_STATUSES = {choice.label: choice.value for choice in Status}
_STRENGTHS = {choice.label: choice.value for choice in Strength}
_MARKS = {choice.label: choice.value for choice in Mark}
_ANSWER = {Criterion.Kind.PAIR: "verdict", Criterion.Kind.SCORE: "score", Criterion.Kind.CHOICE: "choice"}


class _ItemKey(NamedTuple):
    id: int
    kind: int
    scenario: str


#: (item, rater, criterion, order, sample, revision): what makes a judgment one
_Key = tuple[int, int, int, int, int, int]


def store_judgments(
    *, dataset: Dataset, version: RubricVersion, stream: BinaryIO, good_rows_only: bool, simulated: bool = False
) -> Outcome:
    """Store the file's judgments of the dataset's items under the version; nothing where a line is wrong.

    Raters that the project does not know yet are made, people without an account; `simulated` marks them as such.
    """
    problems = Problems()
    good = 0
    try:
        with transaction.atomic():
            stored, good = _store(dataset, version, stream, problems, good_rows_only, simulated)
            if problems.total and not (good_rows_only and stored):
                raise Refused
    except Refused:
        return Outcome(0, problems, refused=True, good=good)
    refresh_statistics("judgments_judgment", ("item_id", "dataset_id", "rater_id", "criterion_id", "revision"), stored)
    return Outcome(stored, problems, refused=False, good=good)


def _store(
    dataset: Dataset,
    version: RubricVersion,
    stream: BinaryIO,
    problems: Problems,
    good_rows_only: bool,
    simulated: bool,
) -> tuple[int, int]:
    """How many rows were stored, and how many were right."""
    raters = _Raters(dataset, simulated)
    check = _Check(version)
    now = timezone.now()
    stored = good = 0
    for batch in map(list, lazy_batches(read_judgments(stream), _BATCH)):
        records = [entry for entry in batch if isinstance(entry, JudgmentRecord)]
        problems.extend(entry for entry in batch if isinstance(entry, Problem))
        items = _items(dataset, {record.item for record in records})
        fitting: list[tuple[_ItemKey, int, Criterion, JudgmentRecord]] = []
        for record in records:
            item, criterion, problem = check(record, items.get(record.item))
            rater = raters.of(record) if problem is None else None
            if problem is None and rater is None:
                problem = raters.clash(record)
            if problem is not None or item is None or criterion is None or rater is None:
                if problem is not None:
                    problems.add(problem)
                continue
            fitting.append((item, rater, criterion, record))
        fitting = list(_not_there_yet(fitting, problems))
        good += len(fitting)
        if fitting and (good_rows_only or not problems.total):
            copy_rows("judgments_judgment", _COLUMNS, _rows(dataset.pk, version.pk, fitting, now))
            stored += len(fitting)
    return stored, good


def _rows(
    dataset_id: int, version_id: int, fitting: list[tuple[_ItemKey, int, Criterion, JudgmentRecord]], now: datetime
) -> Iterator[tuple[Any, ...]]:
    for item, rater_id, criterion, record in fitting:
        yield (
            item.id,
            record.at or now,
            dataset_id,
            rater_id,
            version_id,
            criterion.pk,
            record.seconds,
            record.score,
            record.confidence,
            criterion.kind,
            _ORDERS[record.order],
            record.sample,
            record.revision,
            _STATUSES[record.status],
            None if record.verdict is None else _VERDICTS[record.verdict],
            None if record.choice is None else _option_ids(criterion).index(record.choice),
            None if record.strength is None else _STRENGTHS[record.strength],
            None if record.mark is None else _MARKS[record.mark],
            record.both_bad,
            record.rationale,
        )


def _items(dataset: Dataset, names: set[str]) -> dict[str, _ItemKey]:
    rows = Item.objects.filter(dataset=dataset, external_id__in=names)
    return {
        name: _ItemKey(pk, kind, scenario)
        for pk, name, kind, scenario in rows.values_list("id", "external_id", "kind", "scenario")
    }


def _key(item: _ItemKey, rater: int, criterion: Criterion, record: JudgmentRecord) -> _Key:
    return item.id, rater, criterion.pk, _ORDERS[record.order], record.sample, record.revision


def _not_there_yet(
    fitting: list[tuple[_ItemKey, int, Criterion, JudgmentRecord]], problems: Problems
) -> Iterable[tuple[_ItemKey, int, Criterion, JudgmentRecord]]:
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT item_id, rater_id, criterion_id, "order", sample, revision FROM judgments_judgment'
            " WHERE item_id = ANY(%s) AND rater_id = ANY(%s)",
            [list({entry[0].id for entry in fitting}), list({entry[1] for entry in fitting})],
        )
        known: set[_Key] = set(cursor.fetchall())
    for entry in fitting:
        if known and _key(*entry) in known:
            record = entry[3]
            message = _(
                "already has a judgment by %(rater)s under %(criterion)s",
                rater=record.rater,
                criterion=record.criterion,
            )
            remedy = _('Leave the line out, or give it the next "revision" if it is an edit.')
            problems.add(Problem(record.line, "item", record.item, message, remedy))
        else:
            yield entry


def _option_ids(criterion: Criterion) -> list[str]:
    return [str(option["id"]) for option in criterion.options]


class _Raters:
    """The project's raters by name; made as they turn up."""

    def __init__(self, dataset: Dataset, simulated: bool) -> None:
        self._project = dataset.project
        self._simulated = simulated
        self._known: dict[str, tuple[int, int]] = {
            name: (pk, kind)
            for pk, name, kind in Rater.objects.filter(project=self._project).values_list("id", "name", "kind")
        }

    def of(self, record: JudgmentRecord) -> int | None:
        """The rater's id; None where the name belongs to one of the other kind."""
        kind = _KINDS[record.kind]
        if record.rater not in self._known:
            rater, _made = Rater.objects.get_or_create(
                project=self._project,
                name=record.rater,
                defaults={"kind": kind, "is_simulated": self._simulated and kind == Rater.Kind.HUMAN},
            )
            self._known[record.rater] = (rater.pk, rater.kind)
        pk, known_kind = self._known[record.rater]
        return pk if known_kind == kind else None

    def clash(self, record: JudgmentRecord) -> Problem:
        message = _("is a judge in this project") if record.kind == "human" else _("is a person in this project")
        return Problem(record.line, "rater", record.rater, message, _('Correct "kind", or use another name.'))


class _Check:
    """What the reader cannot know: the dataset's items and the rubric's criteria, scales and options."""

    def __init__(self, version: RubricVersion) -> None:
        self._criteria = {criterion.key: criterion for criterion in version.criteria.all()}
        self._rubric = version.rubric.name

    def __call__(
        self, record: JudgmentRecord, item: _ItemKey | None
    ) -> tuple[_ItemKey | None, Criterion | None, Problem | None]:
        if item is None:
            remedy = _("Import its items first, or choose the dataset that has them.")
            return None, None, Problem(record.line, "item", record.item, _("is not an item of this dataset"), remedy)
        if record.rubric is not None and record.rubric != self._rubric:
            remedy = _('These judgments go to "%(rubric)s": choose the other rubric for them.', rubric=self._rubric)
            return item, None, Problem(record.line, "rubric", record.rubric, _("is another rubric"), remedy)
        criterion = self._criteria.get(record.criterion)
        if criterion is None:
            return item, None, self._unknown(record)
        return item, criterion, self._value(record, item, criterion)

    def _unknown(self, record: JudgmentRecord) -> Problem:
        near = difflib.get_close_matches(record.criterion, self._criteria, n=1)
        criteria = ", ".join(sorted(self._criteria))
        if near:
            remedy = _("Did you mean %(meant)s? The rubric has %(criteria)s.", meant=near[0], criteria=criteria)
        else:
            remedy = _("The rubric has %(criteria)s.", criteria=criteria)
        return Problem(record.line, "criterion", record.criterion, _("is not in the rubric"), remedy)

    def _value(self, record: JudgmentRecord, item: _ItemKey, criterion: Criterion) -> Problem | None:
        is_pair = criterion.kind == Criterion.Kind.PAIR
        if is_pair != (item.kind == Item.Kind.PAIR):
            if is_pair:
                message = _("asks for a preference, and the item has one response")
            else:
                message = _("asks about one response")
            remedy = _("Choose a rubric that fits the items.")
            return Problem(record.line, "criterion", record.criterion, message, remedy)
        if criterion.scenarios and item.scenario not in criterion.scenarios:
            message = _("does not apply to this scenario")
            remedy = _("It applies to %(scenarios)s.", scenarios=", ".join(criterion.scenarios))
            return Problem(record.line, "criterion", record.criterion, message, remedy)
        if record.status != "ok":
            return None
        wanted = _ANSWER[Criterion.Kind(criterion.kind)]
        value = getattr(record, wanted)
        if value is None:
            given = next((name for name in _ANSWER.values() if getattr(record, name) is not None), "verdict")
            message = _("is given, and %(criterion)s asks for a %(answer)s", criterion=record.criterion, answer=wanted)
            remedy = _('Write "%(answer)s" instead.', answer=wanted)
            return Problem(record.line, given, str(getattr(record, given)), message, remedy)
        return self._fits(record, criterion)

    def _fits(self, record: JudgmentRecord, criterion: Criterion) -> Problem | None:
        if record.verdict == "tie" and not criterion.ties:
            return Problem(record.line, "verdict", "tie", _("is not allowed by this criterion"), _("Write A or B."))
        if record.score is not None:
            low, high = criterion.scale_min, criterion.scale_max
            if low is None or high is None or not low <= record.score <= high:
                remedy = _("Write a number from %(low)s to %(high)s.", low=str(low), high=str(high))
                return Problem(record.line, "score", f"{record.score:g}", _("is off the scale"), remedy)
        if record.choice is not None and record.choice not in (options := _option_ids(criterion)):
            remedy = _("The options are %(options)s.", options=", ".join(options))
            return Problem(record.line, "choice", record.choice, _("is not an option"), remedy)
        return None
