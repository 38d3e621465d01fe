"""The report as lines of a CSV file, at full precision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from apps.analytics.selectors import Who

_STAT = ["estimate", "low", "high", "n", "reason"]
_PAIR_FIGURES = ("raw_agreement", "cohen_kappa", "cohen_kappa_linear", "cohen_kappa_quadratic")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def pairs(report: Mapping[str, Any], who: Mapping[str, Who]) -> Iterator[list[object]]:
    """Every two raters; the names of the columns are those of the report's JSON."""
    yield ["a", "b", "n", *(f"{figure}_{part}" for figure in _PAIR_FIGURES for part in _STAT)]
    for pair in report["criterion"]["pairs"]:
        row: list[object] = [_plain(who[pair["a"]].name), _plain(who[pair["b"]].name), pair["n"]]
        for figure in _PAIR_FIGURES:
            row += _cells(pair[figure])
        yield row


def figures(report: Mapping[str, Any], who: Mapping[str, Who]) -> Iterator[list[object]]:
    """Every figure: of whom, which, and its value, interval, n and, where it is not defined, the reason."""
    yield ["among", "figure", *_STAT]
    for among, stats in report["criterion"]["agreement"].items():
        for name, stat in stats.items():
            yield [among, name, *_cells(stat)]
    for judge, part in report["criterion"]["judges"].items():
        for place in ("vs_humans", "ceiling", "swap"):
            for name, stat in (part[place] or {}).items():
                if isinstance(stat, dict) and "estimate" in stat:
                    yield [_plain(who[judge].name), name, *_cells(stat)]


def _cells(stat: Mapping[str, Any]) -> list[object]:
    low, high = stat["ci"] or ("", "")
    return ["" if stat["estimate"] is None else stat["estimate"], low, high, stat["n"], stat["reason"] or ""]


def _plain(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(_FORMULA) else name
