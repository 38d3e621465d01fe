"""Telling open pages that a run changed. Only a nudge: what they show is read from the database."""

from __future__ import annotations

import logging
import time

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

_APART = 0.5  # seconds between two nudges of one process about one run
_last: dict[int, float] = {}


def group_of(run_id: int) -> str:
    """The channel layer group of the pages that show this run."""
    return f"run.{run_id}"


def announce(run_id: int, *, now: bool = False) -> None:
    """Nudge the pages that show the run, at most twice a second unless `now`.

    Never fails: the pages also look by themselves.
    """
    moment = time.monotonic()
    if not now and moment - _last.get(run_id, 0.0) < _APART:
        return
    _last[run_id] = moment
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(group_of(run_id), {"type": "run.changed"})
    except (RedisError, OSError) as error:
        log.info("run %s: open pages were not told of a change: %s", run_id, error)
