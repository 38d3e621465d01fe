"""What there is to report on, and the few figures other pages show of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.db import connection

from apps.analytics import cache, dashboard
from apps.analytics.frames import Version, newest_label
from apps.datasets.models import Dataset
from apps.judging.models import JudgeConfig
from apps.judgments.models import Rater
from apps.projects.models import Project
from apps.rubrics.models import Criterion


@dataclass(frozen=True, slots=True)
class Judged:
    """A criterion under which items of a dataset have been judged."""

    dataset: Dataset
    criterion: Criterion
    newest: int


# One probe at the end of the index `judgment_by_criterion` for each pair of a dataset and a criterion.
_JUDGED = """
SELECT d.id, c.id, j.id
FROM datasets_dataset d
CROSS JOIN rubrics_criterion c JOIN rubrics_rubricversion v ON v.id = c.version_id
JOIN rubrics_rubric r ON r.id = v.rubric_id AND r.project_id = d.project_id
CROSS JOIN LATERAL (SELECT id FROM judgments_judgment
    WHERE dataset_id = d.id AND criterion_id = c.id ORDER BY id DESC LIMIT 1) j
WHERE d.project_id = %s AND d.archived_at IS NULL
ORDER BY j.id DESC
"""


def judged(project: Project) -> list[Judged]:
    """Everything that has been judged in the project, most recently judged first; archived datasets stay out."""
    with connection.cursor() as cursor:
        cursor.execute(_JUDGED, [project.pk])
        found = cursor.fetchall()
    datasets = Dataset.objects.in_bulk({row[0] for row in found})
    criteria = Criterion.objects.select_related("version__rubric").in_bulk({row[1] for row in found})
    return [Judged(datasets[dataset], criteria[criterion], newest) for dataset, criterion, newest in found]


def main(found: list[Judged]) -> Judged | None:
    """What a page is about when nobody has chosen: the most recently judged preference, else whatever is newest."""
    return next((each for each in found if each.criterion.kind == Criterion.Kind.PAIR), found[0] if found else None)


@dataclass(frozen=True, slots=True)
class Who:
    """A rater as pages show it: `code` is short, R1 for people and J1 for judges."""

    pk: int
    code: str
    name: str
    is_judge: bool
    is_baseline: bool
    is_simulated: bool


def raters(order: list[str]) -> dict[str, Who]:
    """The raters of a report by their ids as text, in its order."""
    rows = Rater.objects.in_bulk([int(pk) for pk in order])
    baselines = set(JudgeConfig.objects.filter(rater__in=list(rows), engine="baseline").values_list("rater", flat=True))
    found: dict[str, Who] = {}
    people = judges = 0
    for text in order:
        rater = rows[int(text)]
        judge = rater.kind == Rater.Kind.JUDGE
        people, judges = people + (not judge), judges + judge
        code = f"J{judges}" if judge else f"R{people}"
        found[text] = Who(rater.pk, code, rater.name, judge, rater.pk in baselines, rater.is_simulated)
    return found


def report(view: Judged, version: Version) -> dict[str, Any] | None:
    """The report of these labels, or an earlier one or None while that takes longer than a page may: a worker makes it.

    `version` in the report says of which labels it is.
    """
    found = dashboard.known(dataset_id=view.dataset.pk, criterion=view.criterion, version=version)
    shown = None if found is None else Version.read(found["version"])
    if shown is None or shown.count < version.count:
        keys = {"dataset_id": view.dataset.pk, "criterion_id": view.criterion.pk}
        if cache.begin_warming(**keys):
            current_app.send_task("apps.analytics.tasks.warm", kwargs=keys)  # by name: tasks stand above selectors
    return found


def showable(view: Judged, shown: Version) -> Version | None:
    """Newer labels than those shown that a page could show at once; None if there are none, or not yet."""
    keys = {"dataset_id": view.dataset.pk, "criterion_id": view.criterion.pk}
    if newest_label(**keys) == shown.newest:
        return None
    now = cache.version(**keys)
    if dashboard.is_small(**keys, version=now):
        return now
    report(view, now)  # asks a worker
    last = cache.last_version(**keys)
    return last if last is not None and last.count > shown.count else None


# --- for the project's overview ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of a project's main criterion; each `stat` is what `{% stat %}` takes, or None if it has no sense."""

    dataset: Dataset
    criterion: Criterion
    #: labels that count, and the people who gave some
    labels: int
    people: int
    #: Krippendorff's alpha of the people, and its name in the report
    alpha: dict[str, Any]
    alpha_name: str
    #: the judge nearest to the people, the baselines only where there is no other
    judge: Who | None = None
    #: that judge with each person's vote, people with one another in the same units, and verdicts kept when swapped
    judge_with_people: dict[str, Any] | None = None
    people_with_people: dict[str, Any] | None = None
    consistency: dict[str, Any] | None = None


def overview(project: Project) -> Overview | None:
    """The figures of the main criterion; None while there are none, or none yet (a worker has then been asked)."""
    view = main(judged(project))
    if view is None:
        return None
    version = cache.version(dataset_id=view.dataset.pk, criterion_id=view.criterion.pk)
    found = report(view, version)
    if found is None:
        return None
    criterion = found["criterion"]
    who = raters(found["order"])
    name = alpha_name(found)
    best = best_judge(criterion, who)
    figures = {} if best is None else criterion["judges"][str(best.pk)]
    return Overview(
        dataset=view.dataset,
        criterion=view.criterion,
        labels=sum(rater["judgments"] for rater in found["raters"].values()),
        people=criterion["coverage"]["humans"]["raters"],
        alpha=criterion["agreement"]["humans"][name],
        alpha_name=name,
        judge=best,
        judge_with_people=judge_with_people(figures),
        people_with_people=figures.get("ceiling", {}).get("human_human_agreement"),
        consistency=(figures.get("swap") or {}).get("consistency"),
    )


def alpha_name(found: Mapping[str, Any], among: str = "humans") -> str:
    """Which alpha fits the criterion: nominal for labels, ordinal for a short scale, interval for a long one."""
    if found["kind"] != "score":
        return "krippendorff_alpha_nominal"
    whole = found["criterion"]["agreement"][among]["krippendorff_alpha_ordinal"]["reason"] != "not_whole"
    return (
        "krippendorff_alpha_ordinal"
        if whole and len(found["criterion"]["categories"]) <= LONG
        else "krippendorff_alpha_interval"
    )


LONG = 11  # levels: 0-10 is still a scale of steps


def judge_with_people(figures: Mapping[str, Any]) -> dict[str, Any] | None:
    """How often a judge agrees with people, in the units that its kind of criterion allows."""
    stat: dict[str, Any] | None = figures.get("ceiling", {}).get("judge_human_agreement")
    return stat if stat is not None else figures.get("vs_humans", {}).get("accuracy")


def best_judge(criterion: Mapping[str, Any], who: Mapping[str, Who]) -> Who | None:
    """The judge nearest to the people's majority; a baseline only where no other judge has a figure."""
    ranked = [
        (not who[pk].is_baseline, stat["estimate"], pk)
        for pk, figures in criterion["judges"].items()
        if (stat := judge_with_people(figures)) is not None and stat["estimate"] is not None
    ]
    return who[max(ranked)[2]] if ranked else None
