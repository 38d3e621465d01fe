"""Raw agreement, Fleiss, Krippendorff, Gwet: by hand, undefined, against published values and other packages."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from apps.analytics.stats.agreement import COEFFICIENTS, agreement
from apps.analytics.stats.crosscheck import cross_check
from apps.analytics.stats.labels import MISSING, LabelMatrix, Scale

QUICK = 50  # draws, where the interval is not what is tested


def of_ratings(ratings, scale):
    """A matrix from raters x items with None for missing, in the units of the scale."""
    values = np.array([[np.nan if r is None else r for r in row] for row in ratings], dtype=np.float32).T
    return LabelMatrix(scale.codes_of(values), scale)


def of_counts(table):
    """A matrix of as many raters as the fullest row has, from items x labels counts."""
    width = max(map(sum, table))
    rows = [np.repeat(np.arange(len(row)), row).tolist() for row in table]
    codes = np.array([row + [MISSING] * (width - len(row)) for row in rows], dtype=np.int8)
    return LabelMatrix(codes, Scale.choices([str(k) for k in range(len(table[0]))]))


def width(stat):
    assert stat.ci is not None
    return stat.ci[1] - stat.ci[0]


def estimates_of(matrix, draws=QUICK):
    return {name: stat.estimate for name, stat in agreement(matrix, draws=draws).items()}


def test_by_hand():
    # Three items, two raters: A A, A B, B B. Two of three agree; each label has half of the ratings.
    found = agreement(LabelMatrix(np.array([[0, 0], [0, 2], [2, 2]], dtype=np.int8), Scale.pair()), draws=QUICK)

    assert found["raw_agreement"].estimate == pytest.approx(2 / 3)
    assert found["fleiss_kappa"].estimate == pytest.approx(1 - (1 / 3) / (1 / 2))
    # o_AB = 2 (both directions), n = 6, n_A = n_B = 3: 1 - 5 * 2 / (2 * 3 * 3)
    assert found["krippendorff_alpha_nominal"].estimate == pytest.approx(1 - 5 * 2 / 18)
    # Three declared labels, one unused: p_e = (1/4 + 1/4) / 2
    assert found["gwet_ac1"].estimate == pytest.approx((2 / 3 - 1 / 4) / (1 - 1 / 4))
    assert {stat.n for stat in found.values()} == {3}


def test_an_item_with_one_rating_counts_for_prevalence_only():
    both = LabelMatrix(np.array([[0, 0], [0, 1], [1, MISSING]], dtype=np.int8), Scale.choices("xy"))
    found = agreement(both, draws=QUICK)

    assert found["raw_agreement"].estimate == 0.5
    assert found["raw_agreement"].n == 2
    shares = np.array([1.5, 1.5]) / 3  # 1, 1/2 and 0 of the first label over three items
    assert found["fleiss_kappa"].estimate == pytest.approx(1 - 0.5 / (1 - (shares**2).sum()))


@pytest.mark.parametrize("name", ["krippendorff_2011_4x12", "krippendorff_gwet_5obs_15units"])
def test_published_alpha_with_missing_ratings(vector, name):
    case = vector(name)
    found = estimates_of(of_ratings(case["inputs"]["ratings"], Scale.scores(0, 5)))

    for level in ("nominal", "ordinal", "interval"):
        expected = case["expected"][f"alpha_{level}"]
        assert found[f"krippendorff_alpha_{level}"] == pytest.approx(expected, abs=case["tolerance"])


@pytest.mark.parametrize("name", ["krippendorff_2011_binary_2x10", "krippendorff_2011_nominal_2x12"])
def test_published_alpha_of_two_observers(vector, name):
    case = vector(name)
    found = estimates_of(of_ratings(case["inputs"]["ratings"], Scale.scores(0, 5)))

    assert found["krippendorff_alpha_nominal"] == pytest.approx(case["expected"]["alpha_nominal"], abs=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "fleiss_1971_psychiatric",
        "fleiss_randolph_small_a",
        "fleiss_unequal_raters_g1g2",
        "fleiss_wikipedia_14_raters",
    ],
)
def test_published_fleiss(vector, name):
    case = vector(name)
    found = estimates_of(of_counts(case["inputs"]["table"]))

    for figure in ("fleiss_kappa", "gwet_ac1", "krippendorff_alpha_nominal"):
        if figure in case["expected"]:
            assert found[figure] == pytest.approx(case["expected"][figure], abs=case["tolerance"])


def test_published_gwet(vector):
    raters = vector("gwet_ac1_ac2_raw4raters")
    found = estimates_of(of_ratings(raters["inputs"]["ratings"], Scale.scores(1, 5)))
    assert found["gwet_ac1"] == pytest.approx(raters["expected"]["identity"]["coefficient"], abs=1e-6)
    assert found["gwet_ac2"] == pytest.approx(raters["expected"]["quadratic"]["coefficient"], abs=1e-6)

    table = vector("gwet_ac_abstractors_table")
    cells = np.argwhere(np.ones((3, 3)))
    codes = np.repeat(cells, np.ravel(table["inputs"]["table"]), axis=0).astype(np.int8)
    found = estimates_of(LabelMatrix(codes, Scale.scores(1, 3)))
    assert found["gwet_ac1"] == pytest.approx(table["expected"]["ac1"], abs=1e-5)
    assert found["gwet_ac2"] == pytest.approx(table["expected"]["ac2_quadratic"], abs=1e-5)


def test_the_undefined_cases(vector):
    case = vector("degenerate_cases")
    names = {"raw_agreement", "fleiss_kappa", "krippendorff_alpha_nominal", "gwet_ac1"}
    reasons = {
        "two raters, all items same single category": "single_category",
        "no item has two ratings": "no_overlap",
        "single declared category": "single_category",
    }
    for inputs, expected in zip(case["inputs"]["cases"], case["expected"]["cases"], strict=True):
        low, high = inputs["declared_categories"][0], inputs["declared_categories"][-1]
        found = agreement(of_ratings(inputs["ratings"], Scale.scores(low, high)), draws=QUICK)
        for name in names & set(expected):
            if expected[name] is None:
                assert found[name].estimate is None
                assert found[name].reason == reasons[inputs["case"]]
            else:
                assert found[name].estimate == pytest.approx(expected[name], abs=1e-9), (inputs["case"], name)


def test_perfect_agreement_has_a_one_sided_bound():
    codes = np.array([[0, 0, 0], [1, 1, 1]] * 20, dtype=np.int8)
    found = agreement(LabelMatrix(codes, Scale.choices("xy")))

    unseen = 1 - 0.05 ** (1 / 40)  # exact one-sided bound on disagreeing items
    assert found["raw_agreement"].ci == pytest.approx((1 - unseen, 1))
    assert found["fleiss_kappa"].ci == pytest.approx((1 - unseen / 0.5, 1))
    assert found["fleiss_kappa"].flags == ("one_sided_bound",)


def test_unordered_labels_have_no_ordered_coefficients():
    found = agreement(LabelMatrix(np.array([[0, 1], [1, 1]], dtype=np.int8), Scale.choices("xy")), draws=QUICK)

    for name in ("krippendorff_alpha_ordinal", "krippendorff_alpha_interval", "gwet_ac2"):
        assert (found[name].estimate, found[name].reason) == (None, "not_ordered")
    assert found["gwet_ac1"].estimate is not None


def test_scores_between_levels_have_an_interval_alpha_only():
    values = np.array([[1, 1.5], [4.5, 4], [3, 3.25], [2, np.nan], [5, 4.75]], dtype=np.float32)
    scale = Scale.scores(1, 5)
    found = agreement(LabelMatrix(scale.codes_of(values), scale, values=values))

    theirs = krippendorff.alpha(reliability_data=values.T.astype(float), level_of_measurement="interval")
    assert found["krippendorff_alpha_interval"].estimate == pytest.approx(theirs)
    assert found["fleiss_kappa"].reason == "not_whole"


def test_groups_widen_the_interval_and_leave_the_estimate():
    rng = np.random.default_rng(5)
    base = rng.integers(0, 3, 60)
    noisy = rng.random(60) < 0.4
    codes = np.stack([base, np.where(noisy, rng.integers(0, 3, 60), base)], axis=1).astype(np.int8)
    codes = np.repeat(codes, 5, axis=0)  # every item five times: 300 rows that hold 60 items
    alone = agreement(LabelMatrix(codes, Scale.pair()))
    together = agreement(LabelMatrix(codes, Scale.pair(), groups=np.repeat(np.arange(60), 5)))

    for name in COEFFICIENTS:
        assert together[name].estimate == pytest.approx(alone[name].estimate)
        assert 1.8 < width(together[name]) / width(alone[name]) < 2.8  # √5 = 2.2


def test_the_same_data_give_the_same_interval_whatever_the_order_of_the_items():
    rng = np.random.default_rng(2)
    codes = rng.integers(-1, 3, (200, 3)).astype(np.int8)

    once = agreement(LabelMatrix(codes, Scale.pair()))
    again = agreement(LabelMatrix(rng.permutation(codes), Scale.pair()))

    assert {n: s.ci for n, s in once.items()} == {n: s.ci for n, s in again.items()}


@settings(max_examples=25, deadline=None)
@given(arrays(np.int8, st.tuples(st.integers(2, 12), st.integers(2, 9)), elements=st.integers(-1, 3)))
def test_alpha_equals_another_implementation(codes):
    matrix = LabelMatrix(codes, Scale.scores(1, 4))
    check = cross_check(matrix, agreement(matrix, draws=2))

    assert check.package is not None
    assert check.agrees in (True, None)


@settings(max_examples=25, deadline=None)
@given(
    arrays(np.int8, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=st.integers(-1, 2)),
    st.permutations(range(3)),
)
def test_no_coefficient_exceeds_one_or_depends_on_names(codes, renamed):
    found = estimates_of(LabelMatrix(codes, Scale.choices("xyz")))
    again = estimates_of(
        LabelMatrix(np.where(codes < 0, codes, np.take(renamed, codes)).astype(np.int8)[:, ::-1], Scale.choices("xyz"))
    )

    for name, value in found.items():
        assert (value is None) == (again[name] is None)
        if value is not None:
            assert value <= 1
            assert again[name] == pytest.approx(value, abs=1e-9)


def test_codes_off_the_scale_are_refused():
    with pytest.raises(ValueError, match="codes must be"):
        LabelMatrix(np.array([[0, 3]], dtype=np.int8), Scale.pair())


def test_no_items_and_no_raters():
    for shape in ((0, 3), (4, 0), (0, 0)):
        found = agreement(LabelMatrix(np.full(shape, MISSING, dtype=np.int8), Scale.pair()))
        assert {stat.reason for stat in found.values()} == {"no_overlap"}


def test_sparse_terms_change_nothing(monkeypatch):
    rng = np.random.default_rng(4)
    matrix = LabelMatrix(rng.integers(-1, 5, (60, 3)).astype(np.int8), Scale.scores(1, 5))
    dense = agreement(matrix)
    monkeypatch.setattr("apps.analytics.stats.agreement._DENSE", 300)
    thin = agreement(matrix)

    for name, stat in dense.items():
        assert thin[name].estimate == pytest.approx(stat.estimate)
        assert thin[name].ci == pytest.approx(stat.ci, abs=0.02)
