"""`python -m tests.bench.bench_import [ITEMS]`: import with every check against an unchecked COPY of the same rows.

Both store the same rows in the same tables, with their indexes and foreign keys, in one transaction each, in turns.
"""

from __future__ import annotations

import random
import re
import sys
import time
from pathlib import Path

import orjson

from tests.bench.stage import peak_mb, stage


def write_items(path: Path, count: int) -> None:
    """Pairs of about 2 KB a line."""
    rng = random.Random(1)
    words = re.findall(r"\w+", "the answer explains why each part of a question matters and gives one clear example")
    with path.open("wb") as file:
        for number in range(count):
            texts = [" ".join(rng.choices(words, k=140)) for _ in range(2)]
            row = {
                "id": f"item-{number:07d}",
                "instruction": " ".join(rng.choices(words, k=30)) + f" {number}?",
                "scenario": "bench",
                "responses": [{"system": name, "text": text} for name, text in zip("ab", texts, strict=True)],
            }
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def checked(path: Path, name: str) -> float:
    from apps.imports.services import import_items
    from apps.projects.models import Project

    project = Project.objects.get()
    begin = time.perf_counter()
    with path.open("rb") as stream:
        _, outcome = import_items(project=project, dataset_name=name, stream=stream)
    assert not outcome.refused
    return time.perf_counter() - begin


def unchecked(path: Path, name: str) -> float:
    """The floor: parse, COPY, nothing looked at."""
    from django.db import connection, transaction

    from apps.datasets.formats.records import group_key
    from apps.datasets.models import Dataset, System
    from apps.imports.copying import lazy_batches, reserve_ids
    from apps.projects.models import Project

    project = Project.objects.get()
    begin = time.perf_counter()
    with transaction.atomic(), path.open("rb") as stream:
        dataset = Dataset.objects.create(project=project, name=name)
        systems = {s: System.objects.get_or_create(project=project, name=s)[0].pk for s in "ab"}
        position = 0
        for batch in map(list, lazy_batches(map(orjson.loads, stream), 2000)):
            ids = reserve_ids("datasets_item", len(batch))
            cursor = connection.connection.cursor()
            with cursor.copy(
                "COPY datasets_item (id, dataset_id, position, group_key, kind, external_id, scenario, language,"
                ' "group", instruction, messages, context, reference, meta) FROM STDIN'
            ) as copy:
                for pk, row in zip(ids, batch, strict=True):
                    text = row["instruction"]
                    key = group_key(group=None, instruction=text, context=None)
                    scenario = row["scenario"]
                    copy.write_row(
                        (pk, dataset.pk, position, key, 2, row["id"], scenario, "en", None, text, None, "", None, "{}")
                    )
                    position += 1
            with cursor.copy(
                "COPY datasets_response (item_id, system_id, position, text, messages) FROM STDIN"
            ) as copy:
                for pk, row in zip(ids, batch, strict=True):
                    for place, response in enumerate(row["responses"]):
                        copy.write_row((pk, systems[response["system"]], place, response["text"], None))
    return time.perf_counter() - begin


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with stage() as folder:
        from apps.projects.models import Project

        Project.objects.create(name="Bench", slug="bench")
        path = folder / "items.jsonl"
        write_items(path, count)
        print(f"{count} pairs, {path.stat().st_size / count:.0f} bytes a line")
        small = folder / "small.jsonl"
        write_items(small, count // 20)
        checked(small, "warm-up")
        before = peak_mb()
        for turn in range(3):
            floor = unchecked(path, f"floor {turn}")
            full = checked(path, f"full {turn}")
            print(
                f"  import {count / full:8.0f} items/s   unchecked COPY {count / floor:8.0f} items/s"
                f"   ratio {floor / full:.2f}   (aim: at least 0.7)"
            )
        print(f"  peak memory {before:.0f} MB after {count // 20} items, {peak_mb():.0f} MB after 6 x {count}")


if __name__ == "__main__":
    main()
