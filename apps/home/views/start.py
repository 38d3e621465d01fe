"""The first page after signing in, and making a project."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.core.http import AuthedRequest
from apps.home import selectors
from apps.projects import services
from apps.projects.access import may_create_project
from apps.projects.forms import NewProjectForm
from apps.projects.models import Role


@login_required
@require_safe
def start(request: AuthedRequest) -> HttpResponse:
    """The projects one is in; who only labels in one goes straight there."""
    cards = selectors.project_cards(request.user)
    if len(cards) == 1 and cards[0].role == Role.ANNOTATOR:
        return redirect("home:project", cards[0].project.slug)
    context = {"cards": cards, "may_create": may_create_project(request.user)}
    return render(request, "home/start.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: AuthedRequest) -> HttpResponse:
    if not may_create_project(request.user):
        raise PermissionDenied(_("Projects are made by admins. Ask one of them to make yours."))
    form = NewProjectForm(request.POST or None, initial={"language": request.LANGUAGE_CODE})
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                project = services.create_project(by=request.user, **form.cleaned_data)
            except IntegrityError:
                form.add_error("slug", _("Another project has this name in its address. Choose another one."))
            else:
                messages.success(request, _("The project is made. The next steps are below."))
                return redirect("home:project", project.slug)
        status = 422
    return render(request, "home/new.html", {"form": form}, status=status)
