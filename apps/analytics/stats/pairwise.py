"""Agreement of two named raters: Cohen's kappa, for every pair at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import estimate as why
from .estimate import Estimate
from .labels import Codes, Floats, Ints, LabelMatrix, Scale
from .resample import DRAWS, Statistic, Units, cells, distinct_rows, estimates, fold, normal_interval, ratio

WEIGHTS = ("unweighted", "linear", "quadratic")
KAPPAS = {"unweighted": "cohen_kappa", "linear": "cohen_kappa_linear", "quadratic": "cohen_kappa_quadratic"}
_DENSE = 4_000_000  # numbers that the joint resampling of all pairs may hold


@dataclass(frozen=True, slots=True)
class Pair:
    """Two raters, by column, and the confusion table of the items both judged."""

    a: int
    b: int
    table: Ints
    kappa: dict[str, Estimate]  # by the names in `KAPPAS`
    raw_agreement: Estimate

    @property
    def n(self) -> int:
        return int(self.table.sum())


def confusion_tensor(codes: Codes, n_labels: int) -> Ints:
    """Confusion tables of all pairs of raters, (raters, labels, raters, labels), as one product of one-hot columns."""
    n_items, n_raters = codes.shape
    width = n_raters * n_labels
    tensor = np.zeros((width, width))
    slab = max(1, 8_000_000 // max(1, width))  # under 2^24 rows, so single precision counts exactly
    for start in range(0, n_items, slab):
        block = codes[start : start + slab]
        hot = np.zeros((len(block), n_raters, n_labels), dtype=np.float32)
        item, rater = np.nonzero(block >= 0)
        hot[item, rater, block[item, rater]] = 1
        flat = hot.reshape(len(block), width)
        tensor += flat.T @ flat
    return tensor.reshape(n_raters, n_labels, n_raters, n_labels).astype(np.int64)


def disagreement(scale: Scale, weights: str) -> Floats:
    """What it costs to say one label for the other, over the whole declared scale."""
    if weights == "unweighted":
        return 1 - np.eye(scale.size)
    apart = np.abs(scale.positions()[:, None] - scale.positions())
    return apart if weights == "linear" else apart**2


def kappa_of(tables: Floats, cost: Floats) -> Floats:
    """Cohen's kappa of confusion tables (..., q, q); NaN where chance agreement is 1. One constant rater gives 0."""
    size = len(cost)
    flat = tables.reshape(*tables.shape[:-2], size * size)
    if size > 10:
        rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    else:  # as products: many small sums are slow
        rows, columns = flat @ np.repeat(np.eye(size), size, axis=0), flat @ np.tile(np.eye(size), (size, 1))
    observed = (flat @ cost.ravel()) * (rows @ np.ones(size))
    expected = ((rows @ cost) * columns) @ np.ones(size)
    return 1 - ratio(observed, expected)


def pairs(matrix: LabelMatrix, *, draws: int = DRAWS) -> Iterator[Pair]:
    """Every two raters: raw agreement and Cohen's kappa, weighted where the labels are ordered.

    Source: Cohen (1960, 1968). The bootstrap draws items (or groups) from the cells of the pair's own table.
    """
    size, raters = matrix.scale.size, matrix.codes.shape[1]
    tensor = confusion_tensor(matrix.codes, size)
    for a in range(raters):
        for b in range(a + 1, raters):
            table = tensor[a, :, b, :]
            found = table_estimates(cell_units(matrix, a, b, table), matrix.scale, draws=draws)
            if matrix.values is not None and not matrix.select([a, b]).whole:
                found = dict.fromkeys(found, Estimate.undefined(why.NOT_WHOLE))
            yield Pair(a, b, table, {k: found[k] for k in KAPPAS.values()}, found["raw_agreement"])


def cell_units(matrix: LabelMatrix, a: int, b: int, table: Ints) -> Units:
    """The items both raters judged, folded into the cells of their confusion table."""
    size = matrix.scale.size
    if matrix.groups is None:
        used = np.flatnonzero(table)
        return Units(cells(size * size)[used], table.ravel()[used])
    return fold(cell_of(matrix.codes[:, a], matrix.codes[:, b], size), cells(size * size), matrix.groups)


def cell_of(first: Codes, second: Codes, n_labels: int) -> Ints:
    """Which cell of a confusion table each item falls in; -1 where either label is missing."""
    return np.where((first >= 0) & (second >= 0), first.astype(np.int64) * n_labels + second, -1)


def table_estimates(units: Units, scale: Scale, *, draws: int = DRAWS) -> dict[str, Estimate]:
    """The kappas and the raw agreement of units whose terms are cells of one confusion table."""
    found = dict.fromkeys(KAPPAS.values(), Estimate.undefined(why.NOT_ORDERED))
    statistics = {"raw_agreement": _raw(scale.size)}
    for weights in WEIGHTS if scale.ordered else WEIGHTS[:1]:
        statistics[KAPPAS[weights]] = kappa_statistic(scale, weights)
    found |= estimates(units, statistics, draws=draws)
    rare = rare_category(units, scale.size)
    return {name: _flag(stat, why.RARE_CATEGORY) if rare else stat for name, stat in found.items()}


def kappa_statistic(scale: Scale, weights: str) -> Statistic:
    cost = disagreement(scale, weights)

    def tables(totals: Floats) -> Floats:
        return totals.reshape(len(totals), scale.size, scale.size)

    def floor(totals: Floats, share: float) -> float:
        table = tables(totals)[0]
        expected = table.sum(axis=1) @ cost @ table.sum(axis=0) / table.sum() ** 2
        return float(1 - share * cost.max() / expected)

    return Statistic(lambda t: kappa_of(tables(t), cost), lambda t: t.sum(axis=1), perfect_floor=floor)


def mean_kappas(matrix: LabelMatrix, *, draws: int = DRAWS) -> dict[str, Estimate]:
    """Light's kappa: the mean of Cohen's kappa over all pairs of raters, by the names in `KAPPAS`.

    Pairs whose kappa is undefined are left out. n counts the items with at least two ratings. With many raters on many
    items the interval is a normal one, from each item's influence on every kappa.
    Source: Light (1971).
    """
    if not matrix.whole:
        return dict.fromkeys(KAPPAS.values(), Estimate.undefined(why.NOT_WHOLE))
    found = dict.fromkeys(KAPPAS.values(), Estimate.undefined(why.NOT_ORDERED))
    costs = {KAPPAS[w]: disagreement(matrix.scale, w) for w in (WEIGHTS if matrix.scale.ordered else WEIGHTS[:1])}
    rows, index, _ = distinct_rows(matrix.codes + np.int8(1), matrix.scale.size + 1)
    joint = Couples(matrix.codes.shape[1], matrix.scale)
    codes = matrix.codes[rows]
    paired = joint.paired(codes)
    if not paired.any():
        return found | dict.fromkeys(costs, Estimate.undefined(why.NO_OVERLAP))
    if joint.width * len(rows) > _DENSE:
        return found | _means_by_influence(matrix, costs, joint.couples, paired[index])
    units = fold(np.where(paired, np.arange(len(rows)), -1)[index], joint.terms(codes), matrix.groups)
    return found | estimates(units, {name: joint.mean_kappa(cost) for name, cost in costs.items()}, draws=draws)


class Couples:
    """All pairs of raters at once: an item adds one to a cell of the table of each pair that judged it."""

    def __init__(self, raters: int, scale: Scale) -> None:
        self.couples = [(a, b) for a in range(raters) for b in range(a + 1, raters)]
        self.size = scale.size
        self.width = 1 + len(self.couples) * self.size**2

    def paired(self, codes: Codes) -> NDArray[np.bool_]:
        return np.asarray((codes >= 0).sum(axis=1) >= 2)

    def terms(self, codes: Codes) -> Floats:
        """Whether anyone can be compared on an item, then its cell in the table of each pair."""
        width = self.size**2
        terms = np.zeros((len(codes), self.width))
        terms[:, 0] = self.paired(codes)
        for i, (a, b) in enumerate(self.couples):
            cell = cell_of(codes[:, a], codes[:, b], self.size)
            both = np.flatnonzero(cell >= 0)
            terms[both, 1 + i * width + cell[both]] = 1
        return terms

    def mean_kappa(self, cost: Floats) -> Statistic:
        """The mean over the pairs where kappa is defined."""

        def kappas(totals: Floats) -> Floats:
            return kappa_of(totals[:, 1:].reshape(len(totals), len(self.couples), self.size, self.size), cost)

        def mean(totals: Floats) -> Floats:
            values = kappas(totals)
            defined = np.isfinite(values)
            return ratio(np.where(defined, values, 0).sum(axis=1), defined.sum(axis=1).astype(np.float64))

        return Statistic(mean, lambda t: t[:, 0])


def rare_category(units: Units, size: int) -> bool:
    """Under 50 items and a label in use under 10 %: no interval of kappa covers there."""
    table = units.totals().reshape(size, size) if units.n else np.zeros((size, size))
    prevalence = (table.sum(axis=0) + table.sum(axis=1)) / max(2 * table.sum(), 1)
    return bool(0 < table.sum() < 50 and ((prevalence > 0) & (prevalence < 0.1)).any())


def _means_by_influence(
    matrix: LabelMatrix, costs: dict[str, Floats], couples: list[tuple[int, int]], paired: NDArray[np.bool_]
) -> dict[str, Estimate]:
    size, n_items = matrix.scale.size, int(paired.sum())
    tensor = confusion_tensor(matrix.codes, size).astype(np.float64)
    found = {}
    for name, cost in costs.items():
        influence = np.zeros(len(matrix.codes))
        kappas = []
        for a, b in couples:
            table = tensor[a, :, b, :]
            kappa = float(kappa_of(table, cost))
            if not np.isfinite(kappa):
                continue
            kappas.append(kappa)
            n = table.sum()
            rows, columns = table.sum(axis=1) / n, table.sum(axis=0) / n
            chance = float(rows @ cost @ columns)
            # The derivative of 1 - observed / chance towards one more item in a cell (Fleiss, Cohen & Everitt 1969).
            margins = (cost @ columns)[:, None] + rows @ cost
            slope = (-cost + (1 - kappa) * margins) / chance
            slope -= (table * slope).sum() / n
            cell = cell_of(matrix.codes[:, a], matrix.codes[:, b], size)
            both = cell >= 0
            influence[both] += slope.ravel()[cell[both]] / n
        if not kappas:
            found[name] = Estimate.undefined(why.SINGLE_CATEGORY, n_items)
            continue
        summed = influence if matrix.groups is None else np.bincount(matrix.groups, weights=influence)
        found[name] = normal_interval(float(np.mean(kappas)), summed / len(kappas), n=n_items)
    return found


def _raw(size: int) -> Statistic:
    diagonal = np.eye(size).ravel()
    return Statistic(
        lambda t: ratio(t @ diagonal, t.sum(axis=1)),
        lambda t: t.sum(axis=1),
        perfect_floor=lambda t, share: 1 - share,
        proportion=True,
    )


def _flag(stat: Estimate, flag: str) -> Estimate:
    if stat.ci is None:
        return stat
    return Estimate(stat.estimate, stat.ci, stat.n, stat.reason, (*stat.flags, flag))
