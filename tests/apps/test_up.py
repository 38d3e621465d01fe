"""`up` as a user runs it, in a folder with a space: start, second start, Ctrl-C, kill -9; and its parts."""

from __future__ import annotations

import gettext
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.contrib.staticfiles import finders

from apps.config import supervisor, up
from apps.home import preparation

ROOT = Path(__file__).resolve().parent.parent.parent
#: what the issue promises for a second start on a machine that does nothing else; the suite runs two things at once
SECOND_START_SECONDS = 8 * 2


class Running:
    """`manage.py up` in a copy of the tree."""

    def __init__(self, tree: Path, *arguments: str) -> None:
        self.tree = tree
        self.begin = time.monotonic()
        self.output = tree / "output.txt"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *arguments],
                cwd=tree,
                env=environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait(self, pattern: str, seconds: float = 90) -> re.Match[str]:
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            if found := re.search(pattern, self.output.read_text()):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        logs = "\n".join(f"{log}:\n{supervisor.tail(log)}" for log in self.tree.glob("var/log/*.log"))
        pytest.fail(f"no {pattern!r} in:\n{self.output.read_text()}\n{logs}")

    def address(self) -> str:
        return self.wait(r"Jurybox is running: (http://localhost:\d+)").group(1)

    def family(self) -> list[psutil.Process]:
        """This process and all below it: servers, web, Celery's own children."""
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]


def environment() -> dict[str, str]:
    """A user's environment: nothing of this test run in it but the installed packages."""
    ours = ("JURYBOX", "DATABASE_URL", "REDIS_URL", "DJANGO", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "JURYBOX_BOOTSTRAP": "off"}


def manage(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=tree,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def all_gone(family: list[psutil.Process], seconds: float = 20) -> bool:
    """Whether every process ended; a zombie that nobody reaps has ended."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if not any(is_there(process) for process in family):
            return True
        time.sleep(0.1)
    return False


def is_there(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """A copy of the project in a folder with a space; whatever a failed test leaves running is ended."""
    folder = tmp_path / "my jurybox"
    ignored = shutil.ignore_patterns("__pycache__", "*.mo")
    for name in ("apps", "workers", "templates", "static", "locale"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("manage.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    yield folder
    for process in psutil.process_iter(["cwd"]):
        if str(process.info["cwd"] or "").startswith(str(folder)):
            process.kill()


@pytest.mark.slow
def test_up_from_the_first_start_to_a_killed_one(tree: Path) -> None:
    first = Running(tree, "--no-demo")
    address = first.address()
    link = first.wait(rf"Sign in as admin.*({address}/\S+)").group(1)
    with urllib.request.urlopen(link) as page:  # shows a button: only its POST signs in
        assert page.status == 200
    first.wait(r"Ctrl-C stops everything")

    # Other commands run beside it, on the same database, and a second `up` says where the first one is.
    beside = manage(tree, "login_link", "admin")
    assert "/sign-in/link/" in beside.stdout, beside.stderr
    second = manage(tree, "up")
    assert (second.returncode, address in second.stderr) == (1, True), second.stderr

    # A child that dies is started again.
    worker = next(child for child in first.family() if "worker" in child.cmdline())
    worker.kill()
    first.wait(r"worker stopped \(SIGKILL")
    first.wait(r"worker is running again")

    family = first.family()
    assert len(family) >= 6
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(40) == 0
    assert all_gone(family, 1)
    assert "Stopped." in first.output.read_text()

    again = Running(tree, "--no-demo", "--port", address.rsplit(":", 1)[1])
    assert again.address() == address
    assert time.monotonic() - again.begin < SECOND_START_SECONDS
    family = again.family()
    again.process.kill()
    again.process.wait()
    assert all_gone(family)

    # Neither the killed one nor its data are in the way; SIGTERM is as good as Ctrl-C.
    third = Running(tree, "--no-demo", "--reset", "--yes")
    third.address()
    assert "Deleted." in third.output.read_text()
    family = third.family()
    third.process.terminate()
    assert third.process.wait(40) == 0
    assert all_gone(family, 1)

    after = manage(tree, "showmigrations", "accounts")  # starts the servers for itself
    assert "[X]" in after.stdout, after.stderr


@pytest.mark.parametrize("arguments", [["--port", "no"], ["--port", "70000"], ["--prot", "8000"]])
def test_bad_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        up.main(arguments)
    assert stopped.value.code == 2
    assert arguments[0 if "prot" in arguments[0] else 1] in capsys.readouterr().err


def test_a_taken_port_is_named_and_without_port_another_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JURYBOX_VAR", str(tmp_path / "var"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert up.refusal(port) == "taken"
        assert up.main(["--port", str(port)]) == 1
    assert f"Port {port} is taken" in capsys.readouterr().err
    assert up.refusal(port) is None


def test_a_port_is_taken_when_only_the_other_loopback_address_is(tmp_path: Path) -> None:
    """A browser may resolve `localhost` to ::1 and would show someone else's page."""
    if not socket.has_dualstack_ipv6():
        return
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        assert up.refusal(taken.getsockname()[1]) == "taken"


def test_reset_needs_an_answer_and_never_empties_a_database_of_someone_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "var" / "postgres").mkdir(parents=True)
    monkeypatch.setenv("JURYBOX_VAR", str(tmp_path / "var"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert up.main(["--reset"]) == 2
    assert "--yes" in capsys.readouterr().err

    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    assert up.main(["--reset", "--yes"]) == 2
    assert "DATABASE_URL is set" in capsys.readouterr().err
    assert (tmp_path / "var" / "postgres").exists()


def test_production_is_not_for_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("JURYBOX_MODE", "production")
    assert up.main([]) == 2
    assert "production" in capsys.readouterr().err


def test_a_child_that_keeps_dying_is_started_ever_more_slowly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor.Supervisor, "BACK_OFF", (0.0, 0.1))
    said: list[str] = []
    log = tmp_path / "child.log"

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "import sys; sys.exit('bad luck')"]
        return supervisor.spawn(command, log=log, death_signal=signal.SIGKILL)

    children = supervisor.Supervisor(said.append)
    children.add(supervisor.Child("child", start, [(signal.SIGTERM, 1)], log))
    give_up = time.monotonic() + 20
    while len(said) < 4 and time.monotonic() < give_up:
        children.check()
        time.sleep(0.02)
    assert list(children.stop()) == ["child"]
    assert said[0] == f"child stopped (exit status 1: bad luck); starting it again in 0 s. Its log: {log}"
    assert said[1] == "child is running again."
    assert "in 0.1 s" in said[2]


def test_a_child_dies_with_its_parent_and_a_stubborn_one_is_killed(tmp_path: Path) -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    log = tmp_path / "child.log"
    child = supervisor.spawn([sys.executable, "-c", stubborn], log=log, death_signal=signal.SIGKILL)
    while "up" not in supervisor.tail(log):
        time.sleep(0.01)
    assert supervisor.stop(child, [(signal.SIGTERM, 0.2)]) == -signal.SIGKILL

    parent = (
        "import signal, sys, time; from pathlib import Path; from apps.config import supervisor\n"
        "command = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "print(supervisor.spawn(command, log=Path(sys.argv[1]), death_signal=signal.SIGKILL).pid, flush=True)\n"
        "time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent, log], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    grandchild = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.communicate()
    assert all_gone([grandchild], 5)


def test_logs_of_the_last_starts_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    for start in ("one", "two", "three", "four", "five"):
        supervisor.rotate(log)
        log.write_text(start)
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert kept == {"web.log": "five", "web.log.1": "four", "web.log.2": "three", "web.log.3": "two"}


def test_translations_are_compiled_when_they_are_stale(tmp_path: Path, settings) -> None:
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    source = folder / "django.po"
    source.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Next"\nmsgstr "下一个"\n', "utf-8"
    )
    settings.LOCALE_PATHS = [tmp_path]
    said: list[str] = []
    preparation.compile_translations(said.append)
    preparation.compile_translations(said.append)
    assert said == ["Compiling the translation zh_Hans ..."]
    with (folder / "django.mo").open("rb") as stream:
        assert gettext.GNUTranslations(stream).gettext("Next") == "下一个"

    os.utime(source, (time.time() + 10, time.time() + 10))
    preparation.compile_translations(said.append)
    assert len(said) == 2


def test_static_files_are_collected_once_until_one_changes(tmp_path: Path, settings) -> None:
    (tmp_path / "static").mkdir()
    style = tmp_path / "static" / "one.css"
    style.write_text("a { color: red }")
    settings.STATICFILES_DIRS = [tmp_path / "static"]
    settings.STATIC_ROOT = tmp_path / "var" / "static"
    settings.VAR_DIR = tmp_path / "var"
    settings.VAR_DIR.mkdir()
    settings.SERVESTATIC_USE_FINDERS = False
    said: list[str] = []
    preparation.collect_static(said.append)
    preparation.collect_static(said.append)
    assert len(said) == 1
    assert (settings.STATIC_ROOT / "one.css").read_text() == "a { color: red }"
    style.write_text("a { color: green }")
    preparation.collect_static(said.append)
    assert (settings.STATIC_ROOT / "one.css").read_text() == "a { color: green }"


def test_every_static_file_that_a_template_names_is_there() -> None:
    """`up` serves hashed names and a missing file is an error there; the tests' server would only answer 404."""
    named = {
        (path.relative_to(ROOT), name)
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r"""\{%\s*static\s+["']([^"']+)["']""", path.read_text())
    }
    assert named
    assert {(path, name) for path, name in named if finders.find(name) is None} == set()
