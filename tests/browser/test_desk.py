"""The desk in a real browser: by keyboard only, through a lost connection, on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from apps.accounts.models import User
from apps.annotation import services
from apps.annotation.models import Assignment, Flag, Round
from apps.judgments.models import Judgment, Verdict
from apps.projects.models import Project
from tests.asgi import signed_in
from tests.factories import make_dataset, make_member, make_pair_rubric, make_project, make_score_rubric

pytestmark = pytest.mark.slow


def make_round(project: Project, *, version=None, pairs: int = 0, singles: int = 0) -> Round:
    return services.create_round(
        project=project,
        dataset=make_dataset(project, pairs=pairs, singles=singles, name=f"Items {project.datasets.count()}"),
        rubric_version=version or make_pair_rubric(project),
        name=f"Round {project.rounds.count()}",
        by=None,
    )


def open_desk(page: Page, live: str, round_: Round) -> User:
    user = make_member(round_.project)
    page.context.add_cookies([{"name": name, "value": value, "url": live} for name, value in signed_in(user).items()])
    page.goto(f"/p/{round_.project.slug}/label/{round_.pk}/")
    return user


def own(page: Page, words: str) -> None:
    expect(page.locator(".own")).to_contain_text(words)


def test_labels_pairs_with_one_key_each(page, live):
    round_ = make_round(make_project(), pairs=4)
    open_desk(page, live, round_)
    first = Assignment.objects.get()
    expect(page.locator(".pane-body").first).to_contain_text(f"Answer {first.order}")

    page.keyboard.press("1")
    own(page, "1 of 4")
    expect(page.locator(".saved")).to_contain_text("Saved")
    page.keyboard.press("e")  # a tie
    own(page, "2 of 4")
    page.keyboard.press("ArrowRight")
    own(page, "3 of 4")
    page.keyboard.press("0")
    expect(page.get_by_role("heading", name="Nothing left for you right now")).to_be_visible()
    own(page, "4 of 4")

    labels = list(Judgment.objects.order_by("pk"))
    assert labels[0].verdict == (Verdict.B if first.order else Verdict.A)
    assert [labels[1].verdict, labels[3].verdict] == [Verdict.TIE, Verdict.TIE]
    assert all(label.seconds is not None and 0 < label.seconds < 60 for label in labels)
    page.keyboard.press("1")  # nothing to answer, nothing happens


def test_scores_with_digits_and_enter(page, live):
    project = make_project()
    round_ = make_round(project, version=make_score_rubric(project, keys=("correct", "clear")), singles=2)
    open_desk(page, live, round_)
    page.keyboard.press("4")
    page.keyboard.press("Enter")  # one is missing
    expect(page.locator(".toast")).to_contain_text("Choose an answer first")
    assert not Judgment.objects.exists()
    page.keyboard.press("2")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("5")
    page.keyboard.press("Enter")
    own(page, "1 of 2")
    assert sorted(Judgment.objects.values_list("criterion__key", "score")) == [("clear", 2.0), ("correct", 5.0)]


def test_chooses_then_submits_where_the_project_says_so_with_a_reason(page, live):
    project = make_project(one_key_submit=False, rationale=Project.Rationale.REQUIRED)
    open_desk(page, live, make_round(project, pairs=2))
    page.keyboard.press("2")
    expect(page.locator('.pane[data-side="B"]')).to_have_attribute("data-chosen", "")
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_be_visible()
    page.keyboard.type("B is right: 1")  # no key acts while one writes
    page.get_by_role("button", name="Done").click()
    page.keyboard.press("Enter")
    own(page, "1 of 2")
    assert Judgment.objects.get().rationale == "B is right: 1"
    expect(page.locator("#note-text")).to_have_value("")


def test_own_keys_and_dialogs(page, live):
    round_ = make_round(make_project(), pairs=3)
    user = open_desk(page, live, round_)
    User.objects.filter(pk=user.pk).update(keys={"left": "KeyJ"})
    page.reload()
    expect(page.locator(".vote kbd").first).to_have_text("J")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    expect(page.locator("#guidelines")).to_be_visible()
    page.keyboard.press("1")  # not theirs any more
    page.keyboard.press("r")
    expect(page.locator("pre.raw")).to_have_count(3)
    assert not Judgment.objects.exists()
    page.keyboard.press("j")
    own(page, "1 of 3")
    assert Judgment.objects.get().details == {"view": "raw"}
    lease = page.locator("[name=lease]").get_attribute("value") or ""
    page.keyboard.press("s")
    expect(page.locator("[name=lease]")).not_to_have_value(lease)
    page.keyboard.press("f")
    page.locator("#flag-text").fill("cut off")
    page.get_by_role("button", name="Flag and go on").click()
    expect(page.get_by_role("heading", name="Nothing left for you right now")).to_be_visible()
    assert Flag.objects.get().note == "cut off"


def test_a_label_outlives_a_lost_connection_and_a_closed_page(page, live, console):
    round_ = make_round(make_project(), pairs=4)
    open_desk(page, live, round_)
    lost: list[bool] = []

    def lose_the_answer(route: Route) -> None:
        """The label arrives, its answer does not."""
        lost.append(True)
        if len(lost) == 1:
            route.fetch()
        route.abort()

    page.route("**/submit/", lose_the_answer)
    page.keyboard.press("1")
    expect(page.locator(".saved")).to_contain_text("Offline: 1 kept here")
    page.keyboard.press("2")  # one label at a time: the one that is kept stands
    page.unroute("**/submit/")
    own(page, "1 of 4")  # tried again by itself
    assert Judgment.objects.count() == 1

    page.route("**/submit/", lambda route: route.abort())
    page.keyboard.press("1")
    expect(page.locator(".saved")).to_contain_text("Offline: 1 kept here")
    other = page.context.new_page()  # the first page is gone, as after a crash
    page.close(run_before_unload=False)
    other.goto(f"{live}/p/{round_.project.slug}/label/{round_.pk}/")
    own(other, "2 of 4")
    assert Judgment.objects.count() == 2
    console[:] = [line for line in console if "ERR_FAILED" not in line]


def test_a_label_given_while_the_round_is_paused_is_sent_when_it_goes_on(page, live, console):
    round_ = make_round(make_project(), pairs=3)
    open_desk(page, live, round_)
    services.set_status(round=round_, status=Round.Status.PAUSED)
    page.keyboard.press("1")
    expect(page.get_by_role("heading", name="This round is paused")).to_be_visible()
    assert not Judgment.objects.exists()
    services.set_status(round=round_, status=Round.Status.OPEN)
    page.reload()
    own(page, "1 of 3")
    console[:] = [line for line in console if "409" not in line]


def test_fits_a_phone(page, live):
    project = make_project()
    rounds = [make_round(project, pairs=2), make_round(project, version=make_score_rubric(project), singles=2)]
    page.set_viewport_size({"width": 360, "height": 740})
    for round_ in rounds:
        open_desk(page, live, round_)
        expect(page.get_by_role("button", name="Submit")).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
