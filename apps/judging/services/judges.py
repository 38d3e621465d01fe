"""Judges: made once, never changed after their first run, put away when no longer used."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.judging.models import JudgeConfig
from apps.judgments.models import Rater
from apps.projects.models import Project


class JudgeNameTaken(ValueError):
    """A judge, or another rater of the project, has this name."""


@transaction.atomic
def create_judge(
    *, project: Project, name: str, engine: str, model: str, params: dict[str, object], by: User | None
) -> JudgeConfig:
    """A judge and the rater under whose name its judgments are kept.

    Raises:
        JudgeNameTaken: also where the name is known from imported judgments, which may be of something else.
    """
    rater, made = Rater.objects.get_or_create(project=project, name=name, defaults={"kind": Rater.Kind.JUDGE})
    if not made:
        raise JudgeNameTaken(name)
    return JudgeConfig.objects.create(
        project=project, rater=rater, name=name, engine=engine, model=model, params=params, created_by=by
    )


def archive_judge(*, judge: JudgeConfig) -> None:
    """Put a judge away: no new runs. What it judged stays."""
    JudgeConfig.objects.filter(pk=judge.pk, archived_at__isnull=True).update(archived_at=timezone.now())


def restore_judge(*, judge: JudgeConfig) -> None:
    """Bring an archived judge back."""
    JudgeConfig.objects.filter(pk=judge.pk).update(archived_at=None)
