"""What a run asks: which criteria of which items, in which orders, and what is left out for which reason.

An engine refuses by what an item has (a reference, two responses), not by what it says. So items are told apart by
those properties only, the engine is asked once for each combination, and planning a million items reads none of their
texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, QuerySet

from apps.datasets.models import Dataset, Item
from apps.judging.engines import Question, engine_of, refusal, request_of, shown, spec_of, texts_of
from apps.judging.models import JudgeConfig, Shard
from apps.judgments.models import Judgment, Order
from apps.rubrics.models import Criterion, RubricVersion

#: the reason of an item that no criterion of the rubric is about: a pair under a rubric of scores, another scenario
NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Plan:
    """`missing` has the verdicts still to be given by item id, in the dataset's order; items with none are not in it.

    `refused` counts questions (an item under a criterion) by the engine's reason, and items under `NOT_ASKED`.
    """

    items: int
    judged: int
    refused: dict[str, int]
    missing: dict[int, int] = field(repr=False)

    @property
    def verdicts(self) -> int:
        return sum(self.missing.values())


@dataclass(frozen=True, slots=True)
class _Asked:
    verdicts: int
    refusals: tuple[str, ...]


def asked_orders(item_kind: int, orders: Sequence[Order]) -> Sequence[Order]:
    """The orders in which an item is judged: a pair in those of the run, a single once."""
    return sorted(set(orders)) if item_kind == Item.Kind.PAIR else (Order.AB,)


def concerns(criterion: Criterion, *, item_kind: int, scenario: str) -> bool:
    """Whether the criterion is about such an item: preferences about pairs, the others about singles."""
    wanted = Item.Kind.PAIR if criterion.kind == Criterion.Kind.PAIR else Item.Kind.SINGLE
    return item_kind == wanted and (not criterion.scenarios or scenario in criterion.scenarios)


def plan(
    *, judge: JudgeConfig, dataset: Dataset, rubric_version: RubricVersion, orders: Sequence[Order], samples: int
) -> Plan:
    """What such a run would ask now."""
    criteria = list(rubric_version.criteria.all())
    judged = dict(
        judged_already(judge=judge, criteria=criteria, orders=orders, samples=samples)
        .filter(dataset=dataset)
        .values_list("item")
        .annotate(verdicts=Count("pk"))
    )
    shapes: dict[tuple[object, ...], _Asked] = {}
    refused: Counter[str] = Counter()
    missing: dict[int, int] = {}
    items = 0
    for item_id, *properties in _properties(dataset):
        shape = tuple(properties)
        if shape not in shapes:
            shapes[shape] = _ask(judge, item_id, criteria, orders, samples)
        items += 1
        refused.update(shapes[shape].refusals)
        if (left := shapes[shape].verdicts - judged.get(item_id, 0)) > 0:
            missing[item_id] = left
    return Plan(items, sum(judged.values()), dict(refused), missing)


def _properties(dataset: Dataset) -> Iterator[tuple[Any, ...]]:
    """Of each item: its id, then everything that an engine's refusal may depend on."""
    rows = Item.objects.filter(dataset=dataset).order_by("position")
    properties: tuple[Any, ...] = (
        "kind",
        "scenario",
        "language",
        Q(reference__isnull=False),
        Q(messages__isnull=False),
    )
    return rows.values_list("pk", *properties).iterator(chunk_size=10_000)


def _ask(
    judge: JudgeConfig, item_id: int, criteria: Sequence[Criterion], orders: Sequence[Order], samples: int
) -> _Asked:
    """Ask the engine about one item, which stands for all that have the same properties."""
    (item,) = texts_of([item_id])
    concerned = [c for c in criteria if concerns(c, item_kind=item.kind, scenario=item.scenario)]
    engine = engine_of(judge)
    refusals = [refusal(engine, request_of(item, spec_of(criterion))) for criterion in concerned]
    accepted = sum(reason is None for reason in refusals)
    reasons = tuple(reason for reason in refusals if reason is not None) if concerned else (NOT_ASKED,)
    return _Asked(accepted * len(asked_orders(item.kind, orders)) * samples, reasons)


def judged_already(
    *, judge: JudgeConfig, criteria: Sequence[Criterion], orders: Sequence[Order], samples: int
) -> QuerySet[Judgment]:
    """The judge's verdicts, whichever run gave them, on what such a run would ask."""
    pairs = [criterion.pk for criterion in criteria if criterion.kind == Criterion.Kind.PAIR]
    singles = [criterion.pk for criterion in criteria if criterion.kind != Criterion.Kind.PAIR]
    return Judgment.objects.filter(
        Q(criterion__in=pairs, order__in=set(orders)) | Q(criterion__in=singles, order=Order.AB),
        rater=judge.rater_id,
        sample__lt=samples,
        revision=0,
    )


def questions(shard: Shard) -> list[Question]:
    """What is still to be asked of a shard's items; both orders of a pair stand next to each other."""
    run = shard.run
    criteria = list(run.rubric_version.criteria.all())
    specs = {criterion.pk: spec_of(criterion) for criterion in criteria}
    engine = engine_of(run.judge)
    orders = [Order(order) for order in run.orders]
    there = set(
        judged_already(judge=run.judge, criteria=criteria, orders=orders, samples=run.samples)
        .filter(item__in=shard.item_ids)
        .values_list("item", "criterion", "order", "sample")
    )
    asked = []
    for item in texts_of(shard.item_ids):
        for criterion in criteria:
            if not concerns(criterion, item_kind=item.kind, scenario=item.scenario):
                continue
            request = request_of(item, specs[criterion.pk])
            if refusal(engine, request) is not None:
                continue
            asked += [
                Question(item.item_id, criterion, order, shown(request, order, sample))
                for sample in range(run.samples)
                for order in asked_orders(item.kind, orders)
                if (item.item_id, criterion.pk, order, sample) not in there
            ]
    return asked
