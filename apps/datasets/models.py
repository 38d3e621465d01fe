"""Datasets, their items and responses, and the systems that wrote the responses.

Built for ten million judgments over about a million items. An item row is its texts plus about 120 bytes, a response
its text plus about 60; texts over 2 KB move to TOAST, so lists and counts do not read them. Which index serves what:

- `item_external_id_once` (dataset, external_id): import's duplicate check, judgments' look-up by id, the API.
- `item_place_in_dataset` (dataset, position): pages of the items browser, export order, shards.
- `item_of_group` (dataset, group_key): splits, and the cluster bootstrap.
- `response_once_a_place` (item, position): an item's responses, on every screen.
- `response_of_system` (system): "items with answers by this system".

Text search reads the dataset's rows; it needs no index up to some 100,000 items, and works for any script.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.projects.models import Project


class System(models.Model):
    """A model under test. Never shown to annotators."""

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="systems", db_index=False)
    name = models.CharField(_("name"), max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="system_name_once_a_project")]


class Dataset(models.Model):
    class Sampling(models.TextChoices):
        """How its items were chosen. Prediction-powered estimates are valid on random samples only."""

        UNKNOWN = "unknown", _("Not known")
        RANDOM = "random", _("Drawn at random")
        ALL = "all", _("All there are")
        SELECTED = "selected", _("Picked by hand or by rule")

    id = models.AutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="datasets", db_index=False)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True, max_length=2000)
    sampling = models.CharField(_("how items were chosen"), max_length=8, choices=Sampling, default=Sampling.UNKNOWN)
    #: kept by the import in its own transaction, so that no page counts a million rows
    item_count = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="dataset_name_once_a_project"),
            models.CheckConstraint(
                condition=Q(sampling__in=["unknown", "random", "all", "selected"]), name="dataset_sampling_known"
            ),
        ]


class Item(models.Model):
    """One thing to judge. Frozen by a trigger once anything has judged it."""

    class Kind(models.IntegerChoices):
        """The number is how many responses it has."""

        SINGLE = 1, _("Single")
        PAIR = 2, _("Pair")

    id = models.BigAutoField(primary_key=True)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="items", db_index=False)
    #: place in the imported file, from 0
    position = models.IntegerField()
    #: 64 bits of a hash of `group`, or of instruction and context: what the bootstrap resamples and a split never parts
    group_key = models.BigIntegerField()
    kind = models.SmallIntegerField(choices=Kind)
    external_id = models.CharField(max_length=200)
    scenario = models.CharField(max_length=200, default="", blank=True)
    #: of the instruction: "zh", "en", … or "" where it was neither said nor plain to see
    language = models.CharField(max_length=16, default="", blank=True)
    group = models.CharField(max_length=200, null=True)  # noqa: DJ001  null: the file named none
    instruction = models.TextField()
    #: the conversation, [{role, content}…], where the file gave one; `instruction` then holds its text
    messages = models.JSONField(null=True)
    context = models.TextField(default="", blank=True)
    reference = models.TextField(null=True)  # noqa: DJ001  null: no reference; an empty one is refused at import
    meta = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "external_id"], name="item_external_id_once"),
            models.UniqueConstraint(fields=["dataset", "position"], name="item_place_in_dataset"),
            models.CheckConstraint(condition=Q(kind__in=[1, 2]), name="item_kind_known"),
        ]
        indexes = [models.Index(fields=["dataset", "group_key"], name="item_of_group")]


class Response(models.Model):
    """A system's answer to an item: position 0 is the item's first response (A), 1 its second (B)."""

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="responses", db_index=False)
    system = models.ForeignKey(System, on_delete=models.PROTECT, related_name="responses", db_index=False)
    position = models.SmallIntegerField()
    text = models.TextField()
    messages = models.JSONField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["item", "position"], name="response_once_a_place"),
            models.CheckConstraint(condition=Q(position__in=[0, 1]), name="response_position_0_or_1"),
        ]
        indexes = [models.Index(fields=["system"], name="response_of_system")]


class RenderedItem(models.Model):
    """An item's Markdown as sanitised HTML, made outside the import; a cache that may be emptied at any time."""

    item = models.OneToOneField(Item, on_delete=models.CASCADE, primary_key=True, related_name="rendered")
    #: `apps.core.markdown.RENDERER_VERSION` that made it; a row of another version is made anew
    version = models.SmallIntegerField()
    instruction = models.TextField()
    context = models.TextField(default="")
    reference = models.TextField(default="")
    #: one HTML text for each response, by position
    responses = ArrayField(models.TextField())
