"""The path a first user takes: in by link, labels by keyboard, both labels on the dashboard and in an export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from apps.accounts.services import create_login_link
from apps.annotation.services import create_round
from apps.judgments.models import Judgment, Order, Verdict
from apps.projects.models import Project, Role
from tests.factories import make_dataset, make_member, make_pair_rubric, make_project, make_score_rubric, make_user


@pytest.fixture
def project(live: str) -> Project:
    project = make_project("Answers", one_key_submit=True)
    pairs = make_dataset(project, pairs=2, name="Pairs")
    singles = make_dataset(project, singles=2, name="Singles")
    create_round(
        project=project, dataset=pairs, rubric_version=make_pair_rubric(project), name="Pairs", overlap=2, by=None
    )
    create_round(
        project=project, dataset=singles, rubric_version=make_score_rubric(project), name="Scores", overlap=2, by=None
    )
    return project


def sign_in(page: Page, project: Project, role: Role, name: str) -> None:
    user = make_member(project, role, make_user(name))
    page.goto(create_login_link(user=user))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def test_from_the_link_to_the_export(page: Page, project: Project, tmp_path: Path) -> None:
    sign_in(page, project, Role.LEAD, "first")
    rounds = {round_.name: round_ for round_ in project.rounds.all()}

    page.goto(reverse("annotation:desk", args=[project.slug, rounds["Pairs"].pk]))
    expect(page.get_by_role("radio", name="A is better")).to_be_visible()
    expect(page.get_by_text("0 of 2")).to_be_visible()
    page.keyboard.press("1")  # one key chooses and submits
    expect(page.get_by_text("1 of 2")).to_be_visible()
    page.keyboard.press("0")
    expect(page.get_by_role("heading", name="Nothing left", exact=False)).to_be_visible()

    page.goto(reverse("annotation:desk", args=[project.slug, rounds["Scores"].pk]))
    expect(page.get_by_role("radio", name="4")).to_be_visible()
    page.keyboard.press("4")
    expect(page.get_by_text("1 of 2")).to_be_visible()

    left, tie = Judgment.objects.filter(kind=0).order_by("id")
    assert left.verdict == (Verdict.A if left.order == Order.AB else Verdict.B)  # stored un-swapped
    assert tie.verdict == Verdict.TIE
    score = Judgment.objects.get(kind=1)
    assert score.score == 4

    page.goto(reverse("analytics:agreement", args=[project.slug]))
    expect(page.locator("main")).to_contain_text("first")
    page.goto(reverse("home:project", args=[project.slug]))
    expect(page.locator("main")).to_contain_text("3")

    for kind, expected in (("Pairs", ["A", "B", "tie"]), ("Scores", [4])):
        page.goto(reverse("exports:index", args=[project.slug]))
        page.get_by_label("Dataset").first.select_option("Pairs, 2 items" if kind == "Pairs" else "Singles, 2 items")
        page.get_by_label("Rubric", exact=True).first.select_option(f"{kind}, version 1")
        page.get_by_role("button", name="Export judgments").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        path = tmp_path / f"{kind}.jsonl"
        download.value.save_as(path)
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert {row["rater"] for row in rows} == {"first"}
        assert {row.get("verdict", row.get("score")) for row in rows} <= set(expected)
        assert len(rows) == (2 if kind == "Pairs" else 1)


def test_an_annotator_sees_no_system_and_no_page_of_a_lead(page: Page, project: Project, console: list[str]) -> None:
    sign_in(page, project, Role.ANNOTATOR, "ann")
    desk = reverse("annotation:desk", args=[project.slug, project.rounds.get(name="Pairs").pk])
    page.goto(desk)
    content = page.content()
    assert "north" not in content
    assert "south" not in content
    assert "pair-" not in content
    response = page.goto(reverse("analytics:agreement", args=[project.slug]))
    assert response is not None
    assert response.status == 403
    console.clear()  # the browser notes the 403
