"""`python -m tests.bench.bench_annotation [--seconds 10] [--items 10000] [--potato DIRECTORY]`: submit and next.

Jurybox as `up` serves it (one uvicorn worker, embedded PostgreSQL that writes through to the disk) under 1 and 16
annotators without think time; beside it, in the same run, the floor: the same statements from plain psycopg, one
process an annotator. With `--potato`, a virtual environment that has potato-annotation (it is made and filled when it
does not exist), also Potato, by the same client. CPU is that of servers and database, a label.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.config import supervisor
from apps.config.embedded import free_port
from tests.bench.bench_import import write_items
from tests.bench.jurybox_peer import Jurybox
from tests.bench.load import HEAD, Load, Meter, run
from tests.bench.potato_peer import Potato, write_project
from tests.bench.stage import stage

if TYPE_CHECKING:
    from apps.annotation.models import Round
    from apps.projects.models import Project

ANNOTATORS = 16
ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def serving(command: list[str], url: str, log: Path, directory: Path = ROOT) -> Iterator[subprocess.Popen[bytes]]:
    """The server, once its address answers."""
    server = supervisor.spawn(
        command, log=log, death_signal=signal.SIGKILL, environment=os.environ, directory=directory
    )
    try:
        give_up = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(url, timeout=10).close()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > give_up:
                    sys.exit(f"The server did not answer at {url}:\n{supervisor.tail(log, lines=30)}")
                time.sleep(0.1)
        yield server
    finally:
        supervisor.stop(server, [(signal.SIGTERM, 5)])


def make_project(folder: Path, items: int) -> Project:
    """The items, through the import; their HTML, as the background task makes it."""
    from apps.imports.services import import_items
    from tests import factories

    project = factories.make_project("Bench")
    write_items(folder / "items.jsonl", items)
    with (folder / "items.jsonl").open("rb") as stream:
        _, outcome = import_items(project=project, dataset_name="items", stream=stream)
    assert not outcome.refused
    return project


def make_round(project: Project, name: str, overlap: int) -> tuple[Round, str]:
    """A round with a rubric of its own, so that its labels can be told from those of others; and its form's field."""
    from apps.annotation import services
    from tests.factories import make_pair_rubric

    version = make_pair_rubric(project, name=name)
    dataset = project.datasets.get()
    round_ = services.create_round(
        project=project, dataset=dataset, rubric_version=version, name=name, overlap=overlap, by=None, seed=1
    )
    return round_, f"c{version.criteria.get().pk}"


# --- the floor --------------------------------------------------------------------------------------------------------


def floor(round_: Round, sessions: list[str], users: list[int], *, seconds: float, whole: bool, pid: int) -> Load:
    """The same statements by plain psycopg, a process an annotator; `whole`: with the one for session and standing."""
    from django.db import connections

    from apps.annotation import services

    for user in users:
        services.join(round=round_, user=_user(user))
    before = _stored(round_)
    connections.close_all()  # a child must not share a connection with its parent
    context = multiprocessing.get_context("fork")
    results: Queue[tuple[list[float], float]] = context.Queue()
    start = context.Event()
    workers = [
        context.Process(target=_label_plainly, args=(round_, session, user, seconds, whole, start, results))
        for session, user in zip(sessions, users, strict=True)
    ]
    for worker in workers:
        worker.start()
    time.sleep(1)
    load = Load(len(users))
    meter = Meter([pid])
    begin = time.monotonic()
    start.set()
    cpu = 0.0
    for _ in workers:
        cycles, used = results.get()
        load.cycles += cycles
        cpu += used
    load.seconds = time.monotonic() - begin
    servers, _, others = meter.read()
    for worker in workers:
        worker.join()
    load.server_cpu, load.client_cpu = servers + cpu, cpu
    load.other_cores = max(0.0, others - cpu / load.seconds)
    load.stored = len(_stored(round_)) - len(before)
    return load


def _label_plainly(
    round_: Round,
    session: str,
    user: int,
    seconds: float,
    whole: bool,
    start: Event,
    results: Queue[tuple[list[float], float]],
) -> None:
    import psycopg
    from django.conf import settings

    from apps.annotation import services, statements
    from apps.annotation.labels import Answer, Submission

    database = settings.DATABASES["default"]
    cycles: list[float] = []
    base = {"user": user, "round": round_.pk, "lease_minutes": 30}
    criterion = round_.rubric_version.criteria.get()
    from django.db import connections

    connections.close_all()
    with psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
        autocommit=True,
    ) as connection:
        leased = connection.execute(statements.CLAIM, base, prepare=True).fetchone()
        submission = Submission((Answer(criterion.pk, criterion.kind, verdict=1),), seconds=3.5)
        label = services.label_params(round_.dataset_id, round_.rubric_version_id, submission)
        start.wait()
        used = resource.getrusage(resource.RUSAGE_SELF)
        until = time.monotonic() + seconds
        while time.monotonic() < until and leased is not None and leased[0] is not None:
            begin = time.monotonic()
            if whole:
                standing = {**base, "key": session, "slug": round_.project.slug, "assignment": leased[0]}
                connection.execute(statements.STANDING, standing, prepare=True).fetchone()
            try:
                row = connection.execute(
                    statements.SUBMIT,
                    {**base, **label, "assignment": leased[0], "leased_at": leased[2]},
                    prepare=True,
                ).fetchone()
            except services.RETRY:
                continue
            assert row is not None
            leased = row[1:]
            if row[0] is not None:
                cycles.append(time.monotonic() - begin)
        after = resource.getrusage(resource.RUSAGE_SELF)
    results.put((cycles, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime))


def _user(pk: int) -> Any:
    from apps.accounts.models import User

    return User.objects.get(pk=pk)


def _stored(round_: Round) -> list[int]:
    from apps.judgments.models import Judgment

    return list(Judgment.objects.filter(rubric_version=round_.rubric_version_id).values_list("pk", flat=True))


def over_served(round_: Round) -> int:
    """Items with more labels inside the overlap than the round asks for."""
    from django.db.models import Count

    from apps.judgments.models import Judgment

    labels = Judgment.objects.filter(rubric_version=round_.rubric_version_id, mark=None).values("item")
    return labels.annotate(n=Count("pk")).filter(n__gt=round_.overlap).count()


# --- Potato -----------------------------------------------------------------------------------------------------------


def potato_program(environment: Path) -> Path:
    """Potato's command in that virtual environment, which is made when it does not exist."""
    program = environment / "bin" / "potato"
    if not program.exists():
        print(f"Installing potato-annotation into {environment} ...", flush=True)
        venv.create(environment, with_pip=True)
        subprocess.run(
            [environment / "bin" / "python", "-m", "pip", "install", "-q", "potato-annotation==2.12.1"], check=True
        )
    return program


def potato_items(path: Path) -> list[dict[str, Any]]:
    import orjson

    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    return [
        {"id": row["id"], "prompt": row["instruction"], "responses": [answer["text"] for answer in row["responses"]]}
        for row in rows
    ]


# --- the run ----------------------------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--potato", type=Path, help="a virtual environment with potato-annotation, made if missing")
    chosen = parser.parse_args()
    with stage() as folder:
        return measure(folder, chosen)


def measure(folder: Path, chosen: argparse.Namespace) -> int:
    from apps.datasets import texts
    from tests.asgi import signed_in
    from tests.factories import make_member

    project = make_project(folder, chosen.items)
    members = [make_member(project) for _ in range(ANNOTATORS)]
    cookies = [signed_in(member) for member in members]
    round_, field = make_round(project, "Served", 3)
    plain, _ = make_round(project, "Plain", 3)
    begin = time.monotonic()
    texts.render_some(dataset_id=round_.dataset_id, after=-1, count=chosen.items)
    print(f"Rendered {chosen.items} items in {time.monotonic() - begin:.1f} s.")
    print(f"Load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; others: the cores that others used.\n\n{HEAD}")
    postgres = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    port = free_port()
    base = f"http://localhost:{port}"
    command = [sys.executable, "-m", "uvicorn", "apps.config.asgi:application", "--host=localhost", f"--port={port}"]
    command += ["--loop=uvloop", "--http=httptools", "--no-access-log", "--lifespan=off", "--log-level=warning"]
    sessions, users = [jar["sessionid"] for jar in cookies], [member.pk for member in members]
    desk = f"/p/{project.slug}/label/{round_.pk}/"
    best: Load | None = None
    with serving(command, f"{base}/", folder / "web.log") as server:
        peer = Jurybox(base, desk, field, cookies, round_.pk)
        pids = [server.pid, postgres]
        asyncio.run(run(peer, annotators=2, seconds=1, pids=pids))  # plans, caches, connections
        for annotators in (1, ANNOTATORS):
            best = asyncio.run(run(peer, annotators=annotators, seconds=chosen.seconds, pids=pids))
            print(best.line("Jurybox, httpx"), flush=True)
            if best.errors:
                print(f"    {dict(best.errors)}")
    assert best is not None
    floors = {}
    for annotators in (1, ANNOTATORS):
        for whole, name in ((True, "psycopg, the same 2 statements"), (False, "psycopg, the one that stores")):
            floors[annotators, whole] = floor(
                plain, sessions[:annotators], users[:annotators], seconds=chosen.seconds / 2, whole=whole, pid=postgres
            )
            print(floors[annotators, whole].line(name), flush=True)
    same = floors[ANNOTATORS, True]
    print(f"\nItems over their overlap: {over_served(round_) + over_served(plain)}")
    print(
        f"Against plain psycopg with the same statements: {best.rate / same.rate:.2f} of the rate, "
        f"{best.cpu_ms / same.cpu_ms:.1f} times the CPU (at most 3 is the aim)"
    )
    if chosen.potato is None:
        print("Potato was not measured: name a virtual environment for it with --potato.")
        return 0
    beside_potato(folder, chosen, best)
    return 0


def beside_potato(folder: Path, chosen: argparse.Namespace, best: Load) -> None:
    program = potato_program(chosen.potato)
    port = free_port()
    config = write_project(folder / "potato", potato_items(folder / "items.jsonl"), port)
    base = f"http://127.0.0.1:{port}"
    command = [os.fspath(program), "start", config.name, "-p", str(port), "--host", "127.0.0.1"]
    with serving(command, base, folder / "potato.log", config.parent) as server:
        peer = Potato(base, config.parent)
        load = asyncio.run(run(peer, annotators=ANNOTATORS, seconds=chosen.seconds * 2, pids=[server.pid]))
    print(f"\n{HEAD}\n{load.line('Potato 2.12.1, httpx')}")
    if load.errors:
        print(f"    {dict(load.errors.most_common(4))}")
    print(
        f"Against Potato: {best.rate / load.rate:.1f} times the rate (at least 15 is the aim), "
        f"1/{load.cpu_ms / best.cpu_ms:.0f} of the CPU, "
        f"1/{load.percentile(0.95) / best.percentile(0.95):.0f} of the p95"
    )


if __name__ == "__main__":
    sys.exit(main())
