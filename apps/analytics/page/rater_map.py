"""Who agrees with whom: a map of every two raters, or a list where there are too many."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.analytics.page.figures import Stat
from apps.analytics.selectors import Who
from apps.core.figures import REASONS, count, number

MAP: Final = 20  # raters in one map; more become a list of pairs


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


def kappa_name(kind: str) -> str:
    """The kappa of the map: for scores a near miss counts less."""
    return "cohen_kappa_quadratic" if kind == "score" else "cohen_kappa"


def pair_rows(
    criterion: Mapping[str, Any], who: Mapping[str, Who], shown: list[Who], url: str, kind: str
) -> Iterable[PairRow]:
    wanted = {each.pk for each in shown}
    for pair in criterion["pairs"]:
        a, b = who[pair["a"]], who[pair["b"]]
        if a.pk in wanted and b.pk in wanted:
            address = f"{url}&a={a.pk}&b={b.pk}"
            yield PairRow(a, b, pair["n"], pair[kappa_name(kind)], pair["raw_agreement"], address)


def least_first(pair: PairRow) -> tuple[bool, float]:
    value = pair.kappa["estimate"]
    return value is None, 0.0 if value is None else value


def map_rows(shown: list[Who], pairs: list[PairRow]) -> list[MapRow]:
    """Kappa below the diagonal, items both judged above it; empty where it could not be read."""
    if not 2 <= len(shown) <= MAP:
        return []
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
