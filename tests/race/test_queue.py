"""Many annotators at one queue at once, on real connections: exact overlap, nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, connections
from django.utils import timezone
from psycopg.rows import tuple_row

from apps.annotation import services, statements
from apps.annotation.desk import Leased
from apps.annotation.hot import HotEndpoint
from apps.annotation.labels import Answer, Submission
from apps.annotation.models import Assignment, QueueEntry, Round, RoundMember
from apps.core.onehop import OneHopHandler
from apps.datasets import texts
from apps.judgments.models import Judgment, Mark
from tests.asgi import Visitor, signed_in
from tests.factories import make_dataset, make_member, make_pair_rubric, make_project

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 16


def make_round(*, items: int, overlap: int, lease_minutes: int = 30) -> Round:
    project = make_project()
    return services.create_round(
        project=project,
        dataset=make_dataset(project, pairs=items),
        rubric_version=make_pair_rubric(project),
        name="Race",
        overlap=overlap,
        lease_minutes=lease_minutes,
        by=None,
        seed=7,
    )


def people(round_: Round, count: int = PEOPLE) -> list[RoundMember]:
    return [services.join(round=round_, user=make_member(round_.project)) for _ in range(count)]


def in_threads(count: int, work) -> None:
    """Run `work(number)` in so many threads; the first error fails the test."""
    errors: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not errors, errors[0]


def check_exact(round_: Round) -> None:
    """Every item exactly its overlap of different people, each side as often as the other within one."""
    need = round_.overlap
    labels = Counter(Judgment.objects.filter(mark=None).values_list("item", flat=True))
    assert set(labels.values()) == {need}
    assert len(labels) == round_.item_count
    assert Judgment.objects.values("item", "rater").distinct().count() == Judgment.objects.count()
    assert not QueueEntry.objects.exclude(taken=need).exists()
    sides: dict[int, list[int]] = {}
    for item, order in Judgment.objects.filter(mark=None).values_list("item", "order"):
        sides.setdefault(item, []).append(order)
    assert all(abs(2 * sum(orders) - need) <= 1 for orders in sides.values())


class Person:
    """An annotator on a connection of their own, with the product's statements."""

    def __init__(self, round_: Round, member: RoundMember) -> None:
        self.round, self.member = round_, member
        self.criterion = round_.rubric_version.criteria.get()
        self.base = {"round": round_.pk, "user": member.user_id, "lease_minutes": round_.lease_minutes}
        params = connection.get_connection_params()
        params.pop("cursor_factory", None)
        params.pop("context", None)
        self.connection = psycopg.connect(**params, autocommit=True, row_factory=tuple_row)

    def run(self, statement: str, **params: object) -> tuple[object, ...] | None:
        for _ in range(20):
            try:
                return self.connection.execute(statement, {**self.base, **params}, prepare=True).fetchone()
            except services.RETRY:
                continue
        raise AssertionError("the statement failed 20 times")

    def submit(self, leased: Leased, verdict: int) -> tuple[object, ...]:
        submission = Submission((Answer(self.criterion.pk, self.criterion.kind, verdict=verdict),))
        row = self.run(
            statements.SUBMIT,
            assignment=leased.assignment,
            leased_at=leased.leased_at,
            **services.label_params(self.round.dataset_id, self.round.rubric_version_id, submission),
        )
        assert row is not None
        return row

    def work(self) -> int:
        """Label until nothing is open to this person any more; how many labels were acknowledged."""
        acknowledged = idle = 0
        row = self.run(statements.CLAIM)
        while idle < 40:
            if row is None or row[0] is None:
                if not self.is_anything_open():
                    idle += 1
                threading.Event().wait(0.01)
                row = self.run(statements.CLAIM)
                continue
            idle = 0
            answer = self.submit(Leased._make(row), random.randrange(3))
            if answer[0] is not None:
                acknowledged += 1
            row = answer[1:]
        self.connection.close()
        return acknowledged

    def is_anything_open(self) -> bool:
        return (
            self.connection.execute(
                "SELECT 1 FROM annotation_queueentry q WHERE round_id = %s AND taken < need AND NOT EXISTS ("
                "SELECT 1 FROM annotation_assignment s WHERE s.round_id = q.round_id AND s.item_id = q.item_id"
                " AND s.user_id = %s AND s.state <> 'X') LIMIT 1",
                [self.round.pk, self.member.user_id],
            ).fetchone()
            is not None
        )


def test_sixteen_people_label_three_hundred_items_three_times_each():
    round_ = make_round(items=300, overlap=3)
    members = people(round_)
    acknowledged = [0] * PEOPLE
    workers = [Person(round_, member) for member in members]

    def work(number: int) -> None:
        acknowledged[number] = workers[number].work()

    in_threads(PEOPLE, work)

    assert sum(acknowledged) == 900
    assert Judgment.objects.count() == 900
    check_exact(round_)
    assert sum(RoundMember.objects.values_list("done", flat=True)) == 900
    assert set(Assignment.objects.values_list("state", flat=True)) == {"D"}


def test_leases_that_run_out_under_load_come_back_and_late_labels_are_kept():
    round_ = make_round(items=40, overlap=2)
    members = people(round_, 8)
    stop = threading.Event()

    def sweep() -> None:
        while not stop.wait(0.02):
            held = Assignment.objects.filter(state="L").order_by("?").values("pk")[:3]
            Assignment.objects.filter(pk__in=list(held.values_list("pk", flat=True)), state="L").update(
                expires_at=timezone.now() - timedelta(seconds=1)
            )
            services.return_expired()

    def label(number: int) -> None:
        member = members[number]
        idle = 0
        while idle < 10:
            leased = services.open_item(round=round_, user=member.user)
            if leased is None:
                idle += 1
                stop.wait(0.03)
                continue
            assignment = Assignment.objects.get(pk=leased.assignment)
            stop.wait(random.random() / 100)
            submission = Submission((Answer(criterion.pk, criterion.kind, verdict=random.randrange(3)),))
            try:
                services.submit(round=round_, assignment=assignment, submission=submission)
            except services.LabelRefused:
                continue  # given to the same person again meanwhile: they see it again

    criterion = round_.rubric_version.criteria.get()

    def work(number: int) -> None:
        if number == len(members):
            sweep()
            return
        label(number)
        done.release()
        if number == 0:
            for _ in members:
                done.acquire()
            stop.set()

    done = threading.Semaphore(0)
    in_threads(len(members) + 1, work)
    in_threads(len(members), label)  # what the last sweep gave back

    check_exact(round_)
    late = Judgment.objects.filter(mark=Mark.LATE).count()
    assert late == Assignment.objects.filter(place=Assignment.OUTSIDE).count()
    assert Judgment.objects.count() == 80 + late


def test_a_row_that_is_held_for_a_moment_is_not_taken_for_nothing_left():
    round_ = make_round(items=1, overlap=2)
    one, other = people(round_, 2)
    person = Person(round_, other)
    with person.connection.transaction():
        person.connection.execute("SELECT 1 FROM annotation_queueentry FOR UPDATE")
        thread = threading.Timer(0.02, person.connection.execute, ["COMMIT"])
        thread.start()
        assert services.open_item(round=round_, user=one.user) is not None
        thread.join()
    person.connection.close()


def test_one_person_in_many_tabs_never_gets_an_item_twice():
    round_ = make_round(items=60, overlap=1)
    member = people(round_, 1)[0]
    tabs = [Person(round_, member) for _ in range(6)]
    in_threads(6, lambda number: tabs[number].work())
    assert Judgment.objects.count() == 60
    check_exact(round_)


def test_the_same_submit_at_once_stores_one_label():
    round_ = make_round(items=3, overlap=1)
    texts.render_some(dataset_id=round_.dataset_id, after=-1, count=10)
    user = make_member(round_.project)
    pages = OneHopHandler(threads=4)

    async def storm() -> list[int]:
        endpoint = HotEndpoint(pages)
        visitor = Visitor(endpoint, asyncio.get_running_loop(), dict(cookies))
        base = f"/p/{round_.project.slug}/label/{round_.pk}/"
        page = (await visitor.send("GET", base)).text
        lease = page.split('name="lease" value="')[1].split('"')[0]
        body = f"lease={lease}&{name}=A".encode()
        headers = {
            "X-Desk": "1",
            "X-CSRFToken": cookies["csrftoken"],
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answers = await asyncio.gather(*(visitor.send("POST", f"{base}submit/", body, headers) for _ in range(8)))
        await endpoint.close()
        return [answer.status for answer in answers]

    name = f"c{round_.rubric_version.criteria.get().pk}"
    cookies = signed_in(user)
    assert asyncio.run(storm()) == [200] * 8
    pages.close()
    assert Judgment.objects.count() == 1
    assert Assignment.objects.count() == 2
