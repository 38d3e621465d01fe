"""The frame's navigation: what it holds depends on the project and on one's role in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from apps.core.figures import count
from apps.core.nav import NavEntry, NavSection
from apps.home import selectors
from apps.projects.access import allows, may_create_project
from apps.projects.models import Membership, Role


def nav(request: HttpRequest) -> dict[str, object]:
    """`nav`, `nav_title`, `nav_subtitle` and the address of the project; built only where a template asks for them."""
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        return {"nav": SimpleLazyObject(lambda: _outside(request))}
    project = membership.project
    leads = allows(membership, Role.LEAD)
    return {
        "nav": SimpleLazyObject(
            lambda: _for_leads(request, membership) if leads else _for_annotators(request, membership)
        ),
        "nav_title": project.name,
        "nav_subtitle": _subtitle(membership),
        "project_url": reverse("home:project", args=[project.slug]),
        "may_archive": membership.role == Role.ADMIN,
    }


def _subtitle(membership: Membership) -> str:
    if membership.project.is_demo:
        return _("Annotators are simulated")
    return {
        Role.ANNOTATOR: _("You are an annotator"),
        Role.LEAD: _("You are a lead"),
        Role.ADMIN: _("You are an admin"),
    }[Role(membership.role)]


def _outside(request: HttpRequest) -> list[NavSection]:
    if not request.user.is_authenticated:
        return []
    entries = [_entry(request, _("Projects"), "home:start", here={"home:start"})]
    if may_create_project(request.user):
        entries.append(_entry(request, _("New project"), "home:new", here={"home:new"}))
    account = {"home:account", "home:keys", "accounts:password"}
    entries.append(_entry(request, _("Account"), "home:account", here=account))
    return [NavSection(entries)]


def _for_annotators(request: HttpRequest, membership: Membership) -> list[NavSection]:
    slug = membership.project.slug
    own = selectors.own_progress(membership.project, membership.user)
    return [
        NavSection(
            [
                _entry(request, _("Your labels"), "home:project", slug, here={"home:project"}, number=own.done),
                _entry(request, _("Label"), "annotation:next", slug, here={"annotation:next"}),
                _entry(request, _("Account"), "home:account"),
            ]
        )
    ]


def _for_leads(request: HttpRequest, membership: Membership) -> list[NavSection]:
    slug = membership.project.slug
    has = selectors.nav_counts(membership.project)
    live = ngettext("%(n)s live", "%(n)s live", has.live_runs) % {"n": has.live_runs} if has.live_runs else ""
    rubric = f"v{has.version}" if has.version else ""

    def entry(label: str, name: str, *here: str, number: int = 0, text: str = "", badge: str = "") -> NavEntry:
        return _entry(request, label, name, slug, here={name, *here}, number=number, text=text, badge=badge)

    return [
        NavSection([entry(_("Overview"), "home:project", "home:settings")]),
        NavSection(
            (
                [
                    entry(_("Items"), "datasets:items", "datasets:", "imports:", number=has.items),
                    entry(_("Rubric"), "rubrics:index", "rubrics:", text=rubric),
                    entry(_("Rounds"), "annotation:rounds", "annotation:", number=has.rounds),
                    entry(_("Team"), "home:team", "home:invite", number=has.members),
                ]
            ),
            label=_("Collect"),
        ),
        NavSection(
            (
                [
                    entry(_("Judges"), "judging:judges", "judging:judge", number=has.judges),
                    entry(_("Runs"), "judging:runs", "judging:run", "judging:new_run", badge=live),
                ]
            ),
            label=pgettext("navigation", "Judge"),
        ),
        NavSection(([entry(_("Agreement"), "analytics:agreement", "analytics:")]), label=_("Results")),
        NavSection(([entry(_("Exports"), "exports:index", "exports:")]), label=_("Take away")),
    ]


def _entry(
    request: HttpRequest,
    label: str,
    name: str,
    *args: Any,
    here: Iterable[str] = (),
    number: int = 0,
    text: str = "",
    badge: str = "",
) -> NavEntry:
    """`here`: the pages that belong to the entry, by name, or all of an app as `app:`."""
    match = request.resolver_match
    at = match.view_name if match else ""
    current = at in here or f"{at.partition(':')[0]}:" in here
    return NavEntry(
        label, reverse(name, args=args), count=text or (count(number) if number else ""), badge=badge, current=current
    )
