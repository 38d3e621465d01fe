"""Runs against real processes: Celery workers that are killed, a Redis that is emptied, a real beat."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count

from apps.config import supervisor
from apps.judging import engines, planning, selectors, tasks
from apps.judging.models import JudgeConfig, JudgeRun, Output, Shard
from apps.judging.rows import ReadOutput
from apps.judging.services import judges, runs, shards
from apps.judgments.models import Judgment
from tests.factories import make_dataset, make_pair_rubric, make_project

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SpawnWorker = Callable[..., "subprocess.Popen[bytes]"]
PAIRS, SHARDS, LEASE = 600, 120, 2


@pytest.fixture(autouse=True)
def short_lease(monkeypatch, process_environment, settings):
    """A lease short enough to wait for, here and in the workers."""
    monkeypatch.setitem(process_environment, "JURYBOX_SHARD_LEASE_SECONDS", str(LEASE))
    settings.SHARD_LEASE_SECONDS = LEASE


@pytest.fixture
def beat(process_environment: dict[str, str], tmp_path: Path) -> Iterator[None]:
    """A real Celery beat, which sends `reconcile` at once and then every ten seconds."""
    command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "workers.celery", "beat", "--loglevel=INFO"]
    process = supervisor.spawn(
        [*command, "--schedule", os.fspath(tmp_path / "schedule"), "--pidfile="],
        log=tmp_path / "beat.log",
        death_signal=signal.SIGKILL,
        environment=process_environment,
        directory=Path(__file__).resolve().parents[2],
    )
    yield
    supervisor.stop(process, [(signal.SIGTERM, 5)])


@pytest.fixture
def run(transactional_db: None) -> JudgeRun:
    """600 pairs in both orders, in shards small enough to be interrupted between and within."""
    project = make_project()
    judge = judges.create_judge(
        project=project, name="longer wins", engine="baseline", model="length", params={}, by=None
    )
    flush()
    return runs.start_run(
        judge=judge,
        dataset=make_dataset(project, pairs=PAIRS),
        rubric_version=make_pair_rubric(project),
        by=None,
        shard_size=PAIRS // SHARDS,
    )


def flush() -> None:
    with redis.from_url(settings.REDIS_URL) as client:
        client.flushall()


def wait_for(condition: Callable[[], bool], *, patience: float = 60) -> None:
    give_up = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < give_up, list(Shard.objects.values("status").annotate(Count("pk")))
        time.sleep(0.02)


def done_shards(run: JudgeRun) -> int:
    return run.shards.filter(status=Shard.Status.DONE).count()


def waiting_for_a_lock() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])


def assert_complete(run: JudgeRun) -> None:
    run.refresh_from_db()
    assert run.status == JudgeRun.Status.DONE
    assert not run.shards.exclude(status=Shard.Status.DONE)
    for rows in (Judgment.objects.filter(rater=run.judge.rater), Output.objects.filter(run=run)):
        assert rows.count() == 2 * PAIRS
        assert rows.values("item", "criterion", "order", "sample").distinct().count() == 2 * PAIRS


def test_killed_workers_and_an_emptied_broker_lose_nothing_and_double_nothing(
    run: JudgeRun, spawn_worker: SpawnWorker, beat: None
) -> None:
    tasks.enqueue(run)
    worker = spawn_worker(concurrency=2)
    wait_for(lambda: done_shards(run) > 15)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE judging_output IN SHARE MODE")  # both processes wait in the middle of storing
        wait_for(lambda: waiting_for_a_lock() == 2)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    flush()  # the hints that were left, and those that the dead worker had not acknowledged
    assert 15 < done_shards(run) < SHARDS

    spawn_worker(concurrency=2)  # says at its start that it wants to know what was left undone
    seen = done_shards(run)
    wait_for(lambda: done_shards(run) > seen + 15)
    flush()  # under a working worker: beat sends the rest again
    assert done_shards(run) < SHARDS

    wait_for(lambda: JudgeRun.objects.get(pk=run.pk).status == JudgeRun.Status.DONE)
    assert_complete(run)
    assert run.shards.filter(attempts=2).count() == 2
    took = (JudgeRun.objects.get(pk=run.pk).finished_at - run.created_at).total_seconds()  # type: ignore[operator]
    print(f"\n{2 * PAIRS} verdicts in {took:.1f} s")


def test_the_shard_of_a_worker_that_hangs_is_taken_over(run: JudgeRun, spawn_worker: SpawnWorker) -> None:
    shard = run.shards.first()
    assert shard is not None
    hung = shards.claim(shard.pk)  # this process is the worker that hangs: it sends no heartbeat
    assert hung is not None
    outputs = engines.judge(run.judge, planning.questions(hung.shard))
    tasks.enqueue(run)
    spawn_worker(concurrency=2)

    # A worker that came to its hint after the lease has done it already; otherwise the reconciler sends another one.
    wait_for(lambda: done_shards(run) >= SHARDS - 1)
    wait_for(lambda: done_shards(run) == SHARDS or selectors.claimable_shards().exists())
    tasks.reconcile()
    wait_for(lambda: JudgeRun.objects.get(pk=run.pk).status == JudgeRun.Status.DONE)

    assert run.shards.get(pk=shard.pk).attempts == 2
    with pytest.raises(shards.LeaseLost):
        shards.store(claim=hung, outputs=outputs)
    assert_complete(run)


def test_a_slow_judge_keeps_its_shard(run: JudgeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    shard = run.shards.all()[0]
    rivals = []

    def slowly(config: JudgeConfig, questions: Sequence[engines.Question]) -> list[ReadOutput]:
        for _ in range(6):
            time.sleep(LEASE / 4)
            rivals.append(shards.claim(shard.pk))
        return judge(config, questions)

    judge = engines.judge
    monkeypatch.setattr(engines, "judge", slowly)
    tasks.work(shard.pk)

    shard.refresh_from_db()
    assert rivals == [None] * 6
    assert (shard.status, shard.attempts) == (Shard.Status.DONE, 1)


def test_ten_thousand_pairs_on_one_worker(transactional_db: None, spawn_worker: SpawnWorker) -> None:
    project = make_project()
    judge = judges.create_judge(project=project, name="longer", engine="baseline", model="length", params={}, by=None)
    dataset = make_dataset(project, pairs=10_000)
    flush()
    run = runs.start_run(judge=judge, dataset=dataset, rubric_version=make_pair_rubric(project), by=None)
    tasks.enqueue(run)
    spawn_worker(concurrency=1)

    wait_for(lambda: JudgeRun.objects.get(pk=run.pk).status == JudgeRun.Status.DONE, patience=120)

    run.refresh_from_db()
    assert run.started_at is not None
    assert run.finished_at is not None
    assert Judgment.objects.filter(rater=judge.rater).count() == 20_000
    print(f"\n{20_000 / (run.finished_at - run.started_at).total_seconds():,.0f} verdicts a second by one worker")
