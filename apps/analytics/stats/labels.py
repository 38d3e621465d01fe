"""The one data structure of the statistics: a matrix of codes, items x raters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

MISSING: Final = -1  # not judged
NO_VERDICT: Final = -2  # judged, but nothing that could be read as a verdict
MAX_LEVELS: Final = 127  # codes are int8

Codes = NDArray[np.int8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scale:
    """The labels a rater could choose from, used or not: weights and chance agreement come from these.

    `values` are the positions of ordered labels; None where the labels have no order. `numeric` labels are scores.
    """

    labels: tuple[str, ...]
    values: tuple[float, ...] | None = None
    numeric: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.labels) <= MAX_LEVELS:
            raise ValueError(f"a scale has 1 to {MAX_LEVELS} labels, not {len(self.labels)}")
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("the labels of a scale are distinct")
        if self.values is not None and (
            len(self.values) != len(self.labels) or any(b <= a for a, b in pairwise(self.values))
        ):
            raise ValueError("the values of a scale rise with its labels")

    @classmethod
    def pair(cls) -> Scale:
        return cls(("A", "tie", "B"), (0.0, 1.0, 2.0))

    @classmethod
    def scores(cls, low: int, high: int) -> Scale:
        levels = range(low, high + 1)
        return cls(tuple(map(str, levels)), tuple(map(float, levels)), numeric=True)

    @classmethod
    def choices(cls, labels: Sequence[str]) -> Scale:
        return cls(tuple(labels))

    @property
    def size(self) -> int:
        return len(self.labels)

    @property
    def ordered(self) -> bool:
        return self.values is not None

    def positions(self) -> Floats:
        """Where each label stands; unordered labels have no positions and must not be asked."""
        if self.values is None:
            raise ValueError("these labels have no order")
        return np.asarray(self.values)

    def codes_of(self, scores: NDArray[np.floating]) -> Codes:
        """The level of each score; MISSING where a score is NaN or lies between two levels."""
        values = self.positions()
        nearest = np.clip(np.searchsorted(values, scores), 0, len(values) - 1)
        return np.where(values[nearest] == scores, nearest, MISSING).astype(np.int8)


@dataclass(frozen=True, slots=True, eq=False)
class LabelMatrix:
    """Verdicts of raters on items under one criterion.

    Args:
        codes: (n_items, n_raters); index into `scale.labels`, or MISSING.
        values: for scores, the same cells as numbers, NaN where missing; a score between two levels is
            here only, and its code is MISSING.
        groups: (n_items,) the group of each item, drawn together by the bootstrap; None: every item on its own.
    """

    codes: Codes
    scale: Scale
    raters: tuple[str, ...] = ()
    values: NDArray[np.float32] | None = None
    groups: Ints | None = None

    def __post_init__(self) -> None:
        if self.codes.size and not (self.codes.min() >= MISSING and self.codes.max() < self.scale.size):
            raise ValueError(f"codes must be {MISSING} or in 0..{self.scale.size - 1}")

    @classmethod
    def from_columns(
        cls,
        item: NDArray[np.integer],
        rater: NDArray[np.integer],
        *,
        n_items: int,
        raters: Sequence[str],
        scale: Scale,
        code: NDArray[np.integer] | None = None,
        score: NDArray[np.floating] | None = None,
        groups: Ints | None = None,
    ) -> LabelMatrix:
        """Scatter judgments, one a row, into the matrix: `code` of labels or `score` of a numeric scale.

        Rows without a verdict (a negative code, a NaN score) leave their cell missing; of two rows for one cell the
        last stands.
        """
        shape = (n_items, len(raters))
        if score is not None:
            values = np.full(shape, np.nan, dtype=np.float32)
            values[item, rater] = score
            return cls(scale.codes_of(values), scale, tuple(raters), values, groups)
        if code is None:
            raise ValueError("give the codes or the scores")
        return cls(np.maximum(scatter(item, rater, code, shape), MISSING), scale, tuple(raters), groups=groups)

    @property
    def whole(self) -> bool:
        """Whether every score is a level of the scale, so that the codes say everything."""
        return self.values is None or not bool(((self.codes == MISSING) & ~np.isnan(self.values)).any())

    def select(self, raters: Sequence[int]) -> LabelMatrix:
        """The columns of some raters."""
        columns = list(raters)
        return LabelMatrix(
            self.codes[:, columns],
            self.scale,
            tuple(self.raters[c] for c in columns) if self.raters else (),
            None if self.values is None else self.values[:, columns],
            self.groups,
        )


def scatter(
    item: NDArray[np.integer], rater: NDArray[np.integer], code: NDArray[np.integer], shape: tuple[int, int]
) -> Codes:
    """Codes in their cells, MISSING elsewhere; NO_VERDICT is kept."""
    codes = np.full(shape, MISSING, dtype=np.int8)
    codes[item, rater] = code
    return codes


def label_counts(codes: Codes, n_labels: int) -> Ints:
    """How many raters gave each label, (n_items, n_labels)."""
    n_items = len(codes)
    # Row i counts into its own n_labels + 1 bins; the first takes what is missing.
    bins = codes + np.arange(1, n_items * (n_labels + 1), n_labels + 1)[:, None]
    counts = np.bincount(bins.ravel(), minlength=n_items * (n_labels + 1))
    return counts.reshape(n_items, n_labels + 1)[:, 1:]


def majority(codes: Codes, n_labels: int) -> Codes:
    """The label most raters gave; NO_VERDICT where two labels share the lead, MISSING where nobody rated."""
    if not codes.shape[1]:
        return np.full(len(codes), MISSING, dtype=np.int8)
    counts = label_counts(codes, n_labels)
    lead = counts.max(axis=1)
    winner = counts.argmax(axis=1)
    shared = (counts == lead[:, None]).sum(axis=1) > 1
    return np.where(lead == 0, MISSING, np.where(shared, NO_VERDICT, winner)).astype(np.int8)


def dense_groups(groups: Sequence[object] | NDArray[np.generic] | None) -> Ints | None:
    """Group labels as 0..k-1; None where every item is its own group, which is the faster case."""
    if groups is None:
        return None
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    return None if len(names) == len(index) else index.astype(np.int64)
