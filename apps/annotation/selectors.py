"""What the desk and the leads' pages read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.accounts.models import User
from apps.annotation.models import Assignment, Flag, QueueEntry, Round, RoundMember
from apps.projects.models import Project
from apps.rubrics.models import Criterion, RubricVersion

_CRITERIA: dict[int, tuple[Criterion, ...]] = {}


def cached_criteria(version_id: int) -> tuple[Criterion, ...] | None:
    """The published version's criteria, if this process has read them before. They never change."""
    return _CRITERIA.get(version_id)


def criteria_of(version: RubricVersion) -> tuple[Criterion, ...]:
    """The version's criteria, in order."""
    known = _CRITERIA.get(version.pk)
    if known is None:
        known = tuple(version.criteria.order_by("position"))
        if version.status == RubricVersion.Status.PUBLISHED:
            _CRITERIA[version.pk] = known
    return known


class Nothing(StrEnum):
    """Why there is nothing to label. The page has a sentence for each."""

    NO_ROUND = "no_round"
    ARCHIVED = "archived"
    NOT_STARTED = "not_started"
    OVER = "over"
    PAUSED = "paused"
    CLOSED = "closed"
    #: nothing is open to this person now, but others hold items that may come back
    WAITING = "waiting"
    ALL_DONE = "all_done"


def closed_because(round_: Round, today: date) -> Nothing | None:
    """Why nobody may label in the round today; None where they may."""
    return (
        Nothing.ARCHIVED
        if round_.project.archived_at is not None
        else Nothing.CLOSED
        if round_.status == Round.Status.CLOSED
        else Nothing.PAUSED
        if round_.status == Round.Status.PAUSED
        else outside_dates(round_.project.starts_on, round_.project.ends_on, today)
    )


def outside_dates(starts_on: date | None, ends_on: date | None, today: date) -> Nothing | None:
    if starts_on is not None and today < starts_on:
        return Nothing.NOT_STARTED
    return Nothing.OVER if ends_on is not None and today > ends_on else None


def today() -> date:
    """The day of the person who asks: a round's last day ends with their own midnight."""
    return timezone.localdate()


def has_open_place(round_: Round, user: User) -> bool:
    """Whether the queue has a place that this user could take."""
    mine = Assignment.objects.filter(user=user, round=round_).exclude(state=Assignment.State.EXPIRED).values("item")
    return QueueEntry.objects.filter(round=round_, taken__lt=F("need")).exclude(item__in=mine).exists()


def done_by(round_: Round, user: User) -> int:
    """How many items of the round this user has labelled."""
    return RoundMember.objects.filter(round=round_, user=user).values_list("done", flat=True).first() or 0


def why_nothing(round_: Round, user: User) -> Nothing:
    """Why an open round has no item for this user."""
    mine = Assignment.objects.filter(user=user, round=round_).exclude(state=Assignment.State.EXPIRED).values("item")
    held = Assignment.objects.filter(round=round_, state=Assignment.State.LEASED).exclude(user=user)
    return Nothing.WAITING if held.exclude(item__in=mine).exists() else Nothing.ALL_DONE


def round_to_label(project: Project, user: User) -> Round | None:
    """The round whose desk "Label" opens: the one in hand, else the oldest with something left, else the newest."""
    rounds = list(project.rounds.filter(status=Round.Status.OPEN).order_by("created_at", "pk"))
    held = set(
        Assignment.objects.filter(round__in=rounds, user=user, state=Assignment.State.LEASED).values_list(
            "round_id", flat=True
        )
    )
    for round_ in rounds:
        if round_.pk in held:
            return round_
    for round_ in rounds:
        if has_open_place(round_, user):
            return round_
    return rounds[-1] if rounds else project.rounds.order_by("-created_at", "-pk").first()


@dataclass(frozen=True, slots=True)
class RoundProgress:
    """How far a round is, in places: an item counts once for each person it needs."""

    round: Round
    needed: int
    done: int
    held: int
    people: int
    open_flags: int

    @property
    def is_complete(self) -> bool:
        return self.done >= self.needed


def rounds_with_progress(project: Project) -> list[RoundProgress]:
    """Every round of the project, newest first."""
    rounds = list(
        project.rounds.select_related("dataset", "rubric_version__rubric").annotate(
            needed=F("item_count") * F("overlap"),
            done_places=Coalesce(Subquery(_sum_of("done")), 0),
            people=Coalesce(Subquery(_count_members()), 0),
            open_flags=Coalesce(Subquery(_count_flags()), 0),
        )
    )
    held = dict(
        Assignment.objects.filter(round__in=rounds, state=Assignment.State.LEASED)
        .values("round")
        .annotate(n=Count("pk"))
        .values_list("round", "n")
    )
    return [
        RoundProgress(
            round=round_,
            needed=round_.needed,
            done=min(round_.done_places, round_.needed),  # late labels lie outside the overlap
            held=held.get(round_.pk, 0),
            people=round_.people,
            open_flags=round_.open_flags,
        )
        for round_ in rounds
    ]


def _sum_of(field: str) -> QuerySet[Any, Any]:
    mine = RoundMember.objects.filter(round=OuterRef("pk")).order_by().values("round")
    return mine.annotate(total=Sum(field)).values("total")


def _count_members() -> QuerySet[Any, Any]:
    mine = RoundMember.objects.filter(round=OuterRef("pk"), done__gt=0).order_by().values("round")
    return mine.annotate(total=Count("pk")).values("total")


def _count_flags() -> QuerySet[Any, Any]:
    mine = Flag.objects.filter(assignment__round=OuterRef("pk"), resolved_at__isnull=True).order_by()
    return mine.values("assignment__round").annotate(total=Count("pk")).values("total")


@dataclass(frozen=True, slots=True)
class PersonProgress:
    user: User
    done: int
    skipped: int
    flagged: int
    holds: int
    last_seen_at: object


def people_of(round_: Round) -> list[PersonProgress]:
    """What each person did in the round, the busiest first."""
    states: dict[int, dict[str, int]] = {}
    for user, state, n in (
        Assignment.objects.filter(round=round_)
        .values("user", "state")
        .annotate(n=Count("pk"))
        .values_list("user", "state", "n")
    ):
        states.setdefault(user, {})[state] = n
    members = RoundMember.objects.filter(round=round_).select_related("user").order_by("-done", "user__username")
    return [
        PersonProgress(
            user=member.user,
            done=member.done,
            skipped=states.get(member.user_id, {}).get(Assignment.State.SKIPPED, 0),
            flagged=states.get(member.user_id, {}).get(Assignment.State.FLAGGED, 0),
            holds=states.get(member.user_id, {}).get(Assignment.State.LEASED, 0),
            last_seen_at=member.last_seen_at,
        )
        for member in members
    ]


@dataclass(frozen=True, slots=True)
class Places:
    """A round in places, counted from its queue."""

    needed: int
    taken: int
    done: int
    items_done: int

    @property
    def held(self) -> int:
        return self.taken - self.done

    @property
    def is_complete(self) -> bool:
        return self.done >= self.needed


def places_of(round_: Round) -> Places:
    """Reads the whole queue: for one round's own page, not for lists."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(q.need), 0), coalesce(sum(q.taken), 0), coalesce(sum(d.n), 0),
                   count(*) FILTER (WHERE d.n >= q.need)
            FROM annotation_queueentry q
            LEFT JOIN (
                SELECT item_id, count(*) AS n FROM annotation_assignment
                WHERE round_id = %(round)s AND state = 'D' AND place >= 0 GROUP BY item_id
            ) d ON d.item_id = q.item_id
            WHERE q.round_id = %(round)s
            """,
            {"round": round_.pk},
        )
        return Places(*cursor.fetchone())


def flags_of(round_: Round) -> QuerySet[Flag]:
    """The round's flags, open ones first."""
    return (
        Flag.objects.filter(assignment__round=round_)
        .select_related("assignment__item", "assignment__user", "resolved_by")
        .order_by(F("resolved_at").desc(nulls_first=True), "-created_at")
    )
