"""How a view gets a rubric: of this project, or 404."""

from __future__ import annotations

from django.shortcuts import get_object_or_404

from apps.projects.models import Project
from apps.rubrics.models import Rubric, RubricVersion


def rubric_or_404(project: Project, rubric_id: int) -> Rubric:
    return get_object_or_404(Rubric, pk=rubric_id, project=project)


def version_or_404(project: Project, rubric_id: int, number: int) -> RubricVersion:
    versions = RubricVersion.objects.select_related("rubric", "published_by", "created_by")
    return get_object_or_404(versions, rubric_id=rubric_id, rubric__project=project, number=number)
