"""Exports: made as a row, written as a stream, described by a manifest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

from django.db.models import Max
from django.utils import timezone

from apps.accounts.models import User
from apps.datasets.models import Dataset
from apps.exports.formats import judgments_jsonl, trl_preferences
from apps.exports.models import Export
from apps.exports.options import JudgmentOptions, PreferenceOptions
from apps.judgments.models import Judgment
from apps.projects.models import Project
from apps.rubrics.models import RubricVersion

_CHUNK = 64 << 10
_WRITERS: dict[str, Callable[[Export, Counter[str]], Iterator[bytes]]] = {
    Export.Kind.JUDGMENTS: judgments_jsonl.write,
    Export.Kind.PREFERENCES: trl_preferences.write,
}


def create_export(
    *,
    project: Project,
    dataset: Dataset,
    rubric_version: RubricVersion,
    options: JudgmentOptions | PreferenceOptions,
    by: User | None = None,
) -> Export:
    """Note what to take out, as of now."""
    kind = Export.Kind.JUDGMENTS if isinstance(options, JudgmentOptions) else Export.Kind.PREFERENCES
    last = Judgment.objects.filter(dataset=dataset).aggregate(last=Max("id"))["last"]
    return Export.objects.create(
        project=project,
        kind=kind,
        dataset=dataset,
        rubric_version=rubric_version,
        options=options.as_dict(),
        upto=last or 0,
        created_by=by,
    )


def write(export: Export) -> Iterator[bytes]:
    """The file, in chunks. At its end the export knows its rows, size, digest and what was left out."""
    counts: Counter[str] = Counter()
    digest = hashlib.sha256()
    rows = size = 0
    buffer: list[bytes] = []
    held = 0
    for line in _WRITERS[export.kind](export, counts):
        rows += 1
        held += len(line)
        buffer.append(line)
        if held >= _CHUNK:
            chunk = b"".join(buffer)
            digest.update(chunk)
            size += len(chunk)
            buffer.clear()
            held = 0
            yield chunk
    chunk = b"".join(buffer)
    digest.update(chunk)
    size += len(chunk)
    Export.objects.filter(pk=export.pk).update(
        rows=rows, size=size, digest=digest.hexdigest(), counts=dict(counts), finished_at=timezone.now()
    )
    if chunk:
        yield chunk


def manifest(export: Export) -> dict[str, object]:
    """What the file holds and how to check it. Writes the file once, to nowhere, if nobody has read it to its end."""
    if export.rows is None:
        for _ in write(export):
            pass
        export.refresh_from_db()
    return {
        "project": export.project.slug,
        "export": export.pk,
        "kind": export.kind,
        "file": file_name(export),
        "rows": export.rows,
        "bytes": export.size,
        "sha256": export.digest,
        "counts": export.counts,
        "options": export.options,
        "dataset": export.dataset.name,
        "rubric": export.rubric_version.rubric.name,
        "rubric_version": export.rubric_version.number,
        "rubric_sha256": export.rubric_version.digest,
        "judgments_up_to": export.upto,
        "made_at": export.created_at.isoformat(),
        "made_with": f"jurybox {_version()}",
    }


def file_name(export: Export) -> str:
    return f"{export.project.slug}-{export.kind}-{export.pk}.jsonl"


def _version() -> str:
    try:
        return version("jurybox-server")
    except PackageNotFoundError:  # run from its folder, not installed
        return "0.1.0"
