"""Submit and next, through the whole ASGI application and on committed data."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from apps.accounts.models import User
from apps.annotation import hot, services, statements
from apps.annotation.models import Assignment, QueueEntry, Round, RoundMember
from apps.core.onehop import OneHopHandler
from apps.datasets import texts
from apps.datasets.models import Item, RenderedItem
from apps.judgments.models import Judgment, Mark, Verdict
from apps.projects.models import Membership, Project, Role
from apps.rubrics.models import Criterion
from tests.asgi import Answer, Visitor, signed_in
from tests.factories import make_dataset, make_member, make_pair_rubric, make_project, make_score_rubric, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Site:
    """The application, and how often the ordinary view was reached."""

    loop: asyncio.AbstractEventLoop
    endpoint: hot.HotEndpoint
    passed_on: list[str]

    def visitor(self, user: User | None = None) -> Visitor:
        visitor = Visitor(self.endpoint, self.loop)
        return visitor.sign_in(user) if user else visitor


@pytest.fixture
def site() -> Iterator[Site]:
    passed_on: list[str] = []
    pages = OneHopHandler(threads=2)

    async def counted(scope, receive, send):
        passed_on.append(f"{scope['method']} {scope['path']}")
        await pages(scope, receive, send)

    loop = asyncio.new_event_loop()
    endpoint = hot.HotEndpoint(counted)
    yield Site(loop, endpoint, passed_on)
    loop.run_until_complete(endpoint.close())
    pages.close()
    loop.close()


@pytest.fixture
def project() -> Project:
    return make_project(overlap=2)


@pytest.fixture
def pairs(project: Project) -> Round:
    return make_round(project, pairs=6)


def make_round(project: Project, *, overlap: int = 2, version=None, **items: Any) -> Round:
    return services.create_round(
        project=project,
        dataset=make_dataset(project, name=f"Items {project.datasets.count()}", **items),
        rubric_version=version or make_pair_rubric(project),
        name=f"Round {project.rounds.count()}",
        overlap=overlap,
        by=None,
        seed=1,
    )


def render_all(round_: Round) -> None:
    """What the background task does, so that the hot path needs no help from the ordinary view."""
    texts.render_some(dataset_id=round_.dataset_id, after=-1, count=100)


class Desk:
    """An annotator at work."""

    def __init__(self, site: Site, round_: Round, user: User | None = None) -> None:
        self.site, self.round = site, round_
        self.user = user or make_member(round_.project)
        self.base = f"/p/{round_.project.slug}/label/{round_.pk}/"
        self.visitor = site.visitor(self.user)
        self.page = self.visitor.get(self.base)
        self.names = [f"c{criterion.pk}" for criterion in round_.rubric_version.criteria.order_by("position")]

    @property
    def lease(self) -> str:
        return lease_in(self.page)

    @property
    def assignment(self) -> Assignment:
        return Assignment.objects.get(pk=self.lease.partition("-")[0])

    def post(
        self, verdict: str | None = "A", *, lease: str | None = None, path: str = "submit/", token=True, **fields
    ) -> Answer:
        headers = {name: fields.pop(name) for name in list(fields) if name in {"Origin", "X_CSRFToken", "Host"}}
        answers = {name: verdict for name in self.names if verdict is not None}
        data = {"lease": lease or self.lease, **answers, **fields}
        return self.visitor.post(self.base + path, data, token=token, X_Desk="1", **headers)

    def label(self, verdict: str = "A", **fields: str) -> Answer:
        answer = self.post(verdict, **fields)
        if answer.status == 200:
            self.page = answer
        return answer


def lease_in(answer: Answer) -> str:
    found = re.search(r'name="lease" value="([0-9]+-[0-9]+)"', answer.text)
    assert found, answer.text
    return found[1]


def sentence(answer: Answer) -> str:
    found = re.search(r"<p data-say>(.*?)</p>", answer.text, re.DOTALL)
    return unescape(found[1]) if found else ""


# --- the right way ----------------------------------------------------------------------------------------------------


def test_stores_the_label_and_brings_the_next_item(site, pairs):
    render_all(pairs)
    desk = Desk(site, pairs)
    first = desk.assignment

    answer = desk.label("A", seconds="4.25", note="clearer")

    assert answer.status == 200
    assert site.passed_on == [f"GET {desk.base}"]  # the ordinary view was not needed
    judgment = Judgment.objects.get()
    assert judgment.item_id == first.item_id
    assert judgment.rater.user == desk.user
    assert (judgment.order, judgment.revision, judgment.mark) == (first.order, 0, None)
    assert judgment.verdict == (Verdict.B if first.order else Verdict.A)  # A is what was shown on the left
    assert (judgment.seconds, judgment.rationale) == (4.25, "clearer")
    first.refresh_from_db()
    assert first.state == Assignment.State.DONE
    assert desk.assignment.pk != first.pk
    assert desk.assignment.state == Assignment.State.LEASED
    assert "1 of 6" in answer.text
    assert RoundMember.objects.get().done == 1


def test_the_answer_shows_the_sides_as_leased(site, pairs):
    render_all(pairs)
    desk = Desk(site, pairs)
    seen = set()
    for _ in range(5):
        desk.label("tie")
        left, right = re.findall(r"Answer (\d) to", desk.page.text)
        assert [left, right] == (["1", "0"] if desk.assignment.order else ["0", "1"])
        seen.add(left)
    assert seen == {"0", "1"}


def test_takes_two_queries_and_a_sessions_first_label_three(site, pairs, monkeypatch):
    render_all(pairs)
    desk = Desk(site, pairs)
    queries: list[str] = []
    execute = psycopg.AsyncConnection.execute

    async def counted(connection, query, *args, **kwargs):
        queries.append(query)
        return await execute(connection, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", counted)
    assert desk.label().status == 200
    assert queries == [statements.SESSION, statements.STANDING, statements.SUBMIT]
    queries.clear()
    assert desk.label().status == 200
    assert queries == [statements.STANDING, statements.SUBMIT]
    assert site.passed_on == [f"GET {desk.base}"]


def test_works_through_the_whole_queue(site, project, pairs):
    desks = [Desk(site, pairs) for _ in range(3)]
    for _ in range(6):
        for desk in desks:
            if 'data-part="nothing"' not in desk.page.text:
                assert desk.label("B").status == 200
    assert Judgment.objects.count() == 12  # 6 items, 2 people each, though there were three
    assert all(entry.taken == entry.need == 2 for entry in QueueEntry.objects.all())
    assert not Assignment.objects.filter(state=Assignment.State.LEASED).exists()
    orders: dict[int, list[int]] = {}
    for assignment in Assignment.objects.all():
        orders.setdefault(assignment.item_id, []).append(assignment.order)
        assert assignment.order == statements.side(assignment.item_id, assignment.place)
    assert all(sorted(shown) == [0, 1] for shown in orders.values())  # once each way
    assert "Nothing left for you" in desks[0].page.text


def test_several_criteria_are_several_judgments_of_one_submit(site, project):
    version = make_score_rubric(project, keys=("correct", "clear"))
    desk = Desk(site, make_round(project, version=version, singles=2))

    assert desk.label("4").status == 200

    assert sorted(Judgment.objects.values_list("criterion__key", "score")) == [("clear", 4.0), ("correct", 4.0)]
    assert Judgment.objects.filter(kind=Criterion.Kind.SCORE, verdict=None).count() == 2


def test_strength_and_both_bad(site, project):
    version = make_pair_rubric(project, strength=True, both_bad=True)
    desk = Desk(site, make_round(project, version=version, pairs=3))
    order = desk.assignment.order

    assert desk.label("B-much").status == 200
    assert desk.label("bad").status == 200

    much, bad = Judgment.objects.order_by("pk")
    assert (much.verdict, much.strength) == (Verdict.A if order else Verdict.B, 2)
    assert (bad.verdict, bad.both_bad, bad.strength) == (Verdict.TIE, True, None)


def test_policy_headers_are_those_of_any_page(site, pairs):
    render_all(pairs)
    desk = Desk(site, pairs)
    answer = desk.label()
    assert site.passed_on == [f"GET {desk.base}"]
    page = desk.visitor.get(desk.base)
    for name in (
        "content-security-policy",
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
        "cross-origin-opener-policy",
        "content-language",
    ):
        assert answer.headers[name] == page.headers[name]
    assert answer.headers["cache-control"] == "no-store"


def test_speaks_the_language_of_the_person(site, pairs):
    render_all(pairs)
    user = make_member(pairs.project, user=make_user(language="zh-hans"))
    desk = Desk(site, pairs, user)
    assert desk.label().headers["content-language"] == "zh-hans"
    assert len(site.passed_on) == 1


# --- once and only once -----------------------------------------------------------------------------------------------


def test_the_same_post_twice_stores_one_judgment(site, pairs):
    desk = Desk(site, pairs)
    lease = desk.lease
    first = desk.post("A", lease=lease)
    again = desk.post("A", lease=lease)

    assert (first.status, again.status) == (200, 200)
    assert Judgment.objects.count() == 1
    assert lease_in(again) == lease_in(first)  # the item that was given meanwhile, not another one
    assert RoundMember.objects.get().done == 1


def test_another_verdict_on_a_closed_assignment_is_refused_and_claims_nothing(site, pairs):
    desk = Desk(site, pairs)
    lease = desk.lease
    desk.label("A")
    leased = Assignment.objects.count()
    refused = desk.post("B", lease=lease)

    assert refused.status == 409
    assert "already submitted another label" in sentence(refused)
    assert lease_in(refused) == desk.lease
    assert Judgment.objects.count() == 1
    assert Assignment.objects.count() == leased


def test_someone_elses_assignment_is_refused(site, pairs):
    one, other = Desk(site, pairs), Desk(site, pairs)
    refused = one.post("A", lease=other.lease)
    assert refused.status == 409
    assert lease_in(refused) == one.lease
    assert not Judgment.objects.exists()
    assert other.assignment.state == Assignment.State.LEASED


def test_a_label_for_a_lease_that_was_given_anew_is_refused(site, pairs):
    desk = Desk(site, pairs)
    old = desk.lease
    Assignment.objects.update(leased_at=timezone.now())
    assert desk.post("A", lease=old).status == 409
    assert not Judgment.objects.exists()


def test_opening_the_desk_returns_what_is_held(site, pairs):
    desk = Desk(site, pairs)
    assert lease_in(desk.visitor.get(desk.base)) == desk.lease
    assert Assignment.objects.count() == 1


def test_in_another_round_the_same_verdict_is_a_new_revision(site, project):
    version = make_pair_rubric(project)
    first = make_round(project, version=version, pairs=1, overlap=1)
    second = services.create_round(
        project=project,
        dataset=first.dataset,
        rubric_version=version,
        name="Again",
        overlap=1,
        by=None,
        seed=first.seed,
    )
    user = make_member(project)
    assert Desk(site, first, user).label("tie").status == 200
    assert Desk(site, second, user).label("tie").status == 200
    assert Judgment.objects.count() == 2
    same_order = len(set(Judgment.objects.values_list("order", flat=True))) == 1
    assert set(Judgment.objects.values_list("revision", flat=True)) == ({0, 1} if same_order else {0})


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{"X_CSRFToken": ""}, {"X_CSRFToken": "x" * 32}, {"Origin": "https://evil.example"}]
)
def test_forged_requests_are_refused(site, pairs, headers):
    desk = Desk(site, pairs)
    assert desk.post("A", token=False, **headers).status == 403
    assert not Judgment.objects.exists()


def test_an_unknown_host_is_refused(site, pairs):
    desk = Desk(site, pairs)
    desk.visitor.host = "evil.example"
    assert desk.post("A").status == 400
    assert not Judgment.objects.exists()


def test_an_unknown_session_is_told_so_in_words(site, pairs):
    desk = Desk(site, pairs)
    desk.visitor.cookies[settings.SESSION_COOKIE_NAME] = "0" * 32
    answer = desk.post("A")
    assert answer.status == 401
    assert "signed out" in sentence(answer)
    assert not Judgment.objects.exists()


def test_without_the_script_an_unknown_session_leads_to_signing_in(site, pairs):
    desk = Desk(site, pairs)
    del desk.visitor.cookies[settings.SESSION_COOKIE_NAME]
    answer = desk.visitor.post(desk.base + "submit/", {"lease": desk.lease})
    assert answer.status == 302
    assert answer.headers["location"].endswith(f"?next={desk.base}")


def sessions_expired(desk: Desk) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def password_changed(desk: Desk) -> None:
    desk.user.set_password("another one entirely")
    desk.user.save()


def account_closed(desk: Desk) -> None:
    User.objects.filter(pk=desk.user.pk).update(is_active=False)


def signed_in_as_another(desk: Desk) -> None:
    other = signed_in(make_member(desk.round.project))[settings.SESSION_COOKIE_NAME]
    mine = Session.objects.get(session_key=desk.visitor.cookies[settings.SESSION_COOKIE_NAME])
    mine.session_data = Session.objects.get(session_key=other).session_data
    mine.save()


def member_removed(desk: Desk) -> None:
    Membership.objects.filter(user=desk.user).delete()


def round_paused(desk: Desk) -> None:
    services.set_status(round=desk.round, status=Round.Status.PAUSED)


def round_closed(desk: Desk) -> None:
    services.set_status(round=desk.round, status=Round.Status.CLOSED)


def project_archived(desk: Desk) -> None:
    Project.objects.update(archived_at=timezone.now())


def not_started(desk: Desk) -> None:
    Project.objects.update(starts_on=timezone.localdate() + timedelta(days=2))


def is_over(desk: Desk) -> None:
    Project.objects.update(ends_on=timezone.localdate() - timedelta(days=2))


@pytest.mark.parametrize(
    ("happens", "status", "words"),
    [
        (sessions_expired, 401, "signed out"),
        (password_changed, 401, "signed out"),
        (account_closed, 401, "signed out"),
        (signed_in_as_another, 409, "not given to you"),
        (member_removed, 404, ""),
        (round_paused, 409, "paused"),
        (round_closed, 409, "closed"),
        (project_archived, 409, "archived"),
        (not_started, 409, "starts on"),
        (is_over, 409, "over"),
    ],
)
def test_who_may_not_label_any_more_stores_nothing(site, pairs, happens, status, words):
    render_all(pairs)
    desk = Desk(site, pairs)
    assert desk.label().status == 200  # what this process remembers of the session must not help
    assert len(site.passed_on) == 1
    happens(desk)
    answer = desk.post("A")
    assert answer.status == status
    assert words in answer.text
    assert Judgment.objects.count() == 1
    assert Assignment.objects.get(pk=desk.assignment.pk).state == Assignment.State.LEASED


def test_an_answer_the_rubric_does_not_offer_is_refused(site, pairs):
    desk = Desk(site, pairs)
    for verdict in ("C", "a", "A-much", "tie ", "0", "bad", "\x00"):
        assert desk.post(verdict).status == 400, verdict
    assert not Judgment.objects.exists()


def test_no_answer_at_all_is_refused_with_what_to_do(site, pairs):
    answer = Desk(site, pairs).post(None)
    assert answer.status == 400
    assert "“Overall” has no answer yet" in sentence(answer)


def test_a_score_off_the_scale_is_refused(site, project):
    desk = Desk(site, make_round(project, version=make_score_rubric(project), singles=1))
    for score in ("0", "6", "2.5", "NaN", "٣"):
        assert desk.post(score).status == 400, score
    assert not Judgment.objects.exists()


def test_a_nul_is_refused(site, pairs):
    desk = Desk(site, pairs)
    assert desk.post("A", note="a\x00b").status == 400
    assert not Judgment.objects.exists()


def test_a_lease_that_was_never_given_is_refused(site, pairs):
    desk = Desk(site, pairs)
    for lease in (" ", "1", "-", "x-y", f"1-{10**25}", f"{10**19}-1", "²-1", "0-0"):
        assert desk.post("A", lease=lease).status in {400, 409}, lease
    assert not Judgment.objects.exists()


def test_too_large_a_body_is_refused_before_it_is_read(site, pairs):
    desk = Desk(site, pairs)
    answer = desk.post("A", note="x" * 100_000)
    assert answer.status == 413
    assert "not stored" in sentence(answer)
    assert answer.headers["x-frame-options"] == "DENY"
    assert not Judgment.objects.exists()
    assert site.passed_on == [f"GET {desk.base}"]


def test_a_reason_is_asked_for_where_the_project_says_so(site, project, pairs):
    desk = Desk(site, pairs)
    Project.objects.update(rationale=Project.Rationale.REQUIRED)
    assert desk.post("A").status == 400
    assert desk.post("A", note="because").status == 200
    Project.objects.update(rationale=Project.Rationale.OFF)
    desk.page = desk.visitor.get(desk.base)
    assert desk.post("A", note="not asked").status == 200
    assert list(Judgment.objects.order_by("pk").values_list("rationale", flat=True)) == ["because", None]


def test_seconds_that_make_no_sense_are_not_a_reason_to_refuse(site, pairs):
    desk = Desk(site, pairs)
    for seconds in ("-1", "NaN", "abc"):
        assert desk.label(seconds=seconds).status == 200
    assert set(Judgment.objects.values_list("seconds", flat=True)) == {None}


def test_a_failure_is_logged_and_says_that_nothing_was_stored(site, pairs, monkeypatch, caplog):
    desk = Desk(site, pairs)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("apps.annotation.labels.criteria_for", fail)
    answer = desk.post("A")
    assert answer.status == 500
    assert "was not stored" in sentence(answer)
    assert answer.headers["content-security-policy"]
    assert "out of luck" in caplog.text


def test_survives_the_loss_of_its_connections(site, pairs):
    render_all(pairs)
    desk = Desk(site, pairs)
    assert desk.label().status == 200
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    assert desk.label().status == 200
    assert Judgment.objects.count() == 2


# --- leases -----------------------------------------------------------------------------------------------------------


def expire(desk: Desk) -> None:
    Assignment.objects.filter(user=desk.user, state="L").update(expires_at=timezone.now() - timedelta(seconds=1))
    services.return_expired()


def test_a_late_label_counts_while_its_place_is_free(site, pairs):
    desk = Desk(site, pairs)
    late = desk.assignment
    expire(desk)
    assert QueueEntry.objects.get(item=late.item_id).taken == 0

    assert desk.label("A").status == 200

    judgment = Judgment.objects.get()
    assert judgment.mark is None
    assert judgment.verdict == (Verdict.B if late.order else Verdict.A)
    late.refresh_from_db()
    assert (late.state, late.place) == (Assignment.State.DONE, 0)
    assert QueueEntry.objects.get(item=late.item_id).taken == 1


def test_a_late_label_whose_place_is_taken_is_kept_outside_the_overlap(site, project):
    round_ = make_round(project, pairs=1, overlap=1)
    slow = Desk(site, round_)
    expire(slow)
    quick = Desk(site, round_)
    assert quick.label("A").status == 200

    answer = slow.post("B", lease=slow.lease)

    assert answer.status == 200
    assert "marked as late" in sentence(answer)
    assert Judgment.objects.get(rater__user=slow.user).mark == Mark.LATE
    assert Judgment.objects.get(rater__user=quick.user).mark is None
    assert QueueEntry.objects.get().taken == 1
    assert Assignment.objects.get(user=slow.user).place == Assignment.OUTSIDE
    assert slow.post("B", lease=slow.lease).status == 200  # the same once more is one label
    assert Judgment.objects.count() == 2


def test_a_lease_that_ran_out_but_was_not_swept_counts(site, pairs):
    desk = Desk(site, pairs)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(minutes=5))
    assert desk.label().status == 200
    assert Judgment.objects.get().mark is None


def test_an_expired_item_may_come_to_the_same_person_again(site, project):
    round_ = make_round(project, pairs=1, overlap=1)
    desk = Desk(site, round_)
    before = desk.assignment
    expire(desk)
    desk.page = desk.visitor.get(desk.base)
    assert desk.assignment.pk == before.pk
    assert desk.assignment.leased_at > before.leased_at
    assert desk.label().status == 200
    assert QueueEntry.objects.get().taken == 1


def test_sides_stay_balanced_when_places_come_back(site, project):
    round_ = make_round(project, pairs=4, overlap=4)
    for _ in range(6):
        desk = Desk(site, round_)
        desk.label("A")
        if 'data-part="nothing"' not in desk.page.text:
            expire(desk)
    while QueueEntry.objects.exclude(taken=4).exists():
        desk = Desk(site, round_)
        while 'data-part="nothing"' not in desk.page.text:
            assert desk.label("B").status == 200
    for item in Item.objects.all():
        orders = list(Assignment.objects.filter(item=item, state="D").values_list("order", flat=True))
        assert sorted(orders) == [0, 0, 1, 1]


# --- the texts --------------------------------------------------------------------------------------------------------


def test_texts_are_rendered_on_the_way_and_kept(site, pairs):
    desk = Desk(site, pairs)
    desk.label()
    assert RenderedItem.objects.count() == 2


def test_raw_texts_are_shown_as_written_and_the_view_is_kept_with_the_label(site, pairs):
    render_all(pairs)
    desk = Desk(site, pairs)
    answer = desk.label(view="raw")
    assert answer.text.count('<pre class="raw">') == 3
    assert Judgment.objects.get().details == {"view": "raw"}


# --- without scripts --------------------------------------------------------------------------------------------------


def test_a_plain_form_post_leads_back_to_the_desk(site, pairs):
    desk = Desk(site, pairs)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', desk.page.text)
    assert token
    data = {"lease": desk.lease, desk.names[0]: "A", "csrfmiddlewaretoken": token[1]}
    answer = desk.visitor.post(desk.base + "submit/", data, token=False)
    assert (answer.status, answer.headers["location"]) == (302, desk.base)
    assert Judgment.objects.count() == 1
    refused = desk.visitor.post(desk.base + "submit/", {**data, desk.names[0]: "B"}, token=False)
    assert refused.status == 409
    assert "already submitted another label" in refused.text
    assert "<html" in refused.text


def test_leads_may_label_too(site, project, pairs):
    assert Desk(site, pairs, make_member(project, Role.LEAD)).label().status == 200
