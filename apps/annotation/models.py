"""Rounds and their queue: which annotator gets which item, and when it comes back.

`QueueEntry` is narrow and apart from the texts (about 50 bytes a row), because every "submit and next" updates one.
Which index serves what:

- `queue_open` (round, pos) where taken < need: the next open place, in the round's shuffled order.
- the primary key (round, item): the row to count up or down; an item is in a round once.
- `assignment_once` (round, item, user): nobody gets an item of a round twice, whatever happens.
- `assignment_place_once` (round, item, place) where leased or done: an item's places, so that sides stay balanced.
- `assignment_live` (round, user) where leased: what someone holds right now.
- `assignment_lease_end` (expires_at) where leased: the sweeper.
"""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.datasets.models import Dataset, Item
from apps.judgments.models import Order, Rater
from apps.projects.models import Project
from apps.rubrics.models import RubricVersion


class Round(models.Model):
    """A dataset under a rubric version, given to annotators with an overlap."""

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        PAUSED = "paused", _("Paused")
        CLOSED = "closed", _("Closed")

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rounds")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="rounds")
    rubric_version = models.ForeignKey(RubricVersion, on_delete=models.PROTECT, related_name="rounds")
    name = models.CharField(_("name"), max_length=120)
    overlap = models.PositiveSmallIntegerField(
        _("people for each item"), default=3, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    status = models.CharField(_("status"), max_length=6, choices=Status, default=Status.OPEN)
    lease_minutes = models.PositiveSmallIntegerField(
        _("minutes an item is held"), default=30, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    #: shuffles the queue and each annotator's starting place
    seed = models.IntegerField(default=0)
    #: how many items are in the queue; set when it is built
    item_count = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="round_name_once_a_project"),
            models.CheckConstraint(condition=Q(overlap__gte=1, overlap__lte=50), name="round_overlap_1_to_50"),
            models.CheckConstraint(condition=Q(status__in=["open", "paused", "closed"]), name="round_status_known"),
            models.CheckConstraint(condition=Q(lease_minutes__gte=1), name="round_lease_at_least_a_minute"),
        ]


class QueueEntry(models.Model):
    """An item of a round: how many places it has and how many are taken (leased or done)."""

    pk = models.CompositePrimaryKey("round_id", "item_id")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+", db_index=False)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="queue", db_index=False)
    #: place in the round's shuffled order, from 0
    pos = models.IntegerField()
    need = models.SmallIntegerField()
    taken = models.SmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(taken__gte=0, taken__lte=F("need")), name="queue_taken_within_need"),
            models.UniqueConstraint(fields=["round", "pos"], name="queue_place_once"),
        ]
        indexes = [models.Index(fields=["round", "pos"], condition=Q(taken__lt=F("need")), name="queue_open")]


class RoundMember(models.Model):
    """Where an annotator stands in a round's queue. Without it every "next" would re-read all that is done."""

    id = models.AutoField(primary_key=True)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="members", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="+")
    #: queue place of the last item given; the next one lies after it, and past the end the search starts anew
    cursor = models.IntegerField(default=-1)
    done = models.PositiveIntegerField(default=0)
    last_seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "user"], name="round_member_once")]


class Assignment(models.Model):
    """An annotator's lease on an item of a round. Leased again by updating the same row."""

    class State(models.TextChoices):
        LEASED = "L", _("Leased")
        DONE = "D", _("Done")
        SKIPPED = "S", _("Skipped")
        FLAGGED = "F", _("Flagged")
        EXPIRED = "X", _("Expired")

    OUTSIDE = -1

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="assignments")
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments", db_index=False
    )
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="assignments", db_index=False)
    state = models.CharField(max_length=1, choices=State, default=State.LEASED)
    #: which of the item's places it took, from 0; with the item's hash its parity decides the side.
    #: OUTSIDE: it has none, because it was answered after its place had gone to someone else
    place = models.SmallIntegerField()
    order = models.SmallIntegerField(choices=Order)
    leased_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["round", "item", "user"], name="assignment_once"),
            models.UniqueConstraint(
                fields=["round", "item", "place"],
                condition=Q(state__in=["L", "D"], place__gte=0),
                name="assignment_place_once",
            ),
            models.CheckConstraint(condition=Q(state__in=["L", "D", "S", "F", "X"]), name="assignment_state_known"),
            models.CheckConstraint(condition=Q(order__in=[0, 1]), name="assignment_order_known"),
            models.CheckConstraint(
                condition=Q(state="L", closed_at__isnull=True) | (~Q(state="L") & Q(closed_at__isnull=False)),
                name="assignment_closed_when_not_leased",
            ),
        ]
        indexes = [
            models.Index(fields=["round", "user"], condition=Q(state="L"), name="assignment_live"),
            models.Index(fields=["expires_at"], condition=Q(state="L"), name="assignment_lease_end"),
            models.Index(fields=["user", "-closed_at"], name="assignment_history"),
        ]


class Flag(models.Model):
    """An annotator set an item aside for a lead."""

    id = models.AutoField(primary_key=True)
    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="flag")
    note = models.TextField(max_length=2000)
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
