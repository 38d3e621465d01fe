"""A project's overview and settings."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core.http import MemberRequest
from apps.home import selectors
from apps.projects import services
from apps.projects.access import allows, project_for, why_closed
from apps.projects.forms import SettingsForm
from apps.projects.models import Project, Role


@login_required
@require_safe
def overview(request: MemberRequest, slug: str) -> HttpResponse:
    """For leads the state of the project; for annotators the way to their desk, and nothing about others."""
    project = project_for(request, slug)
    if allows(request.membership, Role.LEAD):
        return render(request, "home/project.html", {"project": project, "overview": selectors.overview(project)})
    context = {
        "project": project,
        "closed": why_closed(project, timezone.localdate()),
        "own": selectors.own_progress(project, request.user),
    }
    return render(request, "home/desk.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: MemberRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    # A copy, so that a form with an error does not show its values in the frame as if they were saved.
    form = SettingsForm(request.POST or None, instance=Project.objects.get(pk=project.pk))
    status = 200
    if request.method == "POST":
        if form.is_valid():
            services.change_settings(project=project, changes=form.cleaned_data)
            messages.success(request, _("The settings are saved."))
            return redirect("home:settings", slug)
        status = 422
    return render(request, "home/settings.html", {"project": project, "form": form}, status=status)


@login_required
@require_POST
def archive(request: MemberRequest, slug: str) -> HttpResponse:
    """Put the project away, or bring it back; only an admin of it may."""
    project = project_for(request, slug, at_least=Role.ADMIN)
    if "restore" in request.POST:
        services.restore(project=project)
        messages.success(request, _("The project is back."))
    else:
        services.archive(project=project)
        messages.success(request, _("The project is archived: it can be read, and nobody labels in it."))
    return redirect("home:settings", slug)
