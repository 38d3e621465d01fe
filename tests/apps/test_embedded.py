"""The embedded servers themselves: first start, crash, a folder with a space, owners and guests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psycopg
import pytest
import redis

from apps.config import supervisor
from apps.config.embedded import Postgres, Redis, ServiceError, Services, free_port, services

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name has a space and a quote in it."""
    path = tmp_path / 'a "folder" of mine'
    path.mkdir()
    return path


def test_data_survives_a_killed_server_and_a_stale_pid_file(folder: Path) -> None:
    server = Postgres(folder / "postgres", password="secretword", log=folder / "postgres.log", durable=False)
    url = server.start()
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('你好')")
            connection.execute("CHECKPOINT")
        assert server.process is not None
        server.process.kill()
        server.process.wait()

        again = Postgres(
            folder / "postgres", password="secretword", log=folder / "postgres.log", port=server.port, durable=False
        )
        with psycopg.connect(again.start()) as connection:
            assert connection.execute("SELECT word FROM kept").fetchone() == ("你好",)
            assert connection.info.dbname == "jurybox"
        again.stop()
    finally:
        server.stop()

    # A reboot: the file names a process that is someone else's now.
    (folder / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder / 'postgres'}\n")
    third = Postgres(folder / "postgres", password="secretword", log=folder / "postgres.log", durable=False)
    third.start()
    third.stop()


def test_a_wrong_password_is_refused(folder: Path) -> None:
    server = Postgres(folder / "postgres", password="right", log=folder / "postgres.log", durable=False)
    try:
        url = server.start()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace("right", "wrong"))
    finally:
        server.stop()


def test_a_folder_with_something_else_in_it_is_left_alone(folder: Path) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres" / "thesis.txt").write_text("mine")
    with pytest.raises(ServiceError, match="not a database"):
        Postgres(folder / "postgres", password="x", log=folder / "postgres.log").start()
    assert (folder / "postgres" / "thesis.txt").read_text() == "mine"


def test_redis_keeps_its_data_and_wants_its_password(folder: Path) -> None:
    server = Redis(folder / "redis", password="right", log=folder / "redis.log")
    try:
        with redis.from_url(server.start()) as client:
            client.set("kept", "yes")
        server.stop()
        with redis.from_url(server.start()) as client:
            assert client.get("kept") == b"yes"
        with redis.from_url(server.url.replace("right", "wrong")) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        assert server.process is not None
        command_line = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
        assert b"right" not in command_line
    finally:
        server.stop()


def test_redis_sets_an_unreadable_file_aside(folder: Path) -> None:
    (folder / "redis").mkdir()
    (folder / "redis" / "appendonly.aof").write_text("not a log of commands\n")
    server = Redis(folder / "redis", password="x", log=folder / "redis.log")
    try:
        with redis.from_url(server.start()) as client:
            assert client.dbsize() == 0
    finally:
        server.stop()
    assert [path.read_text() for path in folder.glob("redis.unreadable-*/appendonly.aof")] == [
        "not a log of commands\n"
    ]


def test_a_taken_port_is_avoided(folder: Path) -> None:
    first = Redis(folder / "one", password="x", log=folder / "one.log", durable=False)
    second = Redis(folder / "two", password="x", log=folder / "two.log", durable=False)
    try:
        first.start()
        second.port = first.port
        second.start()
        assert first.port != second.port
    finally:
        first.stop()
        second.stop()


COMMAND = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from apps.config.embedded import services
    import psycopg
    with services(Path(sys.argv[1]), command=sys.argv[2], external={}, say=print) as urls:
        with psycopg.connect(urls["DATABASE_URL"]) as connection:
            print("in", connection.info.port, flush=True)
            time.sleep(float(sys.argv[3]))
            connection.execute("SELECT 1")
    print("out", flush=True)
    """
)


def command(var: Path, name: str, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(var), name, str(seconds)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def test_commands_side_by_side_share_one_server_and_the_last_one_ends_it(folder: Path) -> None:
    var = folder / "var"
    running = [command(var, "one", 1.0), command(var, "two", 2.0), command(var, "three", 1.5)]
    outputs = [process.communicate(timeout=60)[0].splitlines() for process in running]

    assert all(process.returncode == 0 for process in running)
    ports = {next(line for line in output if line.startswith("in")) for output in outputs}
    assert len(ports) == 1
    state = json.loads((var / "services.json").read_text())
    assert oct((var / "services.json").stat().st_mode & 0o777) == "0o600"
    assert oct(var.stat().st_mode & 0o777) == "0o700"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(state["urls"]["DATABASE_URL"])


def test_a_killed_owner_leaves_no_server_and_blocks_nobody(folder: Path) -> None:
    var = folder / "var"
    owner = command(var, "one", 60)
    assert owner.stdout is not None
    assert owner.stdout.readline().startswith("in")
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()

    begin = time.monotonic()
    with (
        services(var, command="two", external={}, say=print) as urls,
        psycopg.connect(urls["DATABASE_URL"]) as connection,
    ):
        connection.execute("SELECT 1")
    assert time.monotonic() - begin < 30
    after = Services(var, command="three")
    assert after.claim()
    after.release()


def test_addresses_given_from_outside_are_used_and_nothing_starts(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgresql://elsewhere/db", "REDIS_URL": "redis://elsewhere/0"}
    with services(tmp_path / "var", command="x", external=given, say=print) as urls:
        assert urls == given
    assert not (tmp_path / "var").exists()


def test_free_port_prefers_the_one_asked_for() -> None:
    port = free_port()
    assert free_port(port) == port


def test_a_zombie_counts_as_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    deadline = time.monotonic() + 10
    while not supervisor.is_running(process.pid, "time.sleep") and time.monotonic() < deadline:
        time.sleep(0.01)  # the kernel is still loading it
    assert supervisor.is_running(process.pid, "time.sleep")
    process.kill()
    while supervisor.is_running(process.pid, "time.sleep") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not supervisor.is_running(process.pid, "time.sleep")  # not yet waited for
    process.wait()
