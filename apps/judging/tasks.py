"""What Celery workers do. Messages are hints: the database decides who does what, so they may be lost or doubled."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from celery.signals import worker_ready
from django.conf import settings
from django.db import transaction
from kombu.exceptions import ChannelError, OperationalError

from apps.judging import engines, live, planning, selectors
from apps.judging.heartbeat import heartbeat
from apps.judging.models import JudgeRun
from apps.judging.services import runs, shards
from workers.celery import app

log = logging.getLogger(__name__)


@app.task  # its queue is named in settings, CELERY_TASK_ROUTES
def judge_baseline(shard_id: int) -> None:
    """Judge one shard by a baseline. Safe to deliver twice: only the worker that claims it does the work."""
    work(shard_id)


def work(shard_id: int) -> None:
    """Claim, judge, store; an error goes on the shard in words, and the shard back to be tried again."""
    claim = shards.claim(shard_id)
    if claim is None:
        return
    run = claim.shard.run
    live.announce(run.pk)
    try:
        with heartbeat(claim):
            outputs = engines.judge(run.judge, planning.questions(claim.shard))
        if not run.versions:
            runs.keep_versions(run=run, versions=engines.versions(run.judge))
        shards.store(claim=claim, outputs=outputs)
    except shards.LeaseLost:
        log.warning("shard %s of run %s was taken over by another worker", claim.shard.number, run.pk)
    except Exception as error:  # whatever an engine raises must end in words on the run's page, not in a log only
        log.exception("shard %s of run %s failed on attempt %s", claim.shard.number, run.pk, claim.shard.attempts)
        shards.release(claim=claim, error=f"{type(error).__name__}: {error}")
    live.announce(run.pk, now=bool(runs.finish(run_id=run.pk)))


#: the task of each engine
TASKS = {"baseline": judge_baseline}


def enqueue(run: JudgeRun) -> None:
    """Send a hint for each shard that a worker could take now, after the transaction."""
    send(run.judge.engine, list(selectors.claimable_shards().filter(run=run).values_list("pk", flat=True)))


def send(engine: str, shard_ids: Sequence[int]) -> None:
    """Send hints to the engine's queue once the transaction is through."""
    transaction.on_commit(partial(_publish, engine, shard_ids))


def _publish(engine: str, shard_ids: Sequence[int]) -> None:
    try:
        for shard_id in shard_ids:
            TASKS[engine].delay(shard_id)
    except OperationalError as error:  # the reconciler sends them when the broker is back
        log.warning("no hints were sent, the broker cannot be reached: %s", error)


@app.task(expires=30)  # the next one does the same: they need not pile up where no worker runs
def reconcile() -> None:
    """Bring the broker in line with the database: hints for what waits or lost its worker, an end for what ended."""
    shards.give_up()
    for run_id in runs.finish():
        live.announce(run_id, now=True)
    for engine, waiting in selectors.claimable_by_engine().items():
        # Hints that wait in the queue are as good as new ones; a lost queue is an empty one.
        send(engine, waiting[: max(0, len(waiting) - _queued(engine))])


def _queued(engine: str) -> int:
    """How many hints wait in the engine's queue."""
    queue = settings.CELERY_TASK_ROUTES[TASKS[engine].name]["queue"]
    try:
        with app.connection_for_write() as connection:
            declared = connection.default_channel.queue_declare(queue=queue, passive=True)  # type: ignore[attr-defined]
            return int(declared.message_count)
    except ChannelError:  # never used since the broker started
        return 0


@worker_ready.connect
def catch_up(**_: object) -> None:
    """A worker that starts looks at once for what was left undone, rather than at the next beat."""
    try:
        reconcile.delay()
    except OperationalError as error:
        log.warning("not reconciled at start, the broker cannot be reached: %s", error)
