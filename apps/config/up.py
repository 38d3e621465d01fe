"""`manage.py up`: everything on this machine, in the foreground, until Ctrl-C.

This process stays small: it reads no settings and imports no Django. It starts PostgreSQL and Redis, has one other
process prepare the database, starts the web server, a Celery worker and Celery beat, and keeps them all running.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from apps.config import supervisor
from apps.config.bootstrap import ROOT, say
from apps.config.embedded import (
    Postgres,
    Redis,
    ServiceError,
    Services,
    add_programs_to_path,
    free_port,
    is_alive,
    var_folder,
)

NAME = "manage.py up"
FIRST_PORT = 8000
PORTS_TRIED = 50
#: Celery warns about root once a process; the work is ours and no pickle is accepted
QUIET_AS_ROOT = ("-W", "ignore:::celery.platforms")


class NotStarted(RuntimeError):
    """Something did not start; the message says why and what to do."""


def main(arguments: Sequence[str]) -> int:
    """Run until stopped; the exit status."""
    options = parse(arguments)
    if os.environ.get("JURYBOX_MODE") == "production":
        say("`up` is for one machine. In production run uvicorn and Celery as the README says, or unset JURYBOX_MODE.")
        return 2
    with stopped_by_signals():
        servers = Services(var_folder(), command=NAME, external=os.environ)
        try:
            if not claim(servers):
                return 1
            if options.reset and not reset(servers, sure=options.yes):
                return 2
            return Up(servers, options).run()
        except (NotStarted, ServiceError) as error:
            say(str(error))
            return 1
        except KeyboardInterrupt:
            return 0
        finally:
            servers.stop()


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="manage.py up", description="Start everything on this machine, and stop it all on Ctrl-C."
    )
    parser.add_argument(
        "--port", type=port_number, help="serve on this port (default: the first free one from 8000 on)"
    )
    parser.add_argument("--no-demo", action="store_true", help="do not load the demo project")
    parser.add_argument("--reset", action="store_true", help="delete all embedded data first; asks")
    parser.add_argument("--yes", action="store_true", help="with --reset: do not ask")
    return parser.parse_args(arguments)


def port_number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Turn the first Ctrl-C, SIGTERM or SIGHUP into KeyboardInterrupt; later ones do not disturb the stopping."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def claim(servers: Services) -> bool:
    """Become the owner of the embedded services; a short command that has them is waited for."""
    waiting = False
    while not servers.claim():
        owner = servers.owner()
        if not is_alive(owner.get("pid")):
            time.sleep(0.05)  # the owner has just gone, or has not said yet who it is
            continue
        if owner.get("command") == NAME:
            say(f"Jurybox is already running: {owner.get('address', 'it is still starting')} (process {owner['pid']}).")
            return False
        if not waiting:
            waiting = True
            say(f"Waiting for `{owner.get('command')}` (process {owner['pid']}), which has the database open ...")
        time.sleep(0.2)
    return True


def reset(servers: Services, *, sure: bool) -> bool:
    """Delete the embedded data, if the user means it."""
    if "DATABASE_URL" in servers.external:
        say("--reset deletes the embedded database only, and DATABASE_URL is set: empty that one with its own tools.")
        return False
    if not sure:
        if not sys.stdin.isatty():
            say("--reset asks before it deletes, and nobody is here to answer: add --yes.")
            return False
        answer = input(f"Delete every project, label and user in {servers.var}? Type yes: ")
        if answer.strip().lower() != "yes":
            say("Nothing was deleted.")
            return False
    servers.delete_data()
    if (servers.var / "files").exists():
        shutil.rmtree(servers.var / "files")
    for path in (servers.var / "demo.json", *servers.var.glob("celerybeat-schedule*")):
        path.unlink(missing_ok=True)
    say("Deleted.")
    return True


class Up:
    """One run of `up`, from the services to the last stopped child."""

    def __init__(self, servers: Services, options: argparse.Namespace) -> None:
        self.servers = servers
        self.options = options
        self.logs = servers.var / "log"
        self.environment: dict[str, str] = {}
        self.children = supervisor.Supervisor(say)

    def run(self) -> int:
        """Start everything, say where it is, keep it running; returns when stopped."""
        begin = time.monotonic()
        port = self._port()
        for name in ("postgres", "redis", "web", "worker", "beat"):
            supervisor.rotate(self.logs / f"{name}.log")
        try:
            self._start_servers()
            facts = self._prepare()
            self._start_web(port)
            self._start_celery(facts["queues"])
            address = f"http://localhost:{port}"
            self.servers.announce(address=address)
            self._print(
                f"\nJurybox is running: {address}   (started in {time.monotonic() - begin:.1f} s)\n"
                f"Sign in as {facts['user']}, once, with this link: {address}{facts['link']}\n"
                f"Ctrl-C stops everything. Logs: {self.logs}\n"
            )
            while True:
                self.children.check()
                time.sleep(0.25)
        except KeyboardInterrupt:
            say("\nStopping ...")
        finally:
            for _ in self.children.stop():
                pass
        say("Stopped.")
        return 0

    def _print(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the terminal was closed
            print(text, flush=True)

    def _port(self) -> int:
        """The port to serve on. A browser resolves `localhost` to either loopback address, so both must be free."""
        asked = self.options.port
        if asked is not None:
            problem = lasting_refusal(asked)
            if problem == "taken":
                raise NotStarted(f"Port {asked} is taken. End what uses it, or leave --port out: a free one is found.")
            if problem:
                raise NotStarted(
                    f"Port {asked} is refused ({problem}). Take one from 1024 on, for example --port 8000."
                )
            return int(asked)
        for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
            if (lasting_refusal if port == FIRST_PORT else refusal)(port) is None:
                if port != FIRST_PORT:
                    say(f"Port {FIRST_PORT} is taken; using {port}.")
                return port
        return free_port()

    def _start_servers(self) -> None:
        first = not (self.servers.var / "postgres").exists() and "DATABASE_URL" not in self.servers.external
        say("Making an empty database ..." if first else "Starting ...")
        urls = self.servers.start()
        add_programs_to_path()
        self.environment = {**os.environ, **urls, "JURYBOX_STATIC_MANIFEST": "1", "PYTHONUNBUFFERED": "1"}
        for name, server in (("PostgreSQL", self.servers.postgres), ("Redis", self.servers.redis)):
            if server is not None:
                self._watch_server(name, server)

    def _watch_server(self, name: str, server: Postgres | Redis) -> None:
        def start() -> subprocess.Popen[bytes]:
            server.start()
            assert server.process is not None
            return server.process

        self.children.add(supervisor.Child(name, start, server.STOP, server.log, process=server.process))

    def _prepare(self) -> dict[str, Any]:
        """Have the database brought up to date; the admin's name, a sign-in link and Celery's queues."""
        command: list[str | Path] = [sys.executable, ROOT / "manage.py", "prepare"]
        command += ["--no-demo"] if self.options.no_demo else []
        process = supervisor.spawn(
            command, log=None, death_signal=signal.SIGKILL, environment=self.environment, directory=ROOT, capture=True
        )
        try:
            output, _ = process.communicate()
        finally:
            supervisor.stop(process, [(signal.SIGTERM, 5.0)])
        if process.returncode:
            raise NotStarted("Jurybox could not be prepared: the lines above say why. Your data are as they were.")
        facts = json.loads(output.splitlines()[-1])
        return dict(facts)

    def _start_web(self, port: int) -> None:
        command = [sys.executable, "-m", "uvicorn", "apps.config.asgi:application", "--host=localhost"]
        command += [f"--port={port}", "--loop=uvloop", "--http=httptools", "--ws=websockets-sansio"]
        command += ["--no-access-log", "--lifespan=off", "--log-level=warning", "--timeout-graceful-shutdown=3"]
        child = self._add("web", command, [(signal.SIGTERM, 8.0)])
        url = f"http://localhost:{port}/"
        while child.process is not None and child.process.poll() is None:
            if answers(url):
                return
            time.sleep(0.05)
        ending = supervisor.tail(child.log)
        raise NotStarted(f"The web server did not start. Its log, {child.log}, ends with:\n{ending}")

    def _start_celery(self, queues: Sequence[str]) -> None:
        celery = [sys.executable, *QUIET_AS_ROOT, "-m", "celery", "-A", "workers.celery"]
        worker = ["worker", "--loglevel=INFO", "--concurrency=2", "--without-gossip", "--without-mingle"]
        worker += [f"--queues={','.join(queues)}"]
        self._add("worker", [*celery, *worker], [(signal.SIGTERM, 8.0), (signal.SIGQUIT, 5.0)])
        schedule = self.servers.var / "celerybeat-schedule"
        beat = ["beat", "--loglevel=INFO", "--pidfile=", f"--schedule={schedule}"]
        self._add("beat", [*celery, *beat], [(signal.SIGTERM, 5.0)])

    def _add(
        self, name: str, command: Sequence[str | Path], steps: Sequence[tuple[signal.Signals, float]]
    ) -> supervisor.Child:
        log = self.logs / f"{name}.log"

        def start() -> subprocess.Popen[bytes]:
            return supervisor.spawn(
                command, log=log, death_signal=signal.SIGKILL, environment=self.environment, directory=ROOT
            )

        child = supervisor.Child(name, start, steps, log)
        self.children.add(child)
        return child


def refusal(port: int) -> str | None:
    """Why nothing of ours can listen on a port of both loopback addresses: "taken", other words, or None."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            probe = socket.socket(family)
        except OSError:
            continue  # a machine without IPv6
        with probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except PermissionError:
                return "this user may not use it"
            except OSError as error:
                if family == socket.AF_INET6 and not is_taken(error):
                    continue  # IPv6 is switched off
                return "taken" if is_taken(error) else str(error.strerror)
    return None


def lasting_refusal(port: int) -> str | None:
    """As `refusal`, but the server of an `up` that was killed a moment ago is given the time to die."""
    for _ in range(5):
        if refusal(port) != "taken":
            break
        time.sleep(0.1)
    return refusal(port)


def is_taken(error: OSError) -> bool:
    return error.errno == errno.EADDRINUSE


def answers(url: str) -> bool:
    """Whether a page is served, whatever it says."""
    try:
        urllib.request.urlopen(url, timeout=10).close()  # noqa: S310 - our own address
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True
