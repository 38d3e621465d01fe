from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.annotation import selectors, services
from apps.annotation.models import Assignment, Flag, QueueEntry, Round
from apps.annotation.selectors import Nothing
from apps.annotation.services import RoundRefused
from apps.datasets.models import Item
from apps.judgments.models import Judgment
from apps.projects.models import Role
from apps.rubrics.models import Criterion, RubricVersion
from tests.factories import make_dataset, make_member, make_pair_rubric, make_project, make_score_rubric, make_version

pytestmark = pytest.mark.django_db


def make_round(project=None, *, overlap: int = 2, version=None, seed: int = 1, **items: Any) -> Round:
    project = project or make_project()
    return services.create_round(
        project=project,
        dataset=make_dataset(project, name=f"Items {project.datasets.count()}", **items),
        rubric_version=version or make_pair_rubric(project),
        name=f"Round {project.rounds.count()}",
        overlap=overlap,
        by=None,
        seed=seed,
    )


def desk_of(round_: Round, user=None) -> tuple[Client, str]:
    client = Client()
    client.force_login(user or make_member(round_.project))
    return client, reverse("annotation:desk", args=[round_.project.slug, round_.pk])


def lease(client: Client, base: str) -> str:
    found = re.search(r'name="lease" value="([^"]+)"', client.get(base).content.decode())
    assert found
    return found[1]


# --- building a round -------------------------------------------------------------------------------------------------


def test_the_queue_holds_every_item_once_in_an_order_that_the_seed_decides():
    project = make_project()
    version = make_pair_rubric(project)
    one = make_round(project, version=version, pairs=40, seed=5)
    again = services.create_round(
        project=project, dataset=one.dataset, rubric_version=version, name="Again", overlap=3, by=None, seed=5
    )
    other = services.create_round(
        project=project, dataset=one.dataset, rubric_version=version, name="Other", overlap=3, by=None, seed=6
    )
    first, second, third = (
        list(QueueEntry.objects.filter(round=r).order_by("pos").values_list("item", flat=True))
        for r in (one, again, other)
    )
    assert first == second != third
    assert sorted(first) == sorted(third) == sorted(Item.objects.values_list("pk", flat=True))
    assert list(QueueEntry.objects.filter(round=one).order_by("pos").values_list("pos", flat=True)) == list(range(40))
    assert first != sorted(first)
    assert one.item_count == 40


def test_only_items_that_the_rubric_asks_about_are_given_out():
    project = make_project()
    assert make_round(project, pairs=3, singles=2).item_count == 3
    assert make_round(project, version=make_score_rubric(project), pairs=3, singles=2).item_count == 2
    dataset = make_dataset(project, pairs=4, name="By scenario")
    Item.objects.filter(dataset=dataset, position=2).update(scenario="coding")
    coding = [{"key": "k", "kind": Criterion.Kind.PAIR, "name": "K", "question": "?", "scenarios": ["coding"]}]
    round_ = services.create_round(
        project=project,
        dataset=dataset,
        rubric_version=make_version(project, "Coding", coding),
        name="Coding",
        by=None,
    )
    assert [entry.item.position for entry in round_.queue.select_related("item")] == [2]
    assert round_.overlap == project.overlap


@pytest.mark.parametrize(
    ("items", "rubric", "words"),
    [
        ({"pairs": 2}, make_score_rubric, "has pairs only"),
        ({"singles": 2}, make_pair_rubric, "single responses only"),
        ({}, make_pair_rubric, "has no items"),
    ],
)
def test_an_empty_queue_is_refused_with_the_reason(items, rubric, words):
    project = make_project()
    with pytest.raises(RoundRefused, match=words):
        make_round(project, version=rubric(project), **items)
    assert not Round.objects.exists()


def test_what_makes_no_round_is_refused():
    project, elsewhere = make_project(), make_project()
    dataset, version = make_dataset(project, pairs=1), make_pair_rubric(project)
    draft = RubricVersion.objects.create(rubric=version.rubric, number=9, source="", digest="")
    made: dict[str, Any] = {"project": project, "dataset": dataset, "rubric_version": version, "name": "R", "by": None}
    services.create_round(**made)
    with pytest.raises(RoundRefused, match="already has a round"):
        services.create_round(**made)
    made["name"] = "S"
    with pytest.raises(RoundRefused, match="draft"):
        services.create_round(**made | {"rubric_version": draft})
    with pytest.raises(RoundRefused, match="belong to this project"):
        services.create_round(**made | {"rubric_version": make_pair_rubric(elsewhere)})
    dataset.archived_at = timezone.now()
    with pytest.raises(RoundRefused, match="archived"):
        services.create_round(**made | {"dataset": dataset})


def test_everyone_starts_at_a_place_of_their_own():
    round_ = make_round(pairs=50)
    starts = {services.join(round=round_, user=make_member(round_.project)).cursor for _ in range(8)}
    assert len(starts) > 4


# --- the desk ---------------------------------------------------------------------------------------------------------


def test_skip_gives_the_place_back_and_the_item_is_not_offered_again():
    round_ = make_round(pairs=2, overlap=1)
    client, base = desk_of(round_)
    skipped = lease(client, base)
    assert client.post(f"{base}skip/", {"lease": skipped}).status_code == 302
    assert client.post(f"{base}skip/", {"lease": skipped}).status_code == 302  # a double click changes nothing
    assignment = Assignment.objects.get(pk=skipped.partition("-")[0])
    assert assignment.state == Assignment.State.SKIPPED
    assert QueueEntry.objects.get(item=assignment.item_id).taken == 0
    other = lease(client, base)
    assert other != skipped
    answer = client.post(f"{base}skip/", {"lease": other}, headers={"X-Desk": "1"})
    assert b'data-part="nothing"' in answer.content
    assert QueueEntry.objects.filter(taken=0).count() == 2
    colleague, _ = desk_of(round_)
    lease(colleague, base)


def test_flag_keeps_the_note_for_the_leads():
    round_ = make_round(pairs=2)
    user = make_member(round_.project)
    client, base = desk_of(round_, user)
    flagged = lease(client, base)

    asked = client.post(f"{base}flag/", {"lease": flagged})  # the desk's button without scripts
    assert asked.status_code == 200
    assert b"What is wrong with it?" in asked.content
    assert client.post(f"{base}flag/", {"lease": flagged, "flag": "1", "note": " "}).status_code == 422
    assert client.post(f"{base}flag/", {"lease": flagged, "flag": "1", "note": "a\x00b"}).status_code == 422
    assert client.post(f"{base}flag/", {"lease": flagged, "flag": "1", "note": "cut off"}).status_code == 302
    assert client.post(f"{base}flag/", {"lease": flagged, "flag": "1", "note": "again"}).status_code == 302

    flag = Flag.objects.get()
    assert (flag.note, flag.assignment.state, flag.assignment.user) == ("cut off", "F", user)
    assert QueueEntry.objects.get(item=flag.assignment.item_id).taken == 0


def test_what_has_a_label_cannot_be_set_aside():
    round_ = make_round(pairs=2)
    client, base = desk_of(round_)
    held = lease(client, base)
    criterion = round_.rubric_version.criteria.get()
    assert client.post(f"{base}submit/", {"lease": held, f"c{criterion.pk}": "A"}).status_code == 302
    assert client.post(f"{base}skip/", {"lease": held}).status_code == 409
    assert Judgment.objects.count() == 1


def test_the_sweeper_gives_places_back_and_leaves_others():
    round_ = make_round(pairs=3)
    held = [desk_of(round_) for _ in range(3)]
    leases = [lease(client, base) for client, base in held]
    Assignment.objects.filter(pk=leases[0].partition("-")[0]).update(expires_at=timezone.now() - timedelta(days=1))
    assert services.return_expired() == 1
    assert services.return_expired() == 0
    assert sorted(Assignment.objects.values_list("state", flat=True)) == ["L", "L", "X"]
    assert sum(QueueEntry.objects.values_list("taken", flat=True)) == 2


def test_label_leads_to_the_round_with_something_left():
    project = make_project()
    client = Client()
    user = make_member(project)
    client.force_login(user)
    url = reverse("annotation:next", args=[project.slug])
    assert b"no round yet" in client.get(url).content
    done, open_ = make_round(project, pairs=1), make_round(project, pairs=1)
    QueueEntry.objects.filter(round=done).update(taken=2)
    assert client.get(url).headers["location"] == reverse("annotation:desk", args=[project.slug, open_.pk])
    services.set_status(round=open_, status=Round.Status.PAUSED)
    assert client.get(url).headers["location"] == reverse("annotation:desk", args=[project.slug, done.pk])


def test_nothing_left_says_why():
    round_ = make_round(pairs=1, overlap=1)
    holder, base = desk_of(round_)
    lease(holder, base)
    waits, _ = desk_of(round_)
    assert b"Others are still reading" in waits.get(base).content
    Assignment.objects.update(state="D", closed_at=timezone.now())
    assert b"Every place of this round is taken" in waits.get(base).content
    for status, words in ((Round.Status.PAUSED, b"paused"), (Round.Status.CLOSED, b"closed")):
        services.set_status(round=round_, status=status)
        assert words in waits.get(base).content


def test_days_are_those_of_the_person():
    today = timezone.localdate()
    day = timedelta(days=1)
    assert selectors.outside_dates(None, None, today) is None
    assert selectors.outside_dates(today, today, today) is None
    assert selectors.outside_dates(today + day, None, today) is Nothing.NOT_STARTED
    assert selectors.outside_dates(None, today - day, today) is Nothing.OVER


def test_strangers_see_no_desk():
    round_, other = make_round(pairs=1), make_round(pairs=1)
    client, base = desk_of(round_, make_member(other.project))
    assert client.get(base).status_code == 404
    assert client.post(f"{base}submit/", {"lease": "1-1"}).status_code == 404
    assert Client().get(base).status_code == 302
    mixed = reverse("annotation:desk", args=[other.project.slug, round_.pk])
    assert client.get(mixed).status_code == 404


def test_context_reference_and_scenario_are_shown_only_where_the_project_says_so():
    round_ = make_round(pairs=1)
    Item.objects.update(context="THE CONTEXT", reference="THE REFERENCE", scenario="THE SCENARIO")
    client, base = desk_of(round_)
    for context, reference, scenario in ((True, False, False), (False, True, False), (False, False, True)):
        type(round_.project).objects.update(show_context=context, show_reference=reference, show_scenario=scenario)
        page = client.get(base).content.decode()
        assert ("THE CONTEXT" in page, "THE REFERENCE" in page, "THE SCENARIO" in page) == (
            context,
            reference,
            scenario,
        )


def test_a_conversation_is_shown_turn_by_turn_with_its_roles_in_the_readers_language():
    round_ = make_round(pairs=1)
    turns = [{"role": "user", "content": "**Hello**"}, {"role": "assistant", "content": '<p data-role="user"></p>'}]
    Item.objects.update(messages=turns)
    client, base = desk_of(round_)
    page = client.get(base).content.decode()
    assert '<p class="label">User</p>' in page
    assert '<p class="label">Assistant</p>' in page
    assert "<strong>Hello</strong>" in page
    assert "&lt;p data-role" in page  # what a text says about roles is text


def test_markup_in_an_item_is_text():
    round_ = make_round(pairs=1)
    Item.objects.update(instruction='<script>alert(1)</script><img src=x onerror="alert(1)">')
    client, base = desk_of(round_)
    for address in (base, f"{base}?view=raw"):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "&lt;script&gt;alert(1)" in page


# --- blindness --------------------------------------------------------------------------------------------------------


def test_nothing_an_annotator_gets_tells_who_wrote_what_or_what_others_said():
    round_ = make_round(pairs=3)
    names = {"north": "SECRET-NORTH", "south": "SECRET-SOUTH"}
    for system in round_.project.systems.all():
        system.name = names[system.name]
        system.save()
    Item.objects.update(meta={"note": "SECRET-META"}, group="SECRET-GROUP")
    for item in Item.objects.all():
        item.external_id = f"SECRET-ID-{item.pk}"
        item.save()
    criterion = round_.rubric_version.criteria.get()
    other, base = desk_of(round_, make_member(round_.project))
    other.post(f"{base}submit/", {"lease": lease(other, base), f"c{criterion.pk}": "B", "note": "SECRET-NOTE"})
    client, _ = desk_of(round_)
    held = lease(client, base)
    assignment = Assignment.objects.get(pk=held.partition("-")[0])
    pages = [
        client.get(base),
        client.get(f"{base}?view=raw"),
        client.get(base, headers={"X-Desk": "1"}),
        client.post(f"{base}submit/", {"lease": held, f"c{criterion.pk}": "A"}, headers={"X-Desk": "1"}),
        client.post(f"{base}submit/", {"lease": held, f"c{criterion.pk}": "B"}, headers={"X-Desk": "1"}),
        client.post(f"{base}skip/", {"lease": lease(client, base)}, headers={"X-Desk": "1"}),
        client.get(reverse("annotation:next", args=[round_.project.slug]), follow=True),
    ]
    for page in pages:
        text = page.content.decode() + str(page.headers)
        assert "SECRET" not in text
        assert "order" not in text.lower().replace("border", "")
        assert not re.search(rf'(value|data-[a-z]+|id)="{assignment.item_id}"', text) or assignment.item_id < 10


# --- pages of leads ---------------------------------------------------------------------------------------------------


def test_annotators_never_reach_the_pages_of_leads():
    round_ = make_round(pairs=1)
    client, _ = desk_of(round_)
    slug = round_.project.slug
    for name, args in (("rounds", [slug]), ("new_round", [slug]), ("round", [slug, round_.pk])):
        assert client.get(reverse(f"annotation:{name}", args=args)).status_code == 403
    assert (
        client.post(reverse("annotation:set_status", args=[slug, round_.pk]), {"status": "closed"}).status_code == 403
    )


def test_a_lead_opens_a_round_and_has_its_texts_prepared(django_capture_on_commit_callbacks, monkeypatch):
    sent: list[int] = []
    monkeypatch.setattr("apps.datasets.tasks.render_dataset.delay", sent.append)
    project = make_project()
    dataset, version = make_dataset(project, pairs=2), make_pair_rubric(project)
    client = Client()
    client.force_login(make_member(project, Role.LEAD))
    url = reverse("annotation:new_round", args=[project.slug])
    assert client.get(url).status_code == 200
    form = {"name": "First", "dataset": dataset.pk, "rubric_version": version.pk, "overlap": 2, "lease_minutes": 20}
    assert client.post(url, {**form, "overlap": 0}).status_code == 422
    assert client.post(url, {**form, "name": "a\x00"}).status_code == 422
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(url, form)
    round_ = Round.objects.get()
    assert answer.headers["location"] == reverse("annotation:round", args=[project.slug, round_.pk])
    assert (round_.overlap, round_.lease_minutes, round_.item_count) == (2, 20, 2)
    assert sent == [dataset.pk]
    again = client.post(url, form)
    assert again.status_code == 422
    assert "already has a round" in again.content.decode()


def test_a_lead_sees_progress_pauses_and_resolves_flags(django_assert_max_num_queries):
    round_ = make_round(pairs=4)
    project = round_.project
    criterion = round_.rubric_version.criteria.get()
    annotator, base = desk_of(round_, make_member(project))
    annotator.post(f"{base}submit/", {"lease": lease(annotator, base), f"c{criterion.pk}": "A"})
    annotator.post(f"{base}flag/", {"lease": lease(annotator, base), "flag": "1", "note": "<b>cut off</b>"})
    lead = Client()
    lead.force_login(make_member(project, Role.LEAD))
    page_url = reverse("annotation:round", args=[project.slug, round_.pk])
    with django_assert_max_num_queries(25):
        page = lead.get(page_url).content.decode()
    assert "&lt;b&gt;cut off" in page
    [row] = selectors.rounds_with_progress(project)
    assert (row.done, row.needed, row.people, row.open_flags, row.held) == (1, 8, 1, 1, 0)
    assert lead.get(reverse("annotation:rounds", args=[project.slug])).status_code == 200
    places = selectors.places_of(round_)
    assert (places.needed, places.taken, places.done, places.items_done) == (8, 1, 1, 0)

    flag = Flag.objects.get()
    lead.post(reverse("annotation:resolve_flag", args=[project.slug, round_.pk, flag.pk]))
    flag.refresh_from_db()
    assert flag.resolved_at is not None
    status_url = reverse("annotation:set_status", args=[project.slug, round_.pk])
    lead.post(status_url, {"status": "paused"})
    round_.refresh_from_db()
    assert round_.status == Round.Status.PAUSED
    lead.post(status_url, {"status": "nonsense"})
    round_.refresh_from_db()
    assert round_.status == Round.Status.PAUSED


def test_a_place_number_is_taken_once():
    round_ = make_round(pairs=1)
    for _ in range(2):
        client, base = desk_of(round_)
        lease(client, base)
    with connection.cursor() as cursor, pytest.raises(Exception, match="assignment_place_once"):
        cursor.execute("UPDATE annotation_assignment SET place = 0")
