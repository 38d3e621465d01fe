"""Imports in the background. The row is the truth; these are hints."""

from __future__ import annotations

from celery import shared_task

from apps.imports import services
from apps.imports.models import Import


@shared_task
def carry_out(import_id: int) -> None:
    """Read one waiting file. Safe to deliver twice."""
    services.carry_out(import_id)


@shared_task
def reconcile() -> None:
    """Send the hint again for every import that still waits."""
    for import_id in Import.objects.filter(status=Import.Status.WAITING).values_list("pk", flat=True):
        carry_out.delay(import_id)
