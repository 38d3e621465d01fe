"""Real servers for every test run: a private PostgreSQL and Redis, and for browser tests a web server and a Chromium.

A run starts its own servers in a temporary folder on free ports, before Django's settings are read, unless
DATABASE_URL and REDIS_URL are set. With pytest-xdist the workers share the PostgreSQL server (each has its own test
database) and each has a Redis of its own, so that a test may flush it. `pytest tests/unit` starts neither.

Import models and apps inside fixtures and test modules, not at the top of a conftest.py: Django is set up after those.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from apps.config import supervisor
from apps.config.embedded import Postgres, Redis, free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
REFERENCE_DATA = "JURYBOX_REFERENCE_DATA"
NO_REFERENCE_DATA = f"{REFERENCE_DATA} is not set"
OWN_SERVERS = "JURYBOX_TEST_SERVERS"  # set for xdist's workers: the folder of the run's own servers
CHROMIUM = os.environ.get("JURYBOX_CHROMIUM", "/usr/bin/chromium")
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Servers:
    """What this pytest process started and has to stop."""

    def __init__(self) -> None:
        self.postgres: Postgres | None = None
        self.redis: Redis | None = None
        self.folder: Path | None = None

    def start(self, *, worker: str | None) -> None:
        """Start what is not given from outside; an xdist worker adds only its own Redis."""
        if worker is None:
            if "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ:
                return
            self.folder = Path(tempfile.mkdtemp(prefix="jurybox tests "))  # a space: every path is quoted, or it shows
            self.folder.chmod(0o711)
            os.environ[OWN_SERVERS] = os.fspath(self.folder)
            os.environ.setdefault("JURYBOX_VAR", os.fspath(self.folder / "var"))
            if "DATABASE_URL" not in os.environ:
                self.postgres = Postgres(
                    self.folder / "postgres",
                    password="test",
                    log=self.folder / "postgres.log",
                    settings={"shared_buffers": "128MB", "max_connections": "200"},
                    durable=False,
                )
                os.environ["DATABASE_URL"] = self.postgres.start()
        elif OWN_SERVERS not in os.environ:
            return
        folder = Path(os.environ[OWN_SERVERS]) / f"redis-{worker or 'main'}"
        if worker is not None or "REDIS_URL" not in os.environ:
            self.redis = Redis(folder, password="test", log=folder.with_suffix(".log"), durable=False)
            os.environ["REDIS_URL"] = self.redis.start()

    def stop(self) -> None:
        """Stop what was started and remove the folder."""
        for server in (self.redis, self.postgres):
            if server is not None:
                server.stop()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


SERVERS = pytest.StashKey[Servers]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers, then read the settings, which take their addresses from the environment."""
    servers = config.stash.setdefault(SERVERS, Servers())
    paths = [Path(arg.split("::")[0]).resolve() for arg in config.args]
    only_unit = bool(paths) and all(path.is_relative_to(ROOT / "tests" / "unit") for path in paths)
    if not (only_unit or config.option.collectonly or config.option.help or config.option.version):
        servers.start(worker=getattr(config, "workerinput", {}).get("workerid"))
    if getattr(config.option, "numprocesses", None):
        # This process only hands out tests. Its workers must not inherit the settings' name: pytest-django would read
        # the settings before they have started the Redis of their own, and all would share this one.
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apps.config.settings")

    import django

    django.setup(set_prefix=False)


def pytest_unconfigure(config: pytest.Config) -> None:
    if (servers := config.stash.get(SERVERS, None)) is not None:
        servers.stop()


@pytest.hookimpl(tryfirst=True)  # before -m selects by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests carry the marker and come last: in the event loop that Playwright keeps no async test can run."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [
        report for report in terminalreporter.stats.get("skipped", ()) if NO_REFERENCE_DATA in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} tests need reference data and did not run: set {REFERENCE_DATA} to its folder.",
            yellow=True,
        )


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real data and published values."""
    folder = os.environ.get(REFERENCE_DATA)
    if not folder:
        pytest.skip(NO_REFERENCE_DATA)
    if not Path(folder).is_dir():
        pytest.fail(f"{REFERENCE_DATA} is {folder}, which is not a folder")
    return Path(folder)


# --- real processes on the test database ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def process_environment(django_db_setup: None) -> dict[str, str]:
    """The environment in which another process works on this run's test database and Redis."""
    from django.conf import settings
    from django.db import connection

    database = connection.settings_dict
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return {**os.environ, "DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "PYTHONWARNINGS": "default"}


@pytest.fixture
def spawn_worker(
    transactional_db: None, process_environment: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts real Celery workers on the test database, and kills those that are left at the end of the test.

    `spawn_worker(concurrency=2, queues=None)` returns the process at once; its log is `tmp_path/worker-N.log`.
    """
    from django.conf import settings

    every_queue = {settings.CELERY_TASK_DEFAULT_QUEUE} | {
        route["queue"] for route in settings.CELERY_TASK_ROUTES.values()
    }
    workers: list[subprocess.Popen[bytes]] = []

    def spawn(*, concurrency: int = 2, queues: str | None = None) -> subprocess.Popen[bytes]:
        number = len(workers)
        command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "workers.celery", "worker", "--loglevel=INFO"]
        command += [f"--concurrency={concurrency}", f"--queues={queues or ','.join(sorted(every_queue))}"]
        command += [f"--hostname=test-{os.getpid()}-{number}@localhost", "--without-gossip", "--without-mingle"]
        worker = supervisor.spawn(
            command,
            log=tmp_path / f"worker-{number}.log",
            death_signal=signal.SIGKILL,
            environment=process_environment,
            directory=ROOT,
        )
        workers.append(worker)
        return worker

    yield spawn
    for worker in workers:
        supervisor.stop(worker, [(signal.SIGQUIT, 3)])


@pytest.fixture(scope="session")
def live_process(process_environment: dict[str, str]) -> Iterator[str]:
    """A web server on the test database, one for the whole run; its address."""
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="jurybox-live-"))
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "apps.config.asgi:application",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    server = supervisor.spawn(
        [*command, "--no-access-log", "--lifespan", "off"],
        log=folder / "web.log",
        death_signal=signal.SIGKILL,
        environment=process_environment,
        directory=ROOT,
    )
    try:
        wait_for_page(f"http://localhost:{port}/", server, folder / "web.log")
        yield f"http://localhost:{port}"
    finally:
        supervisor.stop(server, [(signal.SIGTERM, 5)])
        shutil.rmtree(folder, ignore_errors=True)


def wait_for_page(url: str, server: subprocess.Popen[bytes], log: Path, *, patience: float = 60) -> None:
    """Return when the server answers at all, whatever it answers."""
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            time.sleep(0.1)
            continue
        return
    pytest.fail(f"the web server did not answer at {url}:\n{supervisor.tail(log, lines=40)}")


@pytest.fixture
def live(transactional_db: None, live_process: str) -> Iterator[str]:
    """The address (http://localhost:PORT) of a real web server on the test database; tables are emptied after."""
    yield live_process
    if OWN_SERVERS in os.environ:
        import redis
        from django.conf import settings

        with redis.from_url(settings.REDIS_URL) as client:
            client.flushall()


# --- browser ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; each test opens its own contexts in it, or takes `page`."""
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread, where Django would refuse every query as made from async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def console() -> list[str]:
    """What `page` found in the browser's console: errors, warnings, exceptions. A test removes what it expects."""
    return []


@pytest.fixture
def page(browser: Browser, live: str, console: list[str]) -> Iterator[Page]:
    """A page of an empty profile, relative to the live server; fails when the console holds any complaint."""
    context = browser.new_context(base_url=live, viewport={"width": 1366, "height": 768}, locale="en-GB")
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.on(
        "console",
        lambda line: (
            console.append(f"{line.type}: {line.text} {line.location['url']}")
            if line.type in {"error", "warning"}
            else None
        ),
    )
    page.on("pageerror", lambda error: console.append(f"exception: {error}"))
    yield page
    context.close()
    assert console == []
