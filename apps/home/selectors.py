"""What the pages of a project show, read from all the apps below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nlargest
from typing import Any, Literal

from django.db.models import Aggregate, Count, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.annotation.models import Flag, Round, RoundMember
from apps.annotation.selectors import rounds_with_progress
from apps.core.figures import count, percent
from apps.datasets.models import Dataset
from apps.home.figures import Figures, figures
from apps.imports.models import Import
from apps.judging.models import JudgeConfig, JudgeRun
from apps.judgments.models import Rater
from apps.projects import selectors as project_selectors
from apps.projects.access import may_grant, may_manage
from apps.projects.models import Membership, Project, Role
from apps.rubrics.models import RubricVersion

LATELY = 8
State = Literal["done", "doing", "todo"]


# --- progress ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """Labels given and asked for, over the rounds of a project that are not closed (or all, where all are)."""

    done: int = 0
    places: int = 0
    people: int = 0
    simulated: int = 0
    rounds: tuple[Round, ...] = ()

    @property
    def left(self) -> int:
        return max(0, self.places - self.done)


def progress(project: Project) -> Progress:
    every = rounds_with_progress(project)
    rows = [row for row in every if row.round.status != Round.Status.CLOSED] or every
    who = RoundMember.objects.filter(round__in=[row.round for row in rows], done__gt=0).aggregate(
        people=Count("user", distinct=True, filter=Q(rater__is_simulated=False)),
        simulated=Count("user", distinct=True, filter=Q(rater__is_simulated=True)),
    )
    return Progress(
        done=sum(row.done for row in rows),
        places=sum(row.needed for row in rows),
        people=who["people"],
        simulated=who["simulated"],
        rounds=tuple(row.round for row in rows),
    )


@dataclass(frozen=True, slots=True)
class OwnProgress:
    done: int
    open_rounds: int


def own_progress(project: Project, user: User) -> OwnProgress:
    """What an annotator may see: their own labels, and whether there is anything to label."""
    return OwnProgress(
        done=RoundMember.objects.filter(round__project=project, user=user).aggregate(done=Sum("done", default=0))[
            "done"
        ],
        open_rounds=Round.objects.filter(project=project, status=Round.Status.OPEN).count(),
    )


# --- the start page ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Card:
    project: Project
    role: Role
    progress: Progress
    own: OwnProgress

    @property
    def leads(self) -> bool:
        return self.role != Role.ANNOTATOR


def project_cards(user: User) -> list[Card]:
    """The user's projects; an annotator's say nothing about others' progress."""
    roles = project_selectors.roles_of(user)
    cards = []
    for project in project_selectors.projects_of(user):
        role = roles.get(project.pk, Role.ADMIN)
        shown = Progress() if role == Role.ANNOTATOR else progress(project)
        cards.append(Card(project, role, shown, own_progress(project, user)))
    return sorted(cards, key=lambda card: card.project.archived_at is not None)


# --- the overview -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    text: str
    state: State
    url: str
    action: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    progress: Progress
    figures: Figures | None
    steps: list[Step]
    judges: list[JudgeConfig]
    lately: list[Event]

    @property
    def steps_done(self) -> int:
        return sum(step.state == "done" for step in self.steps)


def overview(project: Project) -> Overview:
    shown = progress(project)
    known = figures(project)
    return Overview(
        progress=shown,
        figures=known,
        steps=_in_order(_steps(project, shown, known)),
        judges=list(JudgeConfig.objects.filter(project=project, archived_at=None).select_related("rater")),
        lately=nlargest(LATELY, _events(project), key=lambda event: event.at),
    )


def _in_order(steps: list[Step]) -> list[Step]:
    """What is next, what runs, what is to come, then what is done."""
    undone = [step for step in steps if step.state != "done"]
    first = next((step for step in undone if step.action), None)
    shown = [Step(s.title, s.text, s.state, s.url, s.action, now=s is first) for s in undone]
    return sorted(shown, key=lambda step: not step.now) + [step for step in steps if step.state == "done"]


def _steps(project: Project, shown: Progress, known: Figures | None) -> list[Step]:
    return [
        _rubric_step(project),
        _items_step(project),
        _people_step(project),
        *_label_steps(project, shown),
        _judge_step(project),
        _agreement_step(project, known),
    ]


def _at(name: str, project: Project, *args: object) -> str:
    return reverse(name, args=[project.slug, *args])


def _rubric_step(project: Project) -> Step:
    title, url = _("Rubric"), _at("rubrics:index", project)
    published = RubricVersion.objects.filter(
        rubric__project=project, rubric__archived_at=None, status=RubricVersion.Status.PUBLISHED
    )
    latest = published.order_by("-published_at").select_related("rubric").annotate(questions=Count("criteria")).first()
    if latest is None:
        text = _("Say what is asked about each item, and what every answer means.")
        return Step(title, text, "todo", _at("rubrics:new", project), _("Add a rubric"))
    others = published.values("rubric").distinct().count() - 1
    name = _("“%(name)s”, version %(number)s") % {"name": latest.rubric.name, "number": latest.number}
    questions = ngettext("one question", "%(n)s questions", latest.questions) % {"n": latest.questions}
    text = _("%(name)s: %(questions)s.") % {"name": name, "questions": questions}
    if others:
        more = ngettext("One more rubric is in use.", "%(n)s more rubrics are in use.", others) % {"n": others}
        text = _("%(first)s %(second)s") % {"first": text, "second": more}
    return Step(title, text, "done", url, _("Open"))


def _items_step(project: Project) -> Step:
    title = _("Items")
    total = Dataset.objects.filter(project=project, archived_at=None).aggregate(
        items=Sum("item_count", default=0), datasets=Count("pk")
    )
    if not total["items"]:
        text = _("Import what is to be judged: pairs of answers, or single ones, one JSON object a line.")
        return Step(title, text, "todo", _at("imports:items", project), _("Import items"))
    items = ngettext("one item", "%(n)s items", total["items"]) % {"n": count(total["items"])}
    datasets = ngettext("one dataset", "%(n)s datasets", total["datasets"]) % {"n": total["datasets"]}
    text = _("%(items)s in %(datasets)s.") % {"items": items, "datasets": datasets}
    return Step(title, text[:1].upper() + text[1:], "done", _at("datasets:items", project), _("Open"))


def _people_step(project: Project) -> Step:
    title, url = _("People"), _at("home:team", project)
    members = Membership.objects.filter(project=project).count()
    invited = project_selectors.open_invitations(project).count()
    if members >= 2 or project.is_demo:
        text = ngettext("One person can label here.", "%(n)s people can label here.", members) % {"n": members}
        return Step(title, text, "done", url, _("Open"))
    if invited:
        text = ngettext(
            "One invitation has not been accepted yet.", "%(n)s invitations have not been accepted yet.", invited
        ) % {"n": invited}
        return Step(title, text, "doing", url, _("See the team"))
    text = _("Invite people by link. Two or more on the same items show how far people agree.")
    return Step(title, text, "todo", url, _("Invite people"))


def _label_steps(project: Project, shown: Progress) -> list[Step]:
    rounds_title, labels_title = _("Round"), _("Labels")
    rounds_url, desk_url = _at("annotation:rounds", project), _at("annotation:next", project)
    brought = Rater.objects.filter(project=project, kind=Rater.Kind.HUMAN, user=None, is_simulated=False).count()
    if not shown.rounds:
        if brought:
            text = ngettext(
                "The labels of one person were imported.", "The labels of %(n)s people were imported.", brought
            ) % {"n": brought}
            return [Step(labels_title, text, "done", rounds_url, _("Open"))]
        return [
            Step(
                rounds_title,
                _("Give a dataset to annotators under a rubric."),
                "todo",
                rounds_url,
                _("Open a round"),
            ),
            Step(labels_title, _("They come as soon as a round is open."), "todo", rounds_url, ""),
        ]
    names = ", ".join(each.name for each in shown.rounds[:3])
    rounds = Step(rounds_title, names, "done", rounds_url, _("Open"))
    if not shown.left:
        text = _("All %(n)s are there.") % {"n": count(shown.places)}
        return [rounds, Step(labels_title, text, "done", rounds_url, _("Open"))]
    if not shown.done:
        text = _("Nobody has labelled in this round yet; %(n)s labels are asked for.") % {"n": count(shown.places)}
        return [rounds, Step(labels_title, text, "todo", desk_url, _("Start labelling"))]
    text = _("%(left)s left of %(all)s.") % {"left": count(shown.left), "all": count(shown.places)}
    return [rounds, Step(labels_title, text, "doing", desk_url, _("Label"))]


def _judge_step(project: Project) -> Step:
    title = _("Judge run")
    runs = JudgeRun.objects.filter(project=project).select_related("judge").order_by("-number")
    live = runs.filter(status__in=[JudgeRun.Status.QUEUED, JudgeRun.Status.RUNNING]).first()
    if live is not None:
        given = _verdicts(live)
        share = percent(given / live.total if live.total else 0, 0)
        text = _("Run %(number)s of %(judge)s is at %(share)s.") % {
            "number": live.number,
            "judge": live.judge.name,
            "share": share,
        }
        return Step(title, text, "doing", _at("judging:run", project, live.number), _("Watch"))
    done = runs.filter(status=JudgeRun.Status.DONE).first()
    if done is not None:
        text = _("Run %(number)s of %(judge)s is done: %(n)s verdicts.") % {
            "number": done.number,
            "judge": done.judge.name,
            "n": count(_verdicts(done)),
        }
        return Step(title, text, "done", _at("judging:runs", project), _("Open"))
    text = _("Let a judge label the same items. Start with the baselines: any judge has to beat them.")
    return Step(title, text, "todo", _at("judging:judges", project), _("Choose a judge"))


def _verdicts(run: JudgeRun) -> int:
    done: int = run.shards.aggregate(done=Sum("done", default=0))["done"]
    return done


def _agreement_step(project: Project, known: Figures | None) -> Step:
    title, url = _("Agreement"), _at("analytics:agreement", project)
    if known is None or known.shown is None:
        text = _("Appears as soon as two raters have labelled the same items.")
        return Step(title, text, "todo", url, "")
    return Step(title, _("How far people agree with each other and with the judges."), "done", url, _("Open"))


def _events(project: Project) -> Iterator[Event]:
    """The newest of each kind; the page shows the newest of all."""
    for each in Import.objects.filter(project=project).exclude(status=Import.Status.WAITING).order_by("-pk")[:LATELY]:
        yield Event(each.finished_at or each.created_at, _import_text(each), _at("imports:report", project, each.pk))
    for dataset in Dataset.objects.filter(project=project, imports=None).order_by("-created_at")[:LATELY]:
        n = dataset.item_count
        text = ngettext("%(name)s: one item added", "%(name)s: %(n)s items added", n) % {
            "name": dataset.name,
            "n": count(n),
        }
        yield Event(dataset.created_at, text, _at("datasets:items", project))
    for run in JudgeRun.objects.filter(project=project).select_related("judge").order_by("-number")[:LATELY]:
        url = _at("judging:run", project, run.number)
        facts = {"number": run.number, "judge": run.judge.name, "how": run.get_status_display()}
        if run.finished_at is not None:
            yield Event(run.finished_at, _("Run %(number)s of %(judge)s: %(how)s") % facts, url)
        else:
            yield Event(run.created_at, _("Run %(number)s of %(judge)s started") % facts, url)
    for each_round in Round.objects.filter(project=project).order_by("-created_at")[:LATELY]:
        text = _("Round opened: %(name)s") % {"name": each_round.name}
        yield Event(each_round.created_at, text, _at("annotation:rounds", project))
    for version in (
        RubricVersion.objects.filter(rubric__project=project, published_at__isnull=False)
        .select_related("rubric")
        .order_by("-published_at")[:LATELY]
    ):
        text = _("%(name)s: version %(number)s published") % {"name": version.rubric.name, "number": version.number}
        assert version.published_at is not None
        yield Event(version.published_at, text, _at("rubrics:index", project))
    for flag in (
        Flag.objects.filter(assignment__round__project=project)
        .select_related("assignment__user", "assignment__item")
        .only("created_at", "note", "assignment__user", "assignment__item__external_id")
        .order_by("-created_at")[:LATELY]
    ):
        text = _("%(name)s flagged %(item)s: “%(note)s”") % {
            "name": flag.assignment.user.shown_name,
            "item": flag.assignment.item.external_id,
            "note": flag.note,
        }
        yield Event(flag.created_at, text, _at("datasets:item", project, flag.assignment.item_id))
    for membership in project_selectors.members(project).order_by("-created_at")[:LATELY]:
        if membership.user_id != project.created_by_id:
            text = _("%(name)s joined") % {"name": membership.user.shown_name}
            yield Event(membership.created_at, text, _at("home:team", project))


def _import_text(each: Import) -> str:
    facts = {"file": each.file_name, "n": count(each.good), "bad": count(each.bad)}
    if each.status == Import.Status.FAILED:
        return _("Import of %(file)s failed") % facts
    if each.status == Import.Status.REFUSED:
        return ngettext("%(file)s refused: one bad line", "%(file)s refused: %(bad)s bad lines", each.bad) % facts
    if each.kind == Import.Kind.ITEMS:
        return ngettext("One item imported from %(file)s", "%(n)s items imported from %(file)s", each.good) % facts
    return ngettext("One judgment imported from %(file)s", "%(n)s judgments imported from %(file)s", each.good) % facts


# --- the team ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Member:
    membership: Membership
    done: int
    last_label: datetime | None
    #: the roles that the person looking may give them; empty where they may not touch this member
    grantable: list[Role] = field(default_factory=list)


_ROLE_ORDER = {Role.ADMIN: 0, Role.LEAD: 1, Role.ANNOTATOR: 2}


def team(project: Project, by: Role) -> list[Member]:
    """Members with the labels they gave in this project, as someone of role `by` sees them."""
    labels: dict[int, tuple[int, datetime | None]] = {
        row["user"]: (row["labels"], row["last"])
        for row in RoundMember.objects.filter(round__project=project)
        .values("user")
        .annotate(labels=Sum("done"), last=Max("last_seen_at", filter=Q(done__gt=0)))
    }
    rows = []
    for membership in project_selectors.members(project):
        done, last = labels.get(membership.user_id, (0, None))
        grantable = [role for role in Role if may_grant(by, role)] if may_manage(by, Role(membership.role)) else []
        rows.append(Member(membership, done, last, grantable))
    return sorted(rows, key=lambda row: (_ROLE_ORDER[Role(row.membership.role)], row.membership.user.username))


def other_raters(project: Project) -> QuerySet[Rater]:
    """People known from imports only, and simulated annotators."""
    outside = Q(user=None) | Q(is_simulated=True)
    return Rater.objects.filter(outside, project=project, kind=Rater.Kind.HUMAN).order_by("-is_simulated", "name")


# --- the navigation ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NavCounts:
    items: int
    version: int
    rounds: int
    members: int
    judges: int
    live_runs: int


def nav_counts(project: Project) -> NavCounts:
    """The small figures beside the pages' names: one query, and none over a table that grows with use."""
    here = OuterRef("pk")

    def number(queryset: QuerySet[Any], total: Aggregate) -> Coalesce:
        # An aggregate over all rows of the subquery needs a group, and a project is one.
        grouped = queryset.order_by().values(project_of(queryset)).annotate(total=total).values("total")
        return Coalesce(Subquery(grouped, output_field=IntegerField()), 0)

    def project_of(queryset: QuerySet[Any]) -> str:
        return "rubric__project" if queryset.model is RubricVersion else "project"

    live = [JudgeRun.Status.QUEUED, JudgeRun.Status.RUNNING]
    versions = RubricVersion.objects.filter(
        rubric__project=here, rubric__archived_at=None, status=RubricVersion.Status.PUBLISHED
    )
    row = (
        Project.objects.filter(pk=project.pk)
        .annotate(
            item_total=number(Dataset.objects.filter(project=here, archived_at=None), Sum("item_count")),
            latest_version=number(versions, Max("number")),
            round_total=number(Round.objects.filter(project=here), Count("pk")),
            member_total=number(Membership.objects.filter(project=here), Count("pk")),
            judge_total=number(JudgeConfig.objects.filter(project=here, archived_at=None), Count("pk")),
            live_total=number(JudgeRun.objects.filter(project=here, status__in=live), Count("pk")),
        )
        .values_list("item_total", "latest_version", "round_total", "member_total", "judge_total", "live_total")
        .get()
    )
    return NavCounts(*row)
