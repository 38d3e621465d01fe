"""Correlation of a judge's scores with the humans' mean score: Pearson, Spearman, Kendall's tau-b.

Whole-number scores take few values, so the items are folded into the cells of a table of judge score by human mean, and
each resample is a new table. Scores that hardly repeat have no such table: Pearson needs sums only, Spearman ranks each
resample, and tau-b falls back to its exact jackknife.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from . import estimate as why
from .estimate import Estimate
from .labels import Floats, Ints
from .resample import DRAWS, Statistic, estimates, fold, normal_interval

CORRELATIONS = ("pearson", "spearman", "kendall_tau_b")
_TABLE = 2_500  # cells of a table that is still cheap to sum over in every resample


def correlations(
    x: NDArray[np.floating], y: NDArray[np.floating], *, groups: Ints | None = None, draws: int = DRAWS
) -> dict[str, Estimate]:
    """The three correlations over the items where both are present (not NaN).

    Undefined as `zero_variance` where either side never varies.
    """
    present = ~(np.isnan(x) | np.isnan(y))
    x, y = x[present].astype(np.float64), y[present].astype(np.float64)
    groups = None if groups is None else groups[present]
    if not len(x):
        return dict.fromkeys(CORRELATIONS, Estimate.undefined(why.NO_OVERLAP))
    x_values, x_of = np.unique(x, return_inverse=True)
    y_values, y_of = np.unique(y, return_inverse=True)
    if len(x_values) == 1 or len(y_values) == 1:
        return dict.fromkeys(CORRELATIONS, Estimate.undefined(why.ZERO_VARIANCE, len(x)))
    cells, cell_of = np.unique(x_of * len(y_values) + y_of, return_inverse=True)
    x_at, y_at = cells // len(y_values), cells % len(y_values)

    found = estimates(
        fold(cell_of, _moments(x_values[x_at] - x.mean(), y_values[y_at] - y.mean()), groups),
        {"pearson": Statistic(pearson_of_moments, lambda t: t[:, 0], why.ZERO_VARIANCE)},
        draws=draws,
    )
    # A resample's totals are how often each cell was drawn. Sparse, as there may be as many cells as items.
    units = fold(cell_of, sparse.eye_array(len(cells), format="csr"), groups)
    ranked = {"spearman": Statistic(lambda t: _spearman(t, x_at, y_at), _items, why.ZERO_VARIANCE)}
    if len(x_values) * len(y_values) <= _TABLE:
        shape = (len(x_values), len(y_values))
        ranked["kendall_tau_b"] = Statistic(lambda t: _tau_b(t, cells, shape), _items, why.ZERO_VARIANCE)
    else:
        found["kendall_tau_b"] = _tau_b_by_jackknife(x_of, y_of, groups)
    return found | estimates(units, ranked, draws=draws)


def _items(totals: Floats) -> Floats:
    return np.asarray(totals.sum(axis=1))


def _moments(x: Floats, y: Floats) -> Floats:
    return np.column_stack([np.ones_like(x), x, y, x * x, y * y, x * y])


def pearson_of_moments(moments: Floats) -> Floats:
    """Pearson's r of sums (..., 6): n, x, y, x², y², xy; NaN where either side never varies."""
    n, x, y, xx, yy, xy = np.moveaxis(moments, -1, 0)
    return _cosine(n * xy - x * y, n * xx - x * x, n * yy - y * y)


def _cosine(shared: Floats, x: Floats, y: Floats) -> Floats:
    """shared / sqrt(x y), NaN where either side has no variance."""
    varies = (x > 1e-9) & (y > 1e-9)
    value = shared / np.sqrt(np.where(varies, x * y, 1.0))
    return np.where(varies, np.clip(value, -1.0, 1.0), np.nan)


def _spearman(weights: Floats, x_at: Ints, y_at: Ints) -> Floats:
    """Pearson's correlation of mid-ranks, for cells drawn `weights` times."""
    n = weights.sum(axis=1, keepdims=True)
    x, y = (_midranks(weights, at) - (n + 1) / 2 for at in (x_at, y_at))
    return _cosine((weights * x * y).sum(axis=1), (weights * x * x).sum(axis=1), (weights * y * y).sum(axis=1))


def _midranks(weights: Floats, level: Ints) -> Floats:
    """The mean rank of each cell's level among everything drawn."""
    onto = sparse.csr_array((np.ones(len(level)), (np.arange(len(level)), level)))
    drawn = np.asarray(weights @ onto)
    return np.asarray((np.cumsum(drawn, axis=1) - (drawn - 1) / 2)[:, level])


def _tau_b(weights: Floats, cells: Ints, shape: tuple[int, int]) -> Floats:
    """Kendall's tau-b of tables, from the sums of everything below and left of each cell."""
    flat = np.zeros((len(weights), shape[0] * shape[1]))
    flat[:, cells] = weights
    tables = flat.reshape(-1, *shape)
    before = np.cumsum(tables, axis=1) - tables  # smaller x, same y
    below = np.cumsum(before, axis=2) - before  # smaller x, smaller y
    above = before.sum(axis=2, keepdims=True) - below - before  # smaller x, larger y
    surplus = (tables * (below - above)).sum(axis=(1, 2))  # concordant minus discordant pairs
    n = tables.sum(axis=(1, 2))
    x_ties, y_ties = ((tables.sum(axis=axis) ** 2).sum(axis=1) for axis in (2, 1))
    return _cosine(2 * surplus, n * n - x_ties, n * n - y_ties)


def _tau_b_by_jackknife(x: Ints, y: Ints, groups: Ints | None) -> Estimate:
    """tau-b and a normal interval, from how many pairs each item is in: O(n log n)."""
    n = len(x)
    surplus = _smaller_both(x, y) + _smaller_both(-x, -y) - _smaller_both(x, -y) - _smaller_both(-x, y)
    x_ties, y_ties = np.bincount(x)[x] - 1.0, np.bincount(y)[y] - 1.0
    # Twice the number of pairs: all, concordant minus discordant, tied in x, tied in y; and what each item is in.
    total = np.array([n * (n - 1.0), surplus.sum(), x_ties.sum(), y_ties.sum()])
    own = 2 * np.column_stack([np.full(n, n - 1.0), surplus, x_ties, y_ties])
    if groups is not None:  # pairs inside a group are taken off twice; groups are small beside n
        own = np.column_stack([np.bincount(groups, weights=column) for column in own.T])
    without = total - own
    value = float(_cosine(total[1:2], total[:1] - total[2:3], total[:1] - total[3:])[0])
    left_out = _cosine(without[:, 1], without[:, 0] - without[:, 2], without[:, 0] - without[:, 3])
    if not np.isfinite(left_out).all():
        return Estimate(value, None, n, why.MOSTLY_UNDEFINED)
    return normal_interval(value, left_out - left_out.mean(), n=n)


def _smaller_both(x: Ints, y: Ints) -> Floats:
    """For each item, how many items have a smaller x and a smaller y: bit by bit of y, one stable sort a bit."""
    n = len(x)
    y = y - y.min()
    order = np.lexsort((-y, x))  # equal x: falling y, so that they do not count for one another
    y = y[order]
    found = np.zeros(n, dtype=np.int64)
    for bit in range(int(y.max()).bit_length()):
        block = y >> (bit + 1)
        by_block = np.argsort(block, kind="stable")
        one = (y[by_block] >> bit) & 1
        zeros = np.cumsum(1 - one) - (1 - one)
        start = np.searchsorted(block[by_block], block[by_block], side="left")
        found[by_block] += one * (zeros - zeros[start])
    counts = np.empty(n)
    counts[order] = found
    return counts
