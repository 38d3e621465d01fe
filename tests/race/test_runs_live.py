"""The live page of a run: a real server, a real socket, a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connections
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from apps.accounts.models import User
from apps.judging import tasks
from apps.judging.models import JudgeRun
from apps.judging.page import PARTS
from apps.judging.services import judges, runs
from apps.projects.models import Membership, Role
from tests.factories import make_dataset, make_member, make_pair_rubric, make_project, make_user

pytestmark = pytest.mark.slow


@pytest.fixture
def run(live: str) -> JudgeRun:
    project = make_project()
    judge = judges.create_judge(project=project, name="Chance", engine="baseline", model="random", params={}, by=None)
    return runs.start_run(
        judge=judge,
        dataset=make_dataset(project, pairs=40),
        rubric_version=make_pair_rubric(project),
        by=None,
        shard_size=4,
    )


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    """A thread that works as a Celery worker would, beside Playwright's event loop."""
    with ThreadPoolExecutor(1) as pool:
        yield pool
        pool.submit(connections.close_all).result()  # that thread's


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def test_the_page_follows_the_run_without_being_touched(
    run: JudgeRun, worker: ThreadPoolExecutor, page: Page, live: str
) -> None:
    page.context.add_cookies(
        [{"name": "sessionid", "value": session_of(make_member(run.project, Role.LEAD)), "url": live}]
    )
    page.goto(reverse("judging:run", args=[run.project.slug, run.number]))
    expect(page.locator("#progress")).to_have_text("0 of 80 verdicts")
    shards = list(run.shards.values_list("pk", flat=True))

    worker.submit(tasks.work, shards[0]).result()
    expect(page.locator("#progress")).to_have_text("8 of 80 verdicts", timeout=3000)
    expect(page.locator(".shards .done")).to_have_count(1)
    expect(page.locator("#run-feed li")).to_have_count(8)
    top = page.locator("#run-feed li").first.inner_text()

    page.get_by_role("button", name="Hold the list").click()
    worker.submit(tasks.work, shards[1]).result()
    expect(page.locator("#progress")).to_have_text("16 of 80 verdicts", timeout=3000)
    assert page.locator("#run-feed li").first.inner_text() == top
    page.get_by_role("button", name="Hold the list").click()
    page.mouse.move(0, 0)
    expect(page.locator("#run-feed li").first).not_to_have_text(top)

    page.get_by_role("button", name="Pause").click()
    expect(page.locator("h1 + .badge")).to_have_text("Paused")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("h1 + .badge")).to_have_text("Running")
    for shard in shards[2:]:
        worker.submit(tasks.work, shard).result()
    expect(page.locator("h1 + .badge")).to_have_text("Done", timeout=3000)
    expect(page.locator("#progress")).to_have_text("80 of 80 verdicts")


def test_stopping_asks_first(run: JudgeRun, page: Page, live: str) -> None:
    page.context.add_cookies(
        [{"name": "sessionid", "value": session_of(make_member(run.project, Role.LEAD)), "url": live}]
    )
    page.goto(reverse("judging:run", args=[run.project.slug, run.number]))
    page.get_by_role("button", name="Stop the run").click()
    page.locator("#confirm").get_by_role("button", name="Stop the run").click()
    expect(page.locator("h1 + .badge")).to_have_text("Stopped")


def socket_to(run: JudgeRun, session: str, live: str, **options: Any) -> connect:
    headers = {"Cookie": f"sessionid={session}"} if session else {}
    address = f"{live.replace('http', 'ws')}/ws/p/{run.project.slug}/runs/{run.number}/"
    return connect(address, additional_headers=headers, **{"origin": live, **options})


async def closed_with(opening: connect) -> int | None:
    async with opening as socket:
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 10)
        return socket.close_code


def test_a_lead_gets_every_part_of_the_page_at_once(run: JudgeRun, live: str) -> None:
    async def first_message() -> str:
        async with socket_to(run, session, live) as socket:
            return str(await asyncio.wait_for(socket.recv(), 10))

    session = session_of(make_member(run.project, Role.LEAD))
    said = asyncio.run(first_message())

    for part in PARTS:
        assert f'id="run-{part}"' in said
    assert said.count('hx-swap-oob="true"') == len(PARTS)
    assert "0 of 80 verdicts" in said


def test_the_socket_is_closed_to_everybody_else(run: JudgeRun, live: str) -> None:
    lead = make_member(run.project, Role.LEAD)
    missing = JudgeRun(project=run.project, number=99)
    for user, asked in (
        (None, run),
        (make_user(), run),
        (make_member(run.project, Role.ANNOTATOR), run),
        (make_member(make_project(), Role.ADMIN), run),
        (lead, missing),
    ):
        assert asyncio.run(closed_with(socket_to(asked, session_of(user) if user else "", live))) == 4404
    with pytest.raises(InvalidStatus):  # another site's page
        asyncio.run(closed_with(socket_to(run, session_of(lead), live, origin="https://elsewhere.example")))


def test_the_socket_closes_when_its_reader_is_no_longer_a_lead(run: JudgeRun, live: str) -> None:
    lead = make_member(run.project, Role.LEAD)
    session = session_of(lead)

    async def until_closed() -> int | None:
        async with socket_to(run, session, live) as socket:
            await socket.recv()
            await asyncio.to_thread(demote)
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 10)
            return socket.close_code

    def demote() -> None:
        Membership.objects.filter(user=lead).update(role=Role.ANNOTATOR)
        connections.close_all()

    assert asyncio.run(until_closed()) == 4404


def test_an_emptied_broker_does_not_stop_the_page(run: JudgeRun, live: str) -> None:
    session = session_of(make_member(run.project, Role.LEAD))
    shard_id = run.shards.all()[0].pk

    def work() -> None:
        with redis.from_url(settings.REDIS_URL) as client:
            client.flushall()  # nobody is in the page's group any more
        tasks.work(shard_id)
        connections.close_all()

    async def second_message() -> str:
        async with socket_to(run, session, live) as socket:
            await socket.recv()
            await asyncio.to_thread(work)
            return str(await asyncio.wait_for(socket.recv(), 10))

    assert "8 of 80 verdicts" in asyncio.run(second_message())
