"""Accepting an invitation. The pages of a project itself are in apps/home."""

from __future__ import annotations

import zoneinfo

from django.contrib import messages
from django.contrib.auth import login
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts.forms import NewUserFields
from apps.accounts.views import BACKEND, secret_address
from apps.projects import selectors, services
from apps.projects.models import Invitation, Membership, Role


@secret_address
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """GET says what one is invited to and burns nothing; POST joins, as a new user or as who is signed in."""
    found = selectors.open_invitation(token)
    if found is None:
        return render(request, "projects/invitation_closed.html", status=410)
    if request.user.is_authenticated:
        return _join(request, found, token)
    form = NewUserFields(request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                membership = services.accept_as_new_user(
                    token=token,
                    username=form.cleaned_data["username"],
                    display_name=form.cleaned_data["display_name"],
                    password=form.cleaned_data["password"],
                    time_zone=_known_zone(form.cleaned_data["time_zone"]),
                )
            except services.InvitationClosed:
                return render(request, "projects/invitation_closed.html", status=410)
            except IntegrityError:
                form.add_error("username", _("This name is taken. Choose another one."))
            else:
                login(request, membership.user, backend=BACKEND)
                return _welcome(request, membership)
        status = 422
    context = {"invitation": found, "role": Role(found.role).label, "form": form}
    return render(request, "projects/invitation.html", context, status=status)


def _join(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    assert request.user.is_authenticated
    if request.method == "POST":
        try:
            return _welcome(request, services.accept(token=token, user=request.user))
        except services.InvitationClosed:
            return render(request, "projects/invitation_closed.html", status=410)
        except services.AlreadyMember:
            messages.info(request, _("You are in this project already."))
            return redirect("home:project", found.project.slug)
    context = {
        "invitation": found,
        "role": Role(found.role).label,
        "is_member": Membership.objects.filter(project=found.project, user=request.user).exists(),
    }
    return render(request, "projects/invitation.html", context)


def _welcome(request: HttpRequest, membership: Membership) -> HttpResponse:
    messages.success(request, _("Welcome to %(project)s.") % {"project": membership.project.name})
    return redirect("home:project", membership.project.slug)


def _known_zone(name: str) -> str:
    """What the browser says its time zone is, if this machine knows it."""
    return name if name in zoneinfo.available_timezones() else "UTC"
