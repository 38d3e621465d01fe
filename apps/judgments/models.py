"""Raters and judgments: the one fact table of humans and judges.

A judgment row is about 100 bytes without a rationale and its indexes 130 (measured on 300,000 rows): ten million are
1.0 GB and 1.3 GB. Rows are only ever added: an edit is the next revision, a
trigger refuses UPDATE and DELETE, and the latest revision is the one no higher revision exists for. Migration
`0002_hold_meaning` adds what Django cannot say: the foreign keys (item, dataset) and (criterion, rubric version,
kind), so that a judgment cannot name an item of another dataset or a criterion of another version or kind.

Which index serves what:

- `judgment_once` (item, rater, criterion, order, sample, revision): uniqueness (the criterion implies the rubric
  version), an item's judgments, "has this rater judged it".
- `judgment_by_criterion` (dataset, criterion, id): the label matrix of a dashboard, whole or since an id; exports.
- `judgment_by_rater` (rater, id): someone's own history, newest first; counts a rater.
- `judgment_later_revisions` (item, rater, criterion, order, sample) where revision > 0: the few rows that supersede
  others, so that "latest only" costs next to nothing.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.datasets.models import Dataset, Item
from apps.projects.models import Project
from apps.rubrics.models import Criterion, RubricVersion


class Rater(models.Model):
    """Whoever judges in a project: a human, with an account or known from an import only, or a judge."""

    class Kind(models.IntegerChoices):
        HUMAN = 0, _("Person")
        JUDGE = 1, _("Judge")

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="raters", db_index=False)
    kind = models.SmallIntegerField(choices=Kind)
    name = models.CharField(_("name"), max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="raters"
    )
    #: made by a program to fill the demo; labelled as simulated wherever it is shown
    is_simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["kind", "name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="rater_name_once_a_project"),
            models.UniqueConstraint(
                fields=["project", "user"], condition=Q(user__isnull=False), name="rater_user_once_a_project"
            ),
            models.CheckConstraint(condition=Q(kind__in=[0, 1]), name="rater_kind_known"),
            models.CheckConstraint(condition=Q(kind=0) | Q(user__isnull=True), name="rater_judge_has_no_user"),
        ]


class Order(models.IntegerChoices):
    """Which response was shown first (left). Verdicts are stored un-swapped whatever the order."""

    AB = 0, "AB"
    BA = 1, "BA"


class Verdict(models.IntegerChoices):
    """Ordered A < tie < B; A is the item's first response, whichever side it was shown on."""

    A = 0, "A"
    TIE = 1, "tie"
    B = 2, "B"


class Status(models.IntegerChoices):
    """How an answer was read. Whatever is not `ok` has no verdict: it is never a tie and never a score."""

    OK = 0, "ok"
    UNPARSED = 1, "unparsed"
    TRUNCATED = 2, "truncated"
    REFUSED = 3, "refused"
    ERROR = 4, "error"


class Mark(models.IntegerChoices):
    """Marked judgments stay out of agreement and training exports unless asked for."""

    WARMUP = 1, "warmup"
    GOLD = 2, "gold"
    LATE = 3, "late"
    ADJUDICATED = 4, "adjudicated"


class Strength(models.IntegerChoices):
    SLIGHT = 1, "slight"
    MUCH = 2, "much"


_EMPTY = Q(verdict__isnull=True, score__isnull=True, choice__isnull=True)


class Judgment(models.Model):
    """A rater's verdict on an item under a criterion of a rubric version, in one presentation order."""

    # Widest first, so that the row has no padding between columns. Four keys have no constraint of their own:
    # the composite ones of migration 0002 hold more, and a second check of the same would only cost time.
    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(
        Item, on_delete=models.PROTECT, related_name="judgments", db_index=False, db_constraint=False
    )
    created_at = models.DateTimeField()
    dataset = models.ForeignKey(
        Dataset, on_delete=models.PROTECT, related_name="judgments", db_index=False, db_constraint=False
    )
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="judgments", db_index=False)
    rubric_version = models.ForeignKey(
        RubricVersion, on_delete=models.PROTECT, related_name="judgments", db_index=False, db_constraint=False
    )
    criterion = models.ForeignKey(
        Criterion, on_delete=models.PROTECT, related_name="judgments", db_index=False, db_constraint=False
    )
    #: active seconds
    seconds = models.FloatField(null=True)
    score = models.FloatField(null=True)
    #: 0 to 1
    confidence = models.FloatField(null=True)
    kind = models.SmallIntegerField(choices=Criterion.Kind)
    order = models.SmallIntegerField(choices=Order, default=Order.AB)
    sample = models.SmallIntegerField(default=0)
    revision = models.SmallIntegerField(default=0)
    status = models.SmallIntegerField(choices=Status, default=Status.OK)
    verdict = models.SmallIntegerField(choices=Verdict, null=True)
    #: index into the criterion's options
    choice = models.SmallIntegerField(null=True)
    strength = models.SmallIntegerField(choices=Strength, null=True)
    mark = models.SmallIntegerField(choices=Mark, null=True)
    both_bad = models.BooleanField(default=False)
    rationale = models.TextField(null=True)  # noqa: DJ001  null costs one bit in ten million rows
    #: what only some judgments have: native score, probabilities, the view that was used
    details = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "rater", "criterion", "order", "sample", "revision"], name="judgment_once"
            ),
            models.CheckConstraint(
                condition=Q(status=0, kind=0, verdict__in=[0, 1, 2], score__isnull=True, choice__isnull=True)
                | Q(status=0, kind=1, score__isnull=False, verdict__isnull=True, choice__isnull=True)
                | Q(status=0, kind=2, choice__gte=0, verdict__isnull=True, score__isnull=True)
                | (Q(status__in=[1, 2, 3, 4]) & _EMPTY),
                name="judgment_value_fits_kind",
            ),
            models.CheckConstraint(
                condition=Q(both_bad=False) | Q(verdict=1, verdict__isnull=False), name="judgment_both_bad_is_a_tie"
            ),
            models.CheckConstraint(
                condition=Q(strength__isnull=True) | Q(strength__in=[1, 2], verdict__in=[0, 2], verdict__isnull=False),
                name="judgment_strength_has_a_side",
            ),
            models.CheckConstraint(condition=Q(order__in=[0, 1]), name="judgment_order_known"),
            models.CheckConstraint(
                condition=Q(mark__isnull=True) | Q(mark__in=[1, 2, 3, 4]), name="judgment_mark_known"
            ),
            models.CheckConstraint(condition=Q(sample__gte=0, revision__gte=0), name="judgment_sample_revision_from_0"),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True) | Q(confidence__gte=0, confidence__lte=1),
                name="judgment_confidence_0_to_1",
            ),
            models.CheckConstraint(
                condition=Q(seconds__isnull=True) | Q(seconds__gte=0, seconds__lt=float("1e9")),
                name="judgment_seconds_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(score__isnull=True) | Q(score__gt=float("-1e9"), score__lt=float("1e9")),
                name="judgment_score_finite",
            ),
        ]
        indexes = [
            models.Index(fields=["dataset", "criterion", "id"], name="judgment_by_criterion"),
            models.Index(fields=["rater", "id"], name="judgment_by_rater"),
            models.Index(
                fields=["item", "rater", "criterion", "order", "sample"],
                condition=Q(revision__gt=0),
                name="judgment_later_revisions",
            ),
        ]
