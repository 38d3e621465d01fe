"""A rubric's pages: leads read them, admins write and publish."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.core.http import AuthedRequest
from apps.projects.access import allows, project_for
from apps.projects.models import Membership, Role
from apps.rubrics import access, selectors, services
from apps.rubrics.forms import SourceForm
from apps.rubrics.models import RubricVersion
from apps.rubrics.reader import RubricReading, read_rubric

EXAMPLE = """\
name: Helpful answers
guidelines: |
  Judge what the answer does for the person who asked. Read both to the end before you choose.
criteria:
  - id: overall
    kind: pair
    question: Which response helps more?
    ties: true
"""


def _may_write(request: HttpRequest) -> bool:
    membership: Membership = request.membership  # type: ignore[attr-defined]  # set by project_for
    return allows(membership, Role.ADMIN)


@login_required
@require_GET
def index(request: AuthedRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    rubrics = selectors.rubrics_of(project)
    return render(
        request, "rubrics/index.html", {"project": project, "rubrics": rubrics, "may_write": _may_write(request)}
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: AuthedRequest, slug: str) -> HttpResponse:
    """A first draft; it is kept with its errors, so that they can be mended on its page."""
    project = project_for(request, slug, at_least=Role.ADMIN)
    form = SourceForm(request.POST or None, request.FILES or None, initial={"source": EXAMPLE})
    if request.method == "POST" and form.is_valid():
        draft = services.create_rubric(
            project=project,
            source=form.cleaned_data["source"],
            source_name=form.cleaned_data["source_name"],
            by=request.user,
        )
        return redirect("rubrics:draft", slug=slug, rubric_id=draft.rubric_id)
    status = 422 if request.method == "POST" else 200
    return render(request, "rubrics/new.html", {"project": project, "form": form}, status=status)


@login_required
@require_GET
def rubric(request: AuthedRequest, slug: str, rubric_id: int) -> HttpResponse:
    """The latest published version, or the draft where nothing is published yet."""
    project = project_for(request, slug, at_least=Role.LEAD)
    found = access.rubric_or_404(project, rubric_id)
    latest = selectors.latest_published(found)
    if latest is None:
        return redirect("rubrics:draft", slug=slug, rubric_id=rubric_id)
    return redirect("rubrics:version", slug=slug, rubric_id=rubric_id, number=latest.number)


@login_required
@require_GET
def version(request: AuthedRequest, slug: str, rubric_id: int, number: int) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    found = access.version_or_404(project, rubric_id, number)
    if found.status == RubricVersion.Status.DRAFT:
        return redirect("rubrics:draft", slug=slug, rubric_id=rubric_id)
    context = {
        "project": project,
        "version": found,
        "versions": found.rubric.versions.order_by("-number"),
        "reading": services.reading_of(found),
        "may_write": _may_write(request),
    }
    return render(request, "rubrics/version.html", context)


@login_required
@require_GET
def source(request: AuthedRequest, slug: str, rubric_id: int, number: int) -> HttpResponse:
    """The version's text as it was uploaded."""
    project = project_for(request, slug, at_least=Role.LEAD)
    found = access.version_or_404(project, rubric_id, number)
    ending = "json" if found.source_name.lower().endswith(".json") else "yaml"
    response = HttpResponse(found.source, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rubric-{rubric_id}-v{number}.{ending}"'
    return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: AuthedRequest, slug: str, rubric_id: int) -> HttpResponse:
    """The next version in the making. Saving keeps the text as it is; publishing wants it without errors."""
    project = project_for(request, slug, at_least=Role.ADMIN)
    found = access.rubric_or_404(project, rubric_id)
    latest = selectors.latest_published(found)
    current = found.versions.filter(status=RubricVersion.Status.DRAFT).first()
    start = current or latest
    initial = {"source": start.source, "source_name": start.source_name} if start else {}
    form = SourceForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = services.save_draft(
            rubric=found,
            source=form.cleaned_data["source"],
            source_name=form.cleaned_data["source_name"],
            by=request.user,
        )
        if request.POST.get("action") != "publish":
            messages.success(request, _("The draft is saved."))
            return redirect("rubrics:draft", slug=slug, rubric_id=rubric_id)
        try:
            services.publish(version=saved, by=request.user)
        except services.HasErrors:
            messages.error(request, _("The draft is saved, and not published: it has errors."))
            return redirect("rubrics:draft", slug=slug, rubric_id=rubric_id)
        messages.success(request, _("Version %(number)s is published.") % {"number": saved.number})
        return redirect("rubrics:version", slug=slug, rubric_id=rubric_id, number=saved.number)
    text = form["source"].value() or ""
    name = form["source_name"].value() or "rubric.yaml"
    context = {
        "project": project,
        "rubric": found,
        "form": form,
        "number": current.number if current else (latest.number + 1 if latest else 1),
        "saved": current,
        "latest": latest,
        "source_name": name,
        "reading": read_rubric(text.encode(errors="replace"), name=name),
    }
    return render(request, "rubrics/draft.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def check(request: AuthedRequest, slug: str) -> HttpResponse:
    """What a text would come to: problems, marked lines and preview, as it is typed. Stores nothing."""
    project = project_for(request, slug, at_least=Role.ADMIN)
    form = SourceForm(request.POST, request.FILES or None)
    if form.is_valid():
        text, name = form.cleaned_data["source"], form.cleaned_data["source_name"]
    else:
        text, name = "", "rubric.yaml"
    reading: RubricReading = read_rubric(text.encode(), name=name)
    context = {"project": project, "reading": reading, "source_name": name, "live": True}
    return render(request, "rubrics/_check.html", context)


@login_required
@require_POST
def discard(request: AuthedRequest, slug: str, rubric_id: int) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.ADMIN)
    services.discard_draft(rubric=access.rubric_or_404(project, rubric_id))
    messages.success(request, _("The draft is gone."))
    return redirect("rubrics:index", slug=slug)
