"""Every page there is, in a real Chromium: a clean console, nothing wider than the screen, no objection by axe.

Each is opened as a lead in English on a desktop in light, and in Chinese on a 360 px phone in dark.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import Browser, Page

from apps.accounts.models import User
from apps.accounts.services import create_login_link
from apps.annotation.models import Round
from apps.exports.models import Export
from apps.exports.options import JudgmentOptions
from apps.exports.services import create_export
from apps.home.services import load_demo
from apps.imports.models import Import
from apps.imports.services import carry_out, receive
from apps.judging import tasks
from apps.judging.models import JudgeConfig, JudgeRun, Shard
from apps.judgments.models import Rater
from apps.projects.models import Project, Role
from apps.projects.services import invite

#: addresses that are no page: they take a POST, download a file or answer a part of a page
NO_PAGE = {
    "home:theme", "home:archive", "home:invite", "home:revoke", "home:role", "home:remove",
    "accounts:sign_out",
    "datasets:archive", "datasets:restore",
    "rubrics:check", "rubrics:discard", "rubrics:source",
    "annotation:submit", "annotation:skip", "annotation:flag", "annotation:set_status", "annotation:resolve_flag",
    "judging:archive", "judging:restore", "judging:pause", "judging:resume", "judging:stop", "judging:retry",
    "analytics:fresh", "analytics:run", "analytics:pairs_csv", "analytics:figures_csv",
    "imports:problems",
    "exports:data", "exports:manifest",
}  # fmt: skip
#: they lead to another page at once
LEADS_ON = {"rubrics:rubric", "annotation:next"}
DESKTOP = {"viewport": {"width": 1366, "height": 768}, "color_scheme": "light", "locale": "en-GB"}
PHONE = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "locale": "zh-CN"}


def names() -> Iterator[str]:
    def walk(patterns: list[URLPattern | URLResolver], space: str) -> Iterator[str]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, pattern.namespace or space)
            else:
                yield f"{space}:{pattern.name}"

    yield from walk(get_resolver().url_patterns, "")


@pytest.fixture
def admin(live: str) -> User:
    return User.objects.create_superuser(username="admin")


@pytest.fixture
def addresses(admin: User, settings, tmp_path) -> dict[str, str]:
    """The demo project, judged by its baselines, and the address of every page of it."""
    settings.MEDIA_ROOT = tmp_path
    project = load_demo(admin=admin)
    assert project is not None
    with ThreadPoolExecutor(1) as worker:  # a worker announces its progress, which no thread with a loop may do
        worker.submit(judge_all).result()
    version = project.rubrics.get(versions__criteria__kind=0).versions.get()
    refused = receive(
        project=project,
        kind=Import.Kind.ITEMS,
        file_name="items.jsonl",
        chunks=iter([json.dumps({"id": "x", "instruction": 5}).encode()]),
        dataset_name="Another",
        by=admin,
    )
    carry_out(refused.pk)
    dataset = JudgeRun.objects.all()[0].dataset
    create_export(project=project, dataset=dataset, rubric_version=version, options=JudgmentOptions())
    link = create_login_link(user=admin)
    _, invitation = invite(project=project, role=Role.ANNOTATOR, by=admin, by_role=Role.ADMIN)
    return {name: _address(name, project, link, invitation) for name in names() if name not in NO_PAGE}


def judge_all() -> None:
    for shard in Shard.objects.all():
        tasks.judge_baseline(shard.pk)
    connection.close()


def _address(name: str, project: Project, link: str, invitation: str) -> str:
    if name == "accounts:link":
        return link
    if name == "projects:invitation":
        return invitation
    arguments: dict[str, list[object]] = {
        "home:start": [], "home:new": [], "home:account": [], "home:keys": [],
        "accounts:sign_in": [], "accounts:password": [],
        "datasets:item": [project.slug, project.datasets.all()[0].items.all()[0].pk],
        "datasets:dataset": [project.slug, project.datasets.all()[0].pk],
        "rubrics:version": [project.slug, project.rubrics.all()[0].pk, 1],
        "rubrics:rubric": [project.slug, project.rubrics.all()[0].pk],
        "rubrics:draft": [project.slug, project.rubrics.all()[0].pk],
        "annotation:desk": [project.slug, Round.objects.all()[0].pk],
        "annotation:round": [project.slug, Round.objects.all()[0].pk],
        "judging:judge": [project.slug, JudgeConfig.objects.all()[0].pk],
        "judging:run": [project.slug, JudgeRun.objects.all()[0].number],
        "imports:report": [project.slug, Import.objects.all()[0].pk],
        "exports:export": [project.slug, Export.objects.all()[0].pk],
    }  # fmt: skip
    address = reverse(name, args=arguments.get(name, [project.slug]))
    if name == "analytics:pair":
        person, judge = (project.raters.filter(kind=kind)[0].pk for kind in Rater.Kind.values)
        address += f"?a={person}&b={judge}"
    return address


def look_over(page: Page, axe: Axe, name: str, console: list[str]) -> list[str]:
    """What is wrong with the page that is open, in words."""
    wrong = [f"{name}: {line}" for line in console]
    console.clear()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        wrong.append(f"{name}: {wide} px wider than the screen")
    if page.locator("h1").count() != 1:
        wrong.append(f"{name}: {page.locator('h1').count()} first headings")
    for violation in axe.run(page).response["violations"]:
        targets = ", ".join(str(node["target"]) for node in violation["nodes"][:3])
        wrong.append(f"{name}: {violation['id']} ({violation['help']}) at {targets}")
    return wrong


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop-light-en", "phone-dark-zh"])
def test_every_page(browser: Browser, live: str, admin: User, addresses: dict[str, str], device) -> None:
    axe = Axe()
    context = browser.new_context(base_url=live, **device)
    context.set_default_timeout(20_000)
    page = context.new_page()
    console: list[str] = []
    page.on(
        "console",
        lambda line: console.append(f"{line.type} {line.text}") if line.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: console.append(f"exception {error}"))
    found = []
    for name in ("accounts:sign_in", "projects:invitation", "accounts:link"):  # as a stranger sees them
        page.goto(addresses[name])
        found += look_over(page, axe, name, console)
    page.locator("main button").click()
    page.wait_for_url("**/")
    for name, address in addresses.items():
        if name == "accounts:link":
            continue
        response = page.goto(address)
        assert response is not None
        if response.status != 200:
            found.append(f"{name}: answered {response.status}")
        assert name in LEADS_ON or name in {"home:start", "accounts:sign_in"} or page.url.endswith(address), page.url
        found += look_over(page, axe, name, console)
    page.goto("/p/nowhere/")
    console.clear()  # the browser itself notes the 404
    found += look_over(page, axe, "404", console)
    context.close()
    assert not found, "\n".join(found)
