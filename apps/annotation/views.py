"""The annotator's desk, and the leads' pages about rounds.

Every desk view answers in two ways: the whole page, or, to the desk's script (header `X-Desk`), the parts that change.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import keys
from apps.annotation import access, desk, labels, selectors, services
from apps.annotation.forms import FlagForm, RoundForm, StatusForm
from apps.annotation.labels import BadLabel, Lease
from apps.annotation.models import Assignment, Round
from apps.annotation.selectors import Nothing
from apps.annotation.services import LabelRefused, RoundRefused
from apps.core.http import AuthedRequest, MemberRequest
from apps.datasets.models import Item
from apps.datasets.tasks import render_soon
from apps.projects.access import project_for
from apps.projects.models import Project, Role

# --- the desk ---------------------------------------------------------------------------------------------------------


def by_script(request: HttpRequest) -> bool:
    """Whether the desk's script asks, which wants the changing parts only."""
    return "X-Desk" in request.headers


def desk_view(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Behind sign-in. The script is told so in words: it keeps the label and must not follow to a sign-in page."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if by_script(request):
            return _say(request, _("You have been signed out. Sign in again: your label is kept in this browser."), 401)
        return redirect_to_login(request.get_full_path() if request.method == "GET" else _back(request))

    return never_cache(wrapped)


@desk_view
@require_GET
def next_item(request: AuthedRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug)
    round_ = selectors.round_to_label(project, request.user)
    if round_ is None:
        return _nothing(request, project, None, Nothing.NO_ROUND)
    return redirect("annotation:desk", slug, round_.pk)


@desk_view
@require_GET
def desk_page(request: AuthedRequest, slug: str, round_id: int) -> HttpResponse:
    project = project_for(request, slug)
    return _work(request, access.round_or_404(project, round_id))


@desk_view
@require_POST
def submit(request: AuthedRequest, slug: str, round_id: int) -> HttpResponse:
    project = project_for(request, slug)
    round_ = access.round_or_404(project, round_id)
    try:
        lease = Lease.read(request.POST.get("lease", ""))
        assignment = services.held_assignment(round=round_, user=request.user, lease=lease)
        if _may_not_label(round_) and assignment.state != Assignment.State.DONE:
            return _work(request, round_, status=409)
        asked = labels.criteria_for(
            selectors.criteria_of(round_.rubric_version), kind=assignment.item.kind, scenario=assignment.item.scenario
        )
        submission = labels.read_submission(request.POST, asked, rationale=project.rationale)
        stored = services.submit(round=round_, assignment=assignment, submission=submission)
    except BadLabel as bad:
        return (
            _say(request, str(bad), 400) if by_script(request) else _work(request, round_, notice=str(bad), status=400)
        )
    except LabelRefused as refused:
        return _work(request, round_, notice=str(refused), status=409)
    late = _("Your time for that item had run out and someone else had taken it. Your label is kept, marked as late.")
    if by_script(request):
        return _work(request, round_, notice=late if stored.late else "")
    if stored.late:
        messages.warning(request, late)
    return redirect("annotation:desk", slug, round_.pk)


@desk_view
@require_POST
def skip(request: AuthedRequest, slug: str, round_id: int) -> HttpResponse:
    project = project_for(request, slug)
    round_ = access.round_or_404(project, round_id)
    try:
        lease = Lease.read(request.POST.get("lease", ""))
        services.skip(assignment=services.held_assignment(round=round_, user=request.user, lease=lease))
    except (BadLabel, LabelRefused) as refused:
        return _work(request, round_, notice=str(refused), status=409)
    return _work(request, round_) if by_script(request) else redirect("annotation:desk", slug, round_.pk)


@desk_view
@require_POST
def flag(request: AuthedRequest, slug: str, round_id: int) -> HttpResponse:
    project = project_for(request, slug)
    round_ = access.round_or_404(project, round_id)
    form = FlagForm(request.POST if "flag" in request.POST else None)  # a bare button of the desk's form asks for it
    try:
        lease = Lease.read(request.POST.get("lease", ""))
        assignment = services.held_assignment(round=round_, user=request.user, lease=lease)
        if not form.is_valid():
            if by_script(request):
                return _say(request, " ".join(str(error) for errors in form.errors.values() for error in errors), 422)
            context = {"form": form, "round": round_, "lease": lease, "project": project}
            return render(request, "annotation/flag.html", context, status=422 if form.is_bound else 200)
        services.flag(assignment=assignment, note=form.cleaned_data["note"])
    except (BadLabel, LabelRefused) as refused:
        return _work(request, round_, notice=str(refused), status=409)
    return _work(request, round_) if by_script(request) else redirect("annotation:desk", slug, round_.pk)


def _may_not_label(round_: Round) -> Nothing | None:
    return selectors.closed_because(round_, selectors.today())


def _work(request: AuthedRequest, round_: Round, *, notice: str = "", status: int = 200) -> HttpResponse:
    """What is in this person's hands now: their item, or why there is none."""
    project = round_.project
    closed = _may_not_label(round_)
    if closed is not None:
        return _nothing(request, project, round_, closed, notice=notice, status=status)
    raw = (request.POST if request.method == "POST" else request.GET).get("view") == "raw"
    member = services.join(round=round_, user=request.user)
    leased = services.open_item(round=round_, user=request.user, raw=raw)
    if leased is None:
        why = selectors.why_nothing(round_, request.user)
        return _nothing(request, project, round_, why, notice=notice, status=status)
    member.refresh_from_db(fields=["done"])
    criteria = selectors.criteria_of(round_.rubric_version)
    parts = desk.parts(leased, criteria=criteria, shown=desk.Shown.by(project), base=_base(round_), raw=raw)
    progress = desk.progress(member.done, round_.item_count)
    if by_script(request):
        return _say(request, notice, status, progress + parts.whole)
    asked = labels.criteria_for(criteria, kind=leased.kind, scenario=leased.scenario)
    context = {
        **_frame(request, project, round_),
        "parts": parts,
        "progress": progress,
        "notice": notice,
        "pair": leased.kind == Item.Kind.PAIR,
        "version": round_.rubric_version,
        "one_key": project.one_key_submit and len(asked) == 1 and project.rationale != Project.Rationale.REQUIRED,
    }
    return render(request, "annotation/desk.html", context, status=status)


def _nothing(
    request: AuthedRequest,
    project: Project,
    round_: Round | None,
    why: Nothing,
    *,
    notice: str = "",
    status: int = 200,
) -> HttpResponse:
    done = selectors.done_by(round_, request.user) if round_ is not None else 0
    context = {**_frame(request, project, round_), "why": why.value, "done": done, "notice": notice}
    if by_script(request):
        progress = desk.progress(done, round_.item_count) if round_ is not None else SafeString()
        return _say(request, notice, status, progress + render_to_string("annotation/_nothing.html", context, request))
    return render(request, "annotation/nothing.html", context, status=status)


def _frame(request: AuthedRequest, project: Project, round_: Round | None) -> dict[str, Any]:
    membership = cast(MemberRequest, request).membership
    return {
        "project": project,
        "round": round_,
        "base": _base(round_) if round_ is not None else "",
        "leads": membership.role != Role.ANNOTATOR,
        "keys": json.dumps(keys.keys_of(request.user.keys)),
        "key_names": json.dumps({name: keys.shown(code) for name, code in request.user.keys.items()}),
    }


def _base(round_: Round) -> str:
    return reverse("annotation:desk", args=[round_.project.slug, round_.pk])


def _back(request: HttpRequest) -> str:
    """The page that a POST came from, for after signing in."""
    return request.path.removesuffix(request.path.rstrip("/").rpartition("/")[2] + "/")


def _say(request: HttpRequest, sentence: str, status: int, parts: str = "") -> HttpResponse:
    """An answer to the script: the changing parts, and a sentence to show."""
    return render(request, "annotation/_answer.html", {"sentence": sentence, "parts": parts}, status=status)


# --- rounds, for leads ------------------------------------------------------------------------------------------------


@login_required
@require_GET
def rounds(request: AuthedRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    context = {"project": project, "rounds": selectors.rounds_with_progress(project)}
    return render(request, "annotation/rounds.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_round(request: AuthedRequest, slug: str) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    form = RoundForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid():
        try:
            round_ = services.create_round(project=project, by=request.user, **form.cleaned_data)
        except RoundRefused as refused:
            form.add_error(None, str(refused))
        else:
            render_soon(round_.dataset_id)  # nothing, where the import's rendering has been through
            messages.success(request, _("The round is open. Annotators find it under “Label”."))
            return redirect("annotation:round", slug, round_.pk)
    context = {"project": project, "form": form}
    return render(request, "annotation/new_round.html", context, status=422 if form.errors else 200)


@login_required
@require_GET
def round_page(request: AuthedRequest, slug: str, round_id: int) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    round_ = access.round_or_404(project, round_id)
    context = {
        "project": project,
        "round": round_,
        "places": selectors.places_of(round_),
        "people": selectors.people_of(round_),
        "flags": selectors.flags_of(round_),
    }
    return render(request, "annotation/round.html", context)


@login_required
@require_POST
def set_status(request: AuthedRequest, slug: str, round_id: int) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    round_ = access.round_or_404(project, round_id)
    form = StatusForm(request.POST)
    if form.is_valid():
        services.set_status(round=round_, status=Round.Status(form.cleaned_data["status"]))
        said = {
            Round.Status.OPEN: _("The round is open again."),
            Round.Status.PAUSED: _("The round is paused: nobody gets an item until you open it again."),
            Round.Status.CLOSED: _("The round is closed. Its labels stay."),
        }
        messages.success(request, said[Round.Status(round_.status)])
    else:
        messages.error(request, _("A round is open, paused or closed. Nothing was changed."))
    return redirect("annotation:round", slug, round_.pk)


@login_required
@require_POST
def resolve_flag(request: AuthedRequest, slug: str, round_id: int, flag_id: int) -> HttpResponse:
    project = project_for(request, slug, at_least=Role.LEAD)
    round_ = access.round_or_404(project, round_id)
    services.resolve_flag(flag=access.flag_or_404(round_, flag_id), by=request.user)
    messages.success(request, _("The flag is marked as seen to."))
    return redirect("annotation:round", slug, round_.pk)
