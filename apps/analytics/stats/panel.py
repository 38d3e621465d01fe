"""The whole agreement panel of a set of raters, from one set of resamples where that is cheaper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import estimate as why
from .agreement import COEFFICIENTS, Sums, agreement, coefficients
from .estimate import Estimate
from .labels import Floats, LabelMatrix, label_counts
from .pairwise import KAPPAS, WEIGHTS, Couples, disagreement, mean_kappas
from .resample import DRAWS, Statistic, distinct_rows, estimates, fold

MEANS = tuple(f"{name}_mean" for name in KAPPAS.values())
_ROWS = 512  # distinct rows of labels up to which one set of resamples serves all


def panel(matrix: LabelMatrix, *, draws: int = DRAWS) -> dict[str, Estimate]:
    """Every coefficient of `agreement`, and the mean over all pairs of raters of Cohen's kappa (`..._mean`).

    Few raters give few distinct rows of labels; the coefficients that need the counts only and those that need to know
    who said what are then functions of the same totals.
    """
    size = matrix.scale.size
    rows, index, _ = distinct_rows(matrix.codes + np.int8(1), size + 1)
    if len(rows) > _ROWS or not matrix.whole or matrix.codes.shape[1] < 2:
        means = mean_kappas(matrix, draws=draws)
        return agreement(matrix, draws=draws) | {f"{name}_mean": stat for name, stat in means.items()}
    codes = matrix.codes[rows]
    counts = label_counts(codes, size)
    sums = Sums(np.flatnonzero(counts.sum(axis=0)))
    couples = Couples(codes.shape[1], matrix.scale)
    terms = np.hstack([sums.of_counts(counts), couples.terms(codes)])
    split = terms.shape[1] - couples.width
    statistics = {name: _part(stat, slice(split)) for name, stat in coefficients(matrix, sums).items()}
    for weights in WEIGHTS if matrix.scale.ordered else WEIGHTS[:1]:
        mean = couples.mean_kappa(disagreement(matrix.scale, weights))
        statistics[f"{KAPPAS[weights]}_mean"] = _part(mean, slice(split, None))
    rated = np.where(counts.any(axis=1), np.arange(len(rows)), -1)
    found = dict.fromkeys((*COEFFICIENTS, *MEANS), Estimate.undefined(why.NOT_ORDERED))
    return found | estimates(fold(rated[index], terms, matrix.groups), statistics, draws=draws)


def _part(statistic: Statistic, part: slice) -> Statistic:
    """The statistic on its own columns of wider totals."""

    def of(totals: Floats) -> Floats:
        return statistic.of(totals[:, part])

    floor = statistic.perfect_floor
    return replace(
        statistic,
        of=of,
        support=lambda t: statistic.support(t[:, part]),
        perfect_floor=None if floor is None else lambda t, share: floor(t[:, part], share),
    )
