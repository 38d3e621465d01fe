"""Taking labels out: choose, download, check against the manifest."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from apps.core.http import AuthedRequest
from apps.core.streaming import in_thread
from apps.exports import services, words
from apps.exports.forms import JudgmentExportForm, PreferenceExportForm
from apps.exports.models import Export
from apps.projects.access import project_for
from apps.projects.models import Role

_SHOWN = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: AuthedRequest, slug: str) -> HttpResponse:
    """Both forms, and what was exported before."""
    project = project_for(request, slug, at_least=Role.LEAD)
    sent = request.POST.get("kind") if request.method == "POST" else None
    judgments = JudgmentExportForm(request.POST if sent == Export.Kind.JUDGMENTS else None, project=project)
    preferences = PreferenceExportForm(request.POST if sent == Export.Kind.PREFERENCES else None, project=project)
    form = preferences if sent == Export.Kind.PREFERENCES else judgments
    if form.is_valid():
        export = services.create_export(
            project=project,
            dataset=form.cleaned_data["dataset"],
            rubric_version=form.cleaned_data["rubric_version"],
            options=form.options(),
            by=request.user,
        )
        return redirect("exports:export", slug=slug, export_id=export.pk)
    exports = Export.objects.filter(project=project).select_related("dataset", "rubric_version__rubric", "created_by")
    context = {
        "project": project,
        "judgments": judgments,
        "preferences": preferences,
        "exports": exports[:_SHOWN],
        "ready": judgments.fields["dataset"].queryset.exists()  # type: ignore[attr-defined]
        and judgments.fields["rubric_version"].queryset.exists(),  # type: ignore[attr-defined]
        "can_prefer": preferences.fields["rubric_version"].queryset.exists(),  # type: ignore[attr-defined]
    }
    return render(request, "exports/index.html", context, status=200 if sent is None else 422)


@login_required
@require_GET
def export(request: AuthedRequest, slug: str, export_id: int) -> HttpResponse:
    found = _export_or_404(request, slug, export_id)
    return render(
        request,
        "exports/export.html",
        {
            "project": found.project,
            "export": found,
            "options": words.options(found.options),
            "counts": words.counts(found.counts),
        },
    )


@login_required
@require_GET
def data(request: AuthedRequest, slug: str, export_id: int) -> StreamingHttpResponse:
    """The file itself, sent while it is read from the database."""
    found = _export_or_404(request, slug, export_id)
    response = StreamingHttpResponse(in_thread(services.write(found)), content_type="application/jsonl")
    response["Content-Disposition"] = f'attachment; filename="{services.file_name(found)}"'
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_GET
def manifest(request: AuthedRequest, slug: str, export_id: int) -> JsonResponse:
    found = _export_or_404(request, slug, export_id)
    response = JsonResponse(services.manifest(found), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{services.file_name(found)}.manifest.json"'
    return response


def _export_or_404(request: HttpRequest, slug: str, export_id: int) -> Export:
    project = project_for(request, slug, at_least=Role.LEAD)
    exports = Export.objects.select_related("project", "dataset", "rubric_version__rubric", "created_by")
    return get_object_or_404(exports, pk=export_id, project=project)
