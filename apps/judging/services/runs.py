"""Runs: planned and cut into shards in one transaction, then paused, resumed, stopped, retried and finished."""

from __future__ import annotations

import random
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Case, Exists, Max, OuterRef, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.judging.models import JudgeConfig, JudgeRun, Shard
from apps.judging.planning import Plan, plan
from apps.judgments.models import Order
from apps.projects.models import Project
from apps.rubrics.models import RubricVersion

Status = JudgeRun.Status
SMALLEST_SHARD, MOST_SHARDS = 100, 400  # items a shard, shards a run
BOTH = (Order.AB, Order.BA)


class NothingToJudge(ValueError):
    """Every verdict of the run is refused or there already."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("nothing to judge")
        self.plan = plan


class NotNow(ValueError):
    """The run is not in a state in which that can be done."""


def preview_run(
    *,
    judge: JudgeConfig,
    dataset: Dataset,
    rubric_version: RubricVersion,
    orders: Sequence[Order] = BOTH,
    samples: int = 1,
) -> Plan:
    """What a run would ask, what it would leave out and why, and what is there already. Writes nothing."""
    return plan(judge=judge, dataset=dataset, rubric_version=rubric_version, orders=orders, samples=samples)


@transaction.atomic
def start_run(
    *,
    judge: JudgeConfig,
    dataset: Dataset,
    rubric_version: RubricVersion,
    by: User | None,
    orders: Sequence[Order] = BOTH,
    samples: int = 1,
    shard_size: int | None = None,
) -> JudgeRun:
    """A run and its shards, waiting. Whoever calls sends the hints (`tasks.enqueue`); the reconciler would, too.

    Items go in an order of chance (seeded by the run's number), so that what is known half-way holds for the whole.

    Raises:
        NothingToJudge: there would be no shard.
        ValueError: the parts belong to different projects, the version is a draft, or something is archived.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=judge.project_id)  # numbers its runs one by one
    _check(project=project, judge=judge, dataset=dataset, rubric_version=rubric_version)
    planned = plan(judge=judge, dataset=dataset, rubric_version=rubric_version, orders=orders, samples=samples)
    if not planned.verdicts:
        raise NothingToJudge(planned)
    number = (JudgeRun.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0) + 1
    run = JudgeRun.objects.create(
        project=project,
        number=number,
        judge=judge,
        dataset=dataset,
        rubric_version=rubric_version,
        orders=sorted(set(orders)),
        samples=samples,
        total=planned.verdicts,
        refused=planned.refused,
        created_by=by,
    )
    items = list(planned.missing.items())
    random.Random(f"{project.pk}/{number}").shuffle(items)  # noqa: S311  an order, not a secret
    size = shard_size or max(SMALLEST_SHARD, -(-len(items) // MOST_SHARDS))
    Shard.objects.bulk_create(
        [
            Shard(
                run=run,
                number=place + 1,
                item_ids=[item for item, _ in part],
                total=sum(verdicts for _, verdicts in part),
            )
            for place, part in enumerate(items[start : start + size] for start in range(0, len(items), size))
        ],
        batch_size=200,
    )
    return run


def _check(*, project: Project, judge: JudgeConfig, dataset: Dataset, rubric_version: RubricVersion) -> None:
    if dataset.project_id != project.pk or rubric_version.rubric.project_id != project.pk:
        raise ValueError("the judge, the dataset and the rubric belong to different projects")
    if rubric_version.status != RubricVersion.Status.PUBLISHED:
        raise ValueError("a run needs a published rubric version")
    if judge.archived_at or dataset.archived_at or project.archived_at:
        raise ValueError("the judge, the dataset or the project is archived")


def pause(*, run: JudgeRun) -> None:
    """No shard is claimed from now on; those that run come to their end. Raises NotNow."""
    _move(run, {Status.QUEUED, Status.RUNNING}, Status.PAUSED)


def resume(*, run: JudgeRun) -> None:
    """Raises NotNow. Whoever calls sends the hints."""
    _move(run, {Status.PAUSED}, Status.RUNNING if run.started_at else Status.QUEUED)


def stop(*, run: JudgeRun) -> None:
    """For good: shards that wait are never claimed, those that run come to their end. Raises NotNow."""
    _move(run, {Status.QUEUED, Status.RUNNING, Status.PAUSED}, Status.STOPPED, finished_at=timezone.now())


def _move(run: JudgeRun, before: set[JudgeRun.Status], after: JudgeRun.Status, **fields: object) -> None:
    moved = JudgeRun.objects.filter(pk=run.pk, status__in=before).update(status=after, **fields)
    if not moved:  # finished meanwhile, or a second tab was first
        raise NotNow(run.pk)


@transaction.atomic
def retry_failed(*, run: JudgeRun) -> int:
    """Let the failed shards be tried again, as often as at first; how many there are. Raises NotNow if there are none.

    A run that was stopped stays stopped.
    """
    held = JudgeRun.objects.select_for_update(no_key=True).filter(pk=run.pk).exclude(status=Status.STOPPED).first()
    if held is None:
        raise NotNow(run.pk)
    again = Shard.objects.filter(run=held, status=Shard.Status.FAILED).update(
        status=Shard.Status.WAITING, attempts=0, error="", started_at=None, finished_at=None
    )
    if not again:
        raise NotNow(run.pk)
    if held.status == Status.FAILED:
        JudgeRun.objects.filter(pk=held.pk).update(status=Status.RUNNING, finished_at=None)
    return again


def finish(*, run_id: int | None = None) -> list[int]:
    """Mark the runs (all, or that one) whose shards have all ended as done, or failed where a shard has failed.

    Called outside the transaction that stored the last shard: of two workers that store the last two at once, the
    later one sees both.
    """
    open_shards = Shard.objects.filter(run=OuterRef("pk"), status__in=[Shard.Status.WAITING, Shard.Status.RUNNING])
    failed_shards = Shard.objects.filter(run=OuterRef("pk"), status=Shard.Status.FAILED)
    ended = JudgeRun.objects.filter(~Exists(open_shards), status__in=[Status.QUEUED, Status.RUNNING, Status.PAUSED])
    if run_id is not None:
        ended = ended.filter(pk=run_id)
    state = Case(When(Exists(failed_shards), then=Value(Status.FAILED)), default=Value(Status.DONE))
    return [
        pk
        for pk in list(ended.values_list("pk", flat=True))
        if ended.filter(pk=pk).update(status=state, finished_at=Now())  # nobody else ended it first
    ]


def keep_versions(*, run: JudgeRun, versions: dict[str, str]) -> None:
    """Remember what the run's first worker ran on."""
    JudgeRun.objects.filter(pk=run.pk, versions={}).update(versions=versions)
