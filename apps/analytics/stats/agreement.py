"""Agreement among interchangeable raters: raw, Fleiss, Krippendorff, Gwet.

All are 1 - observed disagreement / disagreement expected by chance; they differ in what a disagreement weighs and in
what chance is. Both sides are sums over items of a few numbers that depend only on how many raters gave each label, so
items with equal counts are folded together before anything else is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from . import estimate as why
from .estimate import Estimate
from .labels import Codes, Floats, Ints, LabelMatrix, Scale, label_counts
from .resample import DRAWS, Statistic, Units, distinct_rows, estimates, fold, ratio

COEFFICIENTS = (
    "raw_agreement",
    "fleiss_kappa",
    "krippendorff_alpha_nominal",
    "krippendorff_alpha_ordinal",
    "krippendorff_alpha_interval",
    "gwet_ac1",
    "gwet_ac2",
)
_DENSE = 12_000_000  # numbers; larger terms are sparse


def agreement(matrix: LabelMatrix, *, draws: int = DRAWS) -> dict[str, Estimate]:
    """Every coefficient of `COEFFICIENTS` for raters who may skip items and whose names do not matter.

    Raw agreement is the mean over items of the share of agreeing pairs of raters. Fleiss' kappa is the generalisation
    to unequal numbers of raters. AC2 has quadratic weights over the declared scale. n counts the items with at least
    two ratings. Where scores lie between levels of the scale only the interval alpha is defined.
    Source: Fleiss (1971); Gwet (2014), Handbook of Inter-Rater Reliability, ch. 2-4; Krippendorff (2011).
    """
    if not matrix.whole:
        found = dict.fromkeys(COEFFICIENTS, Estimate.undefined(why.NOT_WHOLE))
        return found | {"krippendorff_alpha_interval": interval_alpha(matrix, draws=draws)}
    units, sums = count_units(matrix)
    found = dict.fromkeys(COEFFICIENTS, Estimate.undefined(why.NOT_ORDERED))
    return found | estimates(units, coefficients(matrix, sums), draws=draws)


@dataclass(frozen=True, slots=True)
class Sums:
    """Where each sum over items stands in the totals. Only the labels in use have sums; the scale keeps the others."""

    used: Ints  # the labels in use, as codes

    @property
    def size(self) -> int:
        return len(self.used)

    @property
    def couples(self) -> tuple[Ints, Ints]:
        """Every two different labels, as positions in `used`."""
        first, second = np.triu_indices(self.size, 1)
        return first, second

    @property
    def n_couples(self) -> int:
        return self.size * (self.size - 1) // 2

    def terms(self, counts: Ints) -> Any:
        """`of_counts` for any number of items: sparse where that is large, since an item has few labels."""
        width = 2 + 2 * self.size + 2 * self.n_couples
        if len(counts) * width <= _DENSE:
            return self.of_counts(counts)
        size = max(1, _DENSE // (8 * width))
        parts = [sparse.csr_array(self.of_counts(counts[i : i + size])) for i in range(0, len(counts), size)]
        return sparse.vstack(parts, format="csr")

    def of_counts(self, counts: Ints) -> Floats:
        """What an item with these label counts adds: see the accessors below."""
        counts = counts[:, self.used].astype(np.float64)
        raters = counts.sum(axis=1)
        pairable = raters >= 2
        first, second = self.couples
        differing = counts[:, first] * counts[:, second]  # pairs of raters who gave these two labels
        return np.column_stack(
            [
                raters >= 1,
                pairable,
                counts / np.maximum(raters, 1)[:, None],
                differing / np.where(pairable, raters * (raters - 1), 1)[:, None],
                counts * pairable[:, None],
                differing / np.where(pairable, raters - 1, 1)[:, None],
            ]
        )

    def rated(self, totals: Floats) -> Floats:
        return totals[:, 0]

    def support(self, totals: Floats) -> Floats:
        """Items with two ratings or more."""
        return totals[:, 1]

    def shares(self, totals: Floats) -> Floats:
        """Prevalence of each label: the mean over rated items of its share of the item's ratings."""
        return totals[:, 2 : 2 + self.size] / np.maximum(self.rated(totals), 1)[:, None]

    def differing(self, totals: Floats) -> Floats:
        """Mean over pairable items of the share of ordered pairs of raters who gave two labels, in either order."""
        start = 2 + self.size
        return 2 * totals[:, start : start + self.n_couples] / np.maximum(self.support(totals), 1)[:, None]

    def pairable(self, totals: Floats) -> Floats:
        """Krippendorff's n_c: ratings of each label on pairable items."""
        start = 2 + self.size + self.n_couples
        return totals[:, start : start + self.size]

    def coincidences(self, totals: Floats) -> Floats:
        """Krippendorff's o_ck for c != k, both orders together."""
        return 2 * totals[:, 2 + 2 * self.size + self.n_couples :]


def count_units(matrix: LabelMatrix) -> tuple[Units, Sums]:
    """Items folded by their label counts; items nobody rated take no part."""
    codes, size = matrix.codes, matrix.scale.size
    rows, index, _ = distinct_rows(codes + np.int8(1), size + 1) if codes.shape[1] < 8 else _unfolded(codes)
    counts = label_counts(codes[rows], size)
    example, of_row, _ = distinct_rows(counts, codes.shape[1] + 1)
    counts = counts[example]
    sums = Sums(np.flatnonzero(counts.sum(axis=0)))
    pattern = np.where(counts.sum(axis=1) > 0, np.arange(len(counts)), -1)
    return fold(pattern[of_row[index]], sums.terms(counts), matrix.groups), sums


def coefficients(matrix: LabelMatrix, sums: Sums) -> dict[str, Statistic]:
    """The statistics this scale allows, as functions of the totals of `sums`."""
    scale = matrix.scale
    found = {
        "raw_agreement": _coefficient(sums, lambda t: sums.differing(t).sum(axis=1), lambda t: np.ones(len(t)), _one),
        "fleiss_kappa": _coefficient(
            sums,
            lambda t: sums.differing(t).sum(axis=1),
            lambda t: 1 - (sums.shares(t) ** 2).sum(axis=1),
            _one,
        ),
        "krippendorff_alpha_nominal": _alpha(sums, lambda t: np.ones((len(t), sums.n_couples))),
        "gwet_ac1": _gwet(scale, sums, 1 - np.eye(scale.size)),
    }
    if matrix.codes.shape[1] == 2:  # then an item agrees or not, and the agreement is a share of the items
        found["raw_agreement"] = replace(found["raw_agreement"], proportion=True)
    if scale.ordered:
        values = scale.positions()
        apart = (values[:, None] - values) ** 2
        first, second = sums.couples
        distance = apart[sums.used[first], sums.used[second]]
        found["krippendorff_alpha_interval"] = _alpha(sums, lambda t: np.tile(distance, (len(t), 1)))
        found["krippendorff_alpha_ordinal"] = _alpha(sums, lambda t: _ordinal_distance(sums, t))
        found["gwet_ac2"] = _gwet(scale, sums, apart / max(apart.max(), 1e-300))
    return found


def interval_alpha(matrix: LabelMatrix, *, draws: int = DRAWS) -> Estimate:
    """Krippendorff's alpha for scores of any precision, from the moments of each item's scores."""
    if matrix.values is None:
        return Estimate.undefined(why.NOT_NUMERIC)
    present = ~np.isnan(matrix.values)
    pairable = present.sum(axis=1) >= 2
    if not pairable.any():
        return Estimate.undefined(why.NO_OVERLAP)
    middle = float(matrix.values[pairable][present[pairable]].mean())  # alpha does not move with the origin
    values = np.where(present, matrix.values.astype(np.float64) - middle, 0.0)
    m, total, squares = present.sum(axis=1), values.sum(axis=1), (values**2).sum(axis=1)
    within = 2 * (m * squares - total**2) / np.maximum(m - 1, 1)
    unanimous = np.nanmax(np.where(present, matrix.values, -np.inf), axis=1) == np.nanmin(
        np.where(present, matrix.values, np.inf), axis=1
    )
    terms = np.column_stack([np.ones_like(within), m, total, squares, np.where(unanimous, 0.0, within)])
    moments = estimates(
        fold(np.where(pairable, np.arange(len(m)), -1), terms, matrix.groups),
        {
            "alpha": Statistic(
                lambda t: (
                    1 - ratio(t[:, 4] / t[:, 1], 2 * (t[:, 1] * t[:, 3] - t[:, 2] ** 2) / _ordered_pairs(t[:, 1]))
                ),
                lambda t: t[:, 0],
            )
        },
        draws=draws,
    )
    return moments["alpha"]


def _coefficient(
    sums: Sums,
    observed: Callable[[Floats], Floats],
    expected: Callable[[Floats], Floats],
    worst: Callable[[Floats], float],
) -> Statistic:
    def of(totals: Floats) -> Floats:
        return np.where(sums.support(totals) > 0, 1 - ratio(observed(totals), expected(totals)), np.nan)

    def floor(totals: Floats, share: float) -> float:
        return float(1 - share * worst(totals) / expected(totals)[0])

    return Statistic(of, sums.support, perfect_floor=floor)


def _alpha(sums: Sums, distance: Callable[[Floats], Floats]) -> Statistic:
    """Krippendorff's alpha; the ordinal distance depends on the margins, so each resample has its own."""
    first, second = sums.couples

    def observed(totals: Floats) -> Floats:
        ratings = sums.pairable(totals).sum(axis=1)
        return np.asarray((sums.coincidences(totals) * distance(totals)).sum(axis=1) / np.maximum(ratings, 1))

    def expected(totals: Floats) -> Floats:
        ratings = sums.pairable(totals)
        apart = 2 * (ratings[:, first] * ratings[:, second] * distance(totals)).sum(axis=1)
        return np.asarray(apart / np.maximum(_ordered_pairs(ratings.sum(axis=1)), 1))

    return _coefficient(sums, observed, expected, lambda t: float(distance(t).max(initial=0)))


def _gwet(scale: Scale, sums: Sums, disagreement: Floats) -> Statistic:
    """AC1 and AC2: chance is a rater who picks at random exactly where the items are hard to label.

    The number of labels and their weights are those of the declared scale, used or not.
    """
    first, second = sums.couples
    weight = disagreement[sums.used[first], sums.used[second]]
    q = scale.size
    spread = float((1 - disagreement).sum()) / (q * (q - 1)) if q > 1 else np.nan

    def expected(totals: Floats) -> Floats:
        shares = sums.shares(totals)
        return np.asarray(np.nan_to_num(1 - spread * (shares * (1 - shares)).sum(axis=1), nan=0.0))

    return _coefficient(sums, lambda t: (sums.differing(t) * weight).sum(axis=1), expected, _one)


def _ordinal_distance(sums: Sums, totals: Floats) -> Floats:
    """Krippendorff's ordinal metric: the squared distance between the mid-ranks of two labels."""
    first, second = sums.couples
    ratings = sums.pairable(totals)
    midrank = np.cumsum(ratings, axis=1) - ratings / 2
    return np.asarray((midrank[:, second] - midrank[:, first]) ** 2)


def _ordered_pairs(n: Floats) -> Floats:
    return n * (n - 1)


def _one(totals: Floats) -> float:
    return 1.0


def _unfolded(codes: Codes) -> tuple[Ints, Ints, Ints]:
    every = np.arange(len(codes))
    return every, every, np.ones(len(codes), dtype=np.int64)
