"""Items of a file into a new or an existing dataset, all or nothing, at the speed of COPY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import orjson
from django.db import transaction

from apps.core.markdown import lang_of
from apps.core.said import said as _
from apps.datasets.formats.items_jsonl import read_items
from apps.datasets.formats.records import ItemRecord, Message, Problem, group_key
from apps.datasets.models import Dataset, Item, System
from apps.imports.copying import copy_rows, lazy_batches, refresh_statistics, reserve_ids
from apps.imports.reading import Outcome, Problems
from apps.projects.models import Project

_BATCH = 2000
_ITEM_COLUMNS = (
    "id", "dataset_id", "position", "group_key", "kind", "external_id", "scenario", "language", '"group"',
    "instruction", "messages", "context", "reference", "meta",
)  # fmt: skip
_PLANNED = ("dataset_id", "position", "group_key", "kind", "external_id", "scenario", "language")
_RESPONSE_COLUMNS = ("item_id", "system_id", "position", "text", "messages")


class Refused(Exception):
    """The file had bad lines, so what was stored of it is taken back."""


def store_items(*, dataset: Dataset, stream: BinaryIO, good_rows_only: bool) -> Outcome:
    """Store the file's items after those the dataset has; nothing where a line is wrong, unless only good rows count.

    The whole file is checked either way. Memory stays flat: a few thousand items and a hash an id are held.
    """
    problems = Problems()
    good = 0
    try:
        with transaction.atomic():
            stored, good = _store(dataset, stream, problems, good_rows_only)
            if problems.total and not (good_rows_only and stored):
                raise Refused
            dataset.item_count += stored
            dataset.save(update_fields=["item_count"])
    except Refused:
        return Outcome(0, problems, refused=True, good=good)
    refresh_statistics("datasets_item", _PLANNED, stored)
    refresh_statistics("datasets_response", ("item_id", "system_id", "position"), stored)
    return Outcome(stored, problems, refused=False, good=good)


def _store(dataset: Dataset, stream: BinaryIO, problems: Problems, good_rows_only: bool) -> tuple[int, int]:
    """How many rows were stored, and how many were right."""
    systems = _Systems(dataset.project)
    # Appending is rare and asks the table; a fresh dataset cannot hold the ids yet, and the reader finds repeats.
    appending = dataset.item_count > 0
    position = _next_position(dataset) if appending else 0
    first_position = position
    good = 0
    for batch in lazy_batches(read_items(stream), _BATCH):
        records = _good(batch, problems)
        if appending:
            records = iter(_not_there_yet(dataset, list(records), problems))
        if problems.total and not good_rows_only:
            good += sum(1 for _ in records)
            continue  # read on for the rest of the problems
        # Lines are read and checked while PostgreSQL stores those before them.
        stored: list[ItemRecord] = []
        ids = reserve_ids("datasets_item", _BATCH)
        copy_rows("datasets_item", _ITEM_COLUMNS, _item_rows(dataset.pk, position, ids, records, stored))
        systems.make({response.system for record in stored for response in record.responses})
        copy_rows("datasets_response", _RESPONSE_COLUMNS, _response_rows(ids, stored, systems.ids))
        position += len(stored)
        good += len(stored)
    return position - first_position, good


def _good(entries: Iterable[ItemRecord | Problem], problems: Problems) -> Iterator[ItemRecord]:
    for entry in entries:
        if isinstance(entry, Problem):
            problems.add(entry)
        else:
            yield entry


def _item_rows(
    dataset_id: int, position: int, ids: list[int], records: Iterator[ItemRecord], stored: list[ItemRecord]
) -> Iterator[tuple[Any, ...]]:
    """The rows of the records, which are kept in `stored` as they go."""
    for place, (record, item_id) in enumerate(zip(records, ids, strict=False), start=position):
        stored.append(record)
        yield (
            item_id,
            dataset_id,
            place,
            group_key(group=record.group, instruction=record.instruction, context=record.context),
            len(record.responses),
            record.id,
            record.scenario or "",
            _language(record),
            record.group,
            record.instruction,
            _json(record.messages),
            record.context or "",
            record.reference,
            orjson.dumps(record.meta).decode() if record.meta else "{}",
        )


def _response_rows(ids: list[int], records: list[ItemRecord], systems: dict[str, int]) -> Iterator[tuple[Any, ...]]:
    for item_id, record in zip(ids, records, strict=False):
        for position, response in enumerate(record.responses):
            yield item_id, systems[response.system], position, response.text, _json(response.messages)


def _language(record: ItemRecord) -> str:
    said = record.meta.get("language")
    if type(said) is str and len(said) <= 16:
        return said
    return lang_of(record.instruction[:400])[:2]


def _json(messages: tuple[Message, ...] | None) -> str | None:
    if messages is None:
        return None
    return orjson.dumps([{"role": message.role, "content": message.content} for message in messages]).decode()


def _next_position(dataset: Dataset) -> int:
    last = Item.objects.filter(dataset=dataset).order_by("-position").values_list("position", flat=True).first()
    return 0 if last is None else last + 1


def _not_there_yet(dataset: Dataset, records: list[ItemRecord], problems: Problems) -> list[ItemRecord]:
    known = set(
        Item.objects.filter(dataset=dataset, external_id__in=[record.id for record in records]).values_list(
            "external_id", flat=True
        )
    )
    for record in records:
        if record.id in known:
            problems.add(
                Problem(
                    record.line,
                    "id",
                    record.id,
                    _("is already used by an item of this dataset"),
                    _("Leave the line out, or import it into a new dataset."),
                )
            )
    return [record for record in records if record.id not in known] if known else records


class _Systems:
    """The project's systems by name; made as they turn up."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.ids: dict[str, int] = dict(System.objects.filter(project=project).values_list("name", "id"))

    def make(self, names: set[str]) -> None:
        for name in sorted(names - self.ids.keys()):
            self.ids[name] = System.objects.get_or_create(project=self._project, name=name)[0].pk
