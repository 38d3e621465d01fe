"""Changes to datasets. Items come by import; what was judged is frozen by the database."""

from __future__ import annotations

from django.utils import timezone

from apps.datasets.models import Dataset


def describe(*, dataset: Dataset, description: str, sampling: str) -> None:
    """Change what is said about a dataset; nothing that was computed changes."""
    dataset.description = description
    dataset.sampling = sampling
    dataset.save(update_fields=["description", "sampling"])


def archive(*, dataset: Dataset) -> None:
    """Take it out of every choice; its items and judgments stay, and so do the rounds and runs that use it."""
    Dataset.objects.filter(pk=dataset.pk, archived_at__isnull=True).update(archived_at=timezone.now())


def restore(*, dataset: Dataset) -> None:
    """Let it be chosen again."""
    Dataset.objects.filter(pk=dataset.pk).update(archived_at=None)
