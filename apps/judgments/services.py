"""Raters: who a judgment is by."""

from __future__ import annotations

from django.db import transaction

from apps.accounts.models import User
from apps.judgments.models import Rater
from apps.projects.models import Project


class RaterNameTaken(ValueError):
    """Another rater of the project, of another kind or person, has this name."""


@transaction.atomic
def rater_of_user(*, project: Project, user: User) -> Rater:
    """The user's rater in the project, made on first use."""
    existing = Rater.objects.filter(project=project, user=user).first()
    if existing is not None:
        return existing
    name = user.username
    # An import may have brought a rater of this name whom nobody has claimed: the user gets a name of their own.
    suffix = 1
    while Rater.objects.filter(project=project, name=name).exists():
        suffix += 1
        name = f"{user.username} ({suffix})"
    # Two tabs at once: the unique constraint (project, user) decides, the other reads what was made.
    return Rater.objects.get_or_create(project=project, user=user, defaults={"kind": Rater.Kind.HUMAN, "name": name})[0]


@transaction.atomic
def rater_named(*, project: Project, name: str, kind: Rater.Kind, is_simulated: bool = False) -> Rater:
    """The rater of that name, made on first use; raises RaterNameTaken where it is of the other kind."""
    rater, _ = Rater.objects.get_or_create(
        project=project, name=name, defaults={"kind": kind, "is_simulated": is_simulated}
    )
    if rater.kind != kind:
        raise RaterNameTaken(name)
    return rater
