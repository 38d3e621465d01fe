"""Files into datasets and judgments.

An upload waits as a file and a row. A worker locks the row, reads the file and stores everything in one transaction:
if the worker dies, nothing has happened and the row still waits, so the reconciler's next hint starts it anew.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.core.said import said as _
from apps.datasets.formats.records import Problem
from apps.datasets.models import Dataset
from apps.imports.items import store_items
from apps.imports.judgments import store_judgments
from apps.imports.models import Import
from apps.imports.reading import Outcome, Problems
from apps.projects.models import Project
from apps.rubrics.models import RubricVersion

ATTEMPTS = 3
logger = logging.getLogger(__name__)


def import_items(
    *,
    project: Project,
    dataset_name: str,
    stream: BinaryIO,
    by: User | None = None,
    sampling: str = Dataset.Sampling.UNKNOWN,
    good_rows_only: bool = False,
) -> tuple[Dataset | None, Outcome]:
    """Read items into the dataset of that name, which is made where it is missing; None if the file was refused."""
    with transaction.atomic():
        dataset, made = Dataset.objects.select_for_update().get_or_create(
            project=project, name=dataset_name, defaults={"created_by": by, "sampling": sampling}
        )
        if dataset.archived_at is not None:
            return None, _archived(dataset)
        outcome = store_items(dataset=dataset, stream=stream, good_rows_only=good_rows_only)
        if outcome.refused and made:
            dataset.delete()
        return (None if outcome.refused else dataset), outcome


def import_judgments(
    *,
    dataset: Dataset,
    version: RubricVersion,
    stream: BinaryIO,
    good_rows_only: bool = False,
    simulated: bool = False,
) -> Outcome:
    """Read judgments of the dataset's items under the rubric version."""
    if dataset.archived_at is not None:
        return _archived(dataset)
    return store_judgments(
        dataset=dataset, version=version, stream=stream, good_rows_only=good_rows_only, simulated=simulated
    )


def _archived(dataset: Dataset) -> Outcome:
    """What a file for an archived dataset comes to, however it got here."""
    problems = Problems()
    remedy = _("Take it out of the archive first, or import into another one.")
    problems.add(Problem(None, "dataset", dataset.name, _("is archived"), remedy))
    return Outcome(0, problems, refused=True, good=0)


def receive(
    *,
    project: Project,
    kind: Import.Kind,
    file_name: str,
    chunks: Iterable[bytes],
    dataset_name: str,
    by: User,
    sampling: str = Dataset.Sampling.UNKNOWN,
    version: RubricVersion | None = None,
    good_rows_only: bool = False,
) -> Import:
    """Keep an uploaded file and a row for it; the caller then sends the hint that starts a worker."""
    folder = Path(settings.MEDIA_ROOT) / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{secrets.token_hex(16)}.jsonl"
    size = 0
    try:
        with path.open("xb") as file:
            for chunk in chunks:
                size += file.write(chunk)
        return Import.objects.create(
            project=project,
            kind=kind,
            file_name=file_name[:255],
            path=path.name,
            size=size,
            dataset_name=dataset_name,
            sampling=sampling,
            rubric_version=version,
            good_rows_only=good_rows_only,
            created_by=by,
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def carry_out(import_id: int) -> Import | None:
    """Read a waiting file. Safe to call twice: only who locks the row does the work, and only while it waits.

    The import as it then is; None for whoever had nothing to do.
    """
    with transaction.atomic():
        row = _locked(import_id)
        if row is None:
            return None
        row.attempts += 1
        row.save(update_fields=["attempts"])  # kept even if the reading ends this process
    with transaction.atomic():
        row = _locked(import_id)
        if row is None:
            return None
        if row.attempts > ATTEMPTS:
            row.status = Import.Status.FAILED
        else:
            _read(row)
        row.finished_at = timezone.now()
        row.save()
    if row.path:
        (Path(settings.MEDIA_ROOT) / "imports" / row.path).unlink(missing_ok=True)
    return row


def _locked(import_id: int) -> Import | None:
    """The row while it waits and nobody reads its file; never waits for another worker."""
    return (
        Import.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("project", "created_by", "rubric_version__rubric")
        .filter(pk=import_id, status=Import.Status.WAITING)
        .first()
    )


def _read(row: Import) -> None:
    path = Path(settings.MEDIA_ROOT) / "imports" / row.path
    try:
        with path.open("rb") as stream:
            dataset, outcome = _store(row, stream)
    except FileNotFoundError:
        logger.error("import %s: the uploaded file is gone", row.pk)
        row.status = Import.Status.FAILED
        return
    row.dataset = dataset
    row.status = Import.Status.REFUSED if outcome.refused else Import.Status.DONE
    row.good, row.bad = outcome.good, outcome.problems.bad
    row.problems = outcome.problems.as_rows()


def _store(row: Import, stream: BinaryIO) -> tuple[Dataset | None, Outcome]:
    if row.kind == Import.Kind.ITEMS:
        return import_items(
            project=row.project,
            dataset_name=row.dataset_name,
            stream=stream,
            by=row.created_by,
            sampling=row.sampling,
            good_rows_only=row.good_rows_only,
        )
    dataset = Dataset.objects.get(project=row.project, name=row.dataset_name)
    version = row.rubric_version
    assert version is not None  # the form asks for it
    outcome = import_judgments(dataset=dataset, version=version, stream=stream, good_rows_only=row.good_rows_only)
    return dataset, outcome
