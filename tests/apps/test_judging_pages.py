"""The pages of judges and runs: who reaches them, what they say, what they refuse."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from apps.judging import tasks
from apps.judging.access import run_or_404
from apps.judging.models import JudgeConfig, JudgeRun
from apps.judging.page import fragments
from apps.judging.services import judges, runs
from apps.projects.models import Project, Role
from tests.factories import make_dataset, make_member, make_pair_rubric, make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make_project()


@pytest.fixture
def lead(client: Client, project: Project) -> Client:
    client.force_login(make_member(project, Role.LEAD))
    return client


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The hints that would have gone to the broker."""
    hints: list[int] = []
    monkeypatch.setattr(tasks.judge_baseline, "delay", hints.append)
    return hints


def make_judge(project: Project, name: str = "Longer wins", model: str = "length") -> JudgeConfig:
    params: dict[str, object] = {"seed": 3} if model == "random" else {}
    return judges.create_judge(project=project, name=name, engine="baseline", model=model, params=params, by=None)


def make_run(project: Project, *, pairs: int = 6, shard_size: int = 2, model: str = "length") -> JudgeRun:
    return runs.start_run(
        judge=make_judge(project, model=model),
        dataset=make_dataset(project, pairs=pairs),
        rubric_version=make_pair_rubric(project),
        by=None,
        shard_size=shard_size,
    )


def page(client: Client, name: str, project: Project, *args: object) -> str:
    response = client.get(reverse(f"judging:{name}", args=[project.slug, *args]))
    assert response.status_code == 200
    return response.content.decode()


def everything_of(run: JudgeRun) -> list[tuple[str, str]]:
    slug = run.project.slug
    gets = [("judges", []), ("judge", [run.judge_id]), ("runs", []), ("new_run", []), ("run", [run.number])]
    posts: list[tuple[str, list[int]]] = [("judges", []), ("new_run", [])]
    posts += [("archive", [run.judge_id]), ("restore", [run.judge_id])]
    posts += [(name, [run.number]) for name in ("pause", "resume", "stop", "retry")]
    return [("get", reverse(f"judging:{name}", args=[slug, *args])) for name, args in gets] + [
        ("post", reverse(f"judging:{name}", args=[slug, *args])) for name, args in posts
    ]


def test_nobody_but_leads_and_admins_reaches_anything_of_it(client, project):
    run = make_run(project)
    for user, status in (
        (None, 302),
        (make_user(), 404),
        (make_member(project, Role.ANNOTATOR), 403),
        (make_member(make_project(), Role.ADMIN), 404),
    ):
        client.logout()
        if user is not None:
            client.force_login(user)
        for method, address in everything_of(run):
            response = getattr(client, method)(address)
            assert response.status_code == status, (method, address)
            assert b"Longer wins" not in response.content
    run.refresh_from_db()
    assert run.status == JudgeRun.Status.QUEUED


def test_an_admin_reaches_it(client, project):
    run = make_run(project)
    client.force_login(make_member(project, Role.ADMIN))
    assert "Longer wins on Items, both orders" in page(client, "run", project, run.number)


def test_another_projects_judges_and_runs_are_not_there(lead, project):
    other = make_run(make_project())
    for name, number in (("judge", other.judge_id), ("run", other.number)):
        assert lead.get(reverse(f"judging:{name}", args=[project.slug, number])).status_code == 404


def test_a_judge_is_made_and_says_all_that_it_depends_on(lead, project):
    response = lead.post(
        reverse("judging:judges", args=[project.slug]), {"model": "random", "name": "Chance", "seed": "42"}
    )
    made = JudgeConfig.objects.get()
    assert response.status_code == 302
    assert (made.name, made.engine, made.model, made.params) == ("Chance", "baseline", "random", {"seed": 42})
    shown = page(lead, "judge", project, made.pk)
    for fact in ("Draws at random, seed 42", "baseline", "rouge-score"):
        assert fact in shown


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"model": "length", "name": ""}, "required"),
        ({"model": "gpt", "name": "x"}, "not one of the available choices"),
        ({"model": "length", "name": "x", "seed": "1"}, "Only chance has a seed"),
        ({"model": "random", "name": "x", "seed": "-1"}, "greater than or equal to 0"),
        ({"model": "random", "name": "x", "seed": "1e99"}, "whole number"),
        ({"model": "length", "name": "two\u2028lines"}, "control character"),
        ({"model": "length", "name": "Taken"}, "has this name"),
    ],
)
def test_a_judge_that_cannot_be_made_says_why(lead, project, data, words):
    make_judge(project, name="Taken")
    response = lead.post(reverse("judging:judges", args=[project.slug]), data)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert JudgeConfig.objects.count() == 1


def test_an_archived_judge_is_not_offered_until_it_is_brought_back(lead, project):
    judge = make_judge(project)
    make_dataset(project, pairs=1)
    make_pair_rubric(project)
    lead.post(reverse("judging:archive", args=[project.slug, judge.pk]))
    assert "Something is still missing" in page(lead, "new_run", project)
    lead.post(reverse("judging:restore", args=[project.slug, judge.pk]))
    assert "What to run" in page(lead, "new_run", project)


def test_a_run_is_previewed_then_started(lead, project, sent, django_capture_on_commit_callbacks):
    judge, dataset, version = make_judge(project), make_dataset(project, pairs=4, singles=1), make_pair_rubric(project)
    address = reverse("judging:new_run", args=[project.slug])
    data = {"judge": judge.pk, "dataset": dataset.pk, "rubric_version": version.pk, "orders": "both"}

    preview = lead.get(address, data).content.decode()
    assert "8 verdicts to ask for" in preview
    assert "on 4 of 5 items" in preview
    assert "1 item: the rubric asks nothing about items of its kind or scenario." in preview
    assert not JudgeRun.objects.exists()

    with django_capture_on_commit_callbacks(execute=True):
        response = lead.post(address, data)
    run = JudgeRun.objects.get()
    assert response["Location"] == reverse("judging:run", args=[project.slug, run.number])
    assert sent == list(run.shards.values_list("pk", flat=True))

    tasks.work(run.shards.get().pk)
    again = lead.get(address, data).content.decode()
    assert "8 verdicts are there already and stay" in again
    assert "Start the run" not in again
    assert lead.post(address, data).status_code == 422


def test_a_run_takes_only_what_the_project_has(lead, project):
    judge, version = make_judge(project), make_pair_rubric(project)
    make_dataset(project, pairs=1)
    foreign = make_dataset(make_project(), pairs=1)
    data = {"judge": judge.pk, "dataset": foreign.pk, "rubric_version": version.pk, "orders": "sideways"}
    response = lead.post(reverse("judging:new_run", args=[project.slug]), data)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"dataset", "orders"}


def test_a_run_shows_verdicts_not_percent_and_every_figure_with_its_interval(lead, project):
    run = make_run(project, pairs=6, model="random")
    for shard in run.shards.all()[:2]:
        tasks.work(shard.pk)

    shown = page(lead, "run", project, run.number)

    assert "8 of 12 verdicts" in shown
    assert "2 done, 0 running, 0 tried again, 0 failed, 1 waiting" in shown
    assert "of 4 pairs" in shown
    assert shown.count("95 % [") == 2  # not read, and the same in both orders
    assert f"/ws/p/{project.slug}/runs/{run.number}/" in shown


def test_the_list_of_runs_has_the_newest_first(lead, project):
    first = make_run(project)
    second = runs.start_run(
        judge=make_judge(project, name="Chance", model="random"),
        dataset=first.dataset,
        rubric_version=first.rubric_version,
        by=None,
    )
    tasks.work(second.shards.get().pk)
    shown = page(lead, "runs", project)
    assert shown.index("Run 2") < shown.index("Run 1")
    assert "12 of 12" in shown
    assert "0 of 12" in shown


def test_model_text_is_shown_as_text(lead, project):
    run = make_run(project, pairs=1)
    tasks.work(run.shards.get().pk)
    run.outputs.update(raw="<script>alert(1)</script>", status=1, verdict=None)
    shown = page(lead, "run", project, run.number)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script>alert" not in shown


def test_outputs_of_one_status_are_listed(lead, project):
    run = make_run(project, pairs=2)
    for shard in run.shards.all():
        tasks.work(shard.pk)
    odd = run.outputs.all()[0]
    run.outputs.filter(pk=odd.pk).update(raw="who knows", status=1, verdict=None)
    address = reverse("judging:run", args=[project.slug, run.number])

    only = lead.get(address, {"status": "unparsed"}).content.decode()
    assert only.count("<li><span>") == 1
    assert "who knows" in only
    assert lead.get(address, {"status": "nonsense"}).content.decode().count("<li><span>") == 4


def test_pause_resume_and_stop_are_one_post_each(lead, project, sent, django_capture_on_commit_callbacks):
    run = make_run(project)

    def post(action: str) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            response = lead.post(reverse(f"judging:{action}", args=[project.slug, run.number]), follow=True)
        run.refresh_from_db()
        return str(response.content.decode())

    post("pause")
    assert run.status == JudgeRun.Status.PAUSED
    post("resume")
    assert run.status == JudgeRun.Status.QUEUED
    assert len(sent) == 3
    post("stop")
    assert run.status == JudgeRun.Status.STOPPED
    assert "moved on meanwhile" in post("pause")
    assert run.status == JudgeRun.Status.STOPPED


def test_what_failed_is_said_and_can_be_retried(lead, project, sent, django_capture_on_commit_callbacks):
    run = make_run(project)
    run.shards.filter(number=2).update(status="failed", attempts=5, error="RuntimeError: out of memory")
    for shard in run.shards.all():
        tasks.work(shard.pk)
    shown = page(lead, "run", project, run.number)
    assert "Partly failed" in shown
    assert "RuntimeError: out of memory" in shown

    with django_capture_on_commit_callbacks(execute=True):
        lead.post(reverse("judging:retry", args=[project.slug, run.number]))
    assert sent == list(run.shards.filter(number=2).values_list("pk", flat=True))
    run.refresh_from_db()
    assert run.status == JudgeRun.Status.RUNNING


def test_a_nul_in_a_form_is_refused(lead, project):
    response = lead.post(reverse("judging:judges", args=[project.slug]), {"model": "length", "name": "a\0b"})
    assert response.status_code in {400, 422}
    assert not JudgeConfig.objects.exists()


def test_a_page_costs_the_same_whatever_the_size_of_the_run(project, django_assert_num_queries):
    run = make_run(project, pairs=60, shard_size=1)
    for shard in run.shards.all()[:20]:
        tasks.work(shard.pk)
    run = run_or_404(project, run.number)
    with django_assert_num_queries(3):  # shards, criteria, outputs
        fragments(run)
