"""Tables of figures: each with its interval, its n and its name, on one axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.analytics.page.words import DEFINITIONS, SHORT
from apps.analytics.report_words import FIGURES
from apps.analytics.selectors import Who
from apps.core import figures as words
from apps.core.figures import count, number

Stat = Mapping[str, Any]

_RATES = {
    "raw_agreement", "accuracy", "macro_precision", "macro_recall", "macro_f1", "accuracy_AB", "accuracy_BA",
    "judge_human_agreement", "human_human_agreement", "consistency", "consistency_decided", "bias_first",
    "bias_second", "conflict", "agreement_both_orders", "human_accuracy", "judge_accuracy",
}  # fmt: skip
_OF_PEOPLE = {"human_human_agreement", "human_kappa", "human_pearson", "human_accuracy"}
_DIFFERENCES = {"agreement_difference", "kappa_difference", "pearson_difference", "accuracy_difference"}
_SILENT = {"not_ordered", "not_numeric"}  # figures that have no sense for this kind of criterion


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a table, named by what it is or by whose it is."""

    name: str
    label: str
    short: str
    stat: Stat
    kind: str  # human or judge: the colour of its plot
    who: Who | None = None
    tick: float | None = None

    @property
    def plotted(self) -> bool:
        """Differences have an axis of their own, which the table has not."""
        return self.name not in _DIFFERENCES and self.stat["estimate"] is not None

    @property
    def words(self) -> words.Figure:
        return words.describe(self.stat, as_percent=self.name in _RATES, signed=self.name in _DIFFERENCES)

    @property
    def interval(self) -> str:
        """The interval alone: the head of the table says that it is one of 95 %."""
        return interval(self.stat, percent=self.name in _RATES, signed=self.name in _DIFFERENCES)

    @property
    def n(self) -> str:
        return count(self.stat["n"])


@dataclass(frozen=True, slots=True)
class Figures:
    """A table of figures on one axis."""

    rows: list[Row]
    low: float
    high: float

    @classmethod
    def of(cls, rows: list[Row]) -> Figures:
        return cls(rows, *_axis(row.stat for row in rows if row.plotted))

    @property
    def footnotes(self) -> list[str]:
        """What to know about some of the figures, each once."""
        return list(dict.fromkeys(flag for row in self.rows for flag in row.words.flags))

    @property
    def marked(self) -> list[tuple[Row, list[int]]]:
        """Every row with the numbers of its footnotes."""
        place = {note: number for number, note in enumerate(self.footnotes, start=1)}
        return [(row, [place[flag] for flag in row.words.flags]) for row in self.rows]

    @property
    def ends(self) -> tuple[str, str]:
        """The ends of the axis in words; nothing where nothing is plotted."""
        if not any(row.plotted for row in self.rows):
            return "", ""
        if all(row.name in _RATES for row in self.rows if row.plotted):
            return words.percent(self.low, 0), words.percent(self.high, 0)
        return number(self.low, 1), number(self.high, 1)


def interval(stat: Stat, *, percent: bool = False, signed: bool = False) -> str:
    """`[0.43, 0.79]`, or nothing."""
    if stat["ci"] is None:
        return ""
    scale, digits = (100, 1) if percent else (1, 2)
    low, high = (number(end * scale, digits, signed=signed) for end in stat["ci"])
    return _("[%(low)s, %(high)s]") % {"low": low, "high": high}


def figures(stats: Mapping[str, Stat], names: Iterable[str], kind: str, main: str = "") -> Figures:
    """The named ones of these stats; `main` stands first, after raw agreement."""
    rows = [
        Row(name, str(FIGURES[name]), str(SHORT[name]), stats[name], "human" if name in _OF_PEOPLE else kind)
        for name in names
        if name in stats and stats[name]["reason"] not in _SILENT
    ]
    rows.sort(key=lambda row: row.name not in {main, "raw_agreement"})
    return Figures.of(rows)


def pair_figures(stats: Mapping[str, Stat], kind: str) -> Figures:
    """Of two raters: raw agreement and kappa, for scores the weighted ones too."""
    weighted = ("cohen_kappa_linear", "cohen_kappa_quadratic") if kind == "score" else ()
    return figures(stats, ("raw_agreement", "cohen_kappa", *weighted), "")


def definitions(names: Iterable[str]) -> list[tuple[str, str, str]]:
    """What the figures of these names are, each once: (name, words, definition)."""
    return [(each, str(FIGURES[each]), str(DEFINITIONS[each])) for each in dict.fromkeys(names)]


def _axis(stats: Iterable[Stat]) -> tuple[float, float]:
    """The tenths that hold every interval."""
    ends = [end for stat in stats if stat["estimate"] is not None for end in (stat["ci"] or [stat["estimate"]] * 2)]
    if not ends:
        return 0.0, 1.0
    low, high = math.floor(min(ends) * 10) / 10, math.ceil(max(ends) * 10) / 10
    return (low, high) if high - low > 0.15 else (max(low - 0.1, -1.0), min(high + 0.1, 1.0))
