"""A thread that keeps a shard's lease while its judge works."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, connection

from apps.judging.services import shards

log = logging.getLogger(__name__)


@contextmanager
def heartbeat(claim: shards.Claim) -> Iterator[None]:
    """Extend the claim's lease three times a lease for as long as the block runs.

    A short shard ends before the first beat and costs no connection. A beat that fails is tried again at the next one:
    should the lease run out meanwhile, storing finds that out.
    """
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(claim, ended), name=f"lease of shard {claim.shard.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(claim: shards.Claim, ended: threading.Event) -> None:
    try:
        while not ended.wait(settings.SHARD_LEASE_SECONDS / 3):
            try:
                if not shards.extend(claim):
                    return
            except DatabaseError as error:
                log.warning("shard %s: its lease was not extended: %s", claim.shard.pk, error)
                connection.close()  # the next beat opens a new one
    finally:
        connection.close()  # this thread's own
