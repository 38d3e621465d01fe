"""Child processes that never outlive their parent, and a supervisor that keeps several of them running.

A child is given a death signal (`PR_SET_PDEATHSIG`): the kernel sends it when the parent dies, however it dies, so
even `kill -9` of the parent leaves nothing behind. The signal follows the *thread* that started the child: start
children from the main thread. On systems without it (macOS) children are stopped on every ordinary exit, and the next
start finds and stops the database server that a killed parent left.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Command = Sequence[str | Path]


def spawn(
    command: Command,
    *,
    log: Path | None,
    death_signal: signal.Signals,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    standard_input: bytes | None = None,
    become: Callable[[], None] | None = None,
    capture: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches the parent only and children stop in order.

    Args:
        log: the file its output is appended to; None: this process' own output.
        death_signal: what the child gets when this process dies.
        standard_input: written to the child and closed (small: it must fit in a pipe's buffer).
        become: changes the child's user, run in the child before the program.
        capture: keep its standard output for the caller to read.
    """
    parent = os.getpid()

    def prepare() -> None:
        if become is not None:
            become()
        if LIBC is not None:  # after the change of user, which clears it
            LIBC.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    with contextlib.ExitStack() as stack:
        output = None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            output = stack.enter_context(log.open("ab"))
        process = subprocess.Popen(  # noqa: S603 - a list of our own making, no shell
            [os.fspath(part) for part in command],
            stdin=subprocess.PIPE if standard_input is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else output,
            stderr=subprocess.STDOUT if output is not None else None,
            env=dict(environment) if environment is not None else None,
            cwd=directory,
            start_new_session=True,
            preexec_fn=prepare,
        )
    if process.stdin is not None and standard_input is not None:
        with contextlib.suppress(BrokenPipeError):  # it died at once: whoever waits for it sees its exit status
            process.stdin.write(standard_input)
            process.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    return process


def stop(process: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]) -> int:
    """End a child: each signal in turn with its patience in seconds, then SIGKILL. Returns its exit status."""
    for number, patience in steps:
        if process.poll() is not None:
            break
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    if process.poll() is None:
        process.kill()
    return process.wait()


def is_running(pid: int, needle: str) -> bool:
    """Whether `pid` lives and has `needle` in its command line: a zombie is gone, a reused number is someone else."""
    if sys.platform == "linux":
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return False
    else:
        line = subprocess.run(  # noqa: S603
            ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
    return needle in line


def rotate(log: Path, *, keep: int = 3) -> None:
    """Set the last start's log aside as `name.log.1`, the one before as `.2`, and so on; called before a start."""
    if not log.exists() or log.stat().st_size == 0:
        return
    for number in range(keep - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    log.replace(log.with_name(f"{log.name}.1"))


def tail(log: Path, *, lines: int = 12) -> str:
    """The last lines of a log, for an error message."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 16_384))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


@dataclass
class Child:
    """One process that `Supervisor` keeps running.

    `start` starts it and returns it; `steps` is how it is asked to end. `patience` is how long it must have run for its
    next death to count as the first again.
    """

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    steps: Sequence[tuple[signal.Signals, float]]
    log: Path
    patience: float = 60.0
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    due: float | None = field(default=None)


class Supervisor:
    """Starts children in order, starts again those that die (waiting longer each time), stops them in reverse order."""

    BACK_OFF = (0.5, 2.0, 5.0, 15.0, 30.0)

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.children: list[Child] = []

    def add(self, child: Child) -> None:
        """Start a child (one that already runs is taken over as it is)."""
        if child.process is None:
            child.process = child.start()
        child.started = time.monotonic()
        self.children.append(child)

    def check(self) -> None:
        """Look once at every child; meant to be called a few times a second."""
        now = time.monotonic()
        for child in self.children:
            if child.due is not None:
                if now >= child.due:
                    self._restart(child)
            elif child.process is not None and (status := child.process.poll()) is not None:
                child.deaths = 1 if now - child.started > child.patience else child.deaths + 1
                self._schedule(child, f"{child.name} stopped ({ending(status)}{last_words(child.log)})")

    def _schedule(self, child: Child, what: str) -> None:
        wait = self.BACK_OFF[min(child.deaths, len(self.BACK_OFF)) - 1]
        child.due = time.monotonic() + wait
        self._say(f"{what}; starting it again in {wait:g} s. Its log: {child.log}")

    def _restart(self, child: Child) -> None:
        child.due = None
        try:
            child.process = child.start()
        except (OSError, RuntimeError) as error:
            child.deaths += 1
            self._schedule(child, f"{child.name} did not start ({error})")
            return
        child.started = time.monotonic()
        self._say(f"{child.name} is running again.")

    def stop(self) -> Iterator[str]:
        """End all children, the last started first; yields the name of each as it is gone."""
        while self.children:
            child = self.children.pop()
            if child.process is not None and child.due is None:
                stop(child.process, child.steps)
            yield child.name


def last_words(log: Path) -> str:
    """The last line of a log, to be put after an exit status."""
    line = tail(log, lines=1).strip()
    return f": {line[:200]}" if line else ""


def ending(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
