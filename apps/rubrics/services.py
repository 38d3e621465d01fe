"""Drafts and publishing. A draft is its source text; publishing reads it into criteria, and nothing changes after."""

from __future__ import annotations

import hashlib

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from apps.accounts.models import User
from apps.projects.models import Project
from apps.rubrics.models import Criterion, Rubric, RubricVersion
from apps.rubrics.reader import CriterionDraft, RubricReading, read_rubric

_KINDS = {"pair": Criterion.Kind.PAIR, "score": Criterion.Kind.SCORE, "choice": Criterion.Kind.CHOICE}


class HasErrors(ValueError):
    """The draft cannot be published as it is; `reading` says why."""

    def __init__(self, reading: RubricReading) -> None:
        super().__init__("the rubric has errors")
        self.reading = reading


class AlreadyPublished(ValueError):
    """Someone published this version before."""


def reading_of(version: RubricVersion) -> RubricReading:
    """What the version's source says, with everything that is wrong in it."""
    return read_rubric(version.source.encode(), name=version.source_name)


@transaction.atomic
def create_rubric(*, project: Project, source: str, source_name: str, by: User | None = None) -> RubricVersion:
    """A new rubric with this text as its first draft. Its name comes from the text, made unique in the project."""
    draft = read_rubric(source.encode(), name=source_name).draft
    wanted = ((draft.name if draft else "") or source_name.rpartition(".")[0] or "Rubric")[:110]
    name, number = wanted, 1
    while Rubric.objects.filter(project=project, name=name).exists():
        number += 1
        name = f"{wanted} ({number})"
    rubric = Rubric.objects.create(project=project, name=name)
    return save_draft(rubric=rubric, source=source, source_name=source_name, by=by)


@transaction.atomic
def save_draft(*, rubric: Rubric, source: str, source_name: str, by: User | None = None) -> RubricVersion:
    """Keep the text as the rubric's draft, errors and all; there is one draft at a time."""
    Rubric.objects.select_for_update().get(pk=rubric.pk)  # two editors at once: the later text stays, in one draft
    digest = hashlib.sha256(source.encode()).hexdigest()
    draft = rubric.versions.filter(status=RubricVersion.Status.DRAFT).first()
    if draft is None:
        last: int = rubric.versions.aggregate(last=Max("number"))["last"] or 0
        draft = RubricVersion(rubric=rubric, number=last + 1, created_by=by)
    draft.source, draft.source_name, draft.digest = source, source_name[:200], digest
    reading = reading_of(draft)
    draft.guidelines = reading.draft.guidelines if reading.draft else ""
    draft.save()
    return draft


@transaction.atomic
def discard_draft(*, rubric: Rubric) -> None:
    """Throw the draft away; a rubric that never had a published version goes with it."""
    rubric.versions.filter(status=RubricVersion.Status.DRAFT).delete()
    if not rubric.versions.exists():
        rubric.delete()


@transaction.atomic
def publish(*, version: RubricVersion, by: User | None = None) -> RubricVersion:
    """Read the draft into criteria and freeze it; raises HasErrors or AlreadyPublished."""
    version = RubricVersion.objects.select_for_update().get(pk=version.pk)
    if version.status == RubricVersion.Status.PUBLISHED:
        raise AlreadyPublished(version.pk)
    reading = reading_of(version)
    if not reading.publishable or reading.draft is None:
        raise HasErrors(reading)
    Criterion.objects.bulk_create(
        _criterion(version, position, draft) for position, draft in enumerate(reading.draft.criteria)
    )
    version.guidelines = reading.draft.guidelines
    version.status = RubricVersion.Status.PUBLISHED
    version.published_at = timezone.now()
    version.published_by = by
    version.save()
    return version


def _criterion(version: RubricVersion, position: int, draft: CriterionDraft) -> Criterion:
    assert draft.kind is not None  # the reading has no errors
    low, high = draft.scale if draft.kind == "score" and draft.scale else (None, None)
    return Criterion(
        version=version,
        key=draft.id,
        position=position,
        kind=_KINDS[draft.kind],
        name=draft.name,
        question=draft.question,
        ties=draft.ties,
        strength=draft.strength,
        both_bad=draft.both_bad,
        scale_min=low,
        scale_max=high,
        levels={str(level): text for level, text in draft.levels.items()},
        options=[{"id": o.id, "label": o.label, "description": o.description} for o in draft.options],
        scenarios=list(draft.scenarios),
        weight=draft.weight,
        required=draft.required,
    )
