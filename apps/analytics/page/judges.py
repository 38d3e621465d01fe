"""Each judge beside the people: in what they share one table for all judges, then everything of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.analytics.page.figures import Figures, Row, figures
from apps.analytics.report_words import FIGURES
from apps.analytics.selectors import Who
from apps.core.figures import count, percent

_PLACES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("vs_humans", ("accuracy", "kappa_vs_majority", "kappa_vs_majority_quadratic", "macro_f1", "spearman", "pearson")),
    ("ceiling", ("judge_human_agreement", "human_human_agreement", "agreement_difference")),
    ("ceiling", ("judge_kappa", "human_kappa", "kappa_difference", "judge_pearson", "human_pearson")),
    ("swap", ("consistency", "bias_first", "bias_second", "conflict", "agreement_both_orders")),
)
_SCORES_ONLY = {"kappa_vs_majority_quadratic"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of all judges."""

    name: str
    title: str
    table: Figures


@dataclass(frozen=True, slots=True)
class JudgePart:
    who: Who
    about: list[str]
    tables: list[Figures]
    lean: str


def comparisons(criterion: Mapping[str, Any], who: Mapping[str, Who]) -> list[Comparison]:
    """On what judges are compared first: with people, with the majority of people, with themselves when swapped."""
    found = [
        _comparison(criterion, who, "ceiling", "judge_human_agreement", people="human_human_agreement"),
        _comparison(criterion, who, "vs_humans", "kappa_vs_majority"),
        _comparison(criterion, who, "vs_humans", "spearman"),
        _comparison(criterion, who, "swap", "consistency"),
    ]
    return [each for each in found if any(row.stat["estimate"] is not None for row in each.table.rows)]


def _comparison(
    criterion: Mapping[str, Any], who: Mapping[str, Who], place: str, name: str, people: str = ""
) -> Comparison:
    rows = []
    ceilings = []
    for pk, part in criterion["judges"].items():
        stat = (part[place] or {}).get(name)
        if stat is None:
            continue
        ceiling = part[place].get(people, {"estimate": None})
        ceilings.append(ceiling)
        short = _leaning(part) if place == "swap" else _("a baseline") if who[pk].is_baseline else ""
        if ceiling["estimate"] is not None:
            short = _("people with one another: %(share)s") % {"share": percent(ceiling["estimate"])}
        rows.append(Row(name, who[pk].name, short, stat, "judge", who[pk], ceiling["estimate"]))
    rows.sort(key=lambda row: -2.0 if row.stat["estimate"] is None else row.stat["estimate"], reverse=True)
    if ceilings and ceilings[0]["estimate"] is not None and all(each == ceilings[0] for each in ceilings):
        rows.insert(0, Row(people, _("People"), _("with one another: the ceiling"), ceilings[0], "human"))
    return Comparison(name, str(FIGURES[name]), Figures.of(rows))


def judge_part(who: Who, part: Mapping[str, Any], kind: str) -> JudgePart:
    tables = []
    for place, names in _PLACES:
        stats = part[place]
        if not stats or (place == "swap" and part["orders"] != "both"):
            continue
        if names[0] == "judge_kappa" and stats.get("judge_human_agreement", {}).get("estimate") is not None:
            names = tuple(name for name in names if not name.endswith("pearson"))
        names = tuple(name for name in names if kind == "score" or name not in _SCORES_ONLY)
        table = figures(stats, names, "judge")
        if any(row.stat["estimate"] is not None for row in table.rows) or place == "vs_humans":
            tables.append(table)
    return JudgePart(who, list(_about(part)), tables, _lean(part))


def _about(part: Mapping[str, Any]) -> Iterable[str]:
    items = part["items"]
    facts = {"verdicts": count(part["verdicts"]), "items": count(items)}
    if part["orders"] == "both":
        yield (
            ngettext(
                "A verdict on %(verdicts)s of %(items)s pair: the same in both orders, else a tie.",
                "A verdict on %(verdicts)s of %(items)s pairs: the same in both orders, else a tie.",
                items,
            )
            % facts
        )
    elif part["orders"] is not None:
        yield (
            ngettext(
                "A verdict on %(verdicts)s of %(items)s pair, shown in one order only.",
                "A verdict on %(verdicts)s of %(items)s pairs, shown in one order only.",
                items,
            )
            % facts
        )
    else:
        yield (
            ngettext(
                "An answer on %(verdicts)s of %(items)s item.", "An answer on %(verdicts)s of %(items)s items.", items
            )
            % facts
        )
    if part["no_verdict"]:
        yield (
            ngettext(
                "%(n)s answer could not be read as a verdict; it counts as missing, not as a tie.",
                "%(n)s answers could not be read as a verdict; they count as missing, not as ties.",
                part["no_verdict"],
            )
            % {"n": count(part["no_verdict"])}
        )
    if part["vs_humans"]["majority_ties"]:
        yield (
            ngettext(
                "%(n)s item on which people are split evenly has no majority and is left out.",
                "%(n)s items on which people are split evenly have no majority and are left out.",
                part["vs_humans"]["majority_ties"],
            )
            % {"n": count(part["vs_humans"]["majority_ties"])}
        )


def _leaning(part: Mapping[str, Any]) -> str:
    """The same in three words."""
    direction = (part["swap"] or {}).get("bias_direction")
    if direction is None or direction["estimate"] is None:
        return ""
    if part["swap"]["consistency"]["estimate"] == 1:
        return _("the order changes nothing")
    low, high = direction["ci"] or (0, 0)
    return _("leans to the first") if low > 0 else _("leans to the second") if high < 0 else _("leans to no side")


def _lean(part: Mapping[str, Any]) -> str:
    """Which side a judge leans to, as far as its interval says so."""
    swap = part["swap"]
    if not swap or part["orders"] != "both" or swap["bias_direction"]["estimate"] is None:
        return ""
    first, second = swap["bias_first"]["estimate"], swap["bias_second"]["estimate"]
    if not first and not second:
        return _("The order changes none of its verdicts.")
    facts = {"first": percent(first), "second": percent(second)}
    interval = swap["bias_direction"]["ci"]
    if interval is not None and interval[0] > 0:
        return (
            _(
                "It leans to the response shown first: the order moves its verdict there on %(first)s of the pairs, "
                "to the second on %(second)s."
            )
            % facts
        )
    if interval is not None and interval[1] < 0:
        return (
            _(
                "It leans to the response shown second: the order moves its verdict there on %(second)s of the pairs, "
                "to the first on %(first)s."
            )
            % facts
        )
    return (
        _(
            "No side is clearly preferred: the order moves its verdict to the first response on %(first)s of the "
            "pairs, to the second on %(second)s."
        )
        % facts
    )
