"""Figures in words: every one with its interval and its n, and in place of an undefined one the reason.

A `stat` is whatever has `estimate`, `ci`, `n`, `reason` and perhaps `flags`: an `apps.analytics.stats` Estimate, or the
same thing as a dictionary out of a report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

REASONS: dict[str, Promise] = {
    "no_overlap": gettext_lazy("no item has two ratings to compare"),
    "single_category": gettext_lazy("all ratings are the same, so chance alone would agree fully"),
    "zero_variance": gettext_lazy("one side never varies"),
    "too_few_items": gettext_lazy("too few items"),
    "no_valid_verdicts": gettext_lazy("no verdict could be read"),
    "no_humans": gettext_lazy("no person has rated these items"),
    "below_minimum": gettext_lazy("fewer people or items than this needs"),
    "not_ordered": gettext_lazy("these categories have no order"),
    "not_numeric": gettext_lazy("these categories are not scores"),
    "not_whole": gettext_lazy("some scores lie between the levels of the scale"),
    "one_order": gettext_lazy("nothing was shown in both orders"),
    "no_spread": gettext_lazy("every resample gives the same value"),
    "mostly_undefined": gettext_lazy("most resamples leave it undefined"),
    "not_resampled": gettext_lazy("it counts test decisions, each with an error of its own"),
    "separation": gettext_lazy("one side always wins"),
}
FLAGS: dict[str, Promise] = {
    "one_sided_bound": gettext_lazy("No disagreement seen: the lower end is exact, the upper end is the limit."),
    "interval_unstable": gettext_lazy("The interval is unstable: some resamples were undefined."),
    "few_rare_category_items": gettext_lazy("Too few items with a rare category: the interval is too narrow."),
    "normal_interval": gettext_lazy("Normal interval from the jackknife."),
    "two_humans": gettext_lazy("At most two people an item: the other one alone is no consensus."),
    "empty_class": gettext_lazy("A class that nobody gave counts as 0."),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """The parts of a figure as text. `value` is empty where it is undefined, `interval` where there is none."""

    value: str
    interval: str
    n: str
    why: str
    flags: tuple[str, ...]


def number(value: float, digits: int = 2, *, signed: bool = False) -> str:
    """`0.61`, `−2.5`, and with `signed` `+0.5`. A minus sign, not a hyphen; never minus zero."""
    text = f"{abs(value):.{digits}f}"
    if not text.strip("0."):
        return text
    return f"−{text}" if value < 0 else f"+{text}" if signed else text


def percent(value: float, digits: int = 1) -> str:
    """A share as `78.4 %`, with a space that no line breaks at."""
    return (_("%(number)s %%") % {"number": number(value * 100, digits)}).replace(" ", "\N{NO-BREAK SPACE}")


def count(value: int) -> str:
    """A whole number with its thousands apart: `6,180`."""
    return number_format(value, 0, use_l10n=True, force_grouping=True)


def describe(stat: object, *, as_percent: bool = False, digits: int | None = None, signed: bool = False) -> Figure:
    """The figure as text; intervals of shares are in percent too, without repeating the sign."""
    digits = (1 if as_percent else 2) if digits is None else digits
    scale = 100 if as_percent else 1
    estimate, interval, n = _part(stat, "estimate"), _part(stat, "ci"), int(_part(stat, "n") or 0)
    reason = _part(stat, "reason")
    value = low_high = why = ""
    if estimate is not None:
        value = percent(estimate, digits) if as_percent else number(estimate, digits, signed=signed)
    if interval is not None:
        low, high = (number(end * scale, digits, signed=signed) for end in interval)
        low_high = _("95 %% [%(low)s, %(high)s]") % {"low": low, "high": high}
    if reason:
        words = REASONS.get(reason, reason.replace("_", " "))
        why = (_("Not defined: %(why)s.") if estimate is None else _("No interval: %(why)s.")) % {"why": words}
    flags: Sequence[str] = _part(stat, "flags") or ()
    return Figure(
        value=value,
        interval=low_high,
        n=_("n = %(n)s") % {"n": count(n)},
        why=why,
        flags=tuple(str(FLAGS.get(flag, flag.replace("_", " "))) for flag in flags),
    )


def ends(stat: object) -> tuple[float, float, float] | None:
    """(low, estimate, high) for a plot; the estimate three times where it has no interval; None where undefined."""
    estimate = _part(stat, "estimate")
    if estimate is None:
        return None
    low, high = _part(stat, "ci") or (estimate, estimate)
    return low, estimate, high


def _part(stat: object, name: str) -> Any:
    return stat.get(name) if isinstance(stat, Mapping) else getattr(stat, name, None)
