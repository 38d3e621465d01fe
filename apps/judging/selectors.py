"""What the pages, the sockets and the reconciler read."""

from __future__ import annotations

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Left, Now

from apps.accounts.models import User
from apps.judging.models import JudgeConfig, JudgeRun, Output, Shard
from apps.judgments.models import Status
from apps.projects.access import allows
from apps.projects.models import Membership, Project, Role

FEED = 8
#: characters of an answer in the feed: two lines on any screen
EXCERPT = 300


# --- shards that a worker could take ----------------------------------------------------------------------------------


def claimable_shards() -> QuerySet[Shard]:
    """Shards of unfinished runs that wait, or whose worker let its lease run out; in the order they should run."""
    return Shard.objects.filter(
        Q(status=Shard.Status.WAITING) | Q(status=Shard.Status.RUNNING, lease_until__lt=Now()),
        run__status__in=[JudgeRun.Status.QUEUED, JudgeRun.Status.RUNNING],
    ).order_by("run_id", "number")


def claimable_by_engine() -> dict[str, list[int]]:
    """Their ids, by the engine whose queue they belong in."""
    found: dict[str, list[int]] = {}
    for engine, shard_id in claimable_shards().values_list("run__judge__engine", "pk"):
        found.setdefault(engine, []).append(shard_id)
    return found


# --- lists ------------------------------------------------------------------------------------------------------------


def judges_of(project: Project) -> QuerySet[JudgeConfig]:
    """The project's judges, with how many runs each had and when the last one started; archived ones last."""
    return (
        JudgeConfig.objects.filter(project=project)
        .annotate(run_count=Count("runs"), last_run=Max("runs__created_at"))
        .order_by("archived_at", "name")
    )


def runs_of(project: Project) -> QuerySet[JudgeRun]:
    """The project's runs, newest first, with the verdicts they gave (`done`) and will have given (`planned`)."""
    return (
        JudgeRun.objects.filter(project=project)
        .select_related("judge", "dataset", "rubric_version__rubric")
        .annotate(
            done=Sum("shards__done", default=0),
            planned=Sum("shards__total", default=0),
            not_read=Sum("shards__unparsed", default=0)
            + Sum("shards__truncated", default=0)
            + Sum("shards__refused", default=0)
            + Sum("shards__errors", default=0),
        )
        .order_by("-number")
    )


def run_for_lead(*, user_id: int, slug: str, number: int) -> JudgeRun | None:
    """The run, if the user may see it at this moment: a lead or admin of its project, or an admin of the server."""
    run = (
        JudgeRun.objects.select_related("project", "judge", "dataset", "rubric_version__rubric")
        .filter(project__slug=slug, number=number)
        .first()
    )
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if run is None or user is None:
        return None
    membership = Membership.objects.filter(project=run.project_id, user=user).first()
    allowed = allows(membership, Role.LEAD) if membership is not None else user.is_superuser
    return run if allowed else None


# --- one run ----------------------------------------------------------------------------------------------------------


def shards_of(run: JudgeRun) -> list[Shard]:
    """The run's shards in order, without their lists of items."""
    return list(run.shards.defer("item_ids").order_by("number"))


def latest_outputs(run: JudgeRun, *, status: Status | None = None, limit: int = FEED) -> list[Output]:
    """What the judge said last, newest first, each with the first characters of its words as `excerpt`."""
    outputs = run.outputs.filter(status=status) if status is not None else run.outputs.all()
    return list(
        outputs.select_related("item", "criterion")
        .annotate(excerpt=Left("raw", EXCERPT))
        .only(
            "run",
            "item__external_id",
            "item__language",
            "item__kind",
            "criterion__name",
            "criterion__kind",
            "criterion__options",
            "seconds",
            "score",
            "order",
            "sample",
            "status",
            "verdict",
            "choice",
        )
        .order_by("-pk")[:limit]
    )
