"""How far and how fast a run is, worked by hand from its shards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.judging.models import JudgeRun, Shard
from apps.judging.progress import cell, progress
from apps.judging.templatetags.judging import duration, seconds

START = datetime(2026, 5, 4, 10, 43, tzinfo=UTC)


def at(moment: float) -> datetime:
    return START + timedelta(seconds=moment)


def done(number: int, start: float, end: float, verdicts: int = 100, **counts: int) -> Shard:
    return Shard(
        number=number,
        status=Shard.Status.DONE,
        attempts=1,
        total=verdicts,
        done=verdicts,
        started_at=at(start),
        finished_at=at(end),
        **counts,
    )


def running_run() -> JudgeRun:
    return JudgeRun(number=1, status=JudgeRun.Status.RUNNING, started_at=START)


def test_rate_and_time_left_follow_the_last_minute():
    shards = [done(1, 0, 100, 1000), done(2, 100, 160, 120), Shard(number=3, total=60)]
    found = progress(running_run(), shards, now=at(165))
    assert found.rate is not None
    assert found.rate.value == pytest.approx(2.0)  # 120 verdicts in the last 60 s; 10 a second before
    assert (found.done, found.total) == (1120, 1180)
    assert found.remaining == timedelta(seconds=30)
    assert found.ready_at == at(195)
    assert found.quiet_for is None


def test_shards_that_run_at_once_add_up():
    found = progress(running_run(), [done(1, 0, 10), done(2, 0, 10)], now=at(10))
    assert found.rate is not None
    assert found.rate.value == pytest.approx(20.0)


def test_before_the_first_shard_nothing_is_claimed():
    found = progress(running_run(), [Shard(number=1, total=10)], now=at(5))
    assert (found.rate, found.remaining, found.not_read, found.same) == (None, None, None, None)


def test_a_run_that_stands_still_says_so_and_promises_nothing():
    shards = [done(1, 0, 10), Shard(number=2, total=100)]
    assert progress(running_run(), shards, now=at(39)).quiet_for is None
    found = progress(running_run(), shards, now=at(100))
    assert found.quiet_for == timedelta(seconds=90)
    assert found.remaining is None


def test_shares_carry_wilsons_interval():
    shards = [done(1, 0, 10, 100, unparsed=3, refused=1, both_orders=50, same_verdict=41)]
    found = progress(running_run(), shards, now=at(10))
    assert found.not_read is not None
    assert found.same is not None
    assert (found.not_read.estimate, found.not_read.n, found.not_read_count) == (0.04, 100, 4)
    assert found.not_read.ci == pytest.approx((0.0157, 0.0984), abs=1e-4)
    assert (found.same.estimate, found.same.n) == (0.82, 50)
    assert found.same.ci == pytest.approx((0.6920, 0.9023), abs=1e-4)


@pytest.mark.parametrize(
    ("status", "attempts", "word"),
    [
        ("waiting", 0, "waiting"),
        ("waiting", 1, "again"),
        ("running", 1, "on"),
        ("running", 2, "again"),
        ("done", 2, "done"),
        ("failed", 5, "failed"),
    ],
)
def test_a_square_says_where_its_shard_is(status, attempts, word):
    assert cell(Shard(status=status, attempts=attempts)) == word


@pytest.mark.parametrize(
    ("length", "words"),
    [(0.4, "0 s"), (59, "59 s"), (278, "4 min 38 s"), (3725, "1 h 2 min"), (90000, "1 d 1 h")],
)
def test_durations_in_two_units(length, words):
    assert duration(timedelta(seconds=length)) == words


@pytest.mark.parametrize(("value", "words"), [(None, ""), (0.00001, "under 1 ms"), (0.012, "12 ms"), (0.94, "0.9 s")])
def test_seconds_of_an_answer(value, words):
    assert seconds(value) == words
