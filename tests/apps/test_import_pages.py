"""Importing from the page: a file is sent, read by a worker, and what became of it is told."""

from __future__ import annotations

import errno
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.datasets import services as dataset_services
from apps.datasets.formats.items_jsonl import read_items
from apps.datasets.formats.judgments_jsonl import read_judgments
from apps.datasets.formats.records import Problem
from apps.datasets.models import Dataset, Item
from apps.imports import services, tasks
from apps.imports.models import Import
from apps.judgments.models import Judgment
from apps.projects.models import Project, Role
from tests.factories import make_dataset, make_member, make_pair_rubric, make_project, make_user

pytestmark = pytest.mark.django_db

GOOD = [
    {"id": f"q{number}", "instruction": "Why?", "responses": [{"system": "north", "text": "So."}]}
    for number in range(3)
]


@pytest.fixture(autouse=True)
def files(settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "imports"


@pytest.fixture
def project() -> Project:
    return make_project()


@pytest.fixture
def lead(project: Project, client: Client) -> User:
    user = make_member(project, Role.LEAD)
    client.force_login(user)
    return user


def jsonl(*rows: object) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


Send = Callable[..., Import]


@pytest.fixture
def send(client: Client, project: Project, lead: User) -> Send:
    """Sends items as the page does and reads them as the worker does."""

    def sent(content: bytes, *, name: str = "items.jsonl", **fields: str) -> Import:
        data = {"file": SimpleUploadedFile(name, content), "dataset_name": "Spring", "sampling": "random", **fields}
        response = client.post(reverse("imports:items", args=[project.slug]), data)
        assert response.status_code == 302, response.content.decode()
        row = Import.objects.get()
        assert response["Location"] == reverse("imports:report", args=[project.slug, row.pk])
        services.carry_out(row.pk)
        row.refresh_from_db()
        return row

    return sent


def report(client: Client, row: Import) -> str:
    response = client.get(reverse("imports:report", args=[row.project.slug, row.pk]))
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("name", ["items", "judgments", "index", "report", "problems"])
def test_pages_are_for_leads_of_the_project(client: Client, project: Project, name: str) -> None:
    row = Import.objects.create(project=project, kind=Import.Kind.ITEMS, file_name="f", dataset_name="d")
    args = [project.slug, row.pk] if name in {"report", "problems"} else [project.slug]
    url = reverse(f"imports:{name}", args=args)

    assert client.get(url).status_code == 302
    for user, status in ((make_user(), 404), (make_member(project), 403), (make_member(project, Role.LEAD), 200)):
        client.force_login(user)
        assert client.get(url).status_code == status
        if name in {"items", "judgments"} and status != 200:
            assert client.post(url, {}).status_code == status


def test_reports_of_another_project_are_not_there(client: Client, project: Project, lead: User) -> None:
    other = Import.objects.create(project=make_project(), kind=Import.Kind.ITEMS, file_name="f", dataset_name="d")
    assert client.get(reverse("imports:report", args=[project.slug, other.pk])).status_code == 404
    assert client.get(reverse("imports:problems", args=[project.slug, other.pk])).status_code == 404


def test_items_are_sent_read_and_reported(client: Client, project: Project, send: Send, files: Path) -> None:
    row = send(jsonl(*GOOD))

    assert (row.status, row.good, row.bad) == ("done", 3, 0)
    dataset = Dataset.objects.get()
    assert (dataset.name, dataset.sampling, dataset.item_count) == ("Spring", "random", 3)
    assert list(files.iterdir()) == []
    page = report(client, row)
    assert "3 items imported into “Spring”." in page
    assert f"{reverse('datasets:items', args=[project.slug])}?dataset={dataset.pk}" in page
    assert "every 1s" not in page
    assert "items.jsonl" in client.get(reverse("imports:index", args=[project.slug])).content.decode()


def test_one_bad_line_imports_nothing_and_every_bad_line_is_told(client: Client, project: Project, send: Send) -> None:
    bad = [{**GOOD[0], "id": "q0"}, {**GOOD[1], "id": 7}, {"id": "x", "responses": []}]
    row = send(jsonl(*GOOD, *bad))

    assert (row.status, row.good, row.bad) == ("refused", 3, 3)
    assert not Item.objects.exists()
    page = report(client, row)
    assert "3 of 6 rows are wrong" in page
    assert "Nothing imported" in page
    assert all(f"Line {line}" in page for line in (4, 5, 6))
    assert "choose the same file once more, since it was not kept" in page
    again = f"{reverse('imports:items', args=[project.slug])}?dataset_name=Spring&amp;sampling=random"
    assert f'{again}&amp;good_rows_only=on"' in page

    form = client.get(again.replace("&amp;", "&") + "&good_rows_only=on").content.decode()
    assert 'value="Spring"' in form
    assert re.search(r'<input[^>]*name="good_rows_only"[^>]* checked', form)


def test_the_good_rows_when_asked_for(client: Client, send: Send) -> None:
    row = send(jsonl(*GOOD, {"id": "x"}), good_rows_only="on")

    assert (row.status, row.good, row.bad) == ("done", 3, 1)
    page = report(client, row)
    assert "3 items imported" in page
    assert "1 row was wrong and left out." in page
    assert "Line 4" in page


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04\x14\x00" + b"\x00\xff\n" * 3000, "zip archive"),
        (b"\x1f\x8b\x08" + b"\x00\xff\n" * 3000, "gzip"),
        ('{"id": "q"}\n'.encode("utf-16"), "UTF-16"),
        (b"\n \n", "the file is empty"),
        (b"[\n" + b'{"id": "q"},\n' * 3000, "one JSON document"),
    ],
)
def test_another_kind_of_file_is_one_problem(client: Client, send: Send, content: bytes, says: str) -> None:
    row = send(content)

    assert (row.status, row.good, len(row.problems)) == ("refused", 0, 1)
    page = report(client, row)
    assert says in page
    assert "Import the good rows" not in page


def test_a_file_that_is_not_utf_8_is_told_line_by_line(client: Client, send: Send) -> None:
    latin = '{"id": "q9", "instruction": "Café?", "responses": [{"system": "s", "text": "x"}]}\n'.encode("latin-1")
    row = send(jsonl(GOOD[0]) + latin)

    assert [problem[:2] for problem in row.problems] == [[2, ""]]
    assert "is not UTF-8" in report(client, row)


def test_only_the_first_of_many_problems_are_kept_and_all_are_counted(client: Client, send: Send) -> None:
    row = send(b"{}\n" * 400)

    assert row.bad == 400
    assert len(row.problems) == 1000
    page = report(client, row)
    assert page.count('<span class="line">') == 100
    assert "900 more are not shown." in page
    assert "The first 1,000 problems are kept" in page


def test_problems_download_as_a_table_without_formulas(client: Client, project: Project, lead: User) -> None:
    row = Import.objects.create(
        project=project,
        kind=Import.Kind.ITEMS,
        status=Import.Status.REFUSED,
        file_name="f",
        dataset_name="d",
        problems=[
            [2, "id", "=cmd|' /C calc'!A0", "is a number", "Write text, such as “7”."],
            [None, "", "", "bad", ""],
        ],
    )
    response = client.get(reverse("imports:problems", args=[project.slug, row.pk]))
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert text.splitlines()[0] == "line,field,value,problem,remedy"
    assert text.splitlines()[1] == "2,id,'=cmd|' /C calc'!A0,is a number.,\"Write text, such as “7”.\""


def test_a_waiting_import_asks_again_and_hears_only_what_is_new(client: Client, project: Project, lead: User) -> None:
    row = Import.objects.create(project=project, kind=Import.Kind.ITEMS, file_name="f", dataset_name="d")
    url = reverse("imports:report", args=[project.slug, row.pk])
    htmx = {"HX-Request": "true"}

    page = client.get(url).content.decode()
    assert 'aria-live="polite"' in page
    assert f'hx-get="{url}?seen=waiting" hx-trigger="every 1s"' in page
    assert client.get(f"{url}?seen=waiting", headers=htmx).status_code == 204
    Import.objects.update(attempts=1)
    part = client.get(f"{url}?seen=waiting", headers=htmx).content.decode()
    assert "Being read" in part
    assert "<html" not in part
    Import.objects.update(attempts=0, created_at="2020-01-01T00:00:00Z")
    assert "none is running" in client.get(url).content.decode()
    Import.objects.update(status=Import.Status.FAILED)
    part = client.get(f"{url}?seen=late", headers=htmx).content.decode()
    assert "could not be read to its end" in part
    assert "hx-trigger" not in part


def test_the_worker_is_told_after_the_transaction_and_items_are_then_rendered(
    client: Client, project: Project, lead: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks
) -> None:
    sent: list[int] = []
    rendered: list[int] = []
    monkeypatch.setattr(tasks.carry_out, "delay", sent.append)
    monkeypatch.setattr(tasks, "render_soon", rendered.append)
    data = {"file": SimpleUploadedFile("f.jsonl", jsonl(*GOOD)), "dataset_name": "d", "sampling": "all"}
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("imports:items", args=[project.slug]), data)
        assert sent == []
    assert sent == [Import.objects.get().pk]

    tasks.carry_out(sent[0])
    tasks.carry_out(sent[0])
    assert rendered == [Dataset.objects.get().pk]
    assert Item.objects.count() == 3


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"file": None}, "Choose a file first."),
        ({"file": b""}, "This file is empty."),
        ({"dataset_name": ""}, "This field is required."),
        ({"dataset_name": "a\x00b"}, "Null characters are not allowed."),
        ({"dataset_name": "a\nb"}, "control character"),
        ({"dataset_name": "x" * 121}, "at most 120 characters"),
        ({"sampling": "luck"}, "Select a valid choice."),
        ({"dataset_name": "Old"}, "An archived dataset has this name."),
    ],
)
def test_a_form_that_cannot_be_used_is_shown_again(
    client: Client, project: Project, lead: User, files: Path, fields: dict[str, bytes | str | None], says: str
) -> None:
    dataset_services.archive(dataset=make_dataset(project, name="Old"))
    content = fields.get("file", jsonl(*GOOD))
    data: dict[str, object] = {"dataset_name": "New", "sampling": "all", **fields}
    if isinstance(content, bytes):
        data["file"] = SimpleUploadedFile("items.jsonl", content)
    else:
        del data["file"]
    response = client.post(reverse("imports:items", args=[project.slug]), data)

    assert response.status_code == 422
    assert says in response.content.decode()
    assert not Import.objects.exists()
    assert not files.exists()


def test_a_dataset_archived_meanwhile_takes_nothing(client: Client, project: Project, lead: User) -> None:
    dataset = make_dataset(project, pairs=1, name="Spring")
    data = {"file": SimpleUploadedFile("f.jsonl", jsonl(*GOOD)), "dataset_name": "Spring", "sampling": "all"}
    client.post(reverse("imports:items", args=[project.slug]), data)
    dataset_services.archive(dataset=dataset)
    row = Import.objects.get()
    services.carry_out(row.pk)
    row.refresh_from_db()

    assert (row.status, row.good, Item.objects.count()) == ("refused", 0, 1)
    assert "is archived." in report(client, row)
    dataset.refresh_from_db()
    outcome = services.import_judgments(dataset=dataset, version=make_pair_rubric(project), stream=io.BytesIO(b"{}"))
    assert outcome.refused


def test_an_archived_project_takes_no_files(client: Client, project: Project, lead: User) -> None:
    Project.objects.update(archived_at="2026-01-01T00:00:00Z")
    data = {"file": SimpleUploadedFile("f.jsonl", jsonl(*GOOD)), "dataset_name": "d", "sampling": "all"}
    response = client.post(reverse("imports:items", args=[project.slug]), data)

    assert response.status_code == 422
    assert "This project is archived." in response.content.decode()
    assert not Import.objects.exists()


def test_a_full_disk_is_said_and_leaves_nothing_behind(
    client: Client, project: Project, lead: User, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object) -> Iterator[bytes]:
        yield b"{"
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("django.core.files.uploadedfile.InMemoryUploadedFile.chunks", full)
    data = {"file": SimpleUploadedFile("f.jsonl", jsonl(*GOOD)), "dataset_name": "d", "sampling": "all"}
    response = client.post(reverse("imports:items", args=[project.slug]), data)

    assert response.status_code == 422
    assert "disk is full" in response.content.decode()
    assert not Import.objects.exists()
    assert list(files.iterdir()) == []


def test_judgments_are_sent_and_reported(client: Client, project: Project, lead: User) -> None:
    url = reverse("imports:judgments", args=[project.slug])
    assert "Items come first" in client.get(url).content.decode()
    dataset = make_dataset(project, pairs=2)
    assert "A rubric comes first" in client.get(url).content.decode()
    version = make_pair_rubric(project)
    assert "Pairs, version 1" in client.get(url).content.decode()

    verdict = {"item": "pair-0", "rater": "ann", "kind": "human", "verdict": "A"}
    fields = {"dataset": str(dataset.pk), "version": str(version.pk)}

    def sent(content: bytes) -> Import:
        assert client.post(url, {"file": SimpleUploadedFile("j.jsonl", content), **fields}).status_code == 302
        row = Import.objects.latest("pk")
        services.carry_out(row.pk)
        row.refresh_from_db()
        return row

    assert sent(jsonl(verdict)).status == "done"
    row = sent(jsonl({**verdict, "item": "nobody"}, {**verdict, "item": "pair-1", "verdict": "C"}))
    assert (row.status, row.bad) == ("refused", 2)
    page = report(client, row)
    assert "is not an item of this dataset" in page
    assert f"{url}?dataset={dataset.pk}&amp;version={version.pk}" in page
    assert Judgment.objects.count() == 1


def test_judgments_go_to_datasets_and_rubrics_of_the_project_that_are_in_use(
    client: Client, project: Project, lead: User
) -> None:
    dataset, version = make_dataset(project, pairs=1), make_pair_rubric(project)
    other = make_project()
    foreign = {"dataset": make_dataset(other, pairs=1).pk, "version": make_pair_rubric(other).pk}
    archived = make_dataset(project, pairs=1, name="Archived")
    dataset_services.archive(dataset=archived)
    for fields in (foreign, {"dataset": archived.pk, "version": version.pk}, {"dataset": dataset.pk, "version": 0}):
        data = {"file": SimpleUploadedFile("j.jsonl", b"{}\n"), **fields}
        assert client.post(reverse("imports:judgments", args=[project.slug]), data).status_code == 422
    assert not Import.objects.exists()


def test_the_example_files_can_be_imported(project: Project) -> None:
    folder = Path(__file__).parents[2] / "static" / "imports"
    items = folder.joinpath("items.jsonl").read_bytes()
    judgments = folder.joinpath("judgments.jsonl").read_bytes()
    assert not [each for each in read_items(io.BytesIO(items)) if isinstance(each, Problem)]
    assert not [each for each in read_judgments(io.BytesIO(judgments)) if isinstance(each, Problem)]

    dataset, outcome = services.import_items(project=project, dataset_name="Example", stream=io.BytesIO(items))
    assert dataset is not None
    assert outcome.stored == 3
    outcome = services.import_judgments(
        dataset=dataset, version=make_pair_rubric(project), stream=io.BytesIO(judgments)
    )
    assert outcome.stored == 4
