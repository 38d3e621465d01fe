"""Cohen's kappa of named raters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from apps.analytics.stats import pairwise
from apps.analytics.stats import panel as panels
from apps.analytics.stats.labels import MISSING, LabelMatrix, Scale
from apps.analytics.stats.pairwise import confusion_tensor, mean_kappas, pairs
from apps.analytics.stats.panel import panel

QUICK = 50


def of_table(table):
    table = np.array(table)
    codes = np.repeat(np.argwhere(np.ones_like(table)), table.ravel(), axis=0)
    return LabelMatrix(codes.astype(np.int8), Scale.scores(1, len(table)), ("a", "b"))


def only_pair(matrix, draws=QUICK):
    (pair,) = pairs(matrix, draws=draws)
    return pair


@pytest.mark.parametrize(
    "name",
    [
        "cohen_1960_clinical",
        "cohen_gwet_abstractors_3x3",
        "cohen_paradox_high_agreement",
        "cohen_sas_skin_lesion",
        "cohen_wikipedia_grants",
        "cohen_wikipedia_same_agreement_a",
    ],
)
def test_published_tables(vector, name):
    case = vector(name)
    pair = only_pair(of_table(case["inputs"]["table"]))

    for ours, theirs in {
        "cohen_kappa": "kappa_unweighted",
        "cohen_kappa_linear": "kappa_linear",
        "cohen_kappa_quadratic": "kappa_quadratic",
    }.items():
        if theirs in case["expected"]:
            assert pair.kappa[ours].estimate == pytest.approx(case["expected"][theirs], abs=1e-6)
    assert pair.raw_agreement.estimate == pytest.approx(
        case["expected"].get("raw_agreement", pair.raw_agreement.estimate)
    )


def test_weights_come_from_the_declared_scale(vector):
    case = vector("weighted_kappa_irr_anxiety")
    codes = np.array([case["inputs"]["rater_1"], case["inputs"]["rater_2"]], dtype=np.int8).T - np.int8(1)
    kappa = only_pair(LabelMatrix(codes, Scale.scores(1, 6))).kappa

    assert kappa["cohen_kappa_linear"].estimate == pytest.approx(case["expected"]["kappa_linear_full_scale"])
    assert kappa["cohen_kappa_quadratic"].estimate == pytest.approx(case["expected"]["kappa_quadratic_full_scale"])


def test_unequal_steps_weigh_by_value():
    scale = Scale(("0", "1", "10"), (0, 1, 10), numeric=True)
    codes = np.array([[0, 0], [1, 0], [2, 2], [1, 2]], dtype=np.int8)
    values = np.array([0, 1, 10])[codes]
    observed = ((values[:, 0] - values[:, 1]) ** 2).mean()
    expected = ((values[:, :1] - values[:, 1]) ** 2).mean()

    kappa = only_pair(LabelMatrix(codes, scale)).kappa["cohen_kappa_quadratic"]

    assert kappa.estimate == pytest.approx(1 - observed / expected)


def test_a_constant_rater_gives_zero_and_two_equal_ones_nothing():
    zero = only_pair(LabelMatrix(np.array([[0, 0], [0, 1]] * 10, dtype=np.int8), Scale.choices("xy")))
    assert zero.kappa["cohen_kappa"].estimate == 0
    assert zero.kappa["cohen_kappa"].reason == "no_spread"

    nothing = only_pair(LabelMatrix(np.zeros((9, 2), dtype=np.int8), Scale.choices("xy")))
    assert nothing.kappa["cohen_kappa"].reason == "single_category"
    assert nothing.raw_agreement.estimate == 1


def test_raw_agreement_of_a_pair_has_wilsons_interval():
    pair = only_pair(LabelMatrix(np.array([[0, 0]] * 81 + [[0, 1]] * 182, dtype=np.int8), Scale.choices("xy")))

    assert pair.raw_agreement.ci == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe (1998), table I


def test_raters_without_a_common_item():
    codes = np.array([[0, MISSING], [MISSING, 1]], dtype=np.int8)
    pair = only_pair(LabelMatrix(codes, Scale.pair()))

    assert pair.n == 0
    assert {stat.reason for stat in pair.kappa.values()} == {"no_overlap"}


def test_few_items_of_a_rare_category_are_flagged():
    codes = np.array([[0, 0]] * 27 + [[0, 1], [1, 1], [1, 0]], dtype=np.int8)

    assert "few_rare_category_items" in only_pair(LabelMatrix(codes, Scale.choices("xy"))).kappa["cohen_kappa"].flags


@settings(max_examples=25, deadline=None)
@given(arrays(np.int8, st.tuples(st.integers(2, 30), st.just(3)), elements=st.integers(-1, 3)))
def test_every_pair_equals_scikit_learn(codes):
    for pair in pairs(LabelMatrix(codes, Scale.scores(1, 4)), draws=2):
        a, b = codes[:, pair.a], codes[:, pair.b]
        both = (a >= 0) & (b >= 0)
        for name, weights in {
            "cohen_kappa": None,
            "cohen_kappa_linear": "linear",
            "cohen_kappa_quadratic": "quadratic",
        }.items():
            ours = pair.kappa[name].estimate
            if ours is None:
                assert not both.any() or len(set(a[both]) | set(b[both])) == 1
            else:
                theirs = cohen_kappa_score(a[both], b[both], labels=range(4), weights=weights)
                assert ours == pytest.approx(theirs, abs=1e-9)


def test_the_tensor_holds_every_table():
    rng = np.random.default_rng(1)
    codes = rng.integers(-1, 3, (400, 4)).astype(np.int8)
    tensor = confusion_tensor(codes, 3)

    both = (codes[:, 1] >= 0) & (codes[:, 3] >= 0)
    expected = np.zeros((3, 3), dtype=int)
    np.add.at(expected, (codes[both, 1], codes[both, 3]), 1)
    assert (tensor[1, :, 3, :] == expected).all()


def test_lights_kappa_is_the_mean_of_all_pairs(monkeypatch):
    rng = np.random.default_rng(3)
    base = rng.integers(0, 3, 300)
    codes = np.where(rng.random((300, 4)) < 0.7, base[:, None], rng.integers(0, 3, (300, 4))).astype(np.int8)
    matrix = LabelMatrix(codes, Scale.pair())
    means = mean_kappas(matrix)

    for name, mean in means.items():
        assert mean.estimate == pytest.approx(np.mean([pair.kappa[name].estimate for pair in pairs(matrix, draws=2)]))

    monkeypatch.setattr(pairwise, "_DENSE", 0)  # as with very many raters: no joint resampling
    for name, normal in mean_kappas(matrix).items():
        assert normal.estimate == pytest.approx(means[name].estimate)
        assert normal.ci == pytest.approx(means[name].ci, abs=0.015)
        assert normal.flags == ("normal_interval",)


@pytest.mark.parametrize("raters", [2, 3])
@pytest.mark.parametrize("scale", [Scale.pair(), Scale.choices("xyz")])
def test_one_set_of_resamples_gives_what_two_give(monkeypatch, raters, scale):
    rng = np.random.default_rng(3)
    base = rng.integers(0, 3, 400)
    codes = np.where(rng.random((400, raters)) < 0.7, base[:, None], rng.integers(-1, 3, (400, raters)))
    matrix = LabelMatrix(codes.astype(np.int8), scale)
    joint = panel(matrix)
    monkeypatch.setattr(panels, "_ROWS", 0)
    apart = panel(matrix)

    assert list(joint) == list(apart)
    for name, stat in joint.items():
        assert (stat.n, stat.reason) == (apart[name].n, apart[name].reason)
        if stat.estimate is not None:
            assert stat.estimate == pytest.approx(apart[name].estimate)
            assert stat.ci == pytest.approx(apart[name].ci, abs=0.02)
