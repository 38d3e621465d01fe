"""From a report to what the agreement page shows: one sentence first, then the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from apps.analytics.page import sentences
from apps.analytics.page.figures import Figures, Stat, definitions, figures
from apps.analytics.page.given import Given, given
from apps.analytics.page.judges import Comparison, JudgePart, comparisons, judge_part
from apps.analytics.page.rater_map import MapRow, PairRow, least_first, map_rows, pair_rows
from apps.analytics.selectors import Who, alpha_name

Show = Literal["all", "people", "judges"]

# Which figures a set of raters has on the page; the fitting alpha comes first after raw agreement.
_AGREEMENT = {
    "pair": ("raw_agreement", "krippendorff_alpha_nominal", "fleiss_kappa", "gwet_ac1", "cohen_kappa_mean"),
    "choice": ("raw_agreement", "krippendorff_alpha_nominal", "fleiss_kappa", "gwet_ac1", "cohen_kappa_mean"),
    "score": (
        "raw_agreement",
        "krippendorff_alpha_ordinal",
        "krippendorff_alpha_interval",
        "fleiss_kappa",
        "gwet_ac1",
        "gwet_ac2",
        "cohen_kappa_mean",
        "cohen_kappa_linear_mean",
        "cohen_kappa_quadratic_mean",
    ),
}


@dataclass(frozen=True, slots=True)
class Apart:
    """A person who agrees with the others clearly less than those with one another."""

    who: Who
    difference: Stat
    alpha_without: Stat


@dataclass(frozen=True, slots=True)
class AgreementPage:
    kind: str
    among: str  # humans or judges: whom the sentence and the coefficients are about
    alpha: Stat
    alpha_name: str
    word: str
    sentence: str
    judge_sentence: str
    apart: list[Apart]
    shown: list[Who]
    map: list[MapRow]
    pairs: list[PairRow]
    coefficients: Figures
    coverage: str
    checked: str
    categories: list[str]
    given: list[Given]
    majority: str
    notes: list[str]
    compared: list[Comparison]
    judges: list[JudgePart]
    left_out: list[str]
    method: str
    definitions: list[tuple[str, str, str]]

    @property
    def simulated(self) -> bool:
        return any(who.is_simulated for who in self.shown)

    @property
    def bars(self) -> bool:
        return any(row.bars for row in self.given)

    @property
    def given_is_wide(self) -> bool:
        """More columns than half a page holds."""
        return any(len(row.shares) > 3 for row in self.given)

    @property
    def levels_listed(self) -> bool:
        return any(row.shares for row in self.given)


def agreement_page(report: Mapping[str, Any], who: Mapping[str, Who], show: Show, pair_url: str) -> AgreementPage:
    """What the page shows of a report; `pair_url` ends where the ids of two raters are added."""
    criterion, kind = report["criterion"], report["kind"]
    among = "judges" if show == "judges" else "humans"
    name = alpha_name(report, among)
    alpha = criterion["agreement"][among][name]
    wanted = {"all": (True, False), "people": (False,), "judges": (True,)}[show]
    shown = [each for each in who.values() if each.is_judge in wanted]
    pairs = sorted(pair_rows(criterion, who, shown, pair_url, kind), key=least_first)
    judges = [judge_part(who[pk], part, kind) for pk, part in criterion["judges"].items()] if show != "people" else []
    compared = comparisons(criterion, who) if judges else []
    coefficients = figures(criterion["agreement"][among], _AGREEMENT[kind], among[:-1], name)
    tables = [coefficients, *(each.table for each in compared), *(t for judge in judges for t in judge.tables)]
    return AgreementPage(
        kind=kind,
        among=among,
        alpha=alpha,
        alpha_name=name,
        word=sentences.word(alpha),
        sentence=sentences.sentence(alpha, report, among),
        judge_sentence=sentences.judge_sentence(criterion, who) if judges else "",
        apart=[
            Apart(who[each["rater"]], each["difference"], each["without"][name])
            for each in (report["apart"] if among == "humans" else [])
        ],
        shown=shown,
        map=map_rows(shown, pairs),
        pairs=pairs,
        coefficients=coefficients,
        coverage=sentences.coverage(criterion["coverage"][among], among),
        checked=sentences.checked(criterion["cross_check"][among]),
        categories=criterion["categories"],
        given=given(report, shown),
        majority="" if show == "judges" else sentences.majority(criterion["majority"]),
        notes=list(sentences.notes(report, criterion, among, name)),
        compared=compared,
        judges=judges,
        left_out=list(sentences.left_out(report)),
        method=sentences.method(report),
        definitions=definitions(row.name for table in tables for row in table.rows),
    )
