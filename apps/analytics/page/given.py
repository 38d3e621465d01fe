"""How often each verdict is given, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.analytics.page.figures import Stat, interval
from apps.analytics.page.sentences import LEVELS_LISTED
from apps.analytics.selectors import Who
from apps.core.figures import number


@dataclass(frozen=True, slots=True)
class Given:
    """How often somebody gives each label; `bars` are (class, x, width) of the plot in percent."""

    who: Who | None  # None: all people together
    n: int
    shares: list[tuple[Stat, str]]  # each with its interval in words
    bars: list[tuple[str, str, str]]
    mean: Stat | None
    mean_interval: str = ""


_BARS = {"pair": ("f-a", "f-t", "f-b")}


def given(report: Mapping[str, Any], shown: list[Who]) -> list[Given]:
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


def _given_by(who: Who | None, found: Mapping[str, Any], kind: str, labels: list[str]) -> Given:
    stats = [found["labels"][label] for label in labels]
    shares = [stat["estimate"] or 0.0 for stat in stats]
    bars: list[tuple[str, str, str]] = []
    if kind != "choice" and any(shares):
        begin = 0.0
        for place, share in enumerate(shares):
            css = _BARS["pair"][place] if kind == "pair" else f"level-{1 + round(6 * place / max(1, len(shares) - 1))}"
            width = max(0.0, share * 100 - 0.4)  # a hair of paper between two bars
            bars.append((css, f"{begin:.1f}%", f"{width:.1f}%"))
            begin += share * 100
    n = max((stat["n"] for stat in stats), default=0) or (found["mean"] or {}).get("n", 0)
    listed = [(stat, _whole(stat)) for stat in stats] if len(labels) <= LEVELS_LISTED else []
    mean = found["mean"]
    return Given(who, n, listed, bars, mean, interval(mean) if mean else "")


def _whole(stat: Stat) -> str:
    """An interval in whole percent: `[38, 54]`."""
    if stat["ci"] is None:
        return ""
    low, high = (number(end * 100, 0) for end in stat["ci"])
    return _("[%(low)s, %(high)s]") % {"low": low, "high": high}
