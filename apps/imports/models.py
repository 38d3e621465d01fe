"""Imports: a file, what became of it, and every line that was wrong."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.datasets.models import Dataset
from apps.projects.models import Project
from apps.rubrics.models import RubricVersion


class Import(models.Model):
    """One file on its way into a dataset. Its row is locked by the worker for as long as the file is read."""

    class Kind(models.TextChoices):
        ITEMS = "items", _("Items")
        JUDGMENTS = "judgments", _("Judgments")

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imports")
    kind = models.CharField(max_length=9, choices=Kind)
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    file_name = models.CharField(max_length=255)
    #: where the upload waits, under settings.MEDIA_ROOT; empty once it was read
    path = models.CharField(max_length=255, default="", blank=True)
    size = models.BigIntegerField(default=0)
    #: the dataset that items go to is named, and made with them; judgments go to one that exists
    dataset_name = models.CharField(_("dataset"), max_length=120)
    sampling = models.CharField(max_length=8, choices=Dataset.Sampling, default=Dataset.Sampling.UNKNOWN)
    dataset = models.ForeignKey(Dataset, null=True, on_delete=models.SET_NULL, related_name="imports")
    rubric_version = models.ForeignKey(RubricVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    #: import the good rows even if others are wrong
    good_rows_only = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: rows that were right; stored unless the file was refused
    good = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    #: the first of them: [[line, field, value, message, remedy]…], the last three packed by apps.core.said
    problems = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "done", "refused", "failed"]), name="import_status_known"
            ),
        ]
        indexes = [models.Index(fields=["status"], condition=Q(status="waiting"), name="import_waiting")]
