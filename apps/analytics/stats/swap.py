"""What a judge says when the two responses change places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from .estimate import ONE_ORDER, Estimate
from .labels import MISSING, NO_VERDICT, Codes, Floats, Ints
from .resample import DRAWS, Statistic, estimates, fold, ratio

A, TIE, B = 0, 1, 2
_NOBODY = 3  # the humans' label of an item without a majority


@dataclass(frozen=True, slots=True)
class Swap:
    """Rates over the pairs with a verdict in both orders, and how many pairs had none in one of them."""

    figures: dict[str, Estimate]
    unparsed: int
    one_order_only: int
    direction_p: float | None  # exact binomial test that the bias goes either way as often


def headline(first: Codes, second: Codes) -> Codes:
    """A judge's verdict on a pair: the same in both orders, else a tie; missing unless both orders have one."""
    both = (first >= 0) & (second >= 0)
    missing = np.where((first == NO_VERDICT) | (second == NO_VERDICT), NO_VERDICT, MISSING)
    return np.where(both, np.where(first == second, first, TIE), missing).astype(np.int8)


def swap(
    first: Codes, second: Codes, human: Codes | None = None, *, groups: Ints | None = None, draws: int = DRAWS
) -> Swap:
    """Swap consistency and position bias from un-swapped verdicts.

    Args:
        first: verdicts of the order AB, where response A was shown first; negative where there is none.
        second: verdicts of the order BA, where response B was shown first.
        human: the humans' majority; where given, agreement with it in both orders, and in the order AB alone.

    A pair leans to the slot shown first when the verdict moves towards whatever stood first: (first, first),
    (first, tie) and (tie, first) as shown. So consistency + bias_first + bias_second = 1.
    Source: JudgeLM (Zhu et al. 2025); agreement in both orders: Auto-J (Li et al. 2024).
    """
    recorded = (first != MISSING) & (second != MISSING)
    both = (first >= 0) & (second >= 0)
    one_order_only = int(((first != MISSING) ^ (second != MISSING)).sum())
    truth = np.full(len(first), _NOBODY) if human is None else np.where(human >= 0, human, _NOBODY)
    cell = np.where(both, (first.astype(np.int64) * 3 + second) * 4 + truth, -1)
    cell = np.where(recorded & ~both, 36, cell)  # judged twice, not read twice

    ab, ba, said = (grid.ravel() for grid in np.meshgrid(range(3), range(3), range(4), indexing="ij"))
    same, decided, judged = ab == ba, (ab != TIE) & (ba != TIE), said != _NOBODY
    everything = np.ones(36, dtype=bool)
    rates: dict[str, tuple[Any, Any]] = {
        "consistency": (same, everything),
        "consistency_decided": (same & decided, decided),
        "bias_first": (ab < ba, everything),
        "bias_second": (ab > ba, everything),
        "conflict": (~same & decided, everything),
        "agreement_both_orders": (same & (ab == said), judged),
        "agreement_single_order": (judged & (ab == said), judged),
    }
    statistics = {name: _rate(np.append(hit, False), np.append(of, False)) for name, (hit, of) in rates.items()}
    statistics["consistency_unread_counts_against"] = _rate(np.append(same, False), np.ones(37, dtype=bool))
    lean = np.append(np.sign(ba - ab), 0)
    counted = np.append(everything, False)
    statistics["bias_direction"] = _mean(lean, counted)
    statistics["bias_delta"] = _mean(lean, counted, np.abs)
    figures = estimates(fold(cell, np.eye(37), groups), statistics, draws=draws)
    if not recorded.any():
        figures = {name: Estimate.undefined(ONE_ORDER) for name in statistics}
    to_first, to_second = int((first[both] < second[both]).sum()), int((first[both] > second[both]).sum())
    inconsistent = to_first + to_second
    tail = float(special.bdtr(min(to_first, to_second), inconsistent, 0.5))
    p = min(1.0, 2 * tail) if inconsistent else None
    return Swap(figures, int((recorded & ~both).sum()), one_order_only, p)


def _rate(hit: Ints, of: Ints) -> Statistic:
    hits, base = hit.astype(np.float64), of.astype(np.float64)
    return Statistic(lambda t: ratio(t @ hits, t @ base), lambda t: t @ base, proportion=True)


def _mean(value: Ints, of: Ints, finish: Callable[[Floats], Floats] = lambda x: x) -> Statistic:
    values, base = value.astype(np.float64), of.astype(np.float64)
    return Statistic(lambda t: finish(ratio(t @ values, t @ base)), lambda t: t @ base)
