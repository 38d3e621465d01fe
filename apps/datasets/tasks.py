"""Items rendered in the background, so that the first reader of each does not wait for it."""

from __future__ import annotations

import logging
import time
from functools import partial

from celery import shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.datasets import texts

BATCH = 100
#: then the rest goes to the end of the queue, so that a large dataset keeps no worker from anything else
SECONDS_AT_A_TIME = 5.0
log = logging.getLogger(__name__)


@shared_task
def render_dataset(dataset_id: int, after: int = -1) -> None:
    """Render what the dataset's items lack. Safe to deliver twice or never: a page renders what it misses."""
    until = time.monotonic() + SECONDS_AT_A_TIME
    while time.monotonic() < until:
        last = texts.render_some(dataset_id=dataset_id, after=after, count=BATCH)
        if last is None:
            return
        after = last
    render_dataset.delay(dataset_id, after)


def render_soon(dataset_id: int) -> None:
    """Have the dataset's items rendered once the transaction is through."""
    transaction.on_commit(partial(_send, dataset_id))


def _send(dataset_id: int) -> None:
    try:
        render_dataset.delay(dataset_id)
    except OperationalError as error:
        log.warning("dataset %s is not rendered ahead, the broker cannot be reached: %s", dataset_id, error)
