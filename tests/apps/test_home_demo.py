from __future__ import annotations

import time
from collections import Counter
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import Count, F
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.services import create_user, ensure_first_admin
from apps.annotation.models import Assignment, QueueEntry, RoundMember
from apps.annotation.selectors import rounds_with_progress
from apps.annotation.statements import side
from apps.home.demo.content import OVERLAP
from apps.home.services import load_demo
from apps.judging.models import JudgeRun
from apps.judgments.models import Judgment, Order, Rater
from apps.projects.models import Membership, Project

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo() -> Project:
    project = load_demo(admin=ensure_first_admin())
    assert project is not None
    return project


def test_the_demo_loads_once_and_fast():
    out = StringIO()
    begin = time.monotonic()
    call_command("load_demo", stdout=out)
    assert time.monotonic() - begin < 5
    call_command("load_demo", stdout=out)
    assert out.getvalue().splitlines() == ["Demo: everyday answers is loaded.", "The demo is there already."]
    assert Project.objects.count() == 1


def test_every_annotator_of_the_demo_says_that_it_is_simulated(demo):
    raters = Rater.objects.filter(project=demo, kind=Rater.Kind.HUMAN)
    assert raters.count() == 5
    for rater in raters.select_related("user"):
        assert rater.is_simulated
        assert rater.user is not None
        assert "Simulated" in rater.name
        assert "Simulated" in rater.user.shown_name
        assert not rater.user.is_active
        assert not rater.user.has_usable_password()
    assert not Membership.objects.filter(project=demo, user__is_active=False).exists()


def test_the_demo_rounds_are_true(demo):
    for row in rounds_with_progress(demo):
        assert 0 < row.done < row.needed  # something to see, and something left to label
        assignments = Assignment.objects.filter(round=row.round)
        taken = dict(QueueEntry.objects.filter(round=row.round).values_list("item", "taken"))
        by_item = Counter(assignments.values_list("item", flat=True))
        assert {item: by_item[item] for item in taken} == taken
        members = RoundMember.objects.filter(round=row.round)
        assert dict(members.values_list("user", "done")) == Counter(assignments.values_list("user", flat=True))
        judged = set(
            Judgment.objects.filter(dataset=row.round.dataset, rubric_version=row.round.rubric_version)
            .values_list("item", "rater")
            .distinct()
        )
        assert judged == set(assignments.values_list("item", "rater"))


def test_who_labels_the_rest_of_the_demo_sees_the_other_side(demo):
    """The places left are those whose side keeps A on the left as often as on the right, within one."""
    pairs = demo.rounds.get(name="Pairs")
    shown: dict[int, list[tuple[int, int]]] = {}
    for item, place, order in Assignment.objects.filter(round=pairs).values_list("item", "place", "order"):
        shown.setdefault(item, []).append((place, order))
    for entry in QueueEntry.objects.filter(round=pairs, taken__lt=F("need")):
        given = shown.get(entry.item_id, [])
        left = [side(entry.item_id, place) for place in range(OVERLAP) if place not in {place for place, _ in given}]
        orders = Counter([order for _, order in given] + left)
        assert abs(orders[Order.AB] - orders[Order.BA]) <= 1


def test_the_baselines_of_the_demo_wait_for_a_worker(demo):
    runs = JudgeRun.objects.filter(project=demo).annotate(parts=Count("shards"))
    assert [run.judge.name for run in runs.order_by("number")] == ["longer-wins", "closer-to-reference", "chance"]
    assert all(run.total and run.parts for run in runs)


def test_the_demo_takes_no_account_of_a_person():
    person = create_user(username="Simulated-1", display_name="Simone")
    load_demo(admin=ensure_first_admin())
    person.refresh_from_db()
    assert (person.is_active, person.display_name) == (True, "Simone")
    assert not person.raters.exists()
    assert User.objects.filter(is_active=False).count() == 5


def test_pages_of_the_demo_say_that_it_is_one(client, demo):
    client.force_login(ensure_first_admin())
    overview = client.get(reverse("home:project", args=[demo.slug])).content.decode()
    assert "simulated" in overview
    team = client.get(reverse("home:team", args=[demo.slug])).content.decode()
    assert team.count("Simulated 1 (careful)") == 1
