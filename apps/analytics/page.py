"""From a report to what the agreement page says: one sentence first, then the evidence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.analytics.page_words import DEFINITIONS, SHORT
from apps.analytics.report_words import FIGURES
from apps.analytics.selectors import Who, alpha_name, best_judge, judge_with_people
from apps.core.figures import REASONS, count, number, percent

Show = Literal["all", "people", "judges"]
Stat = Mapping[str, Any]
MAP: Final = 20  # raters in one map; more become a list of pairs
WELL, FAR = 0.4, 0.8  # "well" and "far beyond chance": the whole interval lies above; said among the definitions
RARE = 0.1  # a label given less often than this is rare
PARADOX_RAW, PARADOX = 0.8, 0.4  # high raw agreement, low kappa: what a common label does
LEVELS_LISTED = 11

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
_RATES = {
    "raw_agreement", "accuracy", "macro_precision", "macro_recall", "macro_f1", "accuracy_AB", "accuracy_BA",
    "judge_human_agreement", "human_human_agreement", "consistency", "consistency_decided", "bias_first",
    "bias_second", "conflict", "agreement_both_orders", "human_accuracy", "judge_accuracy",
}  # fmt: skip
_OF_PEOPLE = {"human_human_agreement", "human_kappa", "human_pearson", "human_accuracy"}
_DIFFERENCES = {"agreement_difference", "kappa_difference", "pearson_difference", "accuracy_difference"}
_SILENT = {"not_ordered", "not_numeric"}  # figures that have no sense for this kind of criterion
_JUDGE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("vs_humans", ("accuracy", "kappa_vs_majority", "kappa_vs_majority_quadratic", "macro_f1", "spearman", "pearson")),
    ("ceiling", ("judge_human_agreement", "human_human_agreement", "agreement_difference")),
    ("ceiling", ("judge_kappa", "human_kappa", "kappa_difference", "judge_pearson", "human_pearson")),
    ("swap", ("consistency", "bias_first", "bias_second", "conflict", "agreement_both_orders")),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a table."""

    name: str
    label: str
    short: str
    stat: Stat
    kind: str  # human or judge: the colour of its plot
    percent: bool = False
    signed: bool = False
    tick: float | None = None

    @property
    def plotted(self) -> bool:
        """Differences have an axis of their own, which the table has not."""
        return not self.signed


@dataclass(frozen=True, slots=True)
class Figures:
    """A table of figures on one axis."""

    rows: list[Row]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Cell:
    """Two raters in the map; `heat` 1 to 7, or 0 where kappa is not defined."""

    text: str
    heat: int
    n: int
    said: str
    url: str


@dataclass(frozen=True, slots=True)
class MapRow:
    who: Who
    below: list[Cell]
    above: list[Cell]


@dataclass(frozen=True, slots=True)
class PairRow:
    a: Who
    b: Who
    n: int
    kappa: Stat
    raw: Stat
    url: str


@dataclass(frozen=True, slots=True)
class Given:
    """How often somebody gives each label; `bars` are (class, x, width) of the plot in percent."""

    who: Who | None  # None: all people together
    n: int
    shares: list[Stat]
    bars: list[tuple[str, str, str]]
    mean: Stat | None


@dataclass(frozen=True, slots=True)
class JudgePart:
    who: Who
    about: list[str]
    tables: list[Figures]
    lean: str


@dataclass(frozen=True, slots=True)
class Apart:
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
    notes: list[str]
    judges: list[JudgePart]
    left_out: list[str]
    method: str
    definitions: list[tuple[str, str]]

    @property
    def simulated(self) -> bool:
        return any(who.is_simulated for who in self.shown)

    @property
    def bars(self) -> bool:
        return any(row.bars for row in self.given)

    @property
    def levels_listed(self) -> bool:
        return any(row.shares for row in self.given)


def agreement_page(report: Mapping[str, Any], who: Mapping[str, Who], show: Show, pair_url: str) -> AgreementPage:
    """What the page shows of a report; `pair_url` ends where the ids of two raters are added."""
    criterion = report["criterion"]
    among = "judges" if show == "judges" else "humans"
    name = alpha_name(dict(report), among)
    alpha = criterion["agreement"][among][name]
    wanted = {"all": (True, False), "people": (False,), "judges": (True,)}[show]
    shown = [each for each in who.values() if each.is_judge in wanted]
    pairs = list(_pairs(criterion, who, shown, pair_url, report["kind"]))
    judges = [] if show == "people" else [_judge(pk, part, who, criterion) for pk, part in criterion["judges"].items()]
    given = _given(report, who, shown)
    coefficients = _figures(criterion["agreement"][among], _AGREEMENT[report["kind"]], among[:-1], name)
    names = [row.name for table in [coefficients, *(t for j in judges for t in j.tables)] for row in table.rows]
    return AgreementPage(
        kind=report["kind"],
        among=among,
        alpha=alpha,
        alpha_name=name,
        word=_word(alpha),
        sentence=_sentence(alpha, criterion["coverage"][among], report, among),
        judge_sentence="" if show == "people" else _judge_sentence(criterion, who),
        apart=[]
        if show == "judges"
        else [Apart(who[a["rater"]], a["difference"], a["without"][name]) for a in report["apart"]],
        shown=shown,
        map=_map(shown, pairs) if 2 <= len(shown) <= MAP else [],
        pairs=sorted(pairs, key=_least_first),
        coefficients=coefficients,
        coverage=_coverage(criterion["coverage"][among], among),
        checked=_checked(criterion["cross_check"][among]),
        categories=criterion["categories"],
        given=given,
        notes=list(_notes(report, criterion, among, name)),
        judges=judges,
        left_out=list(_left_out(report, who)),
        method=_method(report),
        definitions=definitions(names),
    )


def definitions(names: Iterable[str]) -> list[tuple[str, str]]:
    """What the figures of these names are, each once."""
    return [(str(FIGURES[each]), str(DEFINITIONS[each])) for each in dict.fromkeys(names)]


# --- the sentence -----------------------------------------------------------------------------------------------------


def _word(alpha: Stat) -> str:
    if alpha["estimate"] is None:
        return _("No α yet")
    return _("α = %(value)s") % {"value": number(alpha["estimate"])}


def _sentence(alpha: Stat, coverage: Mapping[str, Any], report: Mapping[str, Any], among: str) -> str:
    people = among == "humans"
    there = sum(rater["kind"] == ("human" if people else "judge") for rater in report["raters"].values())
    if there == 0:
        return (
            _("Nobody has judged this yet; only judges have.")
            if people and report["raters"]
            else _("No judge has judged this yet.")
        )
    if there == 1:
        return (
            _("One person has judged this. How far people agree shows as soon as a second one judges the same items.")
            if people
            else _("One judge has judged this. Agreement among judges needs a second one.")
        )
    if alpha["reason"] == "no_overlap":
        return (
            _("Several people have judged this, but no item has the labels of two of them.")
            if people
            else _("Several judges have judged this, but no item has the verdicts of two of them.")
        )
    if alpha["reason"] == "single_category":
        return _(
            "Every label is the same, so chance alone would agree as often, and α is not defined. "
            "That is no sign of trouble: it needs items on which the answer differs."
        )
    if alpha["estimate"] is None:
        return _("α is not defined: %(why)s.") % {"why": REASONS.get(alpha["reason"], alpha["reason"])}
    if alpha["ci"] is None:
        return _("α has no interval here, so nothing can be said of agreement yet: %(why)s.") % {
            "why": REASONS.get(alpha["reason"], alpha["reason"])
        }
    low, high = alpha["ci"]
    return _graded(low, high, people) % {"low": number(low), "high": number(high)}


def _graded(low: float, high: float, people: bool) -> str:
    """Sentences that the whole interval bears out."""
    if high < 0:
        return (
            _("People agree less than chance would: α lies between %(low)s and %(high)s.")
            if people
            else _("Judges agree less than chance would: α lies between %(low)s and %(high)s.")
        )
    if low <= 0:
        return (
            _("People may agree no more than chance would: α lies between %(low)s and %(high)s.")
            if people
            else _("Judges may agree no more than chance would: α lies between %(low)s and %(high)s.")
        )
    if low < WELL:
        return (
            _("People agree beyond chance: α lies between %(low)s and %(high)s.")
            if people
            else _("Judges agree beyond chance: α lies between %(low)s and %(high)s.")
        )
    if low < FAR:
        return (
            _("People agree well beyond chance: α lies between %(low)s and %(high)s.")
            if people
            else _("Judges agree well beyond chance: α lies between %(low)s and %(high)s.")
        )
    return (
        _("People agree far beyond chance: α lies between %(low)s and %(high)s.")
        if people
        else _("Judges agree far beyond chance: α lies between %(low)s and %(high)s.")
    )


def _judge_sentence(criterion: Mapping[str, Any], who: Mapping[str, Who]) -> str:
    """The judge nearest to people beside what people reach among themselves."""
    best = best_judge(criterion, who)
    if best is None:
        return ""
    part = criterion["judges"][str(best.pk)]
    ceiling = part["ceiling"]
    nearest = judge_with_people(part)
    assert nearest is not None  # a judge without this figure is not the best
    facts = {"judge": best.name, "judge_share": percent(nearest["estimate"]), "n": count(nearest["n"])}
    sentence = _beside_people(ceiling, facts) if "judge_human_agreement" in ceiling else _alone(facts)
    if not best.is_baseline:
        return sentence
    return _("%(sentence)s It is a baseline: the floor that any judge must beat.") % {"sentence": sentence}


def _alone(facts: dict[str, str]) -> str:
    return _("%(judge)s gives the label that most people gave on %(judge_share)s of %(n)s items.") % facts


def _beside_people(ceiling: Mapping[str, Any], facts: dict[str, str]) -> str:
    people, difference = ceiling["human_human_agreement"], ceiling["agreement_difference"]
    if people["estimate"] is None or difference["ci"] is None:
        return _("%(judge)s agrees with %(judge_share)s of people’s labels.") % facts
    facts["people_share"] = percent(people["estimate"])
    low, high = difference["ci"]
    if high < 0:
        text = _(
            "%(judge)s agrees with %(judge_share)s of people’s labels, clearly less than people with one another "
            "(%(people_share)s)."
        )
    elif low > 0:
        text = _(
            "%(judge)s agrees with %(judge_share)s of people’s labels, clearly more than people with one another "
            "(%(people_share)s)."
        )
    else:
        text = _(
            "%(judge)s agrees with %(judge_share)s of people’s labels; people with one another in %(people_share)s. "
            "The difference is within what chance would bring."
        )
    return text % facts


# --- who agrees with whom ---------------------------------------------------------------------------------------------


def kappa_name(kind: str) -> str:
    """The kappa of the map: for scores a near miss counts less."""
    return "cohen_kappa_quadratic" if kind == "score" else "cohen_kappa"


def _pairs(
    criterion: Mapping[str, Any], who: Mapping[str, Who], shown: list[Who], url: str, kind: str
) -> Iterable[PairRow]:
    wanted = {each.pk for each in shown}
    for pair in criterion["pairs"]:
        a, b = who[pair["a"]], who[pair["b"]]
        if a.pk in wanted and b.pk in wanted:
            address = f"{url}&a={a.pk}&b={b.pk}"
            yield PairRow(a, b, pair["n"], pair[kappa_name(kind)], pair["raw_agreement"], address)


def _least_first(pair: PairRow) -> tuple[bool, float]:
    value = pair.kappa["estimate"]
    return value is None, 0.0 if value is None else value


def _map(shown: list[Who], pairs: list[PairRow]) -> list[MapRow]:
    """Kappa below the diagonal, items both judged above it."""
    of = {frozenset((pair.a.pk, pair.b.pk)): pair for pair in pairs}
    rows = []
    for i, row in enumerate(shown):
        cells = [None if other is row else _cell(row, other, of.get(frozenset((row.pk, other.pk)))) for other in shown]
        rows.append(MapRow(row, [c for c in cells[:i] if c], [c for c in cells[i + 1 :] if c]))
    return rows


def _cell(row: Who, other: Who, pair: PairRow | None) -> Cell:
    facts = {"a": row.name, "b": other.name}
    if pair is None or pair.kappa["estimate"] is None:
        n = pair.n if pair else 0
        reason = pair.kappa["reason"] if pair else "no_overlap"
        said = _("%(a)s with %(b)s: not defined, %(why)s") % {**facts, "why": REASONS.get(reason, reason)}
        return Cell("–", 0, n, said, pair.url if pair else "")
    value = pair.kappa["estimate"]
    said = ngettext(
        "%(a)s with %(b)s: kappa %(kappa)s, %(n)s item", "%(a)s with %(b)s: kappa %(kappa)s, %(n)s items", pair.n
    ) % {**facts, "kappa": number(value), "n": count(pair.n)}
    heat = min(7, max(1, math.floor(value * 7) + 1))
    return Cell(_without_zero(number(value)), heat, pair.n, said, pair.url)


def _without_zero(text: str) -> str:
    return text.replace("0.", ".", 1) if text.lstrip("−").startswith("0.") else text


# --- figures ----------------------------------------------------------------------------------------------------------


def _figures(stats: Mapping[str, Stat], names: Iterable[str], kind: str, main: str = "") -> Figures:
    rows = [
        Row(
            name=name,
            label=str(FIGURES[name]),
            short=str(SHORT[name]),
            stat=stats[name],
            kind="human" if name in _OF_PEOPLE else kind,
            percent=name in _RATES,
            signed=name in _DIFFERENCES,
        )
        for name in names
        if name in stats and stats[name]["reason"] not in _SILENT
    ]
    rows.sort(key=lambda row: row.name != main and row.name != "raw_agreement")
    low, high = _axis(row.stat for row in rows if row.plotted)
    return Figures(rows, low, high)


def pair_figures(stats: Mapping[str, Stat]) -> Figures:
    """Of two raters: raw agreement and the kappas that the labels allow."""
    return _figures(stats, ("raw_agreement", "cohen_kappa", "cohen_kappa_linear", "cohen_kappa_quadratic"), "")


def _axis(stats: Iterable[Stat]) -> tuple[float, float]:
    """The tenths that hold every interval."""
    ends = [end for stat in stats if stat["estimate"] is not None for end in (stat["ci"] or [stat["estimate"]] * 2)]
    if not ends:
        return 0.0, 1.0
    low, high = math.floor(min(ends) * 10) / 10, math.ceil(max(ends) * 10) / 10
    return (low, high) if high - low > 0.15 else (max(low - 0.1, -1.0), min(high + 0.1, 1.0))


def _judge(pk: str, part: Mapping[str, Any], who: Mapping[str, Who], criterion: Mapping[str, Any]) -> JudgePart:
    tables = []
    for place, names in _JUDGE:
        stats = part[place]
        if not stats or (place == "swap" and part["orders"] != "both"):
            continue
        if names[0] == "judge_kappa" and stats.get("judge_human_agreement", {}).get("estimate") is not None:
            names = tuple(name for name in names if not name.endswith("pearson"))
        table = _figures(stats, names, "judge")
        if any(row.stat["estimate"] is not None for row in table.rows) or place == "vs_humans":
            tables.append(table)
    return JudgePart(who[pk], list(_about(part)), tables, _lean(part))


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


# --- how often each label is given ------------------------------------------------------------------------------------

_BARS = {"pair": ("f-a", "f-t", "f-b")}


def _given(report: Mapping[str, Any], who: Mapping[str, Who], shown: list[Who]) -> list[Given]:
    labels = report["criterion"]["categories"]
    if len(labels) > LEVELS_LISTED and report["kind"] != "score":
        return []
    rows = []
    if any(not each.is_judge for each in shown):
        rows.append(_given_by(None, report["given"]["people"], report["kind"], labels))
    rows += [
        _given_by(each, report["given"]["raters"][str(each.pk)], report["kind"], labels)
        for each in shown
        if str(each.pk) in report["given"]["raters"]
    ]
    return [row for row in rows if row.n]


def _given_by(who: Who | None, given: Mapping[str, Any], kind: str, labels: list[str]) -> Given:
    stats = [given["labels"][label] for label in labels]
    shares = [stat["estimate"] or 0.0 for stat in stats]
    bars: list[tuple[str, str, str]] = []
    if kind != "choice" and any(shares):
        begin = 0.0
        for place, share in enumerate(shares):
            css = _BARS["pair"][place] if kind == "pair" else f"level-{1 + round(6 * place / max(1, len(shares) - 1))}"
            width = max(0.0, share * 100 - 0.4)  # a hair of paper between two bars
            bars.append((css, f"{begin:.1f}%", f"{width:.1f}%"))
            begin += share * 100
    n = max((stat["n"] for stat in stats), default=0) or (given["mean"] or {}).get("n", 0)
    return Given(who, n, stats if len(labels) <= LEVELS_LISTED else [], bars, given["mean"])


# --- what to know -----------------------------------------------------------------------------------------------------


def _notes(report: Mapping[str, Any], criterion: Mapping[str, Any], among: str, name: str) -> Iterable[str]:
    shares = criterion["coverage"][among]["shares"]
    stats = criterion["agreement"][among]
    if not shares or stats["raw_agreement"]["estimate"] is None:
        return
    raw, alpha, robust = (stats[each]["estimate"] for each in ("raw_agreement", name, "gwet_ac1"))
    common = max(shares, key=lambda label: shares[label])
    if alpha is not None and robust is not None and raw >= PARADOX_RAW and alpha < PARADOX:
        yield _(
            "%(raw)s of label pairs are equal, and yet α is only %(alpha)s: %(share)s of all labels are “%(label)s”, "
            "so chance alone agrees often. AC1 (%(robust)s) is steadier here; read all three together."
        ) % {
            "raw": percent(raw, 0),
            "alpha": number(alpha),
            "share": percent(shares[common], 0),
            "label": common,
            "robust": number(robust),
        }
        return
    rare = [label for label in criterion["categories"] if 0 < shares[label] < RARE]
    if rare and report["kind"] == "pair" and rare == ["tie"]:
        yield _("Ties are rare (%(share)s), so two raters who differ only on ties lose more κ than raw agreement.") % {
            "share": percent(shares["tie"], 0)
        }
    elif rare and len(criterion["categories"]) <= LEVELS_LISTED:
        yield _("Rarely given: %(labels)s. Figures say little about items that deserve them.") % {
            "labels": _(", ").join(
                _("%(label)s (%(share)s)") % {"label": label, "share": percent(shares[label], 0)} for label in rare
            )
        }
    if report["kind"] == "pair":
        index = abs(shares["A"] - shares["B"])
        if index < RARE:
            yield _(
                "A and B are given about equally often (prevalence index %(index)s), so κ and AC1 tell the same story."
            ) % {"index": number(index)}
        else:
            yield _(
                "“%(label)s” is given more often than its opposite (prevalence index %(index)s), which lowers κ for "
                "the same raw agreement; AC1 is moved less."
            ) % {"index": number(index), "label": "A" if shares["A"] > shares["B"] else "B"}


def _left_out(report: Mapping[str, Any], who: Mapping[str, Who]) -> Iterable[str]:
    """Judgments that do not count, in words."""
    marks = {
        "warmup": lambda n: ngettext("%(n)s warm-up label", "%(n)s warm-up labels", n),
        "gold": lambda n: ngettext("%(n)s label of a gold item", "%(n)s labels of gold items", n),
        "late": lambda n: ngettext("%(n)s late label", "%(n)s late labels", n),
        "adjudicated": lambda n: ngettext("%(n)s adjudicated verdict", "%(n)s adjudicated verdicts", n),
    }
    left_out = report["left_out"]
    for mark, n in left_out["marked"].items():
        if n:
            yield _("Left out: %(what)s.") % {"what": marks[mark](n) % {"n": count(n)}}
    if left_out["superseded"]:
        n = left_out["superseded"]
        yield (
            ngettext(
                "%(n)s label was changed later; the last one counts.",
                "%(n)s labels were changed later; the last one counts.",
                n,
            )
            % {"n": count(n)}
        )
    if left_out["other_samples"]:
        n = left_out["other_samples"]
        yield (
            ngettext(
                "%(n)s further sample of a judge; the first one counts.",
                "%(n)s further samples of judges; the first one counts.",
                n,
            )
            % {"n": count(n)}
        )
    unread = sum(rater["no_verdict"] for rater in report["raters"].values())
    if unread:
        yield (
            ngettext(
                "%(n)s answer could not be read as a verdict; it counts as missing.",
                "%(n)s answers could not be read as a verdict; they count as missing.",
                unread,
            )
            % {"n": count(unread)}
        )


def _coverage(coverage: Mapping[str, Any], among: str) -> str:
    raters = coverage["raters"]
    who = (
        ngettext("%(n)s person", "%(n)s people", raters)
        if among == "humans"
        else ngettext("%(n)s judge", "%(n)s judges", raters)
    ) % {"n": count(raters)}
    items = ngettext("%(n)s item with two labels or more", "%(n)s items with two labels or more", coverage["items"])
    facts = {
        "items": items % {"n": count(coverage["items"])},
        "who": who,
        "labels": ngettext("%(n)s label", "%(n)s labels", coverage["ratings"]) % {"n": count(coverage["ratings"])},
    }
    if not coverage["ratings_unpaired"]:
        return _("%(items)s, %(who)s, %(labels)s, none dropped.") % facts
    facts["dropped"] = ngettext(
        "%(n)s label stands alone on its item and is dropped",
        "%(n)s labels stand alone on their items and are dropped",
        coverage["ratings_unpaired"],
    ) % {"n": count(coverage["ratings_unpaired"])}
    return _("%(items)s, %(who)s, %(labels)s; %(dropped)s.") % facts


def _checked(check: Mapping[str, Any]) -> str:
    if check["package"] is None or check["agrees"] is None:
        return ""
    if check["agrees"]:
        return _("α checked against a second implementation: equal.")
    return _("A second implementation gives another α: please report this.")


def _method(report: Mapping[str, Any]) -> str:
    method = report["method"]
    facts = {"draws": count(method["draws"]), "groups": count(report["groups"]), "items": count(report["items"])}
    if method["resampled"] == "groups":
        return (
            _(
                "95 %% BCa bootstrap, %(draws)s draws over %(groups)s groups of items that share an instruction; "
                "Wilson for shares where every item stands alone."
            )
            % facts
        )
    return _("95 %% BCa bootstrap over %(items)s items, %(draws)s draws; Wilson for shares of single items.") % facts
