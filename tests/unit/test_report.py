"""The report from records: revisions, marks, samples, orders, rubrics, scales, faults, and real data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.analytics.report import build_report
from apps.analytics.report_columns import BadInput
from apps.analytics.report_text import render
from apps.datasets.formats.records import ItemRecord, JudgmentRecord, ResponseRecord
from apps.rubrics.reader import read_rubric

STAT_KEYS = {"estimate", "ci", "n", "reason"}


def human(item, verdict=None, rater="ann", **fields):
    return JudgmentRecord(
        line=fields.pop("line", 1), item=str(item), rater=rater, kind="human", verdict=verdict, **fields
    )


def judge(item, verdict=None, rater="judge", **fields):
    status = "ok" if verdict or "score" in fields or "choice" in fields else "unparsed"
    fields = {"line": 1, "status": status, **fields}
    return JudgmentRecord(item=str(item), rater=rater, kind="judge", verdict=verdict, **fields)


def item(name, n_responses=2, **fields):
    responses = tuple(ResponseRecord(f"s{i}", "text") for i in range(n_responses))
    return ItemRecord(
        line=1, id=str(name), instruction=fields.pop("instruction", f"do {name}"), responses=responses, **fields
    )


def rubric(text):
    reading = read_rubric(text.encode(), name="r.yaml")
    assert not reading.errors
    return reading.draft


def problems_of(*args, **options):
    with pytest.raises(BadInput) as raised:
        build_report(*args, **options)
    return [str(problem) for problem in raised.value.problems]


def stats_of(tree):
    """Every STAT in the report, with its path."""
    if isinstance(tree, dict):
        if tree.keys() >= STAT_KEYS:
            yield tree
        else:
            for branch in tree.values():
                yield from stats_of(branch)
    elif isinstance(tree, list):
        for branch in tree:
            yield from stats_of(branch)


def assert_sound(report):
    """It is JSON without NaN, every STAT has its shape, and the text version can be written."""
    json.dumps(report, allow_nan=False)
    for stat in stats_of(report):
        assert set(stat) - {"flags"} == STAT_KEYS
        assert (stat["estimate"] is None) <= (stat["reason"] is not None)
        assert stat["ci"] is None or stat["ci"][0] <= stat["ci"][1]
    assert "nan" not in render(report)


# --- what counts ------------------------------------------------------------------------------------------------------


def test_the_shape_of_the_report():
    report = build_report(
        [human(i, "A", rater) for i in range(4) for rater in "xy"] + [judge(i, "B" if i else "A") for i in range(4)]
    )
    assert_sound(report)
    overall = report["criteria"]["overall"]

    assert report["items"] == 4
    assert report["raters"]["judge"] == {"kind": "judge", "judgments": 4, "no_verdict": 0}
    assert (overall["kind"], overall["categories"]) == ("pair", ["A", "tie", "B"])
    assert set(overall["agreement"]) == {"humans", "judges", "all"}
    assert [(pair["a"], pair["b"], pair["n"]) for pair in overall["pairs"]] == [
        ("judge", "x", 4),
        ("judge", "y", 4),
        ("x", "y", 4),
    ]
    assert overall["judges"]["judge"]["vs_humans"]["accuracy"]["estimate"] == 0.25
    assert overall["majority"] == {"labels": {"A": 4, "tie": 0, "B": 0}, "undecided": 0}


def test_only_the_latest_revision_counts():
    report = build_report([human(1, "A"), human(1, "B", revision=2), human(1, "tie", revision=1), human(1, "B", "bob")])

    assert report["criteria"]["overall"]["pairs"][0]["raw_agreement"]["estimate"] == 1
    assert report["left_out"]["superseded"] == 2
    assert report["raters"]["ann"]["judgments"] == 1


def test_marked_judgments_stay_out_and_are_counted():
    marks = ["warmup", "gold", "gold", "late", "adjudicated"]
    report = build_report([human(i, "A", mark=mark) for i, mark in enumerate(marks)] + [human(9, "A")])

    assert report["left_out"]["marked"] == {"warmup": 1, "gold": 2, "late": 1, "adjudicated": 1}
    assert report["items"] == 1
    assert_sound(report)


def test_a_mark_on_the_latest_revision_takes_the_judgment_out():
    report = build_report([human(1, "A"), human(1, "B", revision=1, mark="late"), human(2, "A")])

    assert report["items"] == 1
    assert report["left_out"]["superseded"] == 1


def test_of_several_samples_the_first_counts():
    report = build_report([judge(1, "A", sample=1), judge(1, "B", sample=0), judge(1, "A", sample=2), human(1, "B")])

    assert report["left_out"]["other_samples"] == 2
    assert report["criteria"]["overall"]["judges"]["judge"]["vs_humans"]["accuracy"]["estimate"] == 1


def test_everything_left_out_still_reports():
    report = build_report([human(1, "A", mark="warmup"), judge(1, "A", mark="gold")])

    assert report["items"] == 0
    assert_sound(report)


def test_no_judgments_at_all():
    assert_sound(build_report([]))


# --- orders -----------------------------------------------------------------------------------------------------------


def test_the_headline_needs_both_orders():
    both = {1: ("A", "A"), 2: ("A", "B"), 3: ("B", None), 4: ("tie", "tie")}
    judged = [
        judge(i, verdict, order=order)
        for i, pair in both.items()
        for order, verdict in zip(("AB", "BA"), pair, strict=True)
    ]
    report = build_report([*judged, judge(5, "A"), *(human(i, "A") for i in range(1, 6))])
    assert_sound(report)
    found = report["criteria"]["overall"]["judges"]["judge"]

    assert found["orders"] == "both"
    assert (found["items"], found["verdicts"], found["no_verdict"]) == (5, 3, 1)
    assert report["criteria"]["overall"]["shares"]["judge"] == pytest.approx({"A": 1 / 3, "tie": 2 / 3, "B": 0})
    assert found["vs_humans"]["accuracy"]["n"] == 3
    assert found["vs_humans"]["accuracy_AB"]["n"] == 5
    assert (found["swap"]["unparsed"], found["swap"]["one_order_only"]) == (1, 1)
    assert found["swap"]["consistency"]["n"] == 3


def test_a_judge_of_one_order_uses_that_order():
    report = build_report([judge(i, "B", order="BA") for i in range(3)] + [human(i, "B") for i in range(3)])
    found = report["criteria"]["overall"]["judges"]["judge"]

    assert found["orders"] == "BA only"
    assert found["vs_humans"]["accuracy"]["estimate"] == 1
    assert found["swap"]["consistency"]["reason"] == "one_order"
    assert_sound(report)


def test_a_human_has_one_verdict_whatever_the_order_shown():
    report = build_report([human(1, "A", order="BA"), human(2, "B", order="AB"), judge(1, "A"), judge(2, "B")])

    assert report["criteria"]["overall"]["judges"]["judge"]["vs_humans"]["accuracy"]["n"] == 2


def test_a_judge_that_is_never_readable():
    report = build_report([judge(i) for i in range(3)] + [human(i, "A") for i in range(3)])
    found = report["criteria"]["overall"]["judges"]["judge"]

    assert (found["verdicts"], found["no_verdict"]) == (0, 3)
    assert found["vs_humans"]["accuracy"]["reason"] == "no_valid_verdicts"
    assert_sound(report)


def test_a_judge_without_humans():
    report = build_report([judge(i, "A", order=order) for i in range(3) for order in ("AB", "BA")])
    found = report["criteria"]["overall"]["judges"]["judge"]

    assert found["vs_humans"]["accuracy"]["reason"] == "no_humans"
    assert found["swap"]["consistency"]["estimate"] == 1
    assert_sound(report)


# --- scales, rubrics, groups ------------------------------------------------------------------------------------------


def scores(n=40, judge_step=1.0):
    rng = np.random.default_rng(0)
    truth = rng.integers(1, 6, n)
    for i in range(n):
        for rater in ("ann", "bob", "cat"):
            yield human(i, rater=rater, score=float(np.clip(truth[i] + rng.integers(-1, 2), 1, 5)))
        yield judge(i, score=float(np.clip(truth[i] + judge_step * rng.integers(-1, 2), 1, 5)))


def test_scores_have_correlations_and_ordered_coefficients():
    report = build_report(scores())
    assert_sound(report)
    quality = report["criteria"]["overall"]

    assert (quality["kind"], quality["categories"]) == ("score", list("12345"))
    assert not quality["categories_declared"]
    assert quality["agreement"]["humans"]["krippendorff_alpha_ordinal"]["estimate"] > 0.5
    found = quality["judges"]["judge"]
    assert found["vs_humans"]["pearson"]["estimate"] > 0.5
    assert found["vs_humans"]["kappa_vs_majority_quadratic"]["n"] < 40
    assert found["ceiling"]["human_pearson"]["estimate"] > 0.5
    assert found["alt_test"]["humans"][0]["n"] == 40
    assert found["swap"] is None


def test_a_judge_with_half_points_keeps_what_needs_no_levels():
    report = build_report(scores(judge_step=0.5))
    assert_sound(report)
    found = report["criteria"]["overall"]["judges"]["judge"]

    assert found["vs_humans"]["accuracy"]["reason"] == "not_whole"
    assert found["vs_humans"]["spearman"]["estimate"] > 0.5
    everyone = report["criteria"]["overall"]["agreement"]["all"]
    assert everyone["krippendorff_alpha_interval"]["estimate"] > 0.5
    assert everyone["fleiss_kappa"]["reason"] == "not_whole"
    assert report["criteria"]["overall"]["cross_check"]["all"]["agrees"]


def test_the_declared_scale_counts_not_the_used_one():
    judgments = [
        human(i, rater=r, score=float(s)) for r, line in (("x", "1234"), ("y", "1243")) for i, s in enumerate(line)
    ]
    narrow = build_report(judgments, scale=(1, 4))
    wide = build_report(judgments, scale=(1, 10))

    key = ("criteria", "overall", "agreement", "humans", "gwet_ac1", "estimate")
    assert at(wide, *key) > at(narrow, *key)
    assert wide["criteria"]["overall"]["categories_declared"]


def at(tree: Any, *path: str) -> Any:
    for step in path:
        tree = tree[step]
    return tree


RUBRIC = rubric("""
name: Test
criteria:
  - {id: tone, kind: choice, question: How?, options: [polite, neutral, rude]}
  - {id: overall, kind: pair, question: Which?}
  - {id: correct, kind: score, question: Right?, scale: 1-7}
""")


def test_the_rubric_gives_order_scale_and_options():
    report = build_report(
        [
            human(1, score=7.0, criterion="correct"),
            human(1, "A"),
            *(
                human(i, rater=r, choice=c, criterion="tone")
                for i in range(9)
                for r, c in zip("xy", ("rude", "polite"), strict=True)
            ),
        ],
        rubric=RUBRIC,
    )
    assert_sound(report)
    assert list(report["criteria"]) == ["tone", "overall", "correct"]
    assert report["criteria"]["correct"]["categories"] == list("1234567")
    tone = report["criteria"]["tone"]
    assert tone["categories"] == ["polite", "neutral", "rude"]
    assert tone["agreement"]["humans"]["gwet_ac2"]["reason"] == "not_ordered"
    assert tone["pairs"][0]["cohen_kappa_quadratic"]["reason"] == "not_ordered"
    assert tone["pairs"][0]["raw_agreement"]["estimate"] == 0


def test_two_rubrics_are_two_criteria_and_an_unnamed_one_joins_the_only_named():
    split = build_report([human(1, "A", rubric="v1"), human(1, "B", "bob", rubric="v2"), judge(1, "A")])
    assert list(split["criteria"]) == ["overall (v1)", "overall (v2)", "overall (no rubric named)"]

    joined = build_report([judge(1, "A"), human(1, "A", rubric="v1")])
    assert joined["criteria"]["overall"]["judges"]["judge"]["vs_humans"]["accuracy"]["n"] == 1


def test_unnamed_choices_join_with_their_labels():
    joined = build_report(
        [
            judge(1, choice="y"),
            judge(2, choice="x"),
            human(1, choice="y", rubric="v1"),
            human(2, choice="x", rubric="v1"),
        ]
    )

    assert joined["criteria"]["overall"]["judges"]["judge"]["vs_humans"]["accuracy"]["estimate"] == 1


def test_items_that_ask_the_same_are_drawn_together():
    judgments = [
        human(i, v, r) for i in range(30) for r, v in (("x", "A" if i % 3 else "B"), ("y", "A" if i % 2 else "B"))
    ]
    alone = build_report(judgments, items=[item(i) for i in range(30)])
    together = build_report(judgments, items=[item(i, instruction=f"same {i // 5}") for i in range(30)])
    assert_sound(together)

    assert (alone["groups"], together["groups"]) == (30, 6)
    assert (alone["method"]["resampled"], together["method"]["resampled"]) == ("items", "groups")
    path = ("criteria", "overall", "agreement", "humans", "fleiss_kappa")
    assert at(alone, *path)["estimate"] == pytest.approx(at(together, *path)["estimate"])
    assert at(alone, *path)["ci"] != at(together, *path)["ci"]


# --- faults -----------------------------------------------------------------------------------------------------------


def test_every_fault_is_told_with_its_line_and_what_to_do():
    told = problems_of(
        [
            human(1, "A", line=1),
            judge(4, "A", rater="ann", line=2),
            human(2, score=3.0, line=3),
            human(7, "A", line=4),
            human(1, score=9.0, criterion="correct", line=5),
            human(1, choice="grumpy", criterion="tone", line=6),
            human(1, "A", criterion="beauty", line=7),
            human(3, "A", line=8),
        ],
        items=[item(1), item(2), item(3, n_responses=1), item(4)],
        rubric=RUBRIC,
    )
    for said in [
        "Line 2, kind: is not what this rater was before: human (found judge).",
        "Line 3, score: is not how the criterion overall is answered (found 3.0). Give a verdict",
        "Line 4, item: is not in the items file (found 7).",
        "Line 5, score: is off the scale 1-7 (found 9).",
        "Line 6, choice: is not one of the options (found grumpy). The rubric has: polite, neutral, rude.",
        "Line 7, criterion: is not a criterion of the rubric (found beauty). The rubric has: tone, overall, correct.",
        "Line 8, verdict: compares two responses, but the item 3 has one (found A).",
    ]:
        assert any(said in problem for problem in told), (said, told)
    assert len(told) == 7


def test_the_same_judgment_twice_is_refused():
    assert problems_of([human(1, "A", line=1), human(1, "A", line=5)]) == [
        "Line 5, item: this judgment is there twice: see line 1. Remove one, or give a later one a higher revision."
    ]


# --- real data --------------------------------------------------------------------------------------------------------


@pytest.fixture
def pandalm(reference_data: Path) -> list[JudgmentRecord]:
    """999 pairs, three people; two recorded judges, whose unreadable answers have no verdict."""
    folder = reference_data / "pandalm_testset"
    code = {"0": "tie", "1": "A", "2": "B", "Tie": "tie"}
    records = [
        human(row["idx"], code[str(row[f"annotator{k}"])], f"A{k}")
        for row in json.loads((folder / "testset-v1.json").read_text())
        for k in (1, 2, 3)
    ]
    for name, field in (("pandalm-7b", "pandalm_result"), ("gpt-3.5-turbo", "gpt_result")):
        rows = json.loads((folder / f"{name}-testset-v1.json").read_text())
        records += [judge(row["idx"], code.get(str(row[field])), name) for row in rows]
    return records


def test_the_published_figures_of_pandalm(pandalm):
    report = build_report(pandalm)
    assert_sound(report)
    overall = report["criteria"]["overall"]

    assert report["items"] == 999
    assert overall["majority"] == {"labels": {"tie": 105, "A": 422, "B": 472}, "undecided": 0}
    kappa = {(pair["a"], pair["b"]): pair["cohen_kappa"]["estimate"] for pair in overall["pairs"]}
    assert kappa["A1", "A2"] == pytest.approx(0.8520, abs=5e-5)
    assert kappa["A1", "A3"] == pytest.approx(0.8789, abs=5e-5)
    assert kappa["A2", "A3"] == pytest.approx(0.8617, abs=5e-5)
    humans = overall["agreement"]["humans"]
    assert humans["fleiss_kappa"]["estimate"] == pytest.approx(0.8642, abs=5e-5)
    assert humans["krippendorff_alpha_nominal"]["estimate"] == pytest.approx(0.864221, abs=5e-7)
    assert humans["gwet_ac1"]["estimate"] == pytest.approx(0.886445, abs=5e-7)
    assert overall["cross_check"]["humans"]["agrees"]

    panda = overall["judges"]["pandalm-7b"]["vs_humans"]
    for name, value in {
        "accuracy": 0.667668,
        "macro_precision": 0.573831,
        "macro_recall": 0.574969,
        "macro_f1": 0.574305,
        "kappa_vs_majority": 0.435355,
    }.items():
        assert panda[name]["estimate"] == pytest.approx(value, abs=5e-7)
    gpt = overall["judges"]["gpt-3.5-turbo"]
    assert (gpt["verdicts"], gpt["no_verdict"]) == (974, 25)
    assert gpt["vs_humans"]["accuracy"]["estimate"] == pytest.approx(0.715606, abs=5e-7)
    assert gpt["vs_humans"]["macro_f1"]["estimate"] == pytest.approx(0.533082, abs=5e-7)


def test_a_fine_scale_stays_affordable():
    rng = np.random.default_rng(1)
    truth = rng.integers(6, 35, 60)
    judgments = [
        human(i, rater=rater, score=float(truth[i] + rng.integers(-5, 6)))
        for i in range(60)
        for rater in ("ann", "bob")
    ]
    judgments += [judge(i, score=float(truth[i])) for i in range(60)]
    report = build_report(judgments, scale=(0, 40))
    assert_sound(report)
    found = report["criteria"]["overall"]

    assert len(found["categories"]) == 41
    assert found["agreement"]["humans"]["krippendorff_alpha_interval"]["estimate"] > 0.7
    assert found["judges"]["judge"]["vs_humans"]["per_class"] == {}
    assert "human_kappa" not in found["judges"]["judge"]["ceiling"]
