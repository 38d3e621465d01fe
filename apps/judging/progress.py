"""How far a run is, how fast, and how well its answers can be read: from its shards alone, a few hundred rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.analytics.stats import Estimate
from apps.analytics.stats.resample import wilson
from apps.judging.models import JudgeRun, Shard

#: how far back the rate looks, and its curve
RECENT, CURVE = timedelta(seconds=60), timedelta(minutes=10)
POINTS, HEIGHT = 40, 24
#: a run is called stalled when no shard has ended for so long, and for three times as long as a shard takes
STALLED = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Rate:
    """Verdicts a second lately, and its course as points of a 100 x 24 drawing."""

    value: float
    points: str
    whole: bool  # the curve shows the run from its start


@dataclass(frozen=True, slots=True)
class Progress:
    run: JudgeRun
    cells: list[str]
    counts: dict[str, int]
    done: int
    total: int
    unparsed: int
    truncated: int
    refused: int
    errors: int
    rate: Rate | None
    #: shares with Wilson's 95 % interval; None as long as there is nothing to divide by
    not_read: Estimate | None
    same: Estimate | None
    not_read_count: int
    remaining: timedelta | None
    ready_at: datetime | None
    quiet_for: timedelta | None
    took: timedelta | None
    error: str

    @property
    def live(self) -> bool:
        """Whether anything may still change by itself."""
        return self.run.status in {JudgeRun.Status.QUEUED, JudgeRun.Status.RUNNING} or bool(self.counts["on"])


def progress(run: JudgeRun, shards: Sequence[Shard], *, now: datetime) -> Progress:
    """The state of the run at that moment."""
    cells = [cell(shard) for shard in shards]
    done, total = sum(shard.done for shard in shards), sum(shard.total for shard in shards)
    both, same = sum(shard.both_orders for shard in shards), sum(shard.same_verdict for shard in shards)
    problems = {
        name: sum(getattr(shard, name) for shard in shards) for name in ("unparsed", "truncated", "refused", "errors")
    }
    rate = _rate(shards)
    quiet = _quiet(run, shards, now)
    remaining = None
    if run.status == JudgeRun.Status.RUNNING and rate is not None and quiet is None:
        remaining = timedelta(seconds=(total - done) / rate.value)
    last_error = max((s for s in shards if s.error), key=lambda s: (s.finished_at or now, s.number), default=None)
    return Progress(
        run=run,
        cells=cells,
        counts={name: cells.count(name) for name in ("done", "on", "again", "failed", "waiting")},
        done=done,
        total=total,
        rate=rate,
        not_read=_share(sum(problems.values()), done),
        not_read_count=sum(problems.values()),
        same=_share(same, both),
        remaining=remaining,
        ready_at=now + remaining if remaining is not None else None,
        quiet_for=quiet,
        took=run.finished_at - run.started_at if run.finished_at and run.started_at else None,
        error=last_error.error if last_error is not None else "",
        **problems,
    )


def _share(hits: int, of: int) -> Estimate | None:
    return Estimate(hits / of, wilson(hits, of), of) if of else None


def cell(shard: Shard) -> str:
    """What the shard's square says. One that is tried again is `again` whether it waits or runs."""
    if shard.status in {Shard.Status.DONE, Shard.Status.FAILED}:
        return shard.status
    running = shard.status == Shard.Status.RUNNING
    if shard.attempts > running:
        return "again"
    return "on" if running else "waiting"


def _rate(shards: Sequence[Shard]) -> Rate | None:
    """From the shards that are done, each taken to have given its verdicts evenly from its start to its end."""
    spans = [
        (shard.started_at.timestamp(), shard.finished_at.timestamp(), shard.done)
        for shard in shards
        if shard.status == Shard.Status.DONE and shard.done and shard.started_at and shard.finished_at
    ]
    if not spans:
        return None
    first, last = min(start for start, _, _ in spans), max(end for _, end, _ in spans)
    if last <= first:
        return None

    def between(start: float, end: float) -> float:
        given = sum(done * max(0.0, min(end, e) - max(start, s)) / max(e - s, 1e-6) for s, e, done in spans)
        return given / (end - start)

    begin = max(first, last - CURVE.total_seconds())
    step = (last - begin) / POINTS
    curve = [between(begin + i * step, begin + (i + 1) * step) for i in range(POINTS)]
    top = max(*curve, 1e-9)
    points = " ".join(
        f"{100 * i / (POINTS - 1):.1f},{HEIGHT - 2 - (HEIGHT - 4) * value / top:.1f}" for i, value in enumerate(curve)
    )
    return Rate(between(max(first, last - RECENT.total_seconds()), last), points, begin == first)


def _quiet(run: JudgeRun, shards: Sequence[Shard], now: datetime) -> timedelta | None:
    """How long nothing has come from a run that should be giving verdicts, if that is longer than usual."""
    if run.status != JudgeRun.Status.RUNNING:
        return None
    ended = [shard for shard in shards if shard.finished_at and shard.started_at]
    lasted = [s.finished_at - s.started_at for s in ended if s.finished_at and s.started_at]
    usual = sum(lasted, timedelta()) / len(lasted) if lasted else timedelta()
    since = max((shard.finished_at for shard in ended if shard.finished_at), default=run.started_at)
    if since is None or now - since <= max(STALLED, 3 * usual):
        return None
    return now - since
