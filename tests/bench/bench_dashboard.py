"""`python -m tests.bench.bench_dashboard [ITEMS]`: the agreement page of ITEMS x 3 raters, cold and warm."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.stage import peak_mb, stage

RATERS = 3


def fill(items: int) -> None:
    """`items` pairs judged by RATERS people who agree on most, by SQL."""
    from django.db import connection
    from django.utils import timezone

    from apps.judgments.models import Rater
    from tests.factories import make_pair_rubric, make_project

    project = make_project("Bench")
    version = make_pair_rubric(project)
    dataset = project.datasets.create(name="d", item_count=items)
    Rater.objects.bulk_create(Rater(project=project, name=f"rater {n}", kind=0) for n in range(RATERS))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO datasets_item (dataset_id, position, group_key, kind, external_id, scenario, language,"
            " instruction, context, meta)"
            " SELECT %s, n, hashint8(n), 2, 'item-' || n, '', 'en', 'What is ' || n, '', '{}'"
            " FROM generate_series(0, %s) n",
            [dataset.pk, items - 1],
        )
        cursor.execute(
            "INSERT INTO judgments_judgment"
            " (item_id, created_at, dataset_id, rater_id, rubric_version_id, criterion_id,"
            ' seconds, kind, "order", sample, revision, status, verdict, both_bad)'
            " SELECT i.id, %s, i.dataset_id, r.id, %s, %s, 12.5, 0, i.id %% 2, 0, 0, 0,"
            " CASE WHEN abs(hashint8(i.id * 31 + r.id)) %% 5 = 0 THEN abs(hashint8(i.id + r.id)) %% 3"
            " ELSE abs(hashint8(i.id)) %% 3 END, false"
            " FROM datasets_item i, judgments_rater r",
            [timezone.now(), version.pk, version.criteria.get().pk],
        )
        cursor.execute("VACUUM ANALYZE")


def timed(name: str, work: Callable[[], Any], *, times: int = 1, note: str = "") -> Any:
    """Print the best of some runs in milliseconds; the last result."""
    seconds = []
    found = None
    for _ in range(times):
        begin = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - begin)
    print(f"  {name:44} {min(seconds) * 1000:8.1f} ms   {note}", flush=True)
    return found


def add_label() -> None:
    """One more judgment, as the desk stores it: a revision of the first."""
    from apps.judgments.models import Judgment

    last = Judgment.objects.order_by("item_id", "rater_id", "-revision").first()
    assert last is not None
    last.pk, last.revision = None, last.revision + 1
    last.save(force_insert=True)


def main() -> None:
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"{items} items x {RATERS} raters")
    with stage(shared_buffers="512MB"):
        fill(items)
        from django.conf import settings
        from django.core.cache import cache as redis
        from django.test import Client
        from django.urls import reverse

        from apps.analytics import cache, dashboard, frames
        from apps.analytics.tasks import warm
        from apps.projects.models import Project, Role
        from apps.rubrics.models import Criterion
        from tests.factories import make_member

        project, criterion = Project.objects.get(), Criterion.objects.get()
        dataset_id = project.datasets.get().pk
        keys = {"dataset_id": dataset_id, "criterion_id": criterion.pk}
        client = Client(SERVER_NAME="localhost")
        client.force_login(make_member(project, Role.LEAD))
        url = reverse("analytics:agreement", args=[project.slug])

        def page(*, computed: bool) -> None:
            response = client.get(url)
            assert response.status_code == 200
            assert ("Who agrees with whom" in response.content.decode()) is computed

        before = peak_mb()
        timed("page while nothing is known (a worker is asked)", lambda: page(computed=False))
        redis.clear()
        ledger = timed(
            "database to columns",
            lambda: frames.read_ledger(dataset_id=dataset_id, criterion_id=criterion.pk),
            note="aim for 1M labels: 3 s",
        )
        timed("the same, kept as a file", lambda: cache.ledger(**keys))
        timed("columns from the file", lambda: cache.ledger(**keys), times=3)
        timed("columns to report (bootstrap, B = 2,000)", lambda: dashboard.build(ledger, criterion))
        print(f"  {'peak memory':44} {before:8.0f} MB before, {peak_mb():.0f} MB after")
        redis.clear()
        for path in (settings.VAR_DIR / "cache" / "labels").glob("*"):
            path.unlink()

        def cold() -> None:
            warm(**keys)
            page(computed=True)

        timed("cold in all: database, report, page", cold)
        timed("warm page", lambda: page(computed=True), times=5, note="aim for 1M labels: 100 ms")
        add_label()
        timed("page after one new label (the last figures)", lambda: page(computed=True))
        timed("the worker's part after one new label", lambda: warm(**keys))
        add_label()
        known = cache.ledger(**keys)
        add_label()
        timed(
            "one new label added to known columns",
            lambda: frames.read_ledger(dataset_id=dataset_id, criterion_id=criterion.pk, known=known),
            note="aim: 10 ms",
        )


if __name__ == "__main__":
    main()
