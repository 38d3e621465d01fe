"""Datasets, the items browser and an item's page; for leads and admins."""

from __future__ import annotations

import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core.http import MemberRequest
from apps.datasets import access, selectors, services, texts
from apps.datasets.forms import DatasetForm, ItemFilterForm
from apps.datasets.models import Dataset
from apps.datasets.selectors import ItemFilter, language_name
from apps.projects.access import project_for
from apps.projects.models import Role

_PLACE_MAX = 2**31 - 1


@login_required
@require_safe
def items(request: MemberRequest, slug: str) -> HttpResponse:
    """The items of one dataset; the address carries dataset, filters and place, so that it can be sent to others."""
    project = project_for(request, slug, at_least=Role.LEAD)
    chosen = _number(request, "dataset")
    dataset = selectors.first_dataset(project) if chosen is None else access.dataset_or_404(project, chosen)
    if dataset is None:
        return render(request, "datasets/items.html", {"project": project, "dataset": None})
    sees_systems = access.sees_systems(request.membership)
    form = ItemFilterForm(request.GET, facets=selectors.facets(dataset), systems=sees_systems)
    context = {"project": project, "dataset": dataset, "form": form, "sees_systems": sees_systems}
    status = 200
    if form.is_valid():
        query = _query(request, dataset)
        context["query"] = query
        context["wanted"] = form.wanted
        try:
            context["page"] = selectors.item_page(
                dataset, form.wanted, after=_number(request, "after"), before=_number(request, "before")
            )
        except selectors.TooSlow:
            context["too_slow"] = True
            status = 503
    else:
        status = 422
    # What htmx asks for is the list alone; when it restores a page it has forgotten, it needs the whole of it.
    partial = request.htmx and not request.htmx.history_restore_request
    if not partial:
        active = list(selectors.active_datasets(project))
        context["datasets"] = active if dataset in active else [dataset, *active]
    response = render(request, "datasets/_items.html" if partial else "datasets/items.html", context, status=status)
    patch_vary_headers(response, ("HX-Request",))
    return response


@login_required
@require_safe
def item(request: MemberRequest, slug: str, item_id: int) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    found = access.item_or_404(project, item_id)
    sees_systems = access.sees_systems(request.membership)
    form = ItemFilterForm(request.GET, facets=selectors.facets(found.dataset), systems=sees_systems)
    wanted = form.wanted if form.is_valid() else ItemFilter()
    previous, following = selectors.neighbours(found, wanted)
    raw = request.GET.get("view") == "raw"
    shown = texts.render(found, raw=True) if raw else texts.rendered(found)
    rows, more = selectors.judgments_of(found)
    versions = {row.latest.judgment.rubric_version for row in rows}
    query = _query(request, found.dataset)
    context = {
        "project": project,
        "item": found,
        "place": found.position + 1,
        "language": language_name(found.language) if found.language else "",
        "sees_systems": sees_systems,
        "instruction": texts.spoken(shown.instruction),
        "context_html": texts.spoken(shown.context),
        "reference": texts.spoken(shown.reference),
        "responses": [
            (letter, response, texts.spoken(html))
            for letter, response, html in zip("AB", found.responses.all(), shown.responses, strict=False)
        ],
        "meta": json.dumps(found.meta, ensure_ascii=False, indent=2) if found.meta and sees_systems else "",
        "meta_hidden": bool(found.meta) and not sees_systems,
        "judgments": rows,
        # Named once above the table where all rows are of one.
        "one_version": versions.pop() if len(versions) == 1 else None,
        "more_judgments": more,
        "previous": previous,
        "following": following,
        "raw": raw,
        "query": query,
        "view_query": f"{query}&view=raw" if raw else query,
        "list_url": f"{reverse('datasets:items', args=[slug])}?{query}",
    }
    return render(request, "datasets/item.html", context)


@login_required
@require_safe
def index(request: MemberRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    counts = selectors.judgment_counts(project)
    rows = [(each, counts[each.pk]) for each in Dataset.objects.filter(project=project).order_by("-pk")]
    context = {
        "project": project,
        "active": [row for row in rows if row[0].archived_at is None],
        "archived": [row for row in rows if row[0].archived_at is not None],
    }
    return render(request, "datasets/index.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def dataset(request: MemberRequest, slug: str, dataset_id: int) -> HttpResponse:
    """What is said about a dataset, and its archive."""
    project = project_for(request, slug, at_least=Role.LEAD)
    found = access.dataset_or_404(project, dataset_id)
    # A copy, so that a form with an error does not show its values in the page's head.
    form = DatasetForm(request.POST or None, instance=access.dataset_or_404(project, dataset_id))
    status = 200
    if request.method == "POST":
        if form.is_valid():
            services.describe(dataset=found, **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect("datasets:dataset", slug, dataset_id)
        status = 422
    context = {"project": project, "dataset": found, "form": form, "uses": selectors.uses(found)}
    return render(request, "datasets/dataset.html", context, status=status)


@login_required
@require_POST
def archive(request: MemberRequest, slug: str, dataset_id: int) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    found = access.dataset_or_404(project, dataset_id)
    services.archive(dataset=found)
    messages.success(request, _("“%(name)s” is archived. Nothing was deleted.") % {"name": found.name})
    return redirect("datasets:index", slug)


@login_required
@require_POST
def restore(request: MemberRequest, slug: str, dataset_id: int) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    found = access.dataset_or_404(project, dataset_id)
    services.restore(dataset=found)
    messages.success(request, _("“%(name)s” can be used again.") % {"name": found.name})
    return redirect("datasets:index", slug)


def _number(request: HttpRequest, name: str) -> int | None:
    """A whole number of the address; what is none counts as not given."""
    value = request.GET.get(name, "")
    return min(int(value), _PLACE_MAX) if value.isascii() and value.isdigit() and len(value) <= 19 else None


def _query(request: HttpRequest, dataset: Dataset) -> str:
    """The dataset and the filters, as an address carries them: without what is empty, the place and the view."""
    query = request.GET.copy()
    for name in [name for name in query if name in {"after", "before", "view", "dataset"} or not query.get(name)]:
        del query[name]
    query["dataset"] = str(dataset.pk)
    return query.urlencode()
