"""Imports: choosing a file, what became of it, and those of the past; for leads and admins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.core.http import MemberRequest
from apps.core.views import is_disk_full
from apps.datasets.models import Dataset
from apps.datasets.selectors import active_datasets
from apps.imports import selectors, services, tasks
from apps.imports.forms import ItemsForm, JudgmentsForm, UploadForm
from apps.imports.models import Import
from apps.imports.reading import TOLD
from apps.projects.access import project_for
from apps.projects.models import Project, Role

PAGE = 30
#: after this a page says that nobody seems to be reading
PATIENCE = timedelta(seconds=30)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def items(request: MemberRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    if request.method != "POST":
        form = ItemsForm(project=project, initial=_asked(request, "dataset_name", "sampling", "good_rows_only"))
        return _items_page(request, form)
    form = ItemsForm(request.POST, request.FILES, project=project)
    if form.is_valid():
        received = _receive(
            request,
            form,
            kind=Import.Kind.ITEMS,
            dataset_name=form.cleaned_data["dataset_name"],
            sampling=form.cleaned_data["sampling"],
        )
        if received is not None:
            return redirect("imports:report", slug, received.pk)
    return _items_page(request, form, status=422)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def judgments(request: MemberRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    if request.method != "POST":
        form = JudgmentsForm(project=project, initial=_asked(request, "dataset", "version", "good_rows_only"))
        return _judgments_page(request, form)
    form = JudgmentsForm(request.POST, request.FILES, project=project)
    if form.is_valid():
        received = _receive(
            request,
            form,
            kind=Import.Kind.JUDGMENTS,
            dataset_name=form.cleaned_data["dataset"].name,
            version=form.cleaned_data["version"],
        )
        if received is not None:
            return redirect("imports:report", slug, received.pk)
    return _judgments_page(request, form, status=422)


def _receive(request: MemberRequest, form: UploadForm, *, kind: Import.Kind, **where: Any) -> Import | None:
    """Keep the file and send the hint; None, with the reason on the form, where it cannot be kept."""
    file = form.cleaned_data["file"]
    try:
        received = services.receive(
            project=form.project,
            kind=kind,
            file_name=file.name,
            chunks=file.chunks(),
            by=request.user,
            good_rows_only=form.cleaned_data["good_rows_only"],
            **where,
        )
    except OSError as error:
        if not is_disk_full(error):
            raise
        form.add_error(
            "file",
            _("The server’s disk is full, so the file was not kept. Ask whoever runs it for room, then try again."),
        )
        return None
    tasks.start_soon(received)
    return received


def _items_page(request: MemberRequest, form: ItemsForm, status: int = 200) -> HttpResponse:
    context = {
        "project": form.project,
        "form": form,
        "datasets": active_datasets(form.project),
        "tabs": _tabs(form.project, "items"),
    }
    return render(request, "imports/items.html", context, status=status)


def _judgments_page(request: MemberRequest, form: JudgmentsForm, status: int = 200) -> HttpResponse:
    context = {
        "project": form.project,
        "form": form,
        "has_datasets": form.datasets.exists(),
        "has_versions": form.versions.exists(),
        "tabs": _tabs(form.project, "judgments"),
    }
    return render(request, "imports/judgments.html", context, status=status)


@login_required
@require_safe
def index(request: MemberRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    page = Paginator(selectors.imports_of(project), PAGE).get_page(request.GET.get("page"))
    return render(request, "imports/index.html", {"project": project, "page": page, "tabs": _tabs(project, "index")})


@login_required
@require_safe
def report(request: MemberRequest, slug: str, import_id: int) -> HttpResponse:
    """What became of a file. While it waits, the page asks again every second, and gets 204 while nothing is new."""
    project = project_for(request, slug, at_least=Role.LEAD)
    row = get_object_or_404(_imports(), project=project, pk=import_id)
    stage = _stage(row)
    if request.htmx and request.GET.get("seen") == stage:
        return HttpResponse(status=204)
    problems = selectors.problems_of(row)
    context = {
        "project": project,
        "row": row,
        "stage": stage,
        "shown": problems[: selectors.SHOWN],
        "kept": len(problems),
        "cut": len(problems) >= TOLD,
        "lines": row.good + row.bad,
        "again": _again(row),
        "archived": row.dataset is not None and row.dataset.archived_at is not None,
    }
    return render(request, "imports/_report.html" if request.htmx else "imports/report.html", context)


def _imports() -> QuerySet[Import]:
    return Import.objects.select_related("dataset", "created_by", "rubric_version__rubric")


def _stage(row: Import) -> str:
    """What a waiting file waits for; else its status."""
    if row.status != Import.Status.WAITING:
        return row.status
    if row.attempts:
        return "reading"
    return "late" if timezone.now() - row.created_at > PATIENCE else "waiting"


def _again(row: Import) -> str:
    """The address of the form with everything as it was chosen; the file is chosen anew."""
    if row.kind == Import.Kind.ITEMS:
        address = reverse("imports:items", args=[row.project.slug])
        query = {"dataset_name": row.dataset_name, "sampling": row.sampling}
    else:
        address = reverse("imports:judgments", args=[row.project.slug])
        dataset = Dataset.objects.filter(project=row.project, name=row.dataset_name).first()
        query = {
            "dataset": str(dataset.pk) if dataset else "",
            "version": str(row.rubric_version_id or ""),
        }
    return f"{address}?{urlencode(query)}"


@login_required
@require_safe
def problems(request: MemberRequest, slug: str, import_id: int) -> StreamingHttpResponse:
    """All problems that were kept, as a table to work through."""
    project = project_for(request, slug, at_least=Role.LEAD)
    row = get_object_or_404(Import, project=project, pk=import_id)
    return StreamingHttpResponse(
        selectors.problems_csv(row),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="import-{row.pk}-problems.csv"'},
    )


def _asked(request: HttpRequest, *names: str) -> dict[str, str]:
    """What the address fills the form with."""
    return {name: request.GET[name] for name in names if name in request.GET}


def _tabs(project: Project, current: str) -> list[tuple[str, str, bool]]:
    return [
        (text, reverse(f"imports:{name}", args=[project.slug]), name == current)
        for name, text in (("items", _("Items")), ("judgments", _("Judgments")), ("index", _("Past imports")))
    ]
