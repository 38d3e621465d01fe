"""A judge against humans: classification, correlation, swap, ceiling, alternative annotator test."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.metrics import f1_score, precision_score, recall_score

from apps.analytics.stats import alt_test as alt
from apps.analytics.stats import correlation
from apps.analytics.stats.alt_test import alt_test, closer_by_label, closer_by_score
from apps.analytics.stats.ceiling import leave_one_out, leave_one_out_scores, vote_agreement
from apps.analytics.stats.correlation import correlations
from apps.analytics.stats.labels import MISSING, NO_VERDICT, Scale
from apps.analytics.stats.reference import accuracy, versus_reference
from apps.analytics.stats.swap import headline, swap

QUICK = 50
A, TIE, B = 0, 1, 2


def of_counts(rows, width):
    """Columns from rows of labels that end with how often they occur."""
    rows = np.array(rows)
    return np.repeat(rows[:, :width], rows[:, width], axis=0).astype(np.int8).T


# --- classification ---------------------------------------------------------------------------------------------------


def test_published_classification_of_a_judge(vector):
    case = vector("pandalm_gpt35_classification")
    cells = [[i, j, n] for i, row in enumerate(case["inputs"]["table"]) for j, n in enumerate(row)]
    reference, judge = of_counts(cells, 2)
    found = versus_reference(reference, judge, Scale.choices("012"), draws=QUICK)

    assert found.confusion.tolist() == case["inputs"]["table"]
    expected = case["expected"]
    for ours, theirs in {
        "accuracy": "accuracy",
        "macro_precision": "precision_macro",
        "macro_recall": "recall_macro",
        "macro_f1": "f1_macro",
        "kappa_vs_majority": "cohen_kappa",
    }.items():
        assert found.figures[ours].estimate == pytest.approx(expected[theirs], abs=1e-6)


def test_a_label_that_never_occurs_counts_as_zero_and_is_flagged():
    labels = np.array([0, 1, 0, 1], dtype=np.int8)
    found = versus_reference(labels, labels, Scale.choices("xyz"), draws=QUICK)

    assert found.figures["macro_f1"].estimate == pytest.approx(2 / 3)
    assert "empty_class" in found.figures["macro_f1"].flags
    assert found.per_class["z"]["recall"].estimate == 0
    assert found.figures["accuracy"].flags == ("one_sided_bound",)


@settings(max_examples=25, deadline=None)
@given(arrays(np.int8, st.tuples(st.just(2), st.integers(1, 30)), elements=st.integers(0, 2)))
def test_macro_figures_equal_scikit_learn(labels):
    found = versus_reference(labels[0], labels[1], Scale.choices("xyz"), draws=2).figures

    options = {"labels": [0, 1, 2], "average": "macro", "zero_division": 0}
    assert found["macro_precision"].estimate == pytest.approx(precision_score(*labels, **options))
    assert found["macro_recall"].estimate == pytest.approx(recall_score(*labels, **options))
    assert found["macro_f1"].estimate == pytest.approx(f1_score(*labels, **options))


def test_items_without_a_reference_or_a_verdict_are_left_out():
    reference = np.array([0, NO_VERDICT, 1, MISSING, 2], dtype=np.int8)
    judge = np.array([0, 1, 0, 1, NO_VERDICT], dtype=np.int8)
    found = accuracy(reference, judge, Scale.pair(), draws=QUICK)

    assert (found.estimate, found.n) == (0.5, 2)
    nothing = versus_reference(reference, np.full(5, MISSING, dtype=np.int8), Scale.pair())
    assert {stat.reason for stat in nothing.figures.values()} == {"no_overlap"}


# --- correlation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["kendall_scipy_doc", "pearson_scipy_doc"])
def test_published_correlations(vector, name):
    case = vector(name)
    found = correlations(np.array(case["inputs"]["x"]), np.array(case["inputs"]["y"]), draws=QUICK)

    for figure in ("pearson", "spearman", "kendall_tau_b"):
        assert found[figure].estimate == pytest.approx(case["expected"][figure], abs=1e-9)


@pytest.mark.parametrize("table", [2_500, 1])  # by tables, and by the jackknife
@settings(max_examples=20, deadline=None)
@given(data=arrays(np.int8, st.tuples(st.just(2), st.integers(3, 40)), elements=st.integers(1, 6)))
def test_correlations_equal_scipy(table, data):
    x, y = data.astype(float)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(correlation, "_TABLE", table)
        found = correlations(x, y, draws=10)

    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert {stat.reason for stat in found.values()} == {"zero_variance"}
        return
    assert found["pearson"].estimate == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    assert found["spearman"].estimate == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    assert found["kendall_tau_b"].estimate == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-9)


def test_the_intervals_of_rank_correlations_are_those_of_resampled_rows():
    rng = np.random.default_rng(8)
    x = rng.integers(1, 6, 150).astype(float)
    y = np.clip(x + rng.integers(-1, 3, 150), 1, 6).astype(float)
    found = correlations(x, y)
    for name, function in {"spearman": stats.spearmanr, "kendall_tau_b": stats.kendalltau}.items():
        rows = rng.integers(150, size=(800, 150))
        values = [function(x[row], y[row]).statistic for row in rows]
        assert found[name].ci == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=0.03)


def test_the_jackknife_of_tau_agrees_with_the_bootstrap(monkeypatch):
    rng = np.random.default_rng(8)
    x = rng.integers(1, 6, 400).astype(float)
    y = np.clip(x + rng.integers(-2, 3, 400), 1, 6).astype(float)
    bootstrap = correlations(x, y)["kendall_tau_b"]
    monkeypatch.setattr(correlation, "_TABLE", 1)
    jackknife = correlations(x, y)["kendall_tau_b"]

    assert jackknife.ci == pytest.approx(bootstrap.ci, abs=0.015)
    assert jackknife.flags == ("normal_interval",)


def test_missing_scores_are_left_out():
    x, y = np.array([1.0, 2.0, 3.0, np.nan, 5.0]), np.array([1.0, 2.0, 4.0, 4.0, np.nan])

    assert correlations(x, y, draws=QUICK)["pearson"].n == 3
    assert correlations(x * np.nan, y)["pearson"].reason == "no_overlap"


# --- swap -------------------------------------------------------------------------------------------------------------


def test_published_swap_consistency(vector):
    case = vector("autoj_swap_consistency")
    rows = np.array(case["inputs"]["rows"])
    shown = np.array([A, B, TIE])  # its coding: 0 first, 1 second, 2 tie
    flipped = np.array([B, A, TIE])
    human, first, second = of_counts(
        np.column_stack([shown[rows[:, 0]], shown[rows[:, 1]], flipped[rows[:, 2]], rows[:, 3]]), 3
    )
    found = swap(first, second, human, draws=QUICK)

    expected = case["expected"]
    for ours, theirs in {
        "consistency": "consistency",
        "agreement_both_orders": "agreement_both_orders",
        "agreement_single_order": "agreement_single_order",
        "bias_first": "bias_toward_first",
        "bias_second": "bias_toward_second",
        "bias_delta": "bias_delta",
    }.items():
        assert found.figures[ours].estimate == pytest.approx(expected[theirs], abs=1e-9)
        assert found.figures[ours].n == expected["n"]
    assert found.figures["bias_direction"].estimate == pytest.approx(-expected["bias_delta"])
    assert found.direction_p is not None
    assert found.direction_p < 1e-4


def test_swap_by_hand():
    # as shown: (first, second) right both times; (first, first); (second, tie); unread; one order only
    first = np.array([A, A, B, NO_VERDICT, B], dtype=np.int8)
    second = np.array([A, B, TIE, A, MISSING], dtype=np.int8)
    found = swap(first, second, np.array([A, A, A, A, A], dtype=np.int8), draws=QUICK)

    rates = {name: stat.estimate for name, stat in found.figures.items()}
    assert rates["consistency"] == pytest.approx(1 / 3)
    assert rates["bias_first"] == pytest.approx(1 / 3)
    assert rates["bias_second"] == pytest.approx(1 / 3)
    assert rates["conflict"] == pytest.approx(1 / 3)
    assert rates["consistency_decided"] == pytest.approx(1 / 2)
    assert rates["consistency_unread_counts_against"] == pytest.approx(1 / 4)
    assert rates["agreement_both_orders"] == pytest.approx(1 / 3)
    assert rates["agreement_single_order"] == pytest.approx(2 / 3)
    assert (found.unparsed, found.one_order_only) == (1, 1)


def test_a_judge_of_one_order_has_no_consistency():
    found = swap(np.array([A, B], dtype=np.int8), np.array([MISSING, MISSING], dtype=np.int8))

    assert {stat.reason for stat in found.figures.values()} == {"one_order"}
    assert found.one_order_only == 2


@settings(max_examples=25, deadline=None)
@given(arrays(np.int8, st.tuples(st.just(2), st.integers(1, 30)), elements=st.integers(0, 2)))
def test_consistency_and_the_two_biases_are_everything(orders):
    figures = swap(*orders, draws=2).figures

    parts = [figures[name].estimate or 0.0 for name in ("consistency", "bias_first", "bias_second")]
    assert sum(parts) == pytest.approx(1)
    turned = swap(2 - orders[1], 2 - orders[0], draws=2).figures  # A and B change names: nothing about position changes
    assert turned["bias_first"].estimate == pytest.approx(figures["bias_first"].estimate)


def test_the_headline_is_the_same_in_both_orders_else_a_tie():
    first = np.array([A, A, TIE, A, NO_VERDICT, MISSING], dtype=np.int8)
    second = np.array([A, B, B, NO_VERDICT, MISSING, A], dtype=np.int8)

    assert headline(first, second).tolist() == [A, TIE, TIE, NO_VERDICT, NO_VERDICT, MISSING]


# --- ceiling ----------------------------------------------------------------------------------------------------------


def test_published_vote_agreement(vector):
    case = vector("mtbench_s1_s2")
    code = {"A": A, "tie": TIE, "B": B}
    votes = case["inputs"]["votes"]
    humans = np.full((len(votes), 3), MISSING, dtype=np.int8)
    for i, vote in enumerate(votes):
        humans[i, : len(vote["humans"])] = [code[human] for human in vote["humans"]]
    judge = np.array([code[vote["judge"]] for vote in votes], dtype=np.int8)
    found = vote_agreement(humans, judge, Scale.pair(), tie=TIE, draws=QUICK)

    expected = case["expected"]
    for ours, theirs in {
        "judge_human_agreement": "S1_ties_included_judge_human",
        "human_human_agreement": "S1_ties_included_human_human",
        "judge_human_agreement_without_ties": "S2_non_tie_only_judge_human",
        "human_human_agreement_without_ties": "S2_non_tie_only_human_human",
    }.items():
        assert found[ours].estimate == pytest.approx(expected[theirs]["ratio"])
    assert found["agreement_difference"].estimate == pytest.approx(11 / 18 - 4 / 14)


def test_leave_one_out_by_hand():
    humans = np.array([[0, 0, 0], [1, 1, 0], [1, 1, 1], [0, 1, 1]], dtype=np.int8)
    judge = np.array([0, 1, 1, 0], dtype=np.int8)
    found = leave_one_out(humans, judge, Scale.choices("xy"), draws=QUICK)

    # First human against the two others, who agree on items 0, 2 and 3: right on 0 and 2. The judge the same.
    # Second: the others agree on 0 and 2 only: 2 of 2. Third: on 0, 1, 2: the human 2 of 3, the judge 3 of 3.
    assert found["human_accuracy"].estimate == pytest.approx(np.mean([2 / 3, 1, 2 / 3]))
    assert found["judge_accuracy"].estimate == pytest.approx(np.mean([2 / 3, 1, 1]))
    assert found["accuracy_difference"].estimate == pytest.approx(1 / 9)
    assert found["human_accuracy"].n == 4


def test_leave_one_out_of_scores_by_hand():
    rng = np.random.default_rng(6)
    humans = rng.integers(1, 6, (50, 3)).astype(np.float32)
    humans[::7, 2] = np.nan
    judge = rng.integers(1, 6, 50).astype(np.float32)
    found = leave_one_out_scores(humans, judge, draws=QUICK)

    ours = []
    for one in range(3):
        rest = np.nanmean(np.delete(humans, one, axis=1), axis=1)
        kept = ~np.isnan(humans[:, one])
        ours.append([np.corrcoef(side[kept], rest[kept])[0, 1] for side in (humans[:, one], judge)])
    human, judged = np.mean(ours, axis=0)
    assert found["human_pearson"].estimate == pytest.approx(human, abs=1e-5)
    assert found["judge_pearson"].estimate == pytest.approx(judged, abs=1e-5)


def test_nobody_to_leave_out():
    found = leave_one_out(np.zeros((3, 1), dtype=np.int8), np.zeros(3, dtype=np.int8), Scale.pair())

    assert {stat.reason for stat in found.values()} == {"no_overlap"}


# --- alternative annotator test ---------------------------------------------------------------------------------------


def comparisons(humans, judge, by_score):
    items = sorted({item for one in humans.values() for item in one})
    columns = [*humans.values(), judge]
    if by_score:
        values = np.array([[float(c.get(i, np.nan)) for c in columns] for i in items], dtype=np.float32)
        return closer_by_score(values[:, :-1], values[:, -1])
    labels = sorted({str(label) for c in columns for label in c.values()})
    code = {label: k for k, label in enumerate(labels)}
    codes = np.array([[code[str(c[i])] if i in c else MISSING for c in columns] for i in items], dtype=np.int8)
    return closer_by_label(codes[:, :-1], codes[:, -1], len(labels))


@pytest.mark.parametrize("name", ["alttest_lesion_gemini_pro", "alttest_lesion_gpt4o_mini", "alttest_mtbench_gpt4o"])
def test_published_alt_tests(vector, name):
    case = vector(name)
    inputs, expected = case["inputs"], case["expected"]
    closer = comparisons(inputs["humans"], inputs["judge"], inputs["scoring"] == "neg_rmse")
    found = alt_test(tuple(inputs["humans"]), closer, epsilon=inputs["epsilon"], draws=QUICK)

    assert found.winning_rate.estimate == pytest.approx(expected["winning_rate"])
    assert found.advantage_probability.estimate == pytest.approx(expected["advantage_probability"], abs=1e-9)
    assert found.passed == expected["passed"]
    for human in found.humans:
        theirs = expected["per_annotator"][human.rater]
        assert (human.n, human.rejected) == (theirs["n_items"], theirs["rejected"])
        assert human.advantage == pytest.approx(theirs["advantage"])
        assert human.human_advantage == pytest.approx(theirs["annotator_advantage"])
        assert human.p_value == pytest.approx(theirs["p_value"], rel=1e-6)


@pytest.mark.parametrize("dataset", ["mtbench", "cebab_stars", "cebab_aspects", "lgbteen", "10k_prompts"])
def test_the_authors_data_sets(reference_data, dataset):
    folder = reference_data / "alttest" / dataset
    expected = json.loads((folder / "expected.json").read_text())
    humans = json.loads((folder / "human_annotations.json").read_text())
    judges = json.loads((folder / "llm_annotations.json").read_text())
    for judge, figures in expected["expected"].items():
        closer = comparisons(humans, judges[judge], expected["scoring"] == "neg_rmse")
        found = alt_test(tuple(humans), closer, epsilon=expected["epsilon"], draws=2)

        assert found.winning_rate.estimate == pytest.approx(figures["winning_rate"])
        theirs = figures["average_advantage_probability"]
        assert found.advantage_probability.estimate == pytest.approx(theirs, abs=1e-9)


def test_too_few_items_test_nobody():
    codes = np.zeros((29, 3), dtype=np.int8)
    found = alt_test(("a", "b", "c"), closer_by_label(codes, codes[:, 0], 2), epsilon=0.2)

    assert found.passed is None
    assert found.winning_rate.reason == "below_minimum"
    assert [human.reason for human in found.humans] == ["below_minimum"] * 3


def test_a_judge_that_always_agrees_passes_without_variance():
    codes = np.tile(np.array([[0], [1]], dtype=np.int8), (30, 2))
    found = alt_test(("a", "b"), closer_by_label(codes, codes[:, 0], 2), epsilon=0.2)

    assert found.passed
    assert [human.p_value for human in found.humans] == [0, 0]
    assert found.winning_rate.flags == ("two_humans",)
    assert alt.MIN_ITEMS == 30
