"""What happens to rounds in the background."""

from __future__ import annotations

import logging
from functools import partial

from celery import shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.annotation import services
from apps.annotation.models import Round

log = logging.getLogger(__name__)


@shared_task(expires=60)  # the next one does the same: they need not pile up where no worker runs
def return_expired() -> None:
    """Beat runs it every minute: places whose lease ran out go back into the queue."""
    services.return_expired()


@shared_task
def prepare_texts(round_id: int) -> None:
    """Render a new round's items, so that nobody waits for it. Safe to deliver twice: what is there is passed over."""
    services.prepare_texts(round_id=round_id)


def prepare_soon(round_: Round) -> None:
    """Have the round's items rendered once the transaction is through. Without it each is rendered when first shown."""
    transaction.on_commit(partial(_send, round_.pk))


def _send(round_id: int) -> None:
    try:
        prepare_texts.delay(round_id)
    except OperationalError as error:
        log.warning("the texts of round %s are not rendered ahead, the broker cannot be reached: %s", round_id, error)
