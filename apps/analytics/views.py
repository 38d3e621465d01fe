"""The agreement pages. For leads and admins: annotators must not see each other's labels or a judge's."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from apps.analytics import cache, pair_page, selectors, tables
from apps.analytics.forms import FilterForm
from apps.analytics.frames import Version
from apps.analytics.page import Show, agreement_page
from apps.analytics.run_page import with_people
from apps.analytics.selectors import Judged
from apps.core.http import AuthedRequest
from apps.judging.models import JudgeRun
from apps.projects.access import project_for
from apps.projects.models import Project, Role

PAIRS_A_PAGE = 50
PATIENCE = 30  # seconds after which a page that waits says what may be wrong


@dataclass(frozen=True, slots=True)
class _View:
    project: Project
    form: FilterForm
    judged: Judged
    show: Show

    @property
    def keys(self) -> dict[str, int]:
        return {"dataset_id": self.judged.dataset.pk, "criterion_id": self.judged.criterion.pk}

    @property
    def url_here(self) -> str:
        return self.url("agreement")

    @property
    def query(self) -> str:
        return urlencode({"criterion": self.judged.criterion.pk, "dataset": self.judged.dataset.pk, "show": self.show})

    def url(self, name: str, **more: str) -> str:
        address = f"{reverse(f'analytics:{name}', args=[self.project.slug])}?{self.query}"
        return f"{address}&{urlencode(more)}" if more else address


def _asked(request: AuthedRequest, slug: str) -> tuple[Project, FilterForm | None, _View | None]:
    """What the address asks for; neither form nor view where nothing was judged. Raises Http404."""
    project = project_for(request, slug, at_least=Role.LEAD)
    judged = selectors.judged(project)
    if not judged:
        return project, None, None
    form = FilterForm({name: request.GET[name] for name in FilterForm.base_fields if request.GET.get(name)}, judged)
    if not form.is_valid():
        raise Http404(_("This address names data that is not here."))
    return project, form, _View(project, form, form.chosen(), cast(Show, form.cleaned_data["show"]))


def _wanted(request: AuthedRequest, slug: str) -> _View:
    _project, _form, view = _asked(request, slug)
    if view is None:
        raise Http404
    return view


def _report(view: _View) -> dict[str, Any] | None:
    return selectors.report(view.judged, cache.version(**view.keys))


@login_required
@require_safe
def agreement(request: AuthedRequest, slug: str) -> HttpResponse:
    """How far raters agree. Where a worker computes it the page asks again: 204, then a refresh."""
    project, form, view = _asked(request, slug)
    context: dict[str, Any] = {"project": project, "form": form, "view": view}
    if view is not None:
        report = _report(view)
        context["slow"] = report is None and cache.waited(**view.keys) > PATIENCE
        if request.htmx:
            return _asked_again(request, context, ready=report is not None)
        if report is not None:
            context |= _shown(request, view, report)
        context["link"] = request.build_absolute_uri(view.url("agreement"))
    return render(request, "analytics/agreement.html", context)


def _asked_again(request: AuthedRequest, context: dict[str, Any], *, ready: bool) -> HttpResponse:
    """What a waiting page gets."""
    if ready:
        return HttpResponseClientRefresh()
    return render(request, "analytics/_waiting.html", context) if context["slow"] else HttpResponse(status=204)


def _shown(request: AuthedRequest, view: _View, report: Mapping[str, Any]) -> dict[str, Any]:
    page = agreement_page(report, selectors.raters(report["order"]), view.show, view.url("pair"))
    return {
        "page": page,
        "version": report["version"],
        "fresh_url": view.url("fresh", since=report["version"]),
        "listed": None if page.map else Paginator(page.pairs, PAIRS_A_PAGE).get_page(request.GET.get("page")),
        "pairs_csv": view.url("pairs_csv"),
        "figures_csv": view.url("figures_csv"),
    }


@login_required
@require_safe
def fresh(request: AuthedRequest, slug: str) -> HttpResponse:
    """Asked every few seconds: says so when there are newer labels than those shown."""
    view = _wanted(request, slug)
    since = Version.read(request.GET.get("since", ""))
    if since is None:
        raise Http404
    newer = selectors.showable(view.judged, since)
    context = {
        "new": max(0, newer.count - since.count) if newer else 0,
        "newer": newer,
        "fresh_url": view.url("fresh", since=str(since)),
        "page_url": view.url("agreement"),
    }
    return render(request, "analytics/_fresh.html", context)


@login_required
@require_safe
def pair(request: AuthedRequest, slug: str) -> HttpResponse:
    """Two raters: their confusion table and every figure with its interval."""
    view = _wanted(request, slug)
    ids = [request.GET.get(name, "") for name in ("a", "b")]
    page = pair_page.pair_page(view.judged, *ids)
    if page is None:
        raise Http404(_("These two raters have not judged anything here."))
    context = {"project": view.project, "view": view, "page": page, "back": view.url("agreement")}
    return render(request, "analytics/pair.html", context)


@login_required
@require_safe
def run(request: AuthedRequest, slug: str, number: int) -> HttpResponse:
    """The part of a run's page that says how its judge does beside people."""
    project = project_for(request, slug, at_least=Role.LEAD)
    runs = JudgeRun.objects.select_related("judge", "dataset", "rubric_version")
    found = get_object_or_404(runs, project=project, number=number)
    live = found.status in {JudgeRun.Status.QUEUED, JudgeRun.Status.RUNNING}
    context = {"project": project, "run": found, "live": live, "rows": with_people(found)}
    return render(request, "analytics/_run.html", context)


@login_required
@require_safe
def pairs_csv(request: AuthedRequest, slug: str) -> HttpResponse:
    """Every two raters, one a line."""
    return _csv(_wanted(request, slug), "pairs", tables.pairs)


@login_required
@require_safe
def figures_csv(request: AuthedRequest, slug: str) -> HttpResponse:
    """Every coefficient of people, of judges, and of each judge with people, one a line."""
    return _csv(_wanted(request, slug), "agreement", tables.figures)


def _csv(view: _View, name: str, lines: Any) -> HttpResponse:
    report = _report(view)
    if report is None:
        text = _("The figures are being computed. Try again in a moment.")
        return HttpResponse(text, status=503, headers={"Retry-After": "5"}, content_type="text/plain; charset=utf-8")
    parts = [view.project.slug, slugify(view.judged.dataset.name, allow_unicode=False), view.judged.criterion.key, name]
    file_name = "-".join(slugify(part) for part in parts if slugify(part))
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}.csv"'},
    )
    writer = csv.writer(response)
    rows: Iterator[list[object]] = lines(report, selectors.raters(report["order"]))
    writer.writerows(rows)
    return response
