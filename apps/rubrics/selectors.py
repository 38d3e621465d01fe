"""Reads of rubrics."""

from __future__ import annotations

from django.db.models import Count, Exists, OuterRef, Prefetch, QuerySet

from apps.projects.models import Project
from apps.rubrics.models import Criterion, Rubric, RubricVersion


def rubrics_of(project: Project) -> QuerySet[Rubric]:
    """The project's rubrics in use, each with its versions and their numbers of criteria."""
    versions = RubricVersion.objects.annotate(criterion_count=Count("criteria")).order_by("-number")
    return Rubric.objects.filter(project=project, archived_at__isnull=True).prefetch_related(
        Prefetch("versions", queryset=versions)
    )


def published_versions(project: Project) -> QuerySet[RubricVersion]:
    """The versions that new labels can be made under, by rubric, newest first."""
    return (
        RubricVersion.objects.filter(
            rubric__project=project, rubric__archived_at__isnull=True, status=RubricVersion.Status.PUBLISHED
        )
        .select_related("rubric")
        .order_by("rubric__name", "-number")
    )


def asks_for(versions: QuerySet[RubricVersion], kind: Criterion.Kind) -> QuerySet[RubricVersion]:
    """Only versions with a criterion of that kind."""
    return versions.filter(Exists(Criterion.objects.filter(version=OuterRef("pk"), kind=kind)))


def latest_published(rubric: Rubric) -> RubricVersion | None:
    return rubric.versions.filter(status=RubricVersion.Status.PUBLISHED).order_by("-number").first()
