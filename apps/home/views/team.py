"""The team: members, their roles, invitations."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.core.http import AuthedRequest, MemberRequest
from apps.home import selectors
from apps.projects import selectors as project_selectors
from apps.projects import services
from apps.projects.access import project_for
from apps.projects.forms import InviteForm, RoleForm
from apps.projects.models import Invitation, Membership, Project, Role


@login_required
@require_safe
def team(request: MemberRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    return _page(request, project, InviteForm(by=_own_role(request)))


@login_required
@require_POST
@never_cache
def invite(request: MemberRequest, slug: str) -> HttpResponse:
    """Answers with the page itself and no redirect: the link is on it once, and kept nowhere."""
    project = project_for(request, slug, at_least=Role.LEAD)
    form = InviteForm(request.POST, by=_own_role(request))
    if not form.is_valid():
        return _page(request, project, form, status=422)
    invitation, path = services.invite(
        project=project,
        role=Role(form.cleaned_data["role"]),
        note=form.cleaned_data["note"],
        by=request.user,
        by_role=_own_role(request),
    )
    link = request.build_absolute_uri(path)
    return _page(request, project, InviteForm(by=_own_role(request)), new=invitation, link=link)


@login_required
@require_POST
def revoke(request: MemberRequest, slug: str, invitation_id: int) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    services.revoke(invitation=get_object_or_404(Invitation, project=project, pk=invitation_id))
    messages.success(request, _("The invitation is withdrawn; its link no longer works."))
    return redirect("home:team", slug)


@login_required
@require_POST
def role(request: MemberRequest, slug: str, membership_id: int) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    membership = get_object_or_404(Membership, project=project, pk=membership_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise Http404
    wanted = Role(form.cleaned_data["role"])
    try:
        services.change_role(membership=membership, role=wanted, by=_own_role(request))
    except services.NotAllowed:
        messages.error(request, _("Only an admin of the project can do that."))
    except services.LastAdmin:
        messages.error(request, _("The project needs at least one admin. Make someone else an admin first."))
    else:
        name = membership.user.shown_name
        messages.success(request, _("%(name)s: %(role)s.") % {"name": name, "role": wanted.label})
    if membership.user_id == request.user.pk and wanted == Role.ANNOTATOR and not request.user.is_superuser:
        return redirect("home:start")
    return redirect("home:team", slug)


@login_required
@require_POST
def remove(request: MemberRequest, slug: str, membership_id: int) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    membership = get_object_or_404(Membership, project=project, pk=membership_id)
    name = membership.user.shown_name
    try:
        services.remove_member(membership=membership, by=_own_role(request))
    except services.NotAllowed:
        messages.error(request, _("Only an admin of the project can do that."))
    except services.LastAdmin:
        messages.error(request, _("The project needs at least one admin. Make someone else an admin first."))
    else:
        messages.success(request, _("%(name)s is no longer in the project. Their labels stay.") % {"name": name})
        if membership.user_id == request.user.pk:
            return redirect("home:start")
    return redirect("home:team", slug)


def _own_role(request: AuthedRequest) -> Role:
    assert isinstance(getattr(request, "membership", None), Membership)
    return Role(request.membership.role)  # type: ignore[attr-defined]


def _page(
    request: MemberRequest,
    project: Project,
    form: InviteForm,
    *,
    new: Invitation | None = None,
    link: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "project": project,
        "members": selectors.team(project, _own_role(request)),
        "others": selectors.other_raters(project),
        "invitations": project_selectors.open_invitations(project),
        "form": form,
        "new_invitation": new,
        "link": link,
    }
    return render(request, "home/team.html", context, status=status)
