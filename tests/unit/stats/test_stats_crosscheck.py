from __future__ import annotations

import sys

import numpy as np

from apps.analytics.stats.agreement import agreement
from apps.analytics.stats.crosscheck import cross_check
from apps.analytics.stats.estimate import Estimate
from apps.analytics.stats.labels import LabelMatrix, Scale

MATRIX = LabelMatrix(np.array([[0, 0], [1, 1], [1, 2], [0, 2]], dtype=np.int8), Scale.pair())


def test_both_implementations_agree():
    check = cross_check(MATRIX, agreement(MATRIX, draws=2))

    assert check.package is not None
    assert check.package.startswith("krippendorff ")
    assert check.agrees


def test_a_difference_is_said():
    wrong = agreement(MATRIX, draws=2) | {"krippendorff_alpha_nominal": Estimate(0.5, n=4)}
    check = cross_check(MATRIX, wrong)

    assert check.agrees is False
    assert check.largest_difference is not None
    assert check.largest_difference > 0.01


def test_the_package_is_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, "krippendorff", None)

    assert cross_check(MATRIX, agreement(MATRIX, draws=2)).package is None


def test_nothing_to_compare():
    empty = LabelMatrix(np.full((3, 2), -1, dtype=np.int8), Scale.pair())

    assert cross_check(empty, agreement(empty)).agrees is None
