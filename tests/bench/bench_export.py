"""`python -m tests.bench.bench_export [JUDGMENTS]`: the JSONL export against COPY of JSON built by PostgreSQL."""

from __future__ import annotations

import sys
import time

from tests.bench.stage import peak_mb, stage

RATERS = 10


def fill(count: int) -> None:
    """`count` judgments of `count / RATERS` pairs by RATERS people, by SQL."""
    from django.db import connection
    from django.utils import timezone

    from apps.judgments.models import Rater
    from tests.factories import make_pair_rubric, make_project

    project = make_project("Bench")
    version = make_pair_rubric(project)
    dataset = project.datasets.create(name="d", item_count=count // RATERS)
    Rater.objects.bulk_create(Rater(project=project, name=f"rater {n}", kind=0) for n in range(RATERS))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO datasets_item (dataset_id, position, group_key, kind, external_id, scenario, language,"
            " instruction, context, meta) SELECT %s, n, n, 2, 'item-' || n, '', 'en', 'What is ' || n, '', '{}'"
            " FROM generate_series(0, %s) n",
            [dataset.pk, count // RATERS - 1],
        )
        cursor.execute(
            "INSERT INTO judgments_judgment"
            " (item_id, created_at, dataset_id, rater_id, rubric_version_id, criterion_id,"
            ' seconds, kind, "order", sample, revision, status, verdict, both_bad)'
            " SELECT i.id, %s, i.dataset_id, r.id, %s, %s, 12.5, 0, i.id %% 2, 0, 0, 0, (i.id + r.id) %% 3, false"
            " FROM datasets_item i, judgments_rater r",
            [timezone.now(), version.pk, version.criteria.get().pk],
        )
        cursor.execute("VACUUM ANALYZE")


def export() -> tuple[float, float, int]:
    """Seconds to the first chunk, seconds in all, bytes."""
    from apps.exports import services
    from apps.exports.options import JudgmentOptions
    from apps.projects.models import Project

    project = Project.objects.get()
    version = project.rubrics.get().versions.get()
    begin = time.perf_counter()
    row = services.create_export(
        project=project, dataset=project.datasets.get(), rubric_version=version, options=JudgmentOptions()
    )
    first, size = 0.0, 0
    for chunk in services.write(row):
        first = first or time.perf_counter() - begin
        size += len(chunk)
    return first, time.perf_counter() - begin, size


def copy() -> float:
    """The floor: PostgreSQL builds each line and we only pass bytes on."""
    from django.db import connection

    begin = time.perf_counter()
    with connection.connection.cursor() as cursor:
        statement = """COPY (SELECT json_build_object('item', i.external_id, 'rater', r.name, 'kind', 'human',
            'criterion', 'overall', 'order', CASE j."order" WHEN 0 THEN 'AB' ELSE 'BA' END,
            'verdict', CASE j.verdict WHEN 0 THEN 'A' WHEN 1 THEN 'tie' ELSE 'B' END, 'seconds', j.seconds,
            'rubric', 'Pairs', 'at', j.created_at)
            FROM judgments_judgment j
            JOIN datasets_item i ON i.id = j.item_id JOIN judgments_rater r ON r.id = j.rater_id
            ) TO STDOUT"""
        with cursor.copy(statement) as rows:
            for _ in rows:
                pass
    return time.perf_counter() - begin


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with stage(shared_buffers="512MB"):
        fill(count)
        export()
        before = peak_mb()
        for _ in range(3):
            floor = copy()
            first, full, size = export()
            print(
                f"  export {count / full:8.0f} rows/s ({size / count:.0f} bytes each), first byte after {first:.2f} s"
                f"   COPY {count / floor:8.0f} rows/s   ratio {floor / full:.2f}   (aim: at least 0.6)"
            )
        print(f"  peak memory {before:.0f} MB after one export, {peak_mb():.0f} MB after four")


if __name__ == "__main__":
    main()
