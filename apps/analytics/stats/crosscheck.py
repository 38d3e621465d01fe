"""Krippendorff's alpha once more, by an independent implementation, wherever that is installed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version

import numpy as np

from .estimate import Estimate
from .labels import LabelMatrix

TOLERANCE = 1e-9
_LARGEST = 30_000_000


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """Whether both implementations give the same alphas.

    `package` is None where the other one is not installed; `agrees` is None where nothing was compared, be it that
    there is no alpha or that the other one would need too much memory: items x labels x labels numbers.
    """

    package: str | None
    agrees: bool | None = None
    largest_difference: float | None = None


def cross_check(matrix: LabelMatrix, ours: dict[str, Estimate]) -> CrossCheck:
    """Compare the alphas of `agreement` with those of the `krippendorff` package, which is optional."""
    try:
        other = import_module("krippendorff")
    except ImportError:
        return CrossCheck(None)
    distinct = matrix.scale.size if matrix.values is None else len(np.unique(matrix.values))
    package = f"krippendorff {version('krippendorff')}"
    if len(matrix.codes) * distinct**2 > _LARGEST:
        return CrossCheck(package)
    differences = []
    for level in ("nominal", "ordinal", "interval"):
        alpha = ours[f"krippendorff_alpha_{level}"].estimate
        if alpha is None:
            continue
        if matrix.values is not None:
            ratings = matrix.values.astype(np.float64)
        else:
            positions = np.asarray(matrix.scale.values or range(matrix.scale.size), dtype=np.float64)
            ratings = np.where(matrix.codes >= 0, positions[matrix.codes], np.nan)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = float(other.alpha(reliability_data=ratings.T, level_of_measurement=level))
        differences.append(abs(theirs - alpha))
    if not differences:
        return CrossCheck(package)
    return CrossCheck(package, max(differences) <= TOLERANCE, max(differences))
