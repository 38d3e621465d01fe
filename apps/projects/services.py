"""Projects, their members and invitations: every write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from typing import Any

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from apps.accounts.models import User
from apps.accounts.services import create_user, digest_of, new_token
from apps.projects.access import may_grant, may_manage
from apps.projects.models import Invitation, Membership, Project, Role

INVITATION_DAYS = 14
_SLUG_LENGTH = Project._meta.get_field("slug").max_length or 60


class LastAdmin(Exception):
    """The project would be left without an admin."""


class NotAllowed(Exception):
    """Someone of this role may not give or take that role."""


class InvitationClosed(Exception):
    """The invitation was used, revoked, has expired or never existed: from outside they look the same."""


class AlreadyMember(Exception):
    """Who holds the invitation is in the project already; it stays open for the one it was meant for."""


# --- projects ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_project(*, name: str, language: str, by: User, slug: str = "", **fields: Any) -> Project:
    """A project whose creator is its admin. Without a slug one is made from the name and kept unique."""
    project = None
    for candidate in [slug] if slug else _slugs(name):
        if Project.objects.filter(slug=candidate).exists():
            continue
        try:
            with transaction.atomic():
                project = Project.objects.create(name=name, slug=candidate, language=language, created_by=by, **fields)
            break
        except IntegrityError:  # someone took it a moment ago; the next one may be free
            if slug:
                raise
    if project is None:
        raise IntegrityError(f"the slug {slug} is taken")
    Membership.objects.create(project=project, user=by, role=Role.ADMIN)
    return project


def _slugs(name: str) -> Any:
    base = slugify(name)[: _SLUG_LENGTH - 5].strip("-") or "project"  # a name in Chinese leaves nothing
    yield base
    yield from (f"{base}-{number}" for number in count(2))


def change_settings(*, project: Project, changes: Mapping[str, Any]) -> None:
    """Change settings of the project; the slug is in everyone's links and never changes."""
    for field, value in changes.items():
        setattr(project, field, value)
    project.save(update_fields=list(changes))


def archive(*, project: Project) -> None:
    """Put the project away: annotators can still read it but label no more."""
    Project.objects.filter(pk=project.pk, archived_at=None).update(archived_at=timezone.now())


def restore(*, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(archived_at=None)


# --- members ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def change_role(*, membership: Membership, role: Role, by: Role) -> None:
    """Give a member another role.

    Raises:
        NotAllowed: a lead would touch an admin, or make one.
        LastAdmin: nobody else administers the project.
    """
    membership = _locked(membership)
    if not (may_manage(by, Role(membership.role)) and may_grant(by, role)):
        raise NotAllowed
    if membership.role == Role.ADMIN and role != Role.ADMIN:
        _need_another_admin(membership)
    membership.role = role
    membership.save(update_fields=["role"])


@transaction.atomic
def remove_member(*, membership: Membership, by: Role) -> None:
    """Take someone out of the project; what they labelled stays. Raises as `change_role` does."""
    membership = _locked(membership)
    if not may_manage(by, Role(membership.role)):
        raise NotAllowed
    if membership.role == Role.ADMIN:
        _need_another_admin(membership)
    membership.delete()


def _locked(membership: Membership) -> Membership:
    # The project's row is the lock: two admins who remove each other at once must not both succeed.
    Project.objects.select_for_update().get(pk=membership.project_id)
    return Membership.objects.get(pk=membership.pk)


def _need_another_admin(membership: Membership) -> None:
    others = Membership.objects.filter(project=membership.project_id, role=Role.ADMIN).exclude(pk=membership.pk)
    if not others.exists():
        raise LastAdmin


# --- invitations ------------------------------------------------------------------------------------------------------


def invite(
    *, project: Project, role: Role, by: User, by_role: Role, note: str = "", days: int = INVITATION_DAYS
) -> tuple[Invitation, str]:
    """An invitation and the path of its link, which is shown now or never: only a digest is kept."""
    if not may_grant(by_role, role):
        raise NotAllowed
    token, digest = new_token()
    invitation = Invitation.objects.create(
        project=project,
        role=role,
        note=note,
        digest=digest,
        created_by=by,
        expires_at=timezone.now() + timedelta(days=days),
    )
    return invitation, reverse("projects:invitation", args=[token])


def revoke(*, invitation: Invitation) -> None:
    """Close an open invitation; one that was accepted stays as it is."""
    Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(revoked_at=timezone.now())


@transaction.atomic
def accept_as_new_user(
    *, token: str, username: str, display_name: str = "", password: str = "", time_zone: str = "UTC"
) -> Membership:
    """Burn the invitation and make its user and membership.

    Raises:
        InvitationClosed: it is not open, or another post was first.
        IntegrityError: the user name was taken a moment ago; the invitation is still open.
    """
    invitation = _burn(token)
    user = create_user(
        username=username,
        display_name=display_name,
        password=password,
        language=invitation.project.language,
        time_zone=time_zone,
    )
    return _join(invitation, user)


@transaction.atomic
def accept(*, token: str, user: User) -> Membership:
    """Burn the invitation and make `user` a member; raises InvitationClosed or AlreadyMember."""
    invitation = _burn(token)
    try:
        with transaction.atomic():
            return _join(invitation, user)
    except IntegrityError as error:  # a member already, or by another invitation a moment ago
        raise AlreadyMember from error


def _burn(token: str) -> Invitation:
    now = timezone.now()
    digest = digest_of(token)
    # Only the row's own columns in the condition: PostgreSQL checks those again after waiting for another post.
    burnt = Invitation.objects.filter(digest=digest, accepted_at=None, revoked_at=None, expires_at__gt=now).update(
        accepted_at=now
    )
    if not burnt:
        raise InvitationClosed
    return Invitation.objects.select_related("project").get(digest=digest)


def _join(invitation: Invitation, user: User) -> Membership:
    invitation.accepted_by = user
    invitation.save(update_fields=["accepted_by"])
    return Membership.objects.create(project=invitation.project, user=user, role=invitation.role)
