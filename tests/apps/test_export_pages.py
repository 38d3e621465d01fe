"""The exports page, its download and its manifest, through the ASGI application where they stream."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import AsyncClient
from django.urls import reverse

from apps.exports.models import Export
from apps.imports.services import import_judgments
from apps.projects.models import Project, Role
from tests.factories import make_dataset, make_member, make_pair_rubric, make_project


@pytest.fixture
def project(transactional_db: None) -> Project:
    project = make_project()
    dataset = make_dataset(project, pairs=3)
    rows = [
        {"item": f"pair-{n}", "rater": rater, "kind": "human", "verdict": "AB"[n % 2]}
        for n in range(3)
        for rater in "xy"
    ]
    stream = io.BytesIO(b"\n".join(json.dumps(row).encode() for row in rows))
    import_judgments(dataset=dataset, version=make_pair_rubric(project), stream=stream)
    return project


@pytest.fixture
async def lead(project: Project) -> AsyncIterator[AsyncClient]:
    """A signed-in lead. Pages run in a thread of asgiref's, whose connection would outlive the test database."""
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(make_member)(project, Role.LEAD))
    yield client
    await sync_to_async(connections.close_all)()


def fields(project: Project, prefix: str) -> dict[str, object]:
    version = project.rubrics.get().versions.get()
    return {"kind": prefix, f"{prefix}-dataset": project.datasets.get().pk, f"{prefix}-rubric_version": version.pk}


async def test_a_lead_exports_and_the_manifest_fits_the_file(lead: AsyncClient, project: Project) -> None:
    index = reverse("exports:index", args=[project.slug])
    asked = {
        "preferences-criterion": "overall",
        "preferences-source": "majority",
        "preferences-min_raters": 2,
        "preferences-min_agreement": 60,
        "preferences-form": "text",
    }
    made = await lead.post(index, {**await sync_to_async(fields)(project, "preferences"), **asked})
    assert made.status_code == 302
    export = await Export.objects.aget()
    response = await lead.get(reverse("exports:data", args=[project.slug, export.pk]))
    data = b"".join([chunk async for chunk in response.streaming_content])  # type: ignore[attr-defined]
    assert [json.loads(line)["chosen"] for line in data.splitlines()] == [
        "Answer 0 to 0.",
        "Answer 1 to 1.",
        "Answer 0 to 2.",
    ]
    manifest = (await lead.get(reverse("exports:manifest", args=[project.slug, export.pk]))).json()
    assert manifest["sha256"] == hashlib.sha256(data).hexdigest()
    assert manifest["counts"] == {"kept": 3, "pairs with labels": 3}
    page = (await lead.get(reverse("exports:export", args=[project.slug, export.pk]))).content.decode()
    assert manifest["sha256"] in page


async def test_leaving_early_ends_the_transaction(lead: AsyncClient, project: Project) -> None:
    asked = {"judgments-raters": "all"}
    await lead.post(
        reverse("exports:index", args=[project.slug]), {**await sync_to_async(fields)(project, "judgments"), **asked}
    )
    export = await Export.objects.aget()
    response = await lead.get(reverse("exports:data", args=[project.slug, export.pk]))
    stream = response.streaming_content.__aiter__()  # type: ignore[attr-defined]
    await stream.__anext__()
    await stream.aclose()
    assert await sync_to_async(open_transactions)() == 0


def test_annotators_export_nothing(client, project: Project) -> None:
    client.force_login(make_member(project))
    assert client.get(reverse("exports:index", args=[project.slug])).status_code == 403


def test_a_question_the_rubric_has_not_is_refused(client, project: Project) -> None:
    client.force_login(make_member(project, Role.LEAD))
    asked = {**fields(project, "preferences"), "preferences-criterion": "tone", "preferences-form": "text"}
    response = client.post(reverse("exports:index", args=[project.slug]), asked)
    assert response.status_code == 422
    assert "It has: overall." in response.content.decode()


def test_the_command_writes_file_and_manifest(project: Project, tmp_path) -> None:
    path = tmp_path / "out.jsonl"
    call_command("export", project.slug, "judgments", dataset="Items", rubric="Pairs", output=str(path))
    manifest = json.loads((tmp_path / "out.jsonl.manifest.json").read_text())
    assert manifest["rows"] == len(path.read_text().splitlines()) == 6
    with pytest.raises(CommandError) as refused:
        call_command("export", project.slug, "preferences", dataset="Items", rubric="Pairs", criterion="tone")
    assert refused.value.returncode == 2


def open_transactions() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND state LIKE 'idle in transaction%%' AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])
