"""Files into items and judgments: right, all or nothing, and every bad line named."""

from __future__ import annotations

import io
import json
import os
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from apps.datasets.models import Dataset, Item, Response, System
from apps.imports import services
from apps.imports.models import Import
from apps.imports.reading import Outcome
from apps.judgments.models import Judgment, Order, Rater, Verdict
from apps.projects.models import Role
from apps.rubrics.models import Criterion
from tests.factories import (
    make_dataset,
    make_member,
    make_pair_rubric,
    make_project,
    make_score_rubric,
    make_version,
)

pytestmark = pytest.mark.django_db


def lines(*rows: object) -> io.BytesIO:
    return io.BytesIO(b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows))


def pair(number: int, **fields: object) -> dict[str, object]:
    responses = [{"system": "north", "text": "Answer A"}, {"system": "south", "text": "Answer B"}]
    return {"id": f"item-{number}", "instruction": f"Question {number}?", "responses": responses, **fields}


def verdict(item: str = "pair-0", rater: str = "ann", **fields: object) -> dict[str, object]:
    return {"item": item, "rater": rater, "kind": "human", "verdict": "A", **fields}


def told(outcome: Outcome) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.field) for problem in outcome.problems.told]


def test_items_are_stored_as_the_file_has_them() -> None:
    project = make_project()
    rows = [
        pair(
            1,
            context="背景\t有\\反斜杠\n和换行",
            reference="Right.",
            scenario="maths",
            group="g",
            meta={"language": "zh"},
        ),
        {
            "id": "chat",
            "messages": [{"role": "user", "content": "Hello, what is this?"}],
            "responses": [{"system": "north", "text": ""}],
        },
    ]
    dataset, outcome = services.import_items(project=project, dataset_name="Spring", stream=lines(*rows))

    assert dataset is not None
    assert (outcome.stored, outcome.problems.total, dataset.item_count) == (2, 0, 2)
    first, second = Item.objects.filter(dataset=dataset).order_by("position")
    assert first.context == "背景\t有\\反斜杠\n和换行"
    assert (first.kind, first.reference, first.scenario, first.group, first.language) == (
        2,
        "Right.",
        "maths",
        "g",
        "zh",
    )
    assert first.meta == {"language": "zh"}
    assert [(r.position, r.system.name, r.text) for r in first.responses.all()] == [
        (0, "north", "Answer A"),
        (1, "south", "Answer B"),
    ]
    assert (second.kind, second.messages, second.language) == (
        1,
        [{"role": "user", "content": "Hello, what is this?"}],
        "en",
    )
    assert second.instruction == "Hello, what is this?"
    assert second.group is None


def test_items_without_a_group_that_ask_the_same_belong_together() -> None:
    project = make_project()
    same = [pair(1, instruction="Same?"), pair(2, instruction="Same?"), pair(3, instruction="Same?", context="no")]
    services.import_items(project=project, dataset_name="d", stream=lines(*same))
    keys = list(Item.objects.order_by("position").values_list("group_key", flat=True))
    assert keys[0] == keys[1] != keys[2]


def test_one_bad_line_refuses_the_file_and_the_rest_is_still_checked() -> None:
    project = make_project()
    rows = [pair(1), pair(2, instruction=5), pair(3), {"id": "x"}, pair(1)]
    dataset, outcome = services.import_items(project=project, dataset_name="d", stream=lines(*rows))

    assert dataset is None
    assert outcome.refused
    assert {line for line, _ in told(outcome)} == {2, 4, 5}
    assert outcome.problems.bad == 3
    assert not Item.objects.exists()
    assert not Dataset.objects.exists()
    assert not System.objects.exists()


def test_good_rows_only_when_asked_for() -> None:
    project = make_project()
    stream = lines(pair(1), pair(2, responses=[]), pair(3))
    dataset, outcome = services.import_items(project=project, dataset_name="d", stream=stream, good_rows_only=True)
    assert dataset is not None
    assert (outcome.stored, outcome.problems.bad, outcome.refused) == (2, 1, False)
    assert list(Item.objects.order_by("position").values_list("external_id", "position")) == [
        ("item-1", 0),
        ("item-3", 1),
    ]


def test_appending_finds_ids_that_the_dataset_has() -> None:
    project = make_project()
    services.import_items(project=project, dataset_name="d", stream=lines(pair(1)))
    _, refused = services.import_items(project=project, dataset_name="d", stream=lines(pair(2), pair(1)))
    dataset, outcome = services.import_items(project=project, dataset_name="d", stream=lines(pair(2)))

    assert refused.refused
    assert told(refused) == [(2, "id")]
    assert dataset is not None
    assert (outcome.stored, dataset.item_count) == (1, 2)
    assert Item.objects.count() == 2


def test_an_empty_file_is_refused() -> None:
    dataset, outcome = services.import_items(project=make_project(), dataset_name="d", stream=io.BytesIO(b""))
    assert dataset is None
    assert outcome.problems.total == 1


def test_judgments_are_stored_unswapped_with_all_they_carry() -> None:
    project = make_project()
    dataset = make_dataset(project, pairs=2)
    version = make_pair_rubric(project, strength=True, both_bad=True)
    stream = lines(
        verdict(order="BA", verdict="B", strength="much", seconds=12.5, rationale="更清楚", at="2026-01-02T03:04:05Z"),
        verdict(item="pair-1", verdict="tie", both_bad=True),
        verdict(rater="judge-1", kind="judge", verdict=None, status="unparsed"),
    )
    outcome = services.import_judgments(dataset=dataset, version=version, stream=stream)

    assert outcome.problems.told == []
    assert outcome.stored == 3
    first = Judgment.objects.get(item__external_id="pair-0", rater__name="ann")
    assert (first.order, first.verdict, first.strength, first.seconds) == (Order.BA, Verdict.B, 2, 12.5)
    assert (first.rationale, first.created_at.isoformat()) == ("更清楚", "2026-01-02T03:04:05+00:00")
    unparsed = Judgment.objects.get(rater__name="judge-1")
    assert (unparsed.verdict, unparsed.status, unparsed.rater.kind) == (None, 1, Rater.Kind.JUDGE)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (verdict(item="nowhere"), "item"),
        (verdict(verdict="C"), "verdict"),
        (verdict(criterion="overal"), "criterion"),
        (verdict(verdict=None, score=3), "score"),
        (verdict(item="single-0"), "criterion"),
        (verdict(rubric="Another"), "rubric"),
        (verdict(kind="judge"), "rater"),
        (verdict(rater="ann\u0000"), "rater"),
    ],
)
def test_a_judgment_that_does_not_fit_is_named_and_nothing_is_stored(row: dict[str, object], field: str) -> None:
    project = make_project()
    dataset = make_dataset(project, pairs=2, singles=1)
    version = make_pair_rubric(project)
    Rater.objects.create(project=project, name="ann", kind=Rater.Kind.HUMAN)
    outcome = services.import_judgments(dataset=dataset, version=version, stream=lines(verdict("pair-1", "bob"), row))
    assert outcome.refused
    assert told(outcome) == [(2, field)]
    assert outcome.problems.told[0].remedy
    assert not Judgment.objects.exists()


@pytest.mark.parametrize("score", [0, 5.5, 6, -1])
def test_a_score_off_the_scale_is_refused(score: float) -> None:
    project = make_project()
    dataset = make_dataset(project, singles=1)
    row = {"item": "single-0", "rater": "ann", "kind": "human", "score": score}
    outcome = services.import_judgments(dataset=dataset, version=make_score_rubric(project), stream=lines(row))
    assert told(outcome) == [(1, "score")]
    assert "from 1 to 5" in outcome.problems.told[0].remedy


def test_choices_are_stored_by_place_and_unknown_ones_refused() -> None:
    project = make_project()
    dataset = make_dataset(project, singles=2)
    options = [{"id": "safe", "label": "Safe"}, {"id": "unsafe", "label": "Unsafe"}]
    criterion = {"key": "overall", "kind": Criterion.Kind.CHOICE, "name": "Safety", "question": "?", "options": options}
    version = make_version(project, "Safety", [criterion])
    row = {"item": "single-0", "rater": "ann", "kind": "human", "choice": "unsafe"}
    assert services.import_judgments(dataset=dataset, version=version, stream=lines(row)).stored == 1
    assert Judgment.objects.get().choice == 1
    refused = services.import_judgments(
        dataset=dataset, version=version, stream=lines({**row, "item": "single-1", "choice": "maybe"})
    )
    assert told(refused) == [(1, "choice")]


def test_a_judgment_that_is_there_already_is_refused_and_a_revision_is_not() -> None:
    project = make_project()
    dataset = make_dataset(project, pairs=1)
    version = make_pair_rubric(project)
    services.import_judgments(dataset=dataset, version=version, stream=lines(verdict()))
    again = services.import_judgments(dataset=dataset, version=version, stream=lines(verdict(verdict="B")))
    edit = services.import_judgments(dataset=dataset, version=version, stream=lines(verdict(verdict="B", revision=1)))
    assert told(again) == [(1, "item")]
    assert edit.stored == 1
    assert list(Judgment.objects.order_by("revision").values_list("verdict", flat=True)) == [Verdict.A, Verdict.B]


def test_history_cannot_be_changed() -> None:
    project = make_project()
    dataset = make_dataset(project, pairs=1)
    version = make_pair_rubric(project)
    services.import_judgments(dataset=dataset, version=version, stream=lines(verdict()))
    changes = [
        lambda: Judgment.objects.update(verdict=Verdict.B),
        lambda: Judgment.objects.all()._raw_delete(using="default"),
        lambda: Item.objects.update(instruction="another"),
        lambda: Response.objects.update(text="another"),
        lambda: type(version).objects.filter(pk=version.pk).update(guidelines="another"),
        lambda: Criterion.objects.update(question="another"),
        lambda: Criterion.objects.create(version=version, key="more", position=1, kind=0, name="x", question="y"),
    ]
    for change in changes:
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_a_judgment_cannot_name_a_criterion_of_another_version_or_kind() -> None:
    project = make_project()
    dataset, version, other = make_dataset(project, pairs=1), make_pair_rubric(project), make_score_rubric(project)
    services.import_judgments(dataset=dataset, version=version, stream=lines(verdict()))
    row = Judgment.objects.get()
    for fields in (
        {"criterion": other.criteria.get()},
        {"rubric_version": other},
        {"kind": 2, "verdict": None, "choice": 0},
    ):
        row.pk, row.sample = None, row.sample + 1
        for name, value in fields.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)


def test_the_commands_say_what_is_wrong_and_exit_with_2(tmp_path, capsys) -> None:
    project = make_project()
    path = tmp_path / "items.jsonl"
    path.write_bytes(lines(pair(1), pair(2, responses=[1, 2, 3])).getvalue())
    with pytest.raises(CommandError) as refused:
        call_command("import_items", project.slug, str(path), dataset="d")
    assert refused.value.returncode == 2
    assert "Line 2, responses" in capsys.readouterr().err
    with pytest.raises(CommandError, match="Did you mean"):
        call_command("import_items", project.slug[:-1] + "x", str(path), dataset="d")
    path.write_bytes(lines(pair(1)).getvalue())
    call_command("import_items", project.slug, str(path), dataset="d")
    assert "1 items imported" in capsys.readouterr().out
    with pytest.raises(CommandError, match="There is none yet"):
        call_command("import_judgments", project.slug, str(path), dataset="d", rubric="Pairs")


def upload(project: object, stream: io.BytesIO, settings: object, tmp_path: os.PathLike[str]) -> Import:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    by = make_member(project, Role.LEAD)  # type: ignore[arg-type]
    return services.receive(
        project=project,  # type: ignore[arg-type]
        kind=Import.Kind.ITEMS,
        file_name="items.jsonl",
        chunks=iter([stream.getvalue()]),
        dataset_name="Spring",
        by=by,
    )


def test_an_upload_is_read_once_however_often_it_is_hinted(settings, tmp_path) -> None:
    row = upload(make_project(), lines(pair(1), pair(2)), settings, tmp_path)
    services.carry_out(row.pk)
    services.carry_out(row.pk)
    row.refresh_from_db()
    assert (row.status, row.good, row.bad, row.attempts) == (Import.Status.DONE, 2, 0, 1)
    assert row.dataset is not None
    assert Item.objects.count() == 2
    assert not list((tmp_path / "imports").iterdir())


def test_a_refused_upload_keeps_its_problems(settings, tmp_path) -> None:
    row = upload(make_project(), lines(pair(1), pair(2, id="")), settings, tmp_path)
    services.carry_out(row.pk)
    row.refresh_from_db()
    assert (row.status, row.good, row.bad) == (Import.Status.REFUSED, 1, 1)
    assert row.problems[0][:2] == [2, "id"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_read_an_upload_once(settings, tmp_path) -> None:
    row = upload(make_project(), lines(*(pair(number) for number in range(3000))), settings, tmp_path)

    def work() -> None:
        try:
            services.carry_out(row.pk)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    row.refresh_from_db()
    assert (row.status, row.good) == (Import.Status.DONE, 3000)
    assert Item.objects.count() == 3000
