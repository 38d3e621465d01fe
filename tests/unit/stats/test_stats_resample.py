"""The bootstrap itself: folding, groups, BCa, Wilson, determinism."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse, stats

from apps.analytics.stats import resample
from apps.analytics.stats.estimate import Estimate
from apps.analytics.stats.labels import LabelMatrix, Scale, dense_groups, majority
from apps.analytics.stats.resample import Statistic, Units, acceleration, distinct_rows, estimates, fold, ratio, wilson

MEAN = Statistic(lambda t: ratio(t[:, 1], t[:, 0]), lambda t: t[:, 0])


def mean_units(values, groups=None):
    return fold(np.arange(len(values)), np.column_stack([np.ones(len(values)), values]), groups)


def test_bca_of_the_law_school_data(vector):
    case = vector("bca_law_school")
    x, y = np.array(case["inputs"]["x"]), np.array(case["inputs"]["y"])
    x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    units = fold(np.arange(15), np.column_stack([np.ones(15), x, y, x * x, y * y, x * y]))

    def pearson(t):
        n, sx, sy, xx, yy, xy = t.T
        return (n * xy - sx * sy) / np.sqrt((n * xx - sx**2) * (n * yy - sy**2))

    left_out = pearson(units.totals() - units.terms)
    assert np.sort(left_out) == pytest.approx(np.sort(case["expected"]["jackknife_values"]))
    assert acceleration(left_out, np.ones(15)) == pytest.approx(case["expected"]["acceleration"])
    found = estimates(units, {"r": Statistic(pearson, lambda t: t[:, 0])}, draws=9999)["r"]
    assert found.estimate == pytest.approx(case["expected"]["estimate"])
    assert found.ci == pytest.approx(case["expected"]["bca_ci95_B9999_mc_tolerance_0_02"], abs=0.02)


def test_bca_equals_scipys_on_a_skewed_mean():
    values = np.random.default_rng(0).exponential(size=60)
    ours = estimates(mean_units(values), {"mean": MEAN}, draws=20_000)["mean"]
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=1).confidence_interval

    assert ours.ci == pytest.approx(tuple(theirs), abs=0.02)


def test_folded_and_unfolded_data_agree():
    values = np.random.default_rng(0).integers(0, 4, 3_000)
    patterns = np.column_stack([np.ones(4), np.arange(4)])
    folded = estimates(fold(values, patterns), {"mean": MEAN}, draws=8_000)["mean"]
    unfolded = estimates(mean_units(values + np.arange(3_000) * 1e-9), {"mean": MEAN}, draws=8_000)["mean"]

    assert folded.ci == pytest.approx(unfolded.ci, abs=0.004)


def test_sparse_terms_give_what_dense_ones_give():
    values = np.random.default_rng(0).integers(0, 4, 100)
    patterns = np.column_stack([np.ones(4), np.arange(4)])
    groups = np.arange(100) // 3
    for grouped in (None, groups):
        dense, thin = (fold(values, terms, grouped) for terms in (patterns, sparse.csr_array(patterns)))
        assert dense.totals() == pytest.approx(thin.totals())
        assert (thin.rows(0, 99) == dense.rows(0, 99)).all()
        first, second = (estimates(units, {"mean": MEAN})["mean"] for units in (dense, thin))
        assert first.ci == pytest.approx(second.ci, abs=0.06)


def test_groups_are_drawn_whole_and_equal_groups_are_folded():
    pattern = np.array([0, 1, 1, 0, 2, -1])
    groups = np.array([7, 7, 9, 9, 3, 3])
    units = fold(pattern, np.eye(3), groups)

    order = np.lexsort(units.terms.T)
    assert units.terms[order].tolist() == [[1, 1, 0], [0, 0, 1]]
    assert units.counts[order].tolist() == [2, 1]
    assert not units.single


def test_a_group_of_its_own_for_every_item_is_no_grouping():
    assert dense_groups(["x", "y", "z"]) is None
    groups = dense_groups(["x", "y", "x"])
    assert groups is not None
    assert groups.tolist() == [0, 1, 0]
    assert dense_groups(None) is None


def test_one_unit_is_too_few_for_an_interval():
    found = estimates(mean_units(np.array([3.0])), {"mean": MEAN})["mean"]

    assert (found.estimate, found.ci, found.reason) == (3.0, None, "too_few_items")


def test_an_interval_from_many_undefined_resamples_is_flagged_or_withheld():
    # Defined only when the one special unit is drawn: about 63 % of resamples have it.
    special = np.zeros(50)
    special[0] = 1
    units = Units(np.column_stack([np.ones(50), np.linspace(0, 1, 50), special]), np.ones(50, dtype=np.int64))
    sometimes = Statistic(lambda t: np.where(t[:, 2] > 0, t[:, 1] / t[:, 0], np.nan), lambda t: t[:, 0])
    assert estimates(units, {"s": sometimes})["s"].flags == ("interval_unstable",)

    seldom = Statistic(lambda t: np.where(t[:, 2] == 1, t[:, 1] / t[:, 0], np.nan), lambda t: t[:, 0])
    assert estimates(units, {"s": seldom})["s"].reason == "mostly_undefined"


def test_blocks_give_the_acceleration_of_single_units():
    values = np.random.default_rng(4).exponential(size=20_000)
    units = mean_units(values)
    single = acceleration((values.sum() - values) / (len(values) - 1), np.ones(len(values)))
    found = estimates(units, {"mean": MEAN}, draws=400)["mean"]

    assert single == pytest.approx(2 / (6 * np.sqrt(20_000)), rel=0.3)  # skewness 2 of an exponential
    assert found.ci is not None
    assert found.ci[0] < values.mean() < found.ci[1]
    assert found.ci[1] - found.ci[0] == pytest.approx(2 * 1.96 / np.sqrt(20_000), rel=0.15)


def test_coverage_of_a_kappa_is_near_nominal():
    from apps.analytics.stats.pairwise import pairs

    rng = np.random.default_rng(11)
    joint = np.array([0.4, 0.1, 0.1, 0.4])  # kappa .6
    hits = 0
    for _ in range(200):
        cells = rng.choice(4, size=60, p=joint)
        matrix = LabelMatrix(np.stack([cells // 2, cells % 2], axis=1).astype(np.int8), Scale.choices("xy"))
        (pair,) = pairs(matrix, draws=400)
        ci = pair.kappa["cohen_kappa"].ci
        assert ci is not None
        hits += ci[0] <= 0.6 <= ci[1]
    assert 0.90 <= hits / 200 <= 0.99


@pytest.mark.parametrize("name", ["wilson_newcombe_0_20", "wilson_newcombe_81_263"])
def test_published_wilson_intervals(vector, name):
    case = vector(name)
    found = wilson(case["inputs"]["successes"], case["inputs"]["total"])

    assert found == pytest.approx(case["expected"]["wilson"], abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(arrays(np.int64, st.tuples(st.integers(1, 40), st.integers(0, 30)), elements=st.integers(0, 6)))
def test_folding_rows_loses_nothing(rows):
    example, index, counts = distinct_rows(rows, 7)

    assert (rows[example][index] == rows).all()
    assert len(example) == len({tuple(row) for row in rows.tolist()})
    assert (np.bincount(index, minlength=len(example)) == counts).all()


def test_an_estimate_never_holds_nan():
    for broken in ((float("nan"), None), (1.0, (0.0, float("inf")))):
        with pytest.raises(ValueError, match="finite"):
            Estimate(*broken)
    with pytest.raises(ValueError, match="reason"):
        Estimate(None)
    assert Estimate.undefined("no_overlap").to_dict() == {"estimate": None, "ci": None, "n": 0, "reason": "no_overlap"}


def test_majority_with_ties_and_gaps():
    codes = np.array([[0, 0, 1], [0, 1, -1], [-1, -1, -1], [2, -1, -1]], dtype=np.int8)

    assert majority(codes, 3).tolist() == [0, -2, -1, 2]
    assert majority(codes[:, :0], 3).tolist() == [-1, -1, -1, -1]


def test_columns_make_a_matrix():
    matrix = LabelMatrix.from_columns(
        np.array([0, 1, 1]),
        np.array([0, 0, 1]),
        n_items=3,
        raters=("a", "b"),
        scale=Scale.scores(1, 5),
        score=np.array([2, 4.5, np.nan]),
    )

    assert matrix.codes.tolist() == [[1, -1], [-1, -1], [-1, -1]]
    assert matrix.values is not None
    assert matrix.values[1, 0] == 4.5
    assert not matrix.whole
    assert matrix.select([1]).whole


@pytest.mark.parametrize("draw", [resample._drawn_one_by_one, resample._drawn_from_all])
def test_draws_are_multinomial(draw):
    tally = draw(np.random.default_rng(0), 50, 40_000)

    assert (tally.sum(axis=1) == 50).all()
    one = np.bincount(tally[:, 7], minlength=9)[:9] / 40_000
    assert one == pytest.approx(stats.binom.pmf(np.arange(9), 50, 1 / 50), abs=0.008)
    assert np.cov(tally[:, 3].astype(float), tally[:, 4].astype(float))[0, 1] == pytest.approx(-1 / 50, abs=0.02)


def test_many_ungrouped_units_have_the_interval_of_few():
    values = np.random.default_rng(0).normal(size=5_000)
    found = estimates(mean_units(values), {"mean": MEAN})["mean"]

    assert found.ci is not None
    assert found.ci == pytest.approx(values.mean() + np.array([-1.96, 1.96]) * values.std() / np.sqrt(5_000), abs=0.003)
