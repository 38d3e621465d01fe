"""Rubrics: what is asked about an item. A published version never changes, so a judgment's meaning never does.

The triggers in migration `0002_freeze_published_versions` hold that, whoever writes to the database.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.projects.models import Project


class Rubric(models.Model):
    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rubrics", db_index=False)
    name = models.CharField(_("name"), max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="rubric_name_once_a_project")]


class RubricVersion(models.Model):
    """A draft holds its source text and may have errors; publishing reads it into criteria and freezes both."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")

    id = models.AutoField(primary_key=True)
    rubric = models.ForeignKey(Rubric, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    source = models.TextField()
    source_name = models.CharField(max_length=200, default="rubric.yaml")
    guidelines = models.TextField(default="", blank=True)
    #: SHA-256 of the source, in hex
    digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["rubric", "number"], name="rubric_version_number_once"),
            models.UniqueConstraint(fields=["rubric"], condition=Q(status="draft"), name="rubric_one_draft"),
            models.CheckConstraint(
                condition=Q(status="draft", published_at__isnull=True)
                | Q(status="published", published_at__isnull=False),
                name="rubric_version_status_fits_date",
            ),
        ]


class Criterion(models.Model):
    """One question of a rubric version, of one kind."""

    class Kind(models.IntegerChoices):
        PAIR = 0, _("Preference")
        SCORE = 1, _("Score")
        CHOICE = 2, _("Choice")

    id = models.AutoField(primary_key=True)
    version = models.ForeignKey(RubricVersion, on_delete=models.CASCADE, related_name="criteria", db_index=False)
    #: the name that files and the API use, e.g. "overall"
    key = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField()
    kind = models.SmallIntegerField(choices=Kind)
    name = models.CharField(_("name"), max_length=120)
    question = models.TextField(_("question"))
    #: pair
    ties = models.BooleanField(default=True)
    strength = models.BooleanField(default=False)
    both_bad = models.BooleanField(default=False)
    #: score: whole numbers from `scale_min` to `scale_max`
    scale_min = models.SmallIntegerField(null=True)
    scale_max = models.SmallIntegerField(null=True)
    #: score: level as text → description
    levels = models.JSONField(default=dict)
    #: choice: [{"id", "label", "description"}…], in the rubric's order; a judgment stores the index
    options = models.JSONField(default=list)
    #: the scenarios it applies to; empty means all
    scenarios = ArrayField(models.CharField(max_length=200), default=list)
    weight = models.FloatField(default=1.0)
    required = models.BooleanField(default=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "key"], name="criterion_key_once_a_version"),
            # The target of the judgments' foreign key (criterion, version, kind): see apps/judgments.
            models.UniqueConstraint(fields=["id", "version", "kind"], name="criterion_version_kind"),
            models.CheckConstraint(
                condition=Q(kind=1, scale_min__isnull=False, scale_max__gt=F("scale_min"))
                | Q(kind__in=[0, 2], scale_min__isnull=True, scale_max__isnull=True),
                name="criterion_scale_fits_kind",
            ),
        ]
