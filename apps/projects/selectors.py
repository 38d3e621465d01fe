"""Reads of projects, members and invitations."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services import digest_of
from apps.projects.models import Invitation, Membership, Project, Role


def projects_of(user: User) -> QuerySet[Project]:
    """The projects someone can open, those in use first."""
    projects = Project.objects.all() if user.is_superuser else Project.objects.filter(memberships__user=user)
    return projects.order_by("archived_at", "name")


def roles_of(user: User) -> dict[int, Role]:
    """Project → the role that the user has there; who administers the server is not listed where they are no member."""
    return {
        project: Role(role) for project, role in Membership.objects.filter(user=user).values_list("project", "role")
    }


def members(project: Project) -> QuerySet[Membership]:
    return Membership.objects.filter(project=project).select_related("user").order_by("role", "user__username")


def open_invitations(project: Project) -> QuerySet[Invitation]:
    return (
        Invitation.objects.filter(project=project, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
        .select_related("created_by")
        .order_by("-created_at")
    )


def open_invitation(token: str) -> Invitation | None:
    """The invitation of that token while it can be accepted; looking burns nothing."""
    return (
        Invitation.objects.select_related("project")
        .filter(digest=digest_of(token), accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
        .first()
    )
