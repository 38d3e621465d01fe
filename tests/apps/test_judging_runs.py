"""The life of a run and its shards, as far as one process can show it. Several processes: tests/race/test_runs.py."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.judging import engines, planning, selectors, tasks
from apps.judging.models import JudgeConfig, JudgeRun, Output, Shard
from apps.judging.rows import ReadOutput
from apps.judging.services import judges, runs, shards
from apps.judgments.models import Judgment, Order, Rater, Status, Verdict
from apps.projects.models import Project
from tests.factories import make_dataset, make_pair_rubric, make_project, make_score_rubric, make_version

pytestmark = pytest.mark.django_db


def make_judge(project: Project, model: str = "length", **params: object) -> JudgeConfig:
    name = f"{model} {JudgeConfig.objects.count()}"
    return judges.create_judge(project=project, name=name, engine="baseline", model=model, params=params, by=None)


def make_run(*, pairs: int = 6, model: str = "length", shard_size: int = 2, **options: object) -> JudgeRun:
    project = make_project()
    return runs.start_run(
        judge=make_judge(project, model),
        dataset=make_dataset(project, pairs=pairs),
        rubric_version=make_pair_rubric(project),
        by=None,
        shard_size=shard_size,
        **options,  # type: ignore[arg-type]
    )


def work_all(run: JudgeRun) -> None:
    for shard in run.shards.all():
        tasks.work(shard.pk)
    run.refresh_from_db()


def claim(shard: Shard | None) -> shards.Claim:
    assert shard is not None
    claimed = shards.claim(shard.pk)
    assert claimed is not None
    return claimed


def expire(claim: shards.Claim) -> None:
    Shard.objects.filter(pk=claim.shard.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


# --- planning ---------------------------------------------------------------------------------------------------------


def test_a_pair_is_asked_in_both_orders_and_a_single_once():
    project = make_project()
    version = make_version(
        project,
        "Both",
        [
            {"key": "overall", "kind": 0, "name": "Overall", "question": "Which?"},
            {"key": "help", "kind": 1, "name": "Help", "question": "How?", "scale_min": 1, "scale_max": 5},
        ],
    )
    dataset = make_dataset(project, pairs=3, singles=2)

    plan = runs.preview_run(judge=make_judge(project, "random"), dataset=dataset, rubric_version=version)

    assert (plan.items, plan.verdicts, plan.judged, plan.refused) == (5, 3 * 2 + 2, 0, {})


def test_preview_says_what_is_left_out_and_why():
    project = make_project()
    rubric = make_pair_rubric(project)
    dataset = make_dataset(project, pairs=4, singles=3)
    dataset.items.filter(external_id="pair-0").update(reference="An answer.")

    plan = runs.preview_run(judge=make_judge(project, "rouge_l"), dataset=dataset, rubric_version=rubric)

    assert plan.refused == {engines.NO_REFERENCE: 3, planning.NOT_ASKED: 3}
    assert (plan.items, plan.verdicts) == (7, 2)


def test_a_criterion_of_a_kind_the_judge_cannot_answer_is_refused_before_the_start():
    project = make_project()
    judge, dataset = make_judge(project, "length"), make_dataset(project, singles=2)

    with pytest.raises(runs.NothingToJudge) as refused:
        runs.start_run(judge=judge, dataset=dataset, rubric_version=make_score_rubric(project), by=None)

    assert refused.value.plan.refused == {engines.WRONG_KIND: 2}
    assert not JudgeRun.objects.exists()


def test_a_criterion_for_some_scenarios_asks_about_these_only():
    project = make_project()
    rubric = make_pair_rubric(project, scenarios=["maths"])
    dataset = make_dataset(project, pairs=3)
    dataset.items.filter(external_id="pair-1").update(scenario="maths")

    plan = runs.preview_run(judge=make_judge(project), dataset=dataset, rubric_version=rubric)

    assert (plan.verdicts, plan.refused) == (2, {planning.NOT_ASKED: 2})


def test_a_run_needs_parts_of_one_project_that_can_still_be_used():
    project, other = make_project(), make_project()
    judge, rubric = make_judge(project), make_pair_rubric(project)
    archived = make_dataset(project, pairs=1, name="Old")
    archived.archived_at = timezone.now()
    archived.save()

    with pytest.raises(ValueError, match="different projects"):
        runs.start_run(judge=judge, dataset=make_dataset(other, pairs=1), rubric_version=rubric, by=None)
    with pytest.raises(ValueError, match="archived"):
        runs.start_run(judge=judge, dataset=archived, rubric_version=rubric, by=None)


def test_shards_cover_every_item_once_in_an_order_of_chance():
    run = make_run(pairs=25, shard_size=4)

    items = [item for shard in run.shards.all() for item in shard.item_ids]

    assert [len(shard.item_ids) for shard in run.shards.all()] == [4, 4, 4, 4, 4, 4, 1]
    assert sorted(items) == sorted(run.dataset.items.values_list("pk", flat=True)) != items
    assert (run.total, sum(shard.total for shard in run.shards.all())) == (50, 50)


def test_runs_are_numbered_within_their_project():
    first = make_run()
    second = runs.start_run(
        judge=make_judge(first.project), dataset=first.dataset, rubric_version=first.rubric_version, by=None
    )
    assert (first.number, second.number, make_run().number) == (1, 2, 1)


# --- judging ----------------------------------------------------------------------------------------------------------


def test_a_run_gives_every_verdict_once_and_ends():
    run = make_run(pairs=5)

    work_all(run)

    assert run.status == JudgeRun.Status.DONE
    assert run.started_at is not None
    assert run.finished_at is not None
    assert run.started_at <= run.finished_at
    assert Output.objects.filter(run=run).count() == Judgment.objects.filter(rater=run.judge.rater).count() == 10
    assert run.versions["Python"]


def test_verdicts_are_stored_un_swapped():
    project = make_project()
    dataset = make_dataset(project, pairs=2)
    first, second = dataset.items.order_by("position")
    first.responses.filter(position=0).update(text="long" * 9)
    second.responses.filter(position=1).update(text="long" * 9)
    rubric = make_pair_rubric(project)
    run = runs.start_run(judge=make_judge(project), dataset=dataset, rubric_version=rubric, by=None)

    work_all(run)

    found = set(Judgment.objects.values_list("item", "order", "verdict", "revision"))
    assert found == {(first.pk, o, Verdict.A, 0) for o in Order} | {(second.pk, o, Verdict.B, 0) for o in Order}
    shard = run.shards.get()
    assert (shard.both_orders, shard.same_verdict) == (2, 2)


def test_an_answer_without_a_verdict_is_kept_as_such():
    project = make_project()
    dataset = make_dataset(project, pairs=1)
    dataset.items.get().responses.update(text="as long")
    rubric = make_pair_rubric(project, ties=False)
    run = runs.start_run(judge=make_judge(project), dataset=dataset, rubric_version=rubric, by=None)

    work_all(run)

    assert run.status == JudgeRun.Status.DONE
    assert set(Judgment.objects.values_list("status", "verdict")) == {(Status.REFUSED, None)}
    shard = run.shards.get()
    assert (shard.done, shard.refused, shard.both_orders) == (2, 2, 0)


def test_scores_and_choices_are_stored_with_their_kind():
    project = make_project()
    options = [{"id": name, "label": name.title(), "description": ""} for name in ("good", "bad")]
    version = make_version(
        project,
        "Singles",
        [
            {"key": "help", "kind": 1, "name": "Help", "question": "How?", "scale_min": 1, "scale_max": 5},
            {"key": "class", "kind": 2, "name": "Class", "question": "Which?", "options": options},
        ],
    )
    run = runs.start_run(
        judge=make_judge(project, "random", seed=7),
        dataset=make_dataset(project, singles=20),
        rubric_version=version,
        by=None,
    )

    work_all(run)

    scores = Judgment.objects.filter(kind=1).values_list("score", flat=True)
    choices = Judgment.objects.filter(kind=2).values_list("choice", flat=True)
    assert (len(scores), len(choices)) == (20, 20)
    assert set(scores) <= {1.0, 2.0, 3.0, 4.0, 5.0}
    assert set(choices) == {0, 1}


def test_what_the_judge_said_before_is_not_asked_again():
    run = make_run(pairs=4)
    work_all(run)
    before = set(Judgment.objects.values_list("pk", flat=True))
    parts: dict[str, Any] = {"judge": run.judge, "dataset": run.dataset, "rubric_version": run.rubric_version}

    plan = runs.preview_run(**parts)
    assert (plan.verdicts, plan.judged) == (0, 8)
    with pytest.raises(runs.NothingToJudge):
        runs.start_run(**parts, by=None)

    again = runs.start_run(**parts, by=None, samples=2)  # on purpose: a second sample
    work_all(again)
    assert (again.total, again.status) == (8, JudgeRun.Status.DONE)
    assert set(Judgment.objects.filter(sample=0).values_list("pk", flat=True)) == before
    assert Judgment.objects.filter(sample=1).count() == 8


def test_two_runs_of_one_judge_at_once_judge_everything_once():
    run = make_run(pairs=4)
    twin = runs.start_run(
        judge=run.judge, dataset=run.dataset, rubric_version=run.rubric_version, by=None, shard_size=3
    )

    tasks.work(run.shards.all()[0].pk)
    work_all(twin)
    work_all(run)

    assert {run.status, twin.status} == {JudgeRun.Status.DONE}
    assert Judgment.objects.count() == 8
    assert not Judgment.objects.values("item", "order").annotate(n=Count("pk")).filter(n__gt=1)
    assert [found["done"] for found in map(vars, selectors.runs_of(run.project))] == [4, 4]


def test_text_that_the_database_cannot_hold_is_stored_all_the_same():
    run = make_run(pairs=1)
    held = claim(run.shards.get())
    question = planning.questions(held.shard)[0]
    output = ReadOutput(
        item_id=question.item_id,
        criterion=question.criterion,
        order=question.order,
        status=Status.UNPARSED,
        raw="nul \0 and \ud800",
    )

    shards.store(claim=held, outputs=[output])

    assert Output.objects.get().raw == "nul � and ?"


# --- claims, leases, errors -------------------------------------------------------------------------------------------


def test_a_shard_is_claimed_once_until_its_lease_runs_out():
    shard_id = make_run().shards.all()[0].pk

    first = shards.claim(shard_id)
    assert first is not None
    assert shards.claim(shard_id) is None
    assert selectors.claimable_shards().count() == 2

    expire(first)
    assert selectors.claimable_shards().count() == 3
    second = shards.claim(shard_id)
    assert second is not None
    assert second.shard.attempts == 2
    assert second.token != first.token


def test_a_worker_taken_for_dead_can_change_nothing():
    run = make_run(pairs=2)
    late = claim(run.shards.get())
    outputs = engines.judge(run.judge, planning.questions(late.shard))
    expire(late)
    taken = claim(late.shard)

    assert not shards.extend(late)
    shards.release(claim=late, error="too late")
    with pytest.raises(shards.LeaseLost):
        shards.store(claim=late, outputs=outputs)

    shard = run.shards.get()
    assert (shard.status, shard.claim, shard.error) == (Shard.Status.RUNNING, taken.token, "")
    assert not Output.objects.exists()
    shards.store(claim=taken, outputs=outputs)
    assert Judgment.objects.count() == 4


def test_a_lease_that_ran_out_unnoticed_may_still_be_stored():
    run = make_run(pairs=1)
    held = claim(run.shards.get())
    expire(held)
    shards.store(claim=held, outputs=engines.judge(run.judge, planning.questions(held.shard)))
    assert run.shards.get().status == Shard.Status.DONE


def test_a_heartbeat_extends_the_lease(settings):
    held = claim(make_run().shards.first())
    expire(held)
    settings.SHARD_LEASE_SECONDS = 1000
    assert shards.extend(held)
    until = Shard.objects.get(pk=held.shard.pk).lease_until
    assert until is not None
    assert until > timezone.now() + timedelta(seconds=900)


def test_an_error_is_said_on_the_shard_and_tried_again_before_it_fails(settings, monkeypatch):
    settings.SHARD_ATTEMPTS = 2
    run = make_run(pairs=4)
    broken, healthy = run.shards.all()
    judge = engines.judge

    def fails_on_the_first(config, questions):
        if questions[0].item_id in broken.item_ids:
            raise RuntimeError("out of memory")
        return judge(config, questions)

    monkeypatch.setattr(engines, "judge", fails_on_the_first)
    tasks.work(healthy.pk)
    tasks.work(broken.pk)
    broken.refresh_from_db()
    assert (broken.status, broken.error) == (Shard.Status.WAITING, "RuntimeError: out of memory")

    tasks.work(broken.pk)
    broken.refresh_from_db()
    run.refresh_from_db()
    assert (broken.status, broken.attempts, run.status) == (Shard.Status.FAILED, 2, JudgeRun.Status.FAILED)
    assert Judgment.objects.count() == 4  # what could be judged is kept
    assert shards.claim(broken.pk) is None

    monkeypatch.setattr(engines, "judge", judge)
    assert runs.retry_failed(run=run) == 1
    work_all(run)
    assert (run.status, Judgment.objects.count()) == (JudgeRun.Status.DONE, 8)
    with pytest.raises(runs.NotNow):
        runs.retry_failed(run=run)


def test_a_shard_that_kills_its_worker_is_given_up(settings):
    settings.SHARD_ATTEMPTS = 2
    run = make_run(pairs=2)
    for _ in range(2):
        expire(claim(run.shards.get()))
    assert shards.claim(run.shards.get().pk) is None

    assert shards.give_up() == 1
    assert runs.finish() == [run.pk]

    run.refresh_from_db()
    assert (run.status, run.shards.get().status) == (JudgeRun.Status.FAILED, Shard.Status.FAILED)


# --- pause, resume, stop ----------------------------------------------------------------------------------------------


def test_a_paused_run_gives_out_no_shards_and_goes_on_where_it_was():
    run = make_run()
    tasks.work(run.shards.all()[0].pk)
    runs.pause(run=run)

    work_all(run)
    assert (run.status, Judgment.objects.count()) == (JudgeRun.Status.PAUSED, 4)
    assert not selectors.claimable_shards()

    runs.resume(run=run)
    work_all(run)
    assert (run.status, Judgment.objects.count()) == (JudgeRun.Status.DONE, 12)


def test_a_stopped_run_keeps_what_it_has_and_never_goes_on():
    run = make_run()
    tasks.work(run.shards.all()[0].pk)
    running = claim(run.shards.all()[1])
    lost = claim(run.shards.all()[2])
    runs.stop(run=run)

    shards.store(claim=running, outputs=engines.judge(run.judge, planning.questions(running.shard)))
    expire(lost)
    shards.give_up()
    work_all(run)

    assert (run.status, Judgment.objects.count()) == (JudgeRun.Status.STOPPED, 8)
    assert [shard.status for shard in run.shards.all()] == ["done", "done", "waiting"]
    for service in (runs.pause, runs.resume, runs.stop, runs.retry_failed):
        with pytest.raises(runs.NotNow):
            service(run=run)
    rest = runs.start_run(judge=run.judge, dataset=run.dataset, rubric_version=run.rubric_version, by=None)
    assert rest.total == 4


def test_a_run_paused_during_its_last_shard_ends():
    run = make_run(pairs=1)
    held = claim(run.shards.get())
    runs.pause(run=run)
    shards.store(claim=held, outputs=engines.judge(run.judge, planning.questions(held.shard)))
    assert runs.finish(run_id=run.pk) == [run.pk]


# --- hints ------------------------------------------------------------------------------------------------------------


def test_enqueue_sends_one_hint_a_shard_after_the_transaction(monkeypatch, django_capture_on_commit_callbacks):
    sent: list[int] = []
    monkeypatch.setattr(tasks.judge_baseline, "delay", sent.append)
    run = make_run()

    with django_capture_on_commit_callbacks(execute=True):
        tasks.enqueue(run)
        assert sent == []

    assert sent == [shard.pk for shard in run.shards.all()]


def test_the_reconciler_sends_what_the_queue_lacks(monkeypatch, django_capture_on_commit_callbacks):
    sent: list[int] = []
    queued = 0
    monkeypatch.setattr(tasks.judge_baseline, "delay", sent.append)
    monkeypatch.setattr(tasks, "_queued", lambda engine: queued)
    run = make_run()
    lost, done, waiting = run.shards.all()
    expire(claim(lost))
    tasks.work(done.pk)

    with django_capture_on_commit_callbacks(execute=True):
        tasks.reconcile()
    assert sent == [lost.pk, waiting.pk]

    queued = 2
    with django_capture_on_commit_callbacks(execute=True):
        tasks.reconcile()
    assert sent == [lost.pk, waiting.pk]


def test_a_broker_that_is_down_fails_nobody(monkeypatch, django_capture_on_commit_callbacks):
    def refuse(shard_id):
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.judge_baseline, "delay", refuse)
    run = make_run()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.enqueue(run)
    assert run.shards.filter(status="waiting").count() == 3


# --- judges -----------------------------------------------------------------------------------------------------------


def test_a_judge_takes_no_name_that_stands_for_somebody_else():
    project = make_project()
    Rater.objects.create(project=project, kind=Rater.Kind.JUDGE, name="imported")
    with pytest.raises(judges.JudgeNameTaken):
        judges.create_judge(project=project, name="imported", engine="baseline", model="length", params={}, by=None)


def test_claims_are_new_each_time():
    run = make_run()
    tokens = {claim(shard).token for shard in run.shards.all()}
    assert len(tokens) == 3
    assert all(isinstance(token, uuid.UUID) for token in tokens)


def test_storing_a_shard_takes_two_inserts_whatever_its_size(django_assert_max_num_queries):
    run = make_run(pairs=30, shard_size=30)
    held = claim(run.shards.get())
    outputs = engines.judge(run.judge, planning.questions(held.shard))
    with django_assert_max_num_queries(6) as queries:
        shards.store(claim=held, outputs=outputs)
    assert sum("INSERT" in query["sql"] for query in queries) == 2
    assert connection.in_atomic_block
