"""The bootstrap: draws whole items (or groups of items), at a cost that does not grow with their number.

Every statistic here is a smooth function of sums over items, and items that add the same to those sums are
exchangeable. So items are first folded into the K distinct things they add, each with its multiplicity; a resample
of n items is then exactly one draw of Multinomial(n, multiplicity / n), and all B resamples are one product
W (B x K) @ terms (K x p). The jackknife of BCa needs K leave-one-out values, not n.

Items that share a group are drawn together: what the bootstrap draws is then the group, and it adds what its items add.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

from . import estimate as why
from .estimate import Estimate
from .labels import Floats, Ints

DRAWS: Final = 2000
LEVEL: Final = 0.95
_CHUNK: Final = 2_000_000  # elements of one slab of weights or totals: 16 MB
_FEW: Final = 2000  # units up to which counting drawn indexes is quicker than Poisson counts
_BLOCKS: Final = 1000  # leave-out values for the acceleration; more units than this are left out in blocks


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """What one draw of the bootstrap can be: distinct units and how many there are of each.

    Args:
        terms: (K, p) what a unit adds to the totals; dense, or sparse where p is large.
        counts: (K,) how many such units the data hold.
        single: every unit is one item (no groups), so that rates over items may use Wilson's interval.
    """

    terms: Any
    counts: Ints
    single: bool = True

    @property
    def n(self) -> int:
        return int(self.counts.sum())

    def totals(self) -> Floats:
        return np.asarray(self.counts @ self.terms, dtype=np.float64)

    def rows(self, start: int, stop: int) -> Floats:
        block = self.terms[start:stop]
        return np.asarray(block.toarray() if sparse.issparse(block) else block)


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic as a function of totals, (m, p) -> (m,), NaN where it is undefined.

    Args:
        of: the value.
        support: how many items a row of totals rests on; 0: undefined as `no_overlap`.
        undefined: the reason where there is support and no value.
        perfect_floor: the value if a given share of the items disagreed utterly; a statistic of agreement has one, and
            it turns the exact bound on unseen disagreement into a lower bound where every item agrees.
        proportion: the value is a share of the supporting items.
    """

    of: Callable[[Floats], Floats]
    support: Callable[[Floats], Floats]
    undefined: str = why.SINGLE_CATEGORY
    perfect_floor: Callable[[Floats, float], float] | None = None
    proportion: bool = False


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient, NaN where the denominator is (numerically) zero."""
    defined = denominator > 1e-12
    return np.where(defined, numerator / np.where(defined, denominator, 1.0), np.nan)


def cells(n: int) -> Any:
    """Terms of units that each add one to one of n cells; sparse where n is large."""
    return np.eye(n) if n <= 1024 else sparse.eye_array(n, format="csr")


def distinct_rows(rows: NDArray[np.integer], base: int) -> tuple[Ints, Ints, Ints]:
    """Fold equal rows of whole numbers in 0..base-1: (a row that has it, which one each row is, how many), by content.

    Rows become digits of one number; where the number would no longer fit, what was read so far is renumbered.
    """
    n, width = rows.shape
    key: NDArray[np.signedinteger] = np.zeros(n, dtype=np.int32 if base**width < 2**31 else np.int64)
    span = 1
    for column in range(width):
        if span * base >= 2**62:
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
            span = int(key.max(initial=0)) + 1
        key *= base
        key += rows[:, column]
        span *= base
    if span > max(4 * n, 1 << 12):
        _, example, index, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
        return example.astype(np.int64), index.astype(np.int64), counts.astype(np.int64)
    tally = np.bincount(key, minlength=span)  # few possible rows: counting beats sorting
    present = np.flatnonzero(tally)
    example, rank = np.zeros(span, dtype=np.int64), np.zeros(span, dtype=np.int64)
    example[key] = np.arange(n)
    rank[present] = np.arange(len(present))
    return example[present], rank[key], tally[present].astype(np.int64)


def fold(pattern: Ints, terms: Any, groups: Ints | None = None) -> Units:
    """Units from items: item i adds `terms[pattern[i]]`; a negative pattern takes no part.

    With groups, the unit is the group, and groups holding the same patterns are folded into one.
    """
    taking_part = pattern >= 0
    if groups is None:
        counts = np.bincount(pattern[taking_part], minlength=terms.shape[0])
        seen = np.flatnonzero(counts)
        return Units(terms[seen], counts[seen].astype(np.int64))
    pattern, groups = pattern[taking_part], groups[taking_part]
    order = np.lexsort((pattern, groups))
    pattern, groups = pattern[order], groups[order]
    start = np.flatnonzero(np.diff(groups, prepend=-1))
    size = np.diff(start, append=len(groups))
    parts, counts_of = [], []
    for s in np.unique(size):
        members = pattern[start[size == s][:, None] + np.arange(s)]  # (groups of this size, s), sorted in a row
        example, _, counts = distinct_rows(members, terms.shape[0])
        holds = sparse.csr_array(  # how often each pattern is in each distinct group
            (np.ones(example.size * s), (np.repeat(np.arange(example.size), s), members[example].ravel())),
            shape=(example.size, terms.shape[0]),
        )
        parts.append(holds @ terms)
        counts_of.append(counts)
    if not parts:
        return Units(terms[:0], np.zeros(0, dtype=np.int64), single=False)
    stacked = sparse.vstack(parts, format="csr") if sparse.issparse(parts[0]) else np.concatenate(parts)
    return Units(stacked, np.concatenate(counts_of), single=False)


def estimates(
    units: Units, statistics: Mapping[str, Statistic], *, draws: int = DRAWS, level: float = LEVEL
) -> dict[str, Estimate]:
    """Every statistic with its interval, all from the same resamples.

    BCa (Efron 1987) over units, `draws` resamples; the seed comes from the data, so the same data give the same
    interval. Wilson's interval for shares of independent items.
    """
    if not units.n:
        return {name: Estimate.undefined(why.NO_OVERLAP) for name in statistics}
    totals = units.totals()[None, :]
    values = {name: float(statistic.of(totals)[0]) for name, statistic in statistics.items()}
    support = {name: round(float(statistic.support(totals)[0])) for name, statistic in statistics.items()}
    wanted = {
        name: statistic
        for name, statistic in statistics.items()
        if np.isfinite(values[name]) and support[name] and not (statistic.proportion and units.single)
    }
    resampled: dict[str, Floats] = {}
    left_out: dict[str, Floats] = {}
    weights: Floats = np.ones(1)
    if wanted and units.n > 1:
        resampled = _evaluate(wanted, _resamples(units, draws))
        weights, blocks = _leave_out(units)
        left_out = _evaluate(wanted, (totals - block for block in blocks))

    found: dict[str, Estimate] = {}
    for name, statistic in statistics.items():
        value, n = values[name], support[name]
        if not n:
            found[name] = Estimate.undefined(why.NO_OVERLAP)
        elif not np.isfinite(value):
            found[name] = Estimate.undefined(statistic.undefined, n)
        elif units.n < 2:
            found[name] = Estimate(value, None, n, why.TOO_FEW_ITEMS)
        elif statistic.perfect_floor is not None and value == 1.0:
            found[name] = _perfect(units, statistic, totals, n, level)
        elif statistic.proportion and units.single:
            found[name] = Estimate(value, wilson(value * n, n, level), n)
        else:
            found[name] = bca(value, resampled[name], left_out[name], weights, n=n, level=level)
    return found


def bca(
    value: float, resampled: Floats, left_out: Floats, weights: Floats, *, n: int, level: float = LEVEL
) -> Estimate:
    """The bias-corrected and accelerated interval from resampled and leave-one-out values.

    Args:
        weights: how many units each leave-one-out value stands for.
    """
    defined = resampled[np.isfinite(resampled)]
    if len(defined) < len(resampled) / 2:
        return Estimate(value, None, n, why.MOSTLY_UNDEFINED)
    if np.ptp(defined) < 1e-12:
        return Estimate(value, None, n, why.NO_SPREAD)
    # Ties with the estimate count half: these statistics are discrete. The ends keep the correction finite.
    below = np.mean(defined < value - 1e-12) + np.mean(np.abs(defined - value) <= 1e-12) / 2
    bias = special.ndtri(np.clip(below, 0.5 / len(defined), 1 - 0.5 / len(defined)))
    tails = special.ndtri(np.array([(1 - level) / 2, (1 + level) / 2])) + bias
    corrected = 1 - acceleration(left_out, weights) * tails
    share = special.ndtr(bias + tails / corrected) if (corrected > 0).all() else special.ndtr(bias + tails)
    low, high = np.quantile(defined, share)
    flags = (why.UNSTABLE,) if len(defined) < 0.95 * len(resampled) else ()
    return Estimate(value, (float(low), float(high)), n, flags=flags)


def acceleration(left_out: Floats, weights: Floats) -> float:
    """How the standard error moves with the value: the skewness of the jackknife, over six."""
    kept = np.isfinite(left_out)
    values, weights = left_out[kept], weights[kept]
    if not len(values):
        return 0.0
    deviation = np.average(values, weights=weights) - values
    spread = (weights * deviation**2).sum()
    return float((weights * deviation**3).sum() / (6 * spread**1.5)) if spread > 1e-24 else 0.0


def wilson(successes: float, total: int, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval for a share (Wilson 1927; Newcombe 1998, method 3)."""
    z = special.ndtri((1 + level) / 2)
    share = successes / total
    centre = share + z * z / (2 * total)
    half = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, float((centre - half) / scale)), min(1.0, float((centre + half) / scale))


def unseen(n: int, level: float = LEVEL) -> float:
    """The largest share of disagreeing units that n units without one still allow: the exact one-sided bound."""
    return float(1 - (1 - level) ** (1 / n))


def normal_interval(value: float, influence: Floats, *, n: int, level: float = LEVEL) -> Estimate:
    """A normal interval from each unit's influence on the value, for what is too large to resample."""
    error = float(np.sqrt((influence**2).sum()))
    z = float(special.ndtri((1 + level) / 2))
    return Estimate(value, (max(-1.0, value - z * error), min(1.0, value + z * error)), n, flags=(why.NORMAL,))


def _perfect(units: Units, statistic: Statistic, totals: Floats, n: int, level: float) -> Estimate:
    """Every unit agrees, so every resample does too: bound the disagreement that was not seen instead of [1, 1]."""
    size = max(1, _CHUNK // max(1, units.terms.shape[1]))
    independent = sum(
        int(units.counts[i : i + size][statistic.support(units.rows(i, i + size)) > 0].sum())
        for i in range(0, len(units.counts), size)
    )
    assert statistic.perfect_floor is not None
    low = statistic.perfect_floor(totals, unseen(independent, level))
    return Estimate(1.0, (max(-1.0, low), 1.0), n, flags=(why.ONE_SIDED,))


def _evaluate(statistics: Mapping[str, Statistic], slabs: Iterator[Floats]) -> dict[str, Floats]:
    parts: dict[str, list[Floats]] = {name: [] for name in statistics}
    for slab in slabs:
        for name, statistic in statistics.items():
            parts[name].append(statistic.of(slab))
    return {name: np.concatenate(values) for name, values in parts.items()}


def _resamples(units: Units, draws: int) -> Iterator[Floats]:
    """Totals of the resamples, in slabs: weights, how often each distinct unit was drawn, times terms."""
    n, distinct = units.n, len(units.counts)
    rng = np.random.default_rng(_seed(units))
    multinomial = n > 6 * distinct  # one binomial a distinct unit, or one count a unit: whichever is less work
    draw = _drawn_one_by_one if n <= _FEW else _drawn_from_all
    per_slab = max(1, _CHUNK // max(distinct, units.terms.shape[1], 1 if multinomial else n))
    single = units.terms if multinomial else units.terms.astype(np.float32)  # counts stay exact, the rest to 1e-7
    first_of = np.concatenate([[0], np.cumsum(units.counts)[:-1]])
    for start in range(0, draws, per_slab):
        size = min(per_slab, draws - start)
        if multinomial:
            yield rng.multinomial(n, units.counts / n, size=size).astype(np.float64) @ units.terms
            continue
        tally = draw(rng, n, size)
        weights = np.add.reduceat(tally, first_of, axis=1, dtype=np.float32) if distinct < n else tally
        yield np.asarray(weights.astype(np.float32, copy=False) @ single, dtype=np.float64)


def _drawn_one_by_one(rng: np.random.Generator, n: int, size: int) -> NDArray[np.int64]:
    """How often each of n units is drawn in n draws, (size, n)."""
    drawn = rng.integers(n, size=(size, n)) + np.arange(0, size * n, n)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)


#: the Poisson(1) count for each 16-bit number
_POISSON = np.searchsorted(special.pdtr(np.arange(9), 1.0) * 2**16, np.arange(2**16), side="right").astype(np.uint8)


def _drawn_from_all(rng: np.random.Generator, n: int, size: int) -> NDArray[np.uint8]:
    """The same, for many units.

    Independent Poisson counts, given their sum, are multinomial; dropping or adding draws at random until there are n
    keeps them so. That costs a table look-up a unit, where counting n drawn indexes costs three times as much.
    """
    tally = _POISSON[rng.integers(2**16, size=(size, n), dtype=np.uint16)]
    for row in tally:
        drawn = int(row.sum())
        if drawn < n:
            np.add.at(row, rng.integers(n, size=n - drawn), 1)
        elif drawn > n:
            dropped = rng.choice(drawn, size=drawn - n, replace=False, shuffle=False)
            np.subtract.at(row, np.searchsorted(np.cumsum(row), dropped, side="right"), 1)
    return tally


def _leave_out(units: Units) -> tuple[Floats, Iterator[Floats]]:
    """What to take from the totals for each leave-out value, in slabs, and how many units each stands for.

    Beyond `_BLOCKS` distinct units, random blocks of units are left out: the skewness of the sum over a block shrinks
    exactly as the number of blocks makes up for, so the acceleration has the same limit.
    """
    distinct = len(units.counts)
    if distinct <= _BLOCKS:
        size = max(1, _CHUNK // max(1, units.terms.shape[1]))
        return units.counts.astype(np.float64), (units.rows(i, i + size) for i in range(0, distinct, size))
    block = np.random.default_rng(_seed(units) + 1).integers(_BLOCKS, size=distinct)
    gather = sparse.csr_array(
        (units.counts.astype(np.float64), (block, np.arange(distinct))), shape=(_BLOCKS, distinct)
    )
    size = max(1, _CHUNK // max(1, units.terms.shape[1]))

    def slabs() -> Iterator[Floats]:
        for i in range(0, _BLOCKS, size):
            summed = gather[i : i + size] @ units.terms
            yield np.asarray(summed.toarray() if sparse.issparse(summed) else summed)

    return np.ones(_BLOCKS), slabs()


def _seed(units: Units) -> int:
    terms = units.terms.data if sparse.issparse(units.terms) else units.terms
    digest = hashlib.blake2b(units.counts.tobytes(), digest_size=8)
    digest.update(np.ascontiguousarray(terms).tobytes())
    return int.from_bytes(digest.digest())
