"""The figures of the overview: how people agree, how the judges do, and whether one may stand in for a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from apps.analytics import selectors as analytics
from apps.analytics.frames import current_version
from apps.core.figures import describe, number, percent
from apps.judging.models import JudgeConfig
from apps.projects.models import Project

#: below this share of pairs with the same verdict in both orders, order is the first thing to say about a judge
STEADY = 0.9


@dataclass(frozen=True, slots=True)
class JudgeRow:
    """A judge of the main criterion; a stat is what `{% stat %}` takes, None where it makes no sense."""

    who: analytics.Who
    #: its page, where it is a judge of ours and not one of an import
    judge: int | None
    kappa: dict[str, Any] | None
    consistency: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class StandIn:
    """The answer in a word or two, and the reason in a sentence."""

    word: str
    why: str


@dataclass(frozen=True, slots=True)
class Figures:
    """`shown` is None while a worker makes them."""

    shown: analytics.Overview | None
    stand_in: StandIn
    judges: list[JudgeRow] = field(default_factory=list)


def figures(project: Project) -> Figures | None:
    """The figures of the project's main criterion; None while nothing was judged."""
    shown = analytics.overview(project)
    if shown is None:
        if not analytics.judged(project):
            return None
        return Figures(None, StandIn(_("Not known"), _("The figures are being made. Load the page again in a moment.")))
    view = analytics.Judged(shown.dataset, shown.criterion, newest=0)
    version = current_version(dataset_id=shown.dataset.pk, criterion_id=shown.criterion.pk)
    report = analytics.report(view, version)
    if report is None:  # new labels came between the two lines
        return Figures(shown, _stand_in(shown, {}))
    who = analytics.raters(report["order"])
    by_judge: dict[str, dict[str, Any]] = report["criterion"]["judges"]
    pages = dict(JudgeConfig.objects.filter(rater__in=[who[pk].pk for pk in by_judge]).values_list("rater", "pk"))
    rows = [
        JudgeRow(
            who[pk],
            pages.get(who[pk].pk),
            found["vs_humans"].get("kappa_vs_majority"),
            found["swap"]["consistency"] if found["swap"] else None,
        )
        for pk, found in by_judge.items()
    ]
    rows.sort(key=lambda row: (row.who.is_baseline, row.who.name))
    best = {} if shown.judge is None else by_judge.get(str(shown.judge.pk), {})
    return Figures(shown, _stand_in(shown, best), rows)


def _stand_in(shown: analytics.Overview, best: dict[str, Any]) -> StandIn:
    unknown = _("Not known")
    if shown.judge is None:
        return StandIn(unknown, _("People and a judge have to label the same items first."))
    if shown.judge.is_baseline:
        return StandIn(_("No"), _("Only baselines have judged so far. They are the floor that a judge has to beat."))
    test = best.get("alt_test") or {}
    if test.get("passed") is None:
        reason = describe(test["winning_rate"]).why if "winning_rate" in test else ""
        return StandIn(unknown, reason or _("Too few people have labelled the items that it judged."))
    facts = {
        "judge": shown.judge.name,
        "rate": percent(test["winning_rate"]["estimate"], 0),
        "epsilon": number(test["epsilon"], 1),
    }
    steady = (shown.consistency or {}).get("estimate")
    if steady is not None and steady < STEADY:
        facts["share"] = percent(1 - steady, 0)
        return StandIn(_("Not yet"), _("Order changes %(share)s of the verdicts of %(judge)s.") % facts)
    if not test["passed"]:
        text = _("%(judge)s does as well as %(rate)s of the people (alt-test, ε = %(epsilon)s); it takes half of them.")
        return StandIn(_("Not yet"), text % facts)
    text = _("%(judge)s does as well as %(rate)s of the people (alt-test, ε = %(epsilon)s).")
    return StandIn(_("Perhaps"), text % facts)
