"""Exports: what was taken out, exactly enough to take the same out again."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.datasets.models import Dataset
from apps.projects.models import Project
from apps.rubrics.models import RubricVersion


class Export(models.Model):
    """Judgments are only ever added, so `upto`, the last id it may read, makes the same file whenever it is written."""

    class Kind(models.TextChoices):
        JUDGMENTS = "judgments", _("Raw judgments")
        PREFERENCES = "preferences", _("Preferences for TRL")

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="exports")
    kind = models.CharField(_("what"), max_length=11, choices=Kind)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="+")
    rubric_version = models.ForeignKey(RubricVersion, on_delete=models.CASCADE, related_name="+")
    #: `apps.exports.options`: what the form asked
    options = models.JSONField(default=dict)
    upto = models.BigIntegerField()
    #: known once it has been written to its end
    rows = models.PositiveBigIntegerField(null=True)
    size = models.PositiveBigIntegerField(null=True)
    digest = models.CharField(max_length=64, default="", blank=True)
    counts = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["judgments", "preferences"]), name="export_kind_known"),
        ]
