"""How a view gets a round or a flag: of this project, or 404."""

from __future__ import annotations

from django.http import Http404

from apps.annotation.models import Flag, Round
from apps.projects.models import Project


def round_or_404(project: Project, round_id: int) -> Round:
    round_ = (
        Round.objects.select_related("project", "dataset", "rubric_version__rubric")
        .filter(project=project, pk=round_id)
        .first()
    )
    if round_ is None:
        raise Http404
    return round_


def flag_or_404(round_: Round, flag_id: int) -> Flag:
    flag = Flag.objects.filter(pk=flag_id, assignment__round=round_).first()
    if flag is None:
        raise Http404
    return flag
