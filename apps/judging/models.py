"""Judges, their runs, the shards that workers claim, and what the judges said.

The database is the truth and the broker only carries hints: a worker owns a shard exactly as long as the row says so.
An output row is about 150 bytes plus the raw text. Which index serves what:

- `shard_waiting` (run, number) where waiting or running: claiming, and the reconciler's search for lost leases.
- `output_once` (run, item, criterion, order, sample): a shard judged twice stores nothing twice.
- `output_latest` (run, id): the live feed, newest first.
- `output_not_ok` (run, status) where not ok: "not read as a verdict".
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.datasets.models import Dataset, Item
from apps.judgments.models import Order, Rater, Status
from apps.projects.models import Project
from apps.rubrics.models import Criterion, RubricVersion


class JudgeConfig(models.Model):
    """A judge: engine, model, format, template and decoding. A trigger freezes it once it has run."""

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="judges", db_index=False)
    rater = models.OneToOneField(Rater, on_delete=models.PROTECT, related_name="judge")
    name = models.CharField(_("name"), max_length=120)
    #: "baseline", later "vllm", "openai", …; decides the queue
    engine = models.CharField(_("engine"), max_length=40)
    #: for a baseline: "length", "rouge_l" or "random"
    model = models.CharField(_("model"), max_length=300)
    format = models.CharField(_("format"), max_length=60, blank=True)
    template = models.CharField(_("template"), max_length=300, blank=True)
    params = models.JSONField(_("settings"), default=dict, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="judge_name_once_a_project")]


class JudgeRun(models.Model):
    """A judge over a dataset under a rubric version, in one or both orders."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")
        FAILED = "failed", _("Failed")

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs", db_index=False)
    #: "Run 14"
    number = models.PositiveIntegerField()
    judge = models.ForeignKey(JudgeConfig, on_delete=models.PROTECT, related_name="runs")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="runs")
    rubric_version = models.ForeignKey(RubricVersion, on_delete=models.PROTECT, related_name="runs")
    #: of pairs; a single is judged once, as AB
    orders = ArrayField(models.SmallIntegerField(choices=Order))
    samples = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=7, choices=Status, default=Status.QUEUED)
    #: verdicts that it will give when nothing fails
    total = models.PositiveIntegerField(default=0)
    #: items left out before the start, by reason
    refused = models.JSONField(default=dict)
    message = models.TextField(default="", blank=True)
    #: what it ran on, by package name: with the judge's settings enough to run it again; set by the first worker
    versions = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="run_number_once_a_project"),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "paused", "done", "stopped", "failed"]),
                name="run_status_known",
            ),
            models.CheckConstraint(condition=Q(samples__gte=1), name="run_at_least_one_sample"),
        ]
        indexes = [
            models.Index(fields=["status"], condition=Q(status__in=["queued", "running"]), name="run_unfinished"),
        ]


class Shard(models.Model):
    """The unit of work and of recovery: some items of a run, owned by whoever holds the lease."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(JudgeRun, on_delete=models.CASCADE, related_name="shards", db_index=False)
    number = models.PositiveIntegerField()
    item_ids = ArrayField(models.BigIntegerField())
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: verdicts it will give, and those given so far, by how they were read
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    unparsed = models.PositiveIntegerField(default=0)
    truncated = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    #: pairs with a verdict in both orders, and those of them with the same one: both orders of a pair share a shard
    both_orders = models.PositiveIntegerField(default=0)
    same_verdict = models.PositiveIntegerField(default=0)
    #: changes with every claim: a worker that lost its lease can no longer write
    claim = models.UUIDField(null=True)
    worker = models.CharField(max_length=200, default="", blank=True)
    lease_until = models.DateTimeField(null=True)
    error = models.TextField(default="", blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="shard_number_once_a_run"),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "running", "done", "failed"]), name="shard_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(status="running") | Q(claim__isnull=False, lease_until__isnull=False),
                name="shard_running_has_a_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=["run", "number"], condition=Q(status__in=["waiting", "running"]), name="shard_waiting"
            ),
        ]


class Output(models.Model):
    """What a judge said about an item, as it said it, and how it was read."""

    class Reading(models.TextChoices):
        STRICT = "strict", _("Strict")
        OFFICIAL = "official", _("Official")

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="outputs", db_index=False)
    created_at = models.DateTimeField()
    run = models.ForeignKey(JudgeRun, on_delete=models.CASCADE, related_name="outputs", db_index=False)
    shard = models.ForeignKey(Shard, on_delete=models.CASCADE, related_name="outputs", db_index=False)
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="outputs", db_index=False)
    seconds = models.FloatField(null=True)
    score = models.FloatField(null=True)
    order = models.SmallIntegerField(choices=Order)
    sample = models.SmallIntegerField(default=0)
    status = models.SmallIntegerField(choices=Status)
    verdict = models.SmallIntegerField(null=True)
    choice = models.SmallIntegerField(null=True)
    reading = models.CharField(max_length=8, choices=Reading, default=Reading.STRICT)
    #: SHA-256 of the whole prompt, in hex: no judgment is made twice for the same judge and prompt
    prompt_hash = models.CharField(max_length=64, default="", blank=True)
    raw = models.TextField()
    details = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "item", "criterion", "order", "sample"], name="output_once"),
            models.CheckConstraint(condition=Q(order__in=[0, 1]), name="output_order_known"),
        ]
        indexes = [
            models.Index(fields=["run", "-id"], name="output_latest"),
            models.Index(fields=["run", "status"], condition=~Q(status=0), name="output_not_ok"),
        ]
