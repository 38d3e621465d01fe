"""Imports in the background. The row is the truth; these are hints."""

from __future__ import annotations

import logging
from functools import partial

from celery import shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.datasets.tasks import render_soon
from apps.imports import services
from apps.imports.models import Import

log = logging.getLogger(__name__)


@shared_task
def carry_out(import_id: int) -> None:
    """Read one waiting file, then have its items rendered. Safe to deliver twice."""
    done = services.carry_out(import_id)
    if done is not None and done.kind == Import.Kind.ITEMS and done.dataset_id is not None:
        render_soon(done.dataset_id)


@shared_task(expires=10)  # the next one does the same: they need not pile up where no worker runs
def reconcile() -> None:
    """Send the hint again for every import that still waits."""
    for import_id in Import.objects.filter(status=Import.Status.WAITING).values_list("pk", flat=True):
        carry_out.delay(import_id)


def start_soon(row: Import) -> None:
    """Have the file read once the transaction is through; if the broker is away, the reconciler sees to it."""
    transaction.on_commit(partial(_send, row.pk))


def _send(import_id: int) -> None:
    try:
        carry_out.delay(import_id)
    except OperationalError as error:
        log.warning("import %s starts later, the broker cannot be reached: %s", import_id, error)
