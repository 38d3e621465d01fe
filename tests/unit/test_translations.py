"""The Chinese of every sentence: there, whole, and with its placeholders."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PO = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
_PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%[sd]|%%|\{[a-z_]*(?:[:!][^}]*)?\}|</?[a-z]+[^>]*>")


def entries() -> list[polib.POEntry]:
    return [entry for entry in polib.pofile(str(PO)) if not entry.obsolete]


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_no_translation_is_missing_or_unsure() -> None:
    assert [entry.msgid for entry in entries() if entry.fuzzy or not all(texts(entry))] == []


def test_every_translation_has_the_placeholders_of_its_source() -> None:
    wrong = []
    for entry in entries():
        allowed = {frozenset(_PLACEHOLDER.findall(text)) for text in (entry.msgid, entry.msgid_plural) if text}
        wrong += [entry.msgid for text in texts(entry) if frozenset(_PLACEHOLDER.findall(text)) not in allowed]
    assert wrong == []


@pytest.mark.slow
def test_the_catalogue_has_every_sentence_of_the_code(tmp_path: Path) -> None:
    if shutil.which("xgettext") is None:
        pytest.fail("xgettext is missing: install gettext (Debian: apt install gettext)")
    for name in ("apps", "templates", "locale", "manage.py", "pyproject.toml", "workers", "static"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
        else:
            shutil.copy(source, tmp_path / name)
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "-l", "zh_Hans", "--add-location", "file"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "apps.config.settings", "PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
    )
    fresh = polib.pofile(str(tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"))
    wanted = {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in fresh if not entry.obsolete}
    kept = {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in entries()}
    assert sorted(map(str, wanted - kept)) == []
    assert sorted(map(str, kept - wanted)) == []
