"""`manage.py test`: format, lint, types, layers, then every test; with arguments, only pytest with those arguments."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from apps.config.bootstrap import ROOT

PYTEST = (sys.executable, "-m", "pytest")
STATIC_CHECKS: Sequence[tuple[str, Sequence[str]]] = (
    ("format", (sys.executable, "-m", "ruff", "format", "--check", "--quiet", ".")),
    ("lint", (sys.executable, "-m", "ruff", "check", "--quiet", ".")),
    ("types", (sys.executable, "-m", "mypy")),
    ("layers", (sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()")),
)
#: browser tests apart: Playwright keeps an event loop in its process, and Chromium wants the cores for itself
TESTS: Sequence[tuple[str, Sequence[str]]] = (
    ("tests", (*PYTEST, "-q", "--durations=15", "-n", "2", "--dist", "loadfile", "-m", "not browser")),
    ("browser", (*PYTEST, "-q", "--durations=15", "-m", "browser")),
)


def main(arguments: Sequence[str]) -> int:
    """Run all checks, or only pytest when there are arguments for it; 0 when all is well."""
    if arguments:
        return subprocess.run([*PYTEST, *arguments], cwd=ROOT, env=_environment(), check=False).returncode  # noqa: S603
    outcomes = [_run(name, command) for name, command in (*STATIC_CHECKS, *TESTS)]
    print("\nSummary")
    for name, status, seconds in outcomes:
        print(f"  {name:8} {'passed' if status == 0 else f'FAILED ({status})':12} {seconds:6.1f} s")
    failed = [name for name, status, _ in outcomes if status]
    print(f"Failed: {', '.join(failed)}." if failed else "All passed.")
    return 1 if failed else 0


def _environment() -> dict[str, str]:
    """Without the settings' name: pytest-django would read the settings before the tests' servers have addresses."""
    return {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}


def _run(name: str, command: Sequence[str]) -> tuple[str, int, float]:
    print(f"\n=== {name}", flush=True)
    begin = time.monotonic()
    status = subprocess.run(command, cwd=ROOT, env=_environment(), check=False).returncode  # noqa: S603
    return name, status, time.monotonic() - begin
