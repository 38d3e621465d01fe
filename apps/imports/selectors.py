"""Reads of imports, and what one needs to start one."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext

from apps.core.said import told, unpacked
from apps.datasets.formats.records import Problem
from apps.imports.models import Import
from apps.projects.models import Project

#: problems that the report page lists; the file to download has all that are kept
SHOWN = 100


def imports_of(project: Project) -> QuerySet[Import]:
    """Newest first, without their problems."""
    return (
        Import.objects.filter(project=project)
        .select_related("dataset", "created_by", "rubric_version__rubric")
        .defer("problems")
    )


def problems_of(row: Import) -> list[Problem]:
    """Those that the import kept, in the reader's language, each message a sentence's end."""
    found = []
    for line, field, *words in row.problems:
        value, message, remedy = (told(unpacked(stored), gettext) for stored in words)
        sentence = gettext("%(message)s.") % {"message": message.rstrip(".")}
        found.append(Problem(line, field, value, sentence, remedy))
    return found


def problems_csv(row: Import) -> Iterator[str]:
    """The kept problems as a table that spreadsheets open as text and in the right alphabet."""
    # Worded now: when the lines are sent, the language of the request may be gone.
    return _problems_table(problems_of(row))


def _problems_table(found: list[Problem]) -> Iterator[str]:
    yield "\ufeff"
    yield _csv_line(["line", "field", "value", "problem", "remedy"])
    for problem in found:
        yield _csv_line([problem.line, problem.field, problem.value, problem.message, problem.remedy])


def _csv_line(cells: list[Any]) -> str:
    # A spreadsheet would run a cell that starts like a formula; what is in it came from someone else's file.
    safe = [
        f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
        for cell in cells
    ]
    line = StringIO()
    csv.writer(line).writerow(safe)
    return line.getvalue()
