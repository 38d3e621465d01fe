"""Every write of a round: building its queue, giving items out, storing labels, taking items back."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.annotation import selectors, statements
from apps.annotation.desk import Leased
from apps.annotation.labels import Answer, Lease, Submission
from apps.annotation.models import Assignment, Flag, QueueEntry, Round, RoundMember
from apps.datasets import texts
from apps.datasets.models import Dataset, Item
from apps.judgments.models import Judgment, Mark
from apps.judgments.services import rater_of_user
from apps.projects.models import Project
from apps.rubrics.models import Criterion, RubricVersion

#: two requests met on the same snapshot: nothing was written, and running the statement again is right
RETRY = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.NotNullViolation,
    psycopg.errors.CheckViolation,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)
ATTEMPTS = 5
_PAUSES = (0.01, 0.03, 0.1)  # seconds: a row is held for about a millisecond
_SWEEP_LOCK = 0x6C65617365  # "lease": only one sweeper at a time


class RoundRefused(ValueError):
    """The round cannot be made as asked; the message says why and what to change."""


class LabelRefused(Exception):
    """The label was not stored; the message says why, for the annotator."""


# --- rounds -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_round(
    *,
    project: Project,
    dataset: Dataset,
    rubric_version: RubricVersion,
    name: str,
    by: User | None,
    overlap: int | None = None,
    lease_minutes: int = 30,
    seed: int | None = None,
) -> Round:
    """Make an open round with its shuffled queue: the dataset's items that the rubric version asks something about.

    Args:
        overlap: people for each item; the project's where it is not given.
        seed: decides the order; drawn where it is not given, and kept on the round.
    Raises:
        RoundRefused: the version is a draft, the parts belong to different projects, something is archived, the name
            is taken, or the rubric asks about none of the items.
    """
    if dataset.project_id != project.pk or rubric_version.rubric.project_id != project.pk:
        raise RoundRefused(_("The dataset and the rubric must belong to this project."))
    if project.archived_at is not None or dataset.archived_at is not None:
        raise RoundRefused(_("The project or the dataset is archived. Choose one that is not."))
    if rubric_version.status != RubricVersion.Status.PUBLISHED:
        raise RoundRefused(_("The rubric version is a draft. Publish it first, so that its labels keep their meaning."))
    if project.rounds.filter(name=name).exists():
        raise RoundRefused(
            _("The project already has a round called “%(name)s”. Choose another name.") % {"name": name}
        )
    round_ = Round.objects.create(
        project=project,
        dataset=dataset,
        rubric_version=rubric_version,
        name=name,
        overlap=project.overlap if overlap is None else overlap,
        lease_minutes=lease_minutes,
        seed=random.SystemRandom().randrange(2**31) if seed is None else seed,
        created_by=by,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            statements.FILL_QUEUE,
            {
                "round": round_.pk,
                "seed": round_.seed,
                "need": round_.overlap,
                "dataset": dataset.pk,
                "version": rubric_version.pk,
            },
        )
        round_.item_count = cursor.rowcount
        if not round_.item_count:
            raise RoundRefused(_why_empty(dataset, rubric_version))
        round_.save(update_fields=["item_count"])
        # The plans of the hot statements are made from these tables' statistics: an empty one's are wrong for long.
        cursor.execute("ANALYZE annotation_queueentry, annotation_assignment, annotation_roundmember")
    return round_


def _why_empty(dataset: Dataset, version: RubricVersion) -> str:
    pairs = dataset.items.filter(kind=Item.Kind.PAIR).count()
    singles = dataset.items.filter(kind=Item.Kind.SINGLE).count()
    kinds = set(version.criteria.values_list("kind", flat=True))
    asks_pairs, asks_singles = Criterion.Kind.PAIR in kinds, bool(kinds - {Criterion.Kind.PAIR})
    if not pairs and not singles:
        return _("The dataset has no items. Import some first.")
    if pairs and not singles and not asks_pairs:
        return _(
            "The dataset has pairs only, and this rubric scores single responses. Choose a rubric with a preference."
        )
    if singles and not pairs and not asks_singles:
        return _("The dataset has single responses only, and this rubric compares pairs. Choose a rubric with scores.")
    return _(
        "No item of the dataset has a scenario that this rubric asks about. Choose another rubric or another dataset."
    )


def set_status(*, round: Round, status: Round.Status) -> None:
    """Pause, resume or close. Leases stay: what someone is reading now is taken when the round is open again."""
    Round.objects.filter(pk=round.pk).update(status=status)
    round.status = status


@transaction.atomic
def return_expired() -> int:
    """Give back the places of leases that ran out; how many there were. Several sweepers at once do it once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SWEEP_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        returned = 0
        while True:
            cursor.execute(statements.RETURN_EXPIRED)
            batch = int(cursor.fetchone()[0])
            returned += batch
            if batch < 1000:
                return returned


# --- giving items out -------------------------------------------------------------------------------------------------


def join(*, round: Round, user: User) -> RoundMember:
    """The user's place in the round, made on first use with a starting point of their own in the queue."""
    member = RoundMember.objects.filter(round=round, user=user).first()
    if member is not None:
        return member
    start = random.Random(f"{round.seed}:{user.pk}").randrange(round.item_count) - 1  # noqa: S311 -- a spread, no secret
    return RoundMember.objects.get_or_create(
        round=round,
        user=user,
        defaults={"rater": rater_of_user(project=round.project, user=user), "cursor": start},
    )[0]


def open_item(*, round: Round, user: User, raw: bool = False) -> Leased | None:
    """What the user holds, its lease renewed, else the next item; None where there is none. Call `join` before.

    Args:
        raw: the texts as they were written.
    """
    params = {"round": round.pk, "user": user.pk, "lease_minutes": round.lease_minutes}
    row = _run(statements.HELD, params) or _run(statements.CLAIM, params)
    for pause in _PAUSES:
        if row is not None or not selectors.has_open_place(round, user):
            break
        time.sleep(pause)  # the last open places were passed over, because others hold their rows at this moment
        row = _run(statements.CLAIM, params)
    return _with_texts(Leased._make(row), raw=raw) if row is not None else None


def _with_texts(leased: Leased, *, raw: bool) -> Leased:
    if leased.is_ready and not raw:
        return leased
    rendered = texts.render(Item.objects.prefetch_related("responses").get(pk=leased.item), raw=raw)
    if not raw:
        texts.keep([rendered])
    return leased._replace(
        version=rendered.version,
        instruction=rendered.instruction,
        context=rendered.context,
        reference=rendered.reference,
        responses=rendered.responses,
    )


def _run(statement: str, params: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The statement's row; tries again where two requests met (statements.py says how)."""
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, params)
                row: tuple[Any, ...] | None = cursor.fetchone()
                return row
        except DatabaseError as error:
            if attempt == ATTEMPTS - 1 or not isinstance(error.__cause__, RETRY):
                raise
    raise AssertionError("unreachable")


# --- storing labels ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored:
    """How a label was taken."""

    #: it had been stored before, the same
    again: bool = False
    #: its place had gone to someone else: kept, marked late, outside the overlap
    late: bool = False


def held_assignment(*, round: Round, user: User, lease: Lease) -> Assignment:
    """The assignment that the lease names.

    Raises:
        LabelRefused: it is not this user's, or has been given to them anew since.
    """
    assignment = Assignment.objects.select_related("item").filter(pk=lease.assignment, round=round, user=user).first()
    if assignment is None:
        raise LabelRefused(_("This item was not given to you. Nothing was stored; here is yours."))
    if assignment.leased_at != lease.leased_at:
        raise LabelRefused(
            _("This item was given to you again, perhaps with the sides exchanged. Nothing was stored: look once more.")
        )
    return assignment


def submit(*, round: Round, assignment: Assignment, submission: Submission) -> Stored:
    """Store the label of the assignment, once. The next item is leased on the way where the assignment was in time.

    Raises:
        LabelRefused: another label has been stored for it, or it was skipped or flagged.
    """
    if assignment.state == Assignment.State.LEASED:
        row = _run(
            statements.SUBMIT,
            {
                "round": round.pk,
                "user": assignment.user_id,
                "assignment": assignment.pk,
                "leased_at": assignment.leased_at,
                "lease_minutes": round.lease_minutes,
                **label_params(round.dataset_id, round.rubric_version_id, submission),
            },
        )
        if row is not None and row[0] is not None:
            return Stored()
        assignment.refresh_from_db()  # a second tab, a repeated request or the sweeper was here first
    if assignment.state == Assignment.State.EXPIRED:
        return _submit_late(round=round, assignment=assignment, submission=submission)
    if assignment.state == Assignment.State.DONE:
        if _stored_answers(round, assignment) == {answer.unswapped(assignment.order) for answer in submission.answers}:
            return Stored(again=True)
        raise LabelRefused(_("You have already submitted another label for this item. The first one was kept."))
    if assignment.state == Assignment.State.LEASED:
        raise LabelRefused(_("This item was given to you again in another tab. Nothing was stored: look once more."))
    raise LabelRefused(_("You have set this item aside, so no label was stored for it. Here is your next one."))


def label_params(dataset_id: int, version_id: int, submission: Submission) -> dict[str, Any]:
    """What SUBMIT stores."""
    return {
        "dataset": dataset_id,
        "version": version_id,
        "answers": submission.rows(),
        "seconds": submission.seconds,
        "details": submission.details,
    }


@transaction.atomic
def _submit_late(*, round: Round, assignment: Assignment, submission: Submission) -> Stored:
    """Store a label whose lease ran out and was swept: it counts if its place is still free, else it is marked."""
    # Assignment first, then the queue's row, as everywhere: that row is the lock on the item's places.
    locked = Assignment.objects.select_for_update().get(pk=assignment.pk)
    entry = QueueEntry.objects.select_for_update().get(round=round, item=assignment.item_id)
    if locked.state != Assignment.State.EXPIRED or locked.leased_at != assignment.leased_at:
        raise LabelRefused(_("This item was given to you again in another tab. Nothing was stored: look once more."))
    taken = Assignment.objects.filter(
        round=round, item=assignment.item_id, place=locked.place, state__in=["L", "D"]
    ).exists()
    late = taken or entry.taken >= entry.need
    now = timezone.now()
    if late:
        locked.place = Assignment.OUTSIDE
    else:
        entry.taken += 1
        QueueEntry.objects.filter(round=round, item=assignment.item_id).update(taken=entry.taken)
    locked.state, locked.closed_at = Assignment.State.DONE, now
    locked.save(update_fields=["place", "state", "closed_at"])
    for position, answer in enumerate(submission.answers):
        shown = answer.unswapped(locked.order)
        same = Judgment.objects.filter(
            item=locked.item_id, rater=locked.rater_id, criterion=answer.criterion, order=locked.order, sample=0
        )
        Judgment.objects.create(
            item_id=locked.item_id,
            created_at=now,
            dataset_id=round.dataset_id,
            rater_id=locked.rater_id,
            rubric_version_id=round.rubric_version_id,
            criterion_id=answer.criterion,
            seconds=submission.seconds,
            score=shown.score,
            kind=shown.kind,
            order=locked.order,
            revision=same.count(),
            verdict=shown.verdict,
            choice=shown.choice,
            strength=shown.strength,
            both_bad=shown.both_bad,
            mark=Mark.LATE if late else None,
            rationale=submission.note if position == 0 else None,
            details={"view": "raw"} if submission.raw else None,
        )
    member = RoundMember.objects.select_for_update().get(round=round, user=locked.user_id)
    member.done += 1
    member.last_seen_at = now
    member.save(update_fields=["done", "last_seen_at"])
    return Stored(late=late)


def _stored_answers(round: Round, assignment: Assignment) -> set[Answer]:
    """What this person last said about the item in the round's rubric, un-swapped."""
    latest: dict[int, Judgment] = {}
    for judgment in Judgment.objects.filter(
        item=assignment.item_id,
        rater=assignment.rater_id,
        rubric_version=round.rubric_version_id,
        order=assignment.order,
        sample=0,
    ).order_by("revision"):
        latest[judgment.criterion_id] = judgment
    return {
        Answer(
            criterion=judgment.criterion_id,
            kind=judgment.kind,
            verdict=judgment.verdict,
            score=judgment.score,
            choice=judgment.choice,
            strength=judgment.strength,
            both_bad=judgment.both_bad,
        )
        for judgment in latest.values()
    }


# --- setting items aside ----------------------------------------------------------------------------------------------


@transaction.atomic
def skip(*, assignment: Assignment) -> None:
    """Give the place back; the item is not offered to this person again. A second time changes nothing.

    Raises:
        LabelRefused: it has a label already.
    """
    _set_aside(assignment, Assignment.State.SKIPPED)


@transaction.atomic
def flag(*, assignment: Assignment, note: str) -> Flag:
    """Set the item aside for a lead, with a note, and give the place back. The first note stays.

    Raises:
        LabelRefused: it has a label already.
    """
    _set_aside(assignment, Assignment.State.FLAGGED)
    return Flag.objects.get_or_create(assignment=assignment, defaults={"note": note})[0]


def _set_aside(assignment: Assignment, state: Assignment.State) -> None:
    # The row decides who was first, so there is no lock and no race.
    mine = Assignment.objects.filter(pk=assignment.pk)
    now = timezone.now()
    if mine.filter(state=Assignment.State.LEASED).update(state=state, closed_at=now):
        entry = QueueEntry.objects.select_for_update().get(round=assignment.round_id, item=assignment.item_id)
        QueueEntry.objects.filter(round=entry.round_id, item=entry.item_id).update(taken=entry.taken - 1)
    elif not mine.filter(state=Assignment.State.EXPIRED).update(state=state, closed_at=now):
        mine_now = mine.values_list("state", flat=True).get()
        if mine_now == Assignment.State.DONE:
            raise LabelRefused(_("You have already labelled this item; the label was kept."))


@transaction.atomic
def resolve_flag(*, flag: Flag, by: User) -> None:
    """A lead has seen to it."""
    Flag.objects.filter(pk=flag.pk, resolved_at__isnull=True).update(resolved_at=timezone.now(), resolved_by=by)
