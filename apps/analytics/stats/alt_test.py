"""The alternative annotator test: may the judge take the place of a human annotator?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from . import estimate as why
from .estimate import Estimate
from .labels import Codes, Floats, Ints, label_counts
from .resample import DRAWS, Statistic, distinct_rows, estimates, fold, ratio

MIN_HUMANS = 2  # on an item
MIN_ITEMS = 30  # of a human
FDR = 0.05


@dataclass(frozen=True, slots=True)
class HumanResult:
    """The judge against one human. `advantage`: share of items where the judge is at least as close to the others."""

    rater: str
    n: int
    advantage: float | None
    human_advantage: float | None
    p_value: float | None
    rejected: bool
    reason: str | None = None  # why this human was not tested


@dataclass(frozen=True, slots=True)
class AltTest:
    """`passed` is None where nobody could be tested."""

    epsilon: float
    winning_rate: Estimate
    advantage_probability: Estimate
    passed: bool | None
    humans: tuple[HumanResult, ...]


def alt_test(
    raters: tuple[str, ...],
    closer: tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]],
    *,
    epsilon: float,
    groups: Ints | None = None,
    min_items: int = MIN_ITEMS,
    draws: int = DRAWS,
) -> AltTest:
    """The procedure of the paper on `closer` from `closer_by_label` or `closer_by_score`.

    A human is tested who shares at least `min_items` items with others and the judge: one-sided t-test that the judge
    loses to the human on less than `epsilon` more of the items than it wins, then Benjamini-Yekutieli over the humans.
    The judge passes if it wins against half of them.
    Source: Calderon, Reichart & Dror (2025), "The Alternative Annotator Test for LLM-as-a-Judge".
    """
    compared, judge_wins, human_wins = closer
    items = compared.sum(axis=0)
    tested = items >= min_items
    if not tested.any():
        nobody = Estimate.undefined(why.BELOW_MINIMUM)
        return AltTest(epsilon, nobody, nobody, None, _not_tested(raters, items, tested))
    advantage = judge_wins.sum(axis=0) / np.maximum(items, 1)
    human_advantage = human_wins.sum(axis=0) / np.maximum(items, 1)
    p_values = _p_values(human_wins.astype(np.int8) - judge_wins, items, epsilon)
    rejected = np.zeros(len(items), dtype=bool)
    rejected[tested] = _rejected(p_values[tested])
    winning_rate = float(rejected[tested].mean())
    flags = (why.TWO_HUMANS,) if compared.sum(axis=1).max() == 2 else ()
    results = _not_tested(raters, items, tested) + tuple(
        HumanResult(
            raters[j],
            int(items[j]),
            float(advantage[j]),
            float(human_advantage[j]),
            float(p_values[j]),
            bool(rejected[j]),
        )
        for j in np.flatnonzero(tested)
    )
    return AltTest(
        epsilon,
        Estimate(winning_rate, None, int(tested.sum()), why.NOT_RESAMPLED, flags),
        _advantage(compared[:, tested], judge_wins[:, tested], groups, draws),
        winning_rate >= 0.5,
        tuple(sorted(results, key=lambda result: result.rater)),
    )


def closer_by_label(
    humans: Codes, judge: Codes, n_labels: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """For each item and human: compared at all; whether the judge, and whether the human, is as close to the others."""
    counts = label_counts(humans, n_labels)
    compared = _compared(humans >= 0, judge >= 0)
    row = np.arange(len(humans))[:, None]
    of_human = counts[row, np.maximum(humans, 0)] - 1
    of_judge = counts[row, np.maximum(judge, 0)[:, None]] - (humans == judge[:, None])
    return compared, compared & (of_judge >= of_human), compared & (of_human >= of_judge)


def closer_by_score(
    humans: NDArray[np.floating], judge: NDArray[np.floating]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """The same for scores: the smaller squared distance to the others' scores is closer."""
    present = ~np.isnan(humans)
    compared = _compared(present, ~np.isnan(judge))
    scores = np.where(present, humans, 0.0).astype(np.float64)
    given = np.nan_to_num(judge.astype(np.float64))[:, None]
    m, total, squares = (side.sum(axis=1, keepdims=True) for side in (present, scores, scores**2))
    of_human = m * scores**2 - 2 * scores * total + squares
    of_judge = m * given**2 - 2 * given * total + squares - (given - scores) ** 2
    near = 1e-9 * np.maximum(1.0, np.abs(of_human))
    return compared, compared & (of_judge <= of_human + near), compared & (of_human <= of_judge + near)


def _compared(present: NDArray[np.bool_], judged: NDArray[np.bool_]) -> NDArray[np.bool_]:
    enough = judged & (present.sum(axis=1) >= MIN_HUMANS)
    return np.asarray(present & enough[:, None])


def _p_values(difference: NDArray[np.int8], items: Ints, epsilon: float) -> Floats:
    """One-sided t-test of each column's mean below epsilon; exact where a column never varies."""
    n = np.maximum(items, 2)
    mean = difference.sum(axis=0) / n
    squares = (difference.astype(np.float64) ** 2).sum(axis=0)
    variance = np.maximum(squares - n * mean**2, 0) / (n - 1)
    varies = variance > 1e-12
    t = (mean - epsilon) / np.sqrt(np.where(varies, variance, 1.0) / n)
    return np.where(varies, special.stdtr(n - 1, t), np.where(mean < epsilon, 0.0, 1.0))


def _rejected(p_values: Floats) -> NDArray[np.bool_]:
    """Benjamini & Yekutieli (2001): the false discovery rate under any dependence between the tests."""
    n = len(p_values)
    order = np.argsort(p_values)
    rank = np.arange(1, n + 1)
    below = np.flatnonzero(p_values[order] <= FDR * rank / (n * (1 / rank).sum()))
    rejected = np.zeros(n, dtype=bool)
    rejected[order[: below.max(initial=-1) + 1]] = True
    return rejected


def _advantage(compared: NDArray[np.bool_], wins: NDArray[np.bool_], groups: Ints | None, draws: int) -> Estimate:
    humans = compared.shape[1]
    rows, index, _ = distinct_rows(compared.astype(np.int64) + wins, 3)
    terms = np.column_stack([compared[rows].any(axis=1), wins[rows], compared[rows]]).astype(np.float64)
    mean = Statistic(
        lambda t: ratio(t[:, 1 : 1 + humans], t[:, 1 + humans :]).mean(axis=1),
        lambda t: t[:, 0],
        why.BELOW_MINIMUM,
        perfect_floor=lambda t, share: 1 - share,
    )
    pattern = np.where(compared[rows].any(axis=1), np.arange(len(rows)), -1)[index]
    return estimates(fold(pattern, terms, groups), {"advantage": mean}, draws=draws)["advantage"]


def _not_tested(raters: tuple[str, ...], items: Ints, tested: NDArray[np.bool_]) -> tuple[HumanResult, ...]:
    return tuple(
        HumanResult(rater, int(n), None, None, None, False, why.BELOW_MINIMUM)
        for rater, n, enough in zip(raters, items, tested, strict=True)
        if not enough
    )
