"""What the page says in words: the sentence at its head, and what to know beside the figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.analytics.page.figures import Stat
from apps.analytics.selectors import Who, best_judge, judge_with_people
from apps.core.figures import REASONS, count, number, percent

WELL, FAR = 0.4, 0.8  # "well" and "far beyond chance": the whole interval lies above; said among the definitions
RARE = 0.1  # a label given less often than this is rare
PARADOX_RAW, PARADOX = 0.8, 0.4  # high raw agreement, low kappa: what a common label does
LEVELS_LISTED: Final = 11


def word(alpha: Stat) -> str:
    if alpha["estimate"] is None:
        return _("No α yet")
    return _("α = %(value)s") % {"value": number(alpha["estimate"])}


def sentence(alpha: Stat, report: Mapping[str, Any], among: str) -> str:
    people = among == "humans"
    there = sum(rater["kind"] == ("human" if people else "judge") for rater in report["raters"].values())
    if there == 0:
        return (
            _("No person has judged this yet; only judges have.")
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


def judge_sentence(criterion: Mapping[str, Any], who: Mapping[str, Who]) -> str:
    """The judge nearest to people beside what people reach among themselves."""
    best = best_judge(criterion, who)
    if best is None:
        return ""
    part = criterion["judges"][str(best.pk)]
    ceiling = part["ceiling"]
    nearest = judge_with_people(part)
    assert nearest is not None  # a judge without this figure is not the best
    facts = {"judge": best.name, "judge_share": percent(nearest["estimate"]), "n": count(nearest["n"])}
    text = _beside_people(ceiling, facts) if "judge_human_agreement" in ceiling else _alone(facts)
    if not best.is_baseline:
        return text
    return _("%(sentence)s It is a baseline: the floor that any judge must beat.") % {"sentence": text}


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


def notes(report: Mapping[str, Any], criterion: Mapping[str, Any], among: str, name: str) -> Iterable[str]:
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


def majority(found: Mapping[str, Any]) -> str:
    """How many items most people give each label; nothing where nobody did, or there are too many labels to say."""
    labels = {label: n for label, n in found["labels"].items() if n}
    if not labels or len(found["labels"]) > LEVELS_LISTED:
        return ""
    (first, n), *rest = labels.items()
    head = ngettext("Most people say %(label)s on %(n)s item", "Most people say %(label)s on %(n)s items", n)
    parts = [head % {"label": first, "n": count(n)}]
    parts += [_("%(label)s on %(n)s") % {"label": label, "n": count(n)} for label, n in rest]
    facts = {"labels": _(", ").join(parts), "n": count(found["undecided"])}
    if not found["undecided"]:
        return _("%(labels)s.") % facts
    return (
        ngettext(
            "%(labels)s; %(n)s item is split evenly.", "%(labels)s; %(n)s items are split evenly.", found["undecided"]
        )
        % facts
    )


def left_out(report: Mapping[str, Any]) -> Iterable[str]:
    """Judgments that do not count, in words."""
    marks = {
        "warmup": lambda n: ngettext("%(n)s warm-up label", "%(n)s warm-up labels", n),
        "gold": lambda n: ngettext("%(n)s label of a gold item", "%(n)s labels of gold items", n),
        "late": lambda n: ngettext("%(n)s late label", "%(n)s late labels", n),
        "adjudicated": lambda n: ngettext("%(n)s adjudicated verdict", "%(n)s adjudicated verdicts", n),
    }
    dropped = report["left_out"]
    for mark, n in dropped["marked"].items():
        if n:
            yield _("Left out: %(what)s.") % {"what": marks[mark](n) % {"n": count(n)}}
    if dropped["superseded"]:
        n = dropped["superseded"]
        yield (
            ngettext(
                "%(n)s label was changed later; the last one counts.",
                "%(n)s labels were changed later; the last one counts.",
                n,
            )
            % {"n": count(n)}
        )
    if dropped["other_samples"]:
        n = dropped["other_samples"]
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


def coverage(found: Mapping[str, Any], among: str) -> str:
    raters = found["raters"]
    who = (
        ngettext("%(n)s person", "%(n)s people", raters)
        if among == "humans"
        else ngettext("%(n)s judge", "%(n)s judges", raters)
    ) % {"n": count(raters)}
    items = ngettext("%(n)s item with two labels or more", "%(n)s items with two labels or more", found["items"])
    facts = {
        "items": items % {"n": count(found["items"])},
        "who": who,
        "labels": ngettext("%(n)s label", "%(n)s labels", found["ratings"]) % {"n": count(found["ratings"])},
    }
    if not found["ratings_unpaired"]:
        return _("%(items)s, %(who)s, %(labels)s, none dropped.") % facts
    facts["dropped"] = ngettext(
        "%(n)s label stands alone on its item and is dropped",
        "%(n)s labels stand alone on their items and are dropped",
        found["ratings_unpaired"],
    ) % {"n": count(found["ratings_unpaired"])}
    return _("%(items)s, %(who)s, %(labels)s; %(dropped)s.") % facts


def checked(check: Mapping[str, Any]) -> str:
    if check["package"] is None or check["agrees"] is None:
        return ""
    if check["agrees"]:
        return _("α checked against a second implementation: equal.")
    return _("A second implementation gives another α: please report this.")


def method(report: Mapping[str, Any]) -> str:
    drawn = report["method"]
    facts = {"draws": count(drawn["draws"]), "groups": count(report["groups"]), "items": count(report["items"])}
    if drawn["resampled"] == "groups":
        return (
            _(
                "95 %% BCa bootstrap, %(draws)s draws over %(groups)s groups of items that share an instruction; "
                "Wilson for shares where every item stands alone."
            )
            % facts
        )
    return _("95 %% BCa bootstrap over %(items)s items, %(draws)s draws; Wilson for shares of single items.") % facts
