"""Pages of judges and runs. For leads and admins only: annotators must not know what a judge said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core import figures
from apps.core.http import AuthedRequest
from apps.judging import engines, live, page, planning, selectors, tasks
from apps.judging.access import judge_or_404, run_or_404
from apps.judging.forms import BASELINES, ORDERS, JudgeForm, RunForm
from apps.judging.models import JudgeRun
from apps.judging.services import judges as judge_services
from apps.judging.services import runs as run_services
from apps.projects.access import project_for
from apps.projects.models import Role

A_PAGE = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def judges(request: AuthedRequest, slug: str) -> HttpResponse:
    """The project's judges, and a form that makes another."""
    project = project_for(request, slug, at_least=Role.LEAD)
    form = JudgeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = judge_services.create_judge(
                project=project,
                name=form.cleaned_data["name"],
                engine="baseline",
                model=form.cleaned_data["model"],
                params=form.cleaned_data["params"],
                by=request.user,
            )
        except judge_services.JudgeNameTaken:
            form.add_error("name", _("Somebody or something in this project has this name. Choose another one."))
        else:
            messages.success(request, _("%(judge)s is ready to run.") % {"judge": made.name})
            return redirect("judging:judge", slug, made.pk)
    context = {"project": project, "judges": selectors.judges_of(project), "form": form, "baselines": dict(BASELINES)}
    return render(request, "judging/judges.html", context, status=422 if form.is_bound else 200)


@login_required
@require_safe
def judge(request: AuthedRequest, slug: str, judge_id: int) -> HttpResponse:
    """What the judge is: enough to run it again, and the runs it had."""
    project = project_for(request, slug, at_least=Role.LEAD)
    found = judge_or_404(project, judge_id)
    context = {
        "project": project,
        "judge": found,
        "what": dict(BASELINES).get(found.model, ""),
        "versions": engines.versions(found),
        "runs": selectors.runs_of(project).filter(judge=found)[:A_PAGE],
    }
    return render(request, "judging/judge.html", context)


@login_required
@require_POST
def archive(request: AuthedRequest, slug: str, judge_id: int) -> HttpResponse:
    """Put a judge away."""
    found = judge_or_404(project_for(request, slug, at_least=Role.LEAD), judge_id)
    judge_services.archive_judge(judge=found)
    messages.success(request, _("%(judge)s is archived. What it judged stays.") % {"judge": found.name})
    return redirect("judging:judges", slug)


@login_required
@require_POST
def restore(request: AuthedRequest, slug: str, judge_id: int) -> HttpResponse:
    """Bring a judge back."""
    found = judge_or_404(project_for(request, slug, at_least=Role.LEAD), judge_id)
    judge_services.restore_judge(judge=found)
    messages.success(request, _("%(judge)s can run again.") % {"judge": found.name})
    return redirect("judging:judge", slug, found.pk)


@login_required
@require_safe
def runs(request: AuthedRequest, slug: str) -> HttpResponse:
    """The project's runs, newest first."""
    project = project_for(request, slug, at_least=Role.LEAD)
    shown = Paginator(selectors.runs_of(project), A_PAGE).get_page(request.GET.get("page"))
    return render(request, "judging/runs.html", {"project": project, "page": shown})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_run(request: AuthedRequest, slug: str) -> HttpResponse:
    """Choose what runs, see beforehand what it will ask and leave out, then start. A GET with a query is a preview."""
    project = project_for(request, slug, at_least=Role.LEAD)
    data = request.POST if request.method == "POST" else request.GET if "dataset" in request.GET else None
    chosen = request.GET.get("judge", "")  # "Run it" on a judge's page
    form = RunForm(data, project=project, initial={"judge": chosen} if chosen.isdecimal() else None)
    plan = None
    if form.is_valid():
        parts = {
            "judge": form.cleaned_data["judge"],
            "dataset": form.cleaned_data["dataset"],
            "rubric_version": form.cleaned_data["rubric_version"],
            "orders": ORDERS[form.cleaned_data["orders"]][1],
        }
        if request.method == "POST":
            try:
                started = run_services.start_run(**parts, by=request.user)
            except run_services.NothingToJudge as nothing:
                plan = nothing.plan
            else:
                tasks.enqueue(started)
                return redirect("judging:run", slug, started.number)
        else:
            plan = run_services.preview_run(**parts)
    context = {"project": project, "form": form, "plan": plan, "left_out": left_out(plan) if plan else []}
    refused = request.method == "POST" or bool(form.errors)
    return render(request, "judging/new_run.html", context, status=422 if refused else 200)


def left_out(plan: planning.Plan) -> list[str]:
    """What the run will not ask and why, one sentence a reason."""
    return [refused(reason, n) for reason, n in sorted(plan.refused.items(), key=lambda entry: -entry[1])]


def refused(reason: str, n: int) -> str:
    """A reason for which so many items are left out, in the reader's words."""
    words = {"count": figures.count(n)}
    if reason == planning.NOT_ASKED:
        return (
            ngettext(
                "%(count)s item: the rubric asks nothing about items of its kind or scenario.",
                "%(count)s items: the rubric asks nothing about items of their kind or scenario.",
                n,
            )
            % words
        )
    if reason == engines.NO_REFERENCE:
        return (
            ngettext(
                "%(count)s question: its item has no reference answer, and this judge needs one.",
                "%(count)s questions: their items have no reference answer, and this judge needs one.",
                n,
            )
            % words
        )
    if reason == engines.WRONG_KIND:
        return (
            ngettext(
                "%(count)s question: this judge does not answer questions of its kind.",
                "%(count)s questions: this judge does not answer questions of their kind.",
                n,
            )
            % words
        )
    if reason == engines.ONE_RESPONSE:
        return (
            ngettext(
                "%(count)s question: it compares two responses, and its item has one.",
                "%(count)s questions: they compare two responses, and their items have one.",
                n,
            )
            % words
        )
    if reason == engines.NO_ANSWERS:
        return (
            ngettext(
                "%(count)s question: its criterion offers nothing to choose from.",
                "%(count)s questions: their criteria offer nothing to choose from.",
                n,
            )
            % words
        )
    return ngettext("%(count)s question: %(reason)s", "%(count)s questions: %(reason)s", n) % {
        **words,
        "reason": reason,
    }


@login_required
@require_safe
def run(request: AuthedRequest, slug: str, number: int) -> HttpResponse:
    """One run, live."""
    found = run_or_404(project_for(request, slug, at_least=Role.LEAD), number)
    only = page.status_named(request.GET.get("status", ""))
    context = {
        "project": found.project,
        "run": found,
        "parts": page.fragments(found, only=only),
        "only": only,
        "left_out": [refused(reason, n) for reason, n in found.refused.items()],
    }
    return render(request, "judging/run.html", context)


def _act(
    request: HttpRequest, slug: str, number: int, service: Callable[..., Any], done: str, *, work: bool
) -> HttpResponse:
    """Do something with a run, then show it again."""
    found = run_or_404(project_for(request, slug, at_least=Role.LEAD), number)
    try:
        service(run=found)
    except run_services.NotNow:  # a second tab or the run itself was faster: the page says how it is
        messages.warning(request, _("The run had moved on meanwhile; this is how it is now."))
    else:
        messages.success(request, done)
        if work:
            tasks.enqueue(JudgeRun.objects.select_related("judge").get(pk=found.pk))
        live.announce(found.pk, now=True)
    return redirect("judging:run", slug, number)


@login_required
@require_POST
def pause(request: AuthedRequest, slug: str, number: int) -> HttpResponse:
    return _act(request, slug, number, run_services.pause, _("Paused. Shards that run come to their end."), work=False)


@login_required
@require_POST
def resume(request: AuthedRequest, slug: str, number: int) -> HttpResponse:
    return _act(request, slug, number, run_services.resume, _("The run goes on."), work=True)


@login_required
@require_POST
def stop(request: AuthedRequest, slug: str, number: int) -> HttpResponse:
    return _act(request, slug, number, run_services.stop, _("Stopped. What was judged stays."), work=False)


@login_required
@require_POST
def retry(request: AuthedRequest, slug: str, number: int) -> HttpResponse:
    return _act(request, slug, number, run_services.retry_failed, _("The failed shards are tried again."), work=True)
