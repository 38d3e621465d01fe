"""What is kept, so that nothing is computed twice: labels as files under var/, finished reports in Redis.

Both are found by the labels they hold (`frames.Version`): a new label makes a new name, and nothing has to be told.
The report's name also holds a digest of the code that made it. Everything here may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.core.cache import cache

from apps.analytics import frames
from apps.analytics.frames import Ledger, Version

LARGEST: Final = 2 << 30  # bytes of label files in all; the longest unused go first
REPORT_SECONDS: Final = 7 * 86400
COUNT_SECONDS: Final = 15
WARMING_SECONDS: Final = 120  # then another hint may be sent for the same report
logger = logging.getLogger(__name__)


def version(*, dataset_id: int, criterion_id: int) -> Version:
    """Of the labels that are there now, for pages: counting a million labels takes longer than showing their figures.

    The newest label is looked up each time. One with a lower id that was committed later shows after COUNT_SECONDS.
    """
    newest = frames.newest_label(dataset_id=dataset_id, criterion_id=criterion_id)
    key = _key("count", dataset_id, criterion_id, newest)
    counted = cache.get(key)
    if counted is not None:
        return Version(counted, newest)
    now = frames.current_version(dataset_id=dataset_id, criterion_id=criterion_id)
    if now.newest == newest:
        cache.set(key, now.count, COUNT_SECONDS)
    return now


def ledger(*, dataset_id: int, criterion_id: int) -> Ledger:
    """The labels that are there now: from their file, the file and what came since, or from the database alone."""
    now = frames.current_version(dataset_id=dataset_id, criterion_id=criterion_id)
    folder = Path(settings.VAR_DIR) / "cache" / "labels"
    stem = f"{dataset_id}-{criterion_id}-"
    known = _newest(folder, stem)
    if known is not None and known.version == now:
        return known
    if known is not None and known.version.count > now.count:  # another database had this folder
        known = None
    found = frames.read_ledger(dataset_id=dataset_id, criterion_id=criterion_id, known=known)
    try:
        _keep(folder, stem, found)
    except OSError as error:  # a full disk makes it slower, not wrong
        logger.warning("labels are not kept: %s", error)
    return found


def _newest(folder: Path, stem: str) -> Ledger | None:
    found = sorted(folder.glob(f"{stem}*.npz"), key=lambda path: path.stat().st_mtime if path.exists() else 0)
    if not found:
        return None
    path = found[-1]
    version = Version.read(path.stem.removeprefix(stem))
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            rows, items, groups = arrays["rows"], arrays["items"], arrays["groups"]
        os.utime(path)
    except Exception:  # whatever is wrong with a file of ours, the database has it all
        logger.warning("%s cannot be read and is made anew", path)
        return None
    return None if version is None or len(rows) != version.count else Ledger(version, rows, items, groups)


def _keep(folder: Path, stem: str, found: Ledger) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix="new-")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, rows=found.rows, items=found.items, groups=found.groups)
        kept = folder / f"{stem}{found.version}.npz"
        os.replace(name, kept)
    except BaseException:
        os.unlink(name)
        raise
    for old in folder.glob(f"{stem}*.npz"):
        if old != kept:
            old.unlink(missing_ok=True)
    _bound(folder)


def _bound(folder: Path) -> None:
    """Remove what was used longest ago, and what a killed process left half-written."""
    files = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process was here first
            stat = path.stat()
            if path.name.startswith("new-") and stat.st_mtime < time.time() - 3600:
                path.unlink()
            else:
                files.append((stat.st_mtime, stat.st_size, path))
    total = sum(size for _at, size, _path in files)
    for _at, size, path in sorted(files, key=lambda entry: entry[0]):
        if total <= LARGEST:
            break
        path.unlink(missing_ok=True)
        total -= size


def kept_report(*, dataset_id: int, criterion_id: int, version: Version) -> dict[str, Any] | None:
    """The finished report of exactly these labels, if somebody has made it."""
    text = cache.get(_key("report", dataset_id, criterion_id, str(version)))
    return None if text is None else json.loads(text)


def last_version(*, dataset_id: int, criterion_id: int) -> Version | None:
    """Of the newest labels that have a finished report."""
    return Version.read(cache.get(_key("last", dataset_id, criterion_id)) or "")


def keep_report(report: dict[str, Any], *, dataset_id: int, criterion_id: int, version: Version) -> None:
    """Keep it in Redis; a NaN would fail here, and never reach a page."""
    text = json.dumps(report, allow_nan=False, separators=(",", ":"))
    cache.set(_key("report", dataset_id, criterion_id, str(version)), text, REPORT_SECONDS)
    cache.set(_key("last", dataset_id, criterion_id), str(version), REPORT_SECONDS)
    cache.delete(_key("warming", dataset_id, criterion_id))


def begin_warming(*, dataset_id: int, criterion_id: int) -> bool:
    """Whether the caller is the one to ask a worker for a report; nobody else is until it is there, or for a while."""
    return bool(cache.add(_key("warming", dataset_id, criterion_id), time.time(), WARMING_SECONDS))


def waited(*, dataset_id: int, criterion_id: int) -> float:
    """Seconds since a worker was asked; 0 if none was."""
    asked = cache.get(_key("warming", dataset_id, criterion_id))
    return 0.0 if asked is None else max(0.0, time.time() - asked)


def _key(*parts: object) -> str:
    return ":".join(("agreement", code_version(), *map(str, parts)))


@functools.cache
def code_version() -> str:
    """A digest of everything that decides a report's figures, so that no release shows those of another."""
    here = Path(__file__).parent
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted([*here.glob("stats/*.py"), *(here / name for name in _DECIDING)]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


_DECIDING = ("report.py", "report_columns.py", "frames.py", "dashboard.py", "standing.py", "prevalence.py")
