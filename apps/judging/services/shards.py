"""Shards: claimed by one conditional UPDATE, kept by a lease, stored in one transaction.

A shard is in exactly one of these states, and only these steps exist:

    waiting --claim--> running --store--> done
    running --release--> waiting (tried again), or failed after SHARD_ATTEMPTS
    running, lease over --claim--> running (another worker), or --give up--> failed after SHARD_ATTEMPTS
    failed --retry--> waiting

Whoever runs a shard holds its `claim`, a new UUID each time. Every later step names it, so a worker that was taken for
dead can neither extend, store nor release what somebody else has since taken over.
"""

from __future__ import annotations

import socket
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from os import getpid

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from apps.judging.models import JudgeRun, Shard
from apps.judging.rows import ReadOutput, insert
from apps.judgments.models import Status


class LeaseLost(RuntimeError):
    """The shard is no longer this worker's: another one claimed it, or its run was removed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A shard that is ours until its lease runs out."""

    token: uuid.UUID
    shard: Shard


_CLAIM = """
UPDATE judging_shard AS shard
SET status = 'running', claim = %(claim)s, worker = %(worker)s, attempts = shard.attempts + 1,
    lease_until = clock_timestamp() + make_interval(secs => %(lease)s), started_at = clock_timestamp()
FROM judging_judgerun AS run
WHERE run.id = shard.run_id AND run.status IN ('queued', 'running') AND shard.id = (
    SELECT free.id FROM judging_shard AS free
    WHERE free.id = %(shard)s AND free.attempts < %(attempts)s
      AND (free.status = 'waiting' OR (free.status = 'running' AND free.lease_until < clock_timestamp()))
    FOR NO KEY UPDATE SKIP LOCKED
)
"""


def claim(shard_id: int) -> Claim | None:
    """Take the shard if it waits, or if the lease of whoever had it has run out; else None.

    Of any number of workers asking at once one gets it: the others skip the row while it is being changed, and find it
    changed afterwards. A worker that froze while storing cannot make another one wait.
    """
    token = uuid.uuid4()
    parameters = {
        "claim": token,
        "worker": f"{socket.gethostname()}:{getpid()}",
        "lease": settings.SHARD_LEASE_SECONDS,
        "attempts": settings.SHARD_ATTEMPTS,
        "shard": shard_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, parameters)
        if not cursor.rowcount:
            return None
    shard = Shard.objects.select_related("run__judge", "run__dataset", "run__rubric_version").get(pk=shard_id)
    if shard.run.status == JudgeRun.Status.QUEUED:
        JudgeRun.objects.filter(pk=shard.run_id, status=JudgeRun.Status.QUEUED).update(
            status=JudgeRun.Status.RUNNING, started_at=timezone.now()
        )
    return Claim(token, shard)


def extend(claim: Claim) -> bool:
    """Heartbeat: a full lease from now on. False when the shard is no longer ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE judging_shard SET lease_until = clock_timestamp() + make_interval(secs => %s) "
            "WHERE id = %s AND claim = %s AND status = 'running'",
            [settings.SHARD_LEASE_SECONDS, claim.shard.pk, claim.token],
        )
        return bool(cursor.rowcount)


@transaction.atomic
def store(*, claim: Claim, outputs: Sequence[ReadOutput]) -> None:
    """Write a whole shard's outputs and judgments and mark it done, or nothing at all.

    Rows that are there already, from an earlier run of the same judge, stay as they are.

    Raises:
        LeaseLost: the claim is no longer the shard's; nothing was written.
    """
    ours = Shard.objects.filter(pk=claim.shard.pk, claim=claim.token, status=Shard.Status.RUNNING)
    if ours.select_for_update(no_key=True).first() is None:  # from here to the end nobody else can claim it
        raise LeaseLost(claim.shard.pk)
    insert(shard=claim.shard, outputs=outputs)
    read = Counter(output.status for output in outputs)
    both, same = _both_orders(outputs)
    ours.update(
        status=Shard.Status.DONE,
        claim=None,
        lease_until=None,
        finished_at=Now(),
        error="",
        # The judge may have said some of it in another run since this one was planned: those are not asked again.
        total=len(outputs),
        done=len(outputs),
        unparsed=read[Status.UNPARSED],
        truncated=read[Status.TRUNCATED],
        refused=read[Status.REFUSED],
        errors=read[Status.ERROR],
        both_orders=both,
        same_verdict=same,
    )


def _both_orders(outputs: Sequence[ReadOutput]) -> tuple[int, int]:
    """Pairs with a verdict in both orders, and those of them with the same one (verdicts are un-swapped)."""
    verdicts: dict[tuple[int, int, int], list[int]] = {}
    for output in outputs:
        if output.verdict is not None:
            verdicts.setdefault((output.item_id, output.criterion.pk, output.sample), []).append(output.verdict)
    both = [said for said in verdicts.values() if len(said) == 2]
    return len(both), sum(first == second for first, second in both)


def release(*, claim: Claim, error: str) -> None:
    """Hand a shard back after an error: to be tried again, or failed for good after the last attempt."""
    Shard.objects.filter(pk=claim.shard.pk, claim=claim.token, status=Shard.Status.RUNNING).update(
        status=Case(
            When(attempts__gte=settings.SHARD_ATTEMPTS, then=Value(Shard.Status.FAILED)),
            default=Value(Shard.Status.WAITING),
        ),
        claim=None,
        lease_until=None,
        finished_at=Now(),
        error=error,
    )


@transaction.atomic
def give_up() -> int:
    """Fail the shards that lost their worker on the last attempt; how many there were.

    Those of a run that was stopped go back to waiting, which for them is the end.
    """
    lost = Shard.objects.filter(status=Shard.Status.RUNNING, lease_until__lt=Now())
    held = lost.select_for_update(no_key=True, skip_locked=True, of=("self",))
    stopped = list(held.filter(run__status=JudgeRun.Status.STOPPED).values_list("pk", flat=True))
    Shard.objects.filter(pk__in=stopped).update(status=Shard.Status.WAITING, claim=None, lease_until=None)
    hopeless = list(held.filter(attempts__gte=settings.SHARD_ATTEMPTS).values_list("pk", flat=True))
    return Shard.objects.filter(pk__in=hopeless).update(
        status=Shard.Status.FAILED, claim=None, lease_until=None, finished_at=F("lease_until")
    )
