"""How often each label is given, with intervals that know that labels of one item belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from apps.analytics.stats import estimate as why
from apps.analytics.stats.estimate import Estimate
from apps.analytics.stats.labels import Floats, LabelMatrix, label_counts
from apps.analytics.stats.resample import DRAWS, Statistic, distinct_rows, estimates, fold, ratio


@dataclass(frozen=True, slots=True)
class Prevalence:
    labels: dict[str, Estimate]
    mean: Estimate | None  # of scores


def prevalence(matrix: LabelMatrix, *, draws: int = DRAWS) -> Prevalence:
    """The share of each label among all labels of these raters; n counts the labels. Of scores the mean, too."""
    counts = label_counts(matrix.codes, matrix.scale.size)
    rows, index, _ = distinct_rows(counts, matrix.codes.shape[1] + 1)
    distinct = counts[rows].astype(np.float64)
    rated = np.where(distinct.any(axis=1), np.arange(len(rows)), -1)
    alone = matrix.codes.shape[1] == 1
    units = fold(rated[index], distinct, matrix.groups)
    found = estimates(
        units,
        {
            label: Statistic(_share(place), lambda t: t.sum(axis=1), proportion=alone)
            for place, label in enumerate(matrix.scale.labels)
        },
        draws=draws,
    )
    return Prevalence(found, _mean(matrix, draws) if matrix.values is not None else None)


def _share(place: int) -> Callable[[Floats], Floats]:
    def of(totals: Floats) -> Floats:
        return ratio(totals[:, place], totals.sum(axis=1))

    return of


def _mean(matrix: LabelMatrix, draws: int) -> Estimate:
    assert matrix.values is not None
    present = ~np.isnan(matrix.values)
    terms = np.column_stack([np.where(present, matrix.values, 0).sum(axis=1, dtype=np.float64), present.sum(axis=1)])
    distinct, index = np.unique(terms, axis=0, return_inverse=True)
    rated = np.where(distinct[:, 1] > 0, np.arange(len(distinct)), -1)
    units = fold(rated[index.ravel()], distinct, matrix.groups)
    statistic = Statistic(lambda t: ratio(t[:, 0], t[:, 1]), lambda t: t[:, 1], why.NO_OVERLAP)
    return estimates(units, {"mean": statistic}, draws=draws)["mean"]
