from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.services import ensure_first_admin
from apps.analytics.selectors import Overview, Who
from apps.home import selectors
from apps.home.figures import _stand_in, figures
from apps.home.services import load_demo
from apps.judgments.models import Rater
from apps.judgments.services import rater_named
from tests.factories import make_dataset, make_pair_rubric, make_project

pytestmark = pytest.mark.django_db


def test_nothing_is_said_before_anything_was_judged():
    assert figures(make_project()) is None


def test_the_demo_shows_how_its_annotators_agree(client):
    admin = ensure_first_admin()
    demo = load_demo(admin=admin)
    assert demo is not None
    found = figures(demo)
    assert found is not None
    assert found.shown is not None
    low, high = found.shown.alpha["ci"]
    assert low < found.shown.alpha["estimate"] < high
    assert found.shown.people == 5
    client.force_login(admin)
    page = client.get(reverse("home:project", args=[demo.slug])).content.decode()
    assert f'<p class="figure">{found.shown.alpha["estimate"]:.2f}</p>' in page
    assert "Not known" in page  # no judge has run


def test_imported_labels_need_no_round():
    project = make_project()
    make_dataset(project, pairs=1)
    rater_named(project=project, name="R1", kind=Rater.Kind.HUMAN)
    steps = {step.title: step for step in selectors.overview(project).steps}
    assert "Round" not in steps
    assert steps["Labels"].state == "done"
    assert "one person" in steps["Labels"].text


@pytest.mark.parametrize(
    ("judge", "best", "consistency", "word", "why"),
    [
        (None, {}, None, "Not known", "have to label the same items"),
        ("baseline", {}, 1.0, "No", "Only baselines"),
        ("model", {"passed": None}, 0.95, "Not known", "Too few people"),
        ("model", {"passed": True, "rate": 1.0}, 0.82, "Not yet", "Order changes 18\N{NO-BREAK SPACE}%"),
        ("model", {"passed": False, "rate": 1 / 3}, 0.95, "Not yet", "33\N{NO-BREAK SPACE}% of the people"),
        ("model", {"passed": True, "rate": 2 / 3}, 0.95, "Perhaps", "67\N{NO-BREAK SPACE}% of the people"),
    ],
)
def test_whether_a_judge_may_stand_in(judge, best, consistency, word, why):
    project = make_project()
    shown = Overview(
        dataset=make_dataset(project),
        criterion=make_pair_rubric(project).criteria.get(),
        labels=10,
        people=3,
        alpha={},
        alpha_name="krippendorff_alpha_nominal",
        judge=judge and Who(1, "J1", "big-judge", is_judge=True, is_baseline=judge == "baseline", is_simulated=False),
        consistency=consistency and {"estimate": consistency},
    )
    test: dict[str, Any] = {**best, "epsilon": 0.2}
    if "rate" in test:
        test["winning_rate"] = {"estimate": test.pop("rate"), "n": 3, "ci": None, "reason": None}
    answer = _stand_in(shown, {"alt_test": test})
    assert answer.word == word
    assert why in answer.why
