"""Who may open a project, and as what."""

from __future__ import annotations

from datetime import date
from typing import cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core.http import MemberRequest
from apps.projects.models import Membership, Project, Role

_RANK = {Role.ANNOTATOR: 0, Role.LEAD: 1, Role.ADMIN: 2}


def project_for(request: HttpRequest, slug: str, at_least: Role = Role.ANNOTATOR) -> Project:
    """The project, for a member whose role is `at_least` that; keeps the membership on the request as `membership`.

    Someone who administers the server counts as an admin of every project.

    Raises:
        Http404: no such project, or the user is no member of it: the two look the same from outside.
        PermissionDenied: a member, but in a lower role.
    """
    user = request.user
    if not user.is_authenticated:
        raise Http404
    membership = Membership.objects.select_related("project").filter(project__slug=slug, user=user).first()
    if membership is None:
        if not user.is_superuser:
            raise Http404
        project = Project.objects.filter(slug=slug).first()
        if project is None:
            raise Http404
        membership = Membership(project=project, user=user, role=Role.ADMIN)
    if not allows(membership, at_least):
        raise PermissionDenied(_("This page is for leads of the project. Ask one of them if you need it."))
    cast(MemberRequest, request).membership = membership
    return membership.project


def allows(membership: Membership, at_least: Role) -> bool:
    """Whether the membership's role is at least that one."""
    return _RANK[Role(membership.role)] >= _RANK[at_least]


def may_grant(by: Role, role: Role) -> bool:
    """Whether someone of role `by` may make others `role`: leads make annotators and leads, admins all three."""
    return by == Role.ADMIN or (by == Role.LEAD and role != Role.ADMIN)


def may_manage(by: Role, member: Role) -> bool:
    """Whether someone of role `by` may change or remove a member of role `member`: leads never touch admins."""
    return may_grant(by, member)


def may_create_project(user: User) -> bool:
    """Who administers the server, or a project on it."""
    return user.is_superuser or Membership.objects.filter(user=user, role=Role.ADMIN).exists()


def why_closed(project: Project, today: date) -> str:
    """Why nobody can label in the project today, in words; empty where they can."""
    if project.archived_at is not None:
        return _("This project is archived. It can be read, but nothing more is labelled.")
    if project.starts_on is not None and today < project.starts_on:
        return _("Labelling starts on %(day)s.") % {"day": date_format(project.starts_on)}
    if project.ends_on is not None and today > project.ends_on:
        return _("Labelling ended on %(day)s.") % {"day": date_format(project.ends_on)}
    return ""
