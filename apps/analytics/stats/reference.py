"""A judge's labels against one reference label an item: accuracy, precision, recall, F1, kappa."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import estimate as why
from .estimate import Estimate
from .labels import Codes, Floats, Ints, Scale
from .pairwise import KAPPAS, WEIGHTS, cell_of, kappa_statistic
from .resample import DRAWS, Statistic, cells, estimates, fold, ratio

LISTED = 21  # labels; on a finer scale single labels say little


@dataclass(frozen=True, slots=True)
class VersusReference:
    """Rows of `confusion` are the reference, columns the judge; `per_class` is empty beyond `LISTED` labels."""

    confusion: Ints
    figures: dict[str, Estimate]
    per_class: dict[str, dict[str, Estimate]]


def versus_reference(
    reference: Codes, judge: Codes, scale: Scale, *, groups: Ints | None = None, draws: int = DRAWS
) -> VersusReference:
    """How well the judge's labels reproduce the reference labels, on the items that have both.

    Macro figures are unweighted means over the declared labels, 0 for a label with nothing to divide by (flagged
    `empty_class`), as PandaLM and JudgeLM report them.
    """
    size = scale.size
    listed = scale.labels if size <= LISTED else ()
    cell = cell_of(reference, judge, size)
    units = fold(cell, cells(size * size), groups)
    statistics = {"accuracy": _accuracy(size)}
    for measure in ("precision", "recall", "f1"):
        statistics[f"macro_{measure}"] = Statistic(
            lambda t, m=measure: _per_class(_tables(t, size), m).mean(axis=1),  # type: ignore[misc]
            _items,
        )
        for k, label in enumerate(listed):
            statistics[f"{measure} {label}"] = Statistic(
                lambda t, m=measure, k=k: _per_class(_tables(t, size), m)[:, k],  # type: ignore[misc]
                _items,
            )
    kappas = {w: KAPPAS[w].replace("cohen_kappa", "kappa_vs_majority") for w in WEIGHTS}
    for weights in WEIGHTS if scale.ordered else WEIGHTS[:1]:
        statistics[kappas[weights]] = kappa_statistic(scale, weights)
    figures = estimates(units, statistics, draws=draws)
    found = {name: figures.get(name, Estimate.undefined(why.NOT_ORDERED)) for name in [*figures, *kappas.values()]}
    confusion = np.bincount(cell[cell >= 0], minlength=size * size).reshape(size, size)
    if confusion.sum():
        found = _flag_empty(found, confusion, scale)
    per_class = {
        label: {measure: found.pop(f"{measure} {label}") for measure in ("precision", "recall", "f1")}
        for label in listed
    }
    return VersusReference(confusion.astype(np.int64), found, per_class)


def accuracy(
    reference: Codes, judge: Codes, scale: Scale, *, groups: Ints | None = None, draws: int = DRAWS
) -> Estimate:
    """The share of the items with both labels on which they are the same."""
    units = fold(cell_of(reference, judge, scale.size), cells(scale.size**2), groups)
    return estimates(units, {"accuracy": _accuracy(scale.size)}, draws=draws)["accuracy"]


def _accuracy(size: int) -> Statistic:
    return Statistic(
        lambda t: ratio(_tables(t, size).trace(axis1=1, axis2=2), t.sum(axis=1)),
        _items,
        perfect_floor=lambda t, share: 1 - share,
    )


def _items(totals: Floats) -> Floats:
    return np.asarray(totals.sum(axis=1))


def _tables(totals: Floats, size: int) -> Floats:
    return totals.reshape(len(totals), size, size)


def _per_class(tables: Floats, measure: str) -> Floats:
    """Precision, recall or F1 of each label, (m, q); 0 where there is nothing to divide by."""
    right = np.diagonal(tables, axis1=1, axis2=2)
    said, true = tables.sum(axis=1), tables.sum(axis=2)
    above, below = {"precision": (right, said), "recall": (right, true), "f1": (2 * right, said + true)}[measure]
    return np.asarray(above / np.maximum(below, 1))


def _flag_empty(found: dict[str, Estimate], confusion: Ints, scale: Scale) -> dict[str, Estimate]:
    never_said, never_true = confusion.sum(axis=0) == 0, confusion.sum(axis=1) == 0
    empty = {"precision": never_said, "recall": never_true, "f1": never_said & never_true}
    for measure, labels in empty.items():
        names = [f"{measure} {label}" for label, none in zip(scale.labels, labels, strict=True) if none]
        for name in found.keys() & {*names, f"macro_{measure}"} if names else ():
            stat = found[name]
            found[name] = Estimate(stat.estimate, stat.ci, stat.n, stat.reason, (*stat.flags, why.EMPTY_CLASS))
    return found
