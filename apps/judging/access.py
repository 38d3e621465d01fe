"""How a view gets a judge or a run: of this project, or 404. Who may ask is `project_for`'s business."""

from __future__ import annotations

from django.shortcuts import get_object_or_404

from apps.judging.models import JudgeConfig, JudgeRun
from apps.projects.models import Project


def judge_or_404(project: Project, judge_id: int) -> JudgeConfig:
    return get_object_or_404(JudgeConfig.objects.select_related("created_by"), project=project, pk=judge_id)


def run_or_404(project: Project, number: int) -> JudgeRun:
    runs = JudgeRun.objects.select_related("project", "judge", "dataset", "rubric_version__rubric")
    return get_object_or_404(runs, project=project, number=number)
