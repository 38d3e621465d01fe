"""The report on how humans and judges agree, as the plain JSON that scripts rely on.

`build_report` reads judgment records; `criterion_report` takes ready columns, so that files and the database give the
same figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from apps.analytics.report_columns import Collector, CriterionColumns, LeftOut, Verdicts
from apps.analytics.stats import estimate as why
from apps.analytics.stats.alt_test import AltTest, alt_test, closer_by_label, closer_by_score
from apps.analytics.stats.ceiling import leave_one_out, leave_one_out_scores, vote_agreement
from apps.analytics.stats.correlation import CORRELATIONS, correlations
from apps.analytics.stats.crosscheck import cross_check
from apps.analytics.stats.estimate import Estimate
from apps.analytics.stats.labels import MISSING, NO_VERDICT, LabelMatrix, majority
from apps.analytics.stats.pairwise import pairs
from apps.analytics.stats.panel import panel
from apps.analytics.stats.reference import LISTED, accuracy, versus_reference
from apps.analytics.stats.resample import DRAWS, LEVEL
from apps.analytics.stats.swap import TIE, swap
from apps.datasets.formats.records import ItemRecord, JudgmentRecord
from apps.rubrics.reader import RubricDraft

EPSILON = 0.2


def build_report(
    judgments: Iterable[JudgmentRecord],
    items: Iterable[ItemRecord] | None = None,
    rubric: RubricDraft | None = None,
    scale: tuple[int, int] | None = None,
    epsilon: float = EPSILON,
) -> dict[str, Any]:
    """The whole report from records; raises BadInput with everything that is wrong with them.

    Args:
        items: where given, every judgment must be of one of them, and their groups are what the bootstrap draws.
        rubric: declares the criteria, their scales and their options.
        scale: of every score criterion, lowest and highest; a rubric's own, else 1 to 5.
        epsilon: what the alternative annotator test lets the judge lose, 0.2 for experts as humans.
    """
    collector = Collector(items=items, rubric=rubric, scale=scale)
    for judgment in judgments:
        collector.add(judgment)
    return collected_report(collector, epsilon=epsilon)


def collected_report(collector: Collector, *, epsilon: float = EPSILON) -> dict[str, Any]:
    """The report of everything the collector took."""
    columns, left_out = collector.criteria()
    return assemble(columns, collector.raters, left_out, epsilon=epsilon)


def assemble(
    columns: list[CriterionColumns], raters: Mapping[str, str], left_out: LeftOut, *, epsilon: float = EPSILON
) -> dict[str, Any]:
    """The report of ready columns; `raters` maps each name to "human" or "judge"."""
    judged = np.unique(np.concatenate([c.item for c in columns])) if columns else np.zeros(0)
    counts = dict.fromkeys(raters, 0)
    unread = dict.fromkeys(raters, 0)
    for c in columns:
        missing = np.isnan(c.score) if c.score is not None else c.code == NO_VERDICT
        for i, name in enumerate(c.raters):
            counts[name] += int((c.rater == i).sum())
            unread[name] += int((missing & (c.rater == i)).sum())
    grouped = next((c.groups for c in columns if c.groups is not None), None)
    return {
        "items": len(judged),
        "groups": len(judged) if grouped is None else len(np.unique(grouped[judged])),
        "raters": {
            name: {"kind": raters[name], "judgments": counts[name], "no_verdict": unread[name]}
            for name in sorted(raters)
        },
        "left_out": asdict(left_out),
        "method": {
            "interval": "bca",
            "level": LEVEL,
            "draws": DRAWS,
            "resampled": "groups" if grouped is not None else "items",
        },
        "criteria": {c.name: criterion_report(c, epsilon=epsilon) for c in columns},
    }


def criterion_report(columns: CriterionColumns, *, epsilon: float = EPSILON, draws: int = DRAWS) -> dict[str, Any]:
    """One criterion: agreement within each set of raters, every pair of raters, and each judge against the humans."""
    verdicts = columns.verdicts()
    matrix = verdicts.matrix
    sets = {
        "humans": np.flatnonzero(~columns.is_judge),
        "judges": np.flatnonzero(columns.is_judge),
        "all": np.arange(len(columns.raters)),
    }
    found: dict[str, dict[str, Any]] = {"agreement": {}, "coverage": {}, "cross_check": {}}
    for name, raters in sets.items():
        chosen = matrix.select(list(raters))
        figures = panel(chosen, draws=draws)
        found["cross_check"][name] = asdict(cross_check(chosen, figures))
        found["agreement"][name] = _stats(figures)
        found["coverage"][name] = _coverage(chosen)
    humans = matrix.select(list(sets["humans"]))
    return {
        "kind": columns.kind,
        "categories": list(matrix.scale.labels),
        "categories_declared": columns.declared,
        **found,
        "pairs": [
            {
                "a": matrix.raters[pair.a],
                "b": matrix.raters[pair.b],
                "n": pair.n,
                **_stats(pair.kappa),
                "raw_agreement": pair.raw_agreement.to_dict(),
            }
            for pair in pairs(matrix, draws=draws)
        ],
        "shares": {rater: _shares(matrix.select([i])) for i, rater in enumerate(matrix.raters)},
        "majority": _majority(humans),
        "judges": {
            matrix.raters[j]: _judge(columns, verdicts, humans, int(j), epsilon=epsilon, draws=draws)
            for j in sets["judges"]
        },
    }


def _judge(
    columns: CriterionColumns, verdicts: Verdicts, humans: LabelMatrix, judge: int, *, epsilon: float, draws: int
) -> dict[str, Any]:
    matrix = verdicts.matrix
    column = matrix.select([judge])
    first, second = verdicts.first[:, judge], verdicts.second[:, judge]
    orders = verdicts.orders(judge)
    answered = (column.codes[:, 0] >= 0) if column.values is None else ~np.isnan(column.values[:, 0])
    report: dict[str, Any] = {
        "orders": orders if columns.kind == "pair" else None,
        "items": int(((first != MISSING) | (second != MISSING)).sum()),
        "verdicts": int(answered.sum()),
        "no_verdict": verdicts.unread(judge),
        "vs_humans": _versus_humans(columns, verdicts, humans, judge, draws=draws),
        "ceiling": _ceiling(humans, column, columns.kind == "pair", draws=draws),
        "swap": None,
        "alt_test": _alt_test(humans, column, epsilon=epsilon, draws=draws),
    }
    if columns.kind == "pair":
        reference = majority(humans.codes, matrix.scale.size)
        swapped = swap(first, second, reference, groups=matrix.groups, draws=draws)
        report["swap"] = {
            **_stats(swapped.figures),
            "direction_p": swapped.direction_p,
            "unparsed": swapped.unparsed,
            "one_order_only": swapped.one_order_only,
        }
    return report


def _versus_humans(
    columns: CriterionColumns, verdicts: Verdicts, humans: LabelMatrix, judge: int, *, draws: int
) -> dict[str, Any]:
    column = verdicts.matrix.select([judge])
    scale, groups = column.scale, column.groups
    reference = majority(humans.codes, scale.size)
    versus = versus_reference(reference, column.codes[:, 0], scale, groups=groups, draws=draws)
    figures = dict(versus.figures)
    correlated = dict.fromkeys(CORRELATIONS, Estimate.undefined(why.NOT_NUMERIC))
    if column.values is not None and humans.values is not None:
        correlated = correlations(_mean(humans.values), column.values[:, 0], groups=groups, draws=draws)
    if not (humans.whole and column.whole):
        figures = dict.fromkeys(figures, Estimate.undefined(why.NOT_WHOLE))
    figures |= correlated
    if verdicts.orders(judge) == "both":
        for order, codes in (("AB", verdicts.first[:, judge]), ("BA", verdicts.second[:, judge])):
            figures[f"accuracy_{order}"] = accuracy(reference, codes, scale, groups=groups, draws=draws)
    reason = _nothing_to_compare(humans, column)
    if reason:
        figures = {
            name: stat if stat.estimate is not None else Estimate.undefined(reason) for name, stat in figures.items()
        }
    return {
        **_stats(figures),
        "majority_ties": int((reference == NO_VERDICT).sum()),
        "confusion": versus.confusion.tolist(),
        "per_class": {label: _stats(measures) for label, measures in versus.per_class.items()},
    }


def _ceiling(humans: LabelMatrix, judge: LabelMatrix, is_pair: bool, *, draws: int) -> dict[str, Any]:
    """What the humans reach among themselves, beside the judge in the same units."""
    if humans.codes.shape[1] < 2:
        return {}
    figures: dict[str, Estimate] = {}
    if humans.whole and judge.whole and judge.scale.size <= LISTED:
        codes, scale = judge.codes[:, 0], judge.scale
        tie = TIE if is_pair else None
        figures |= vote_agreement(humans.codes, codes, scale, tie=tie, groups=judge.groups, draws=draws)
        figures |= leave_one_out(humans.codes, codes, scale, groups=judge.groups, draws=draws)
    if humans.values is not None and judge.values is not None:
        figures |= leave_one_out_scores(humans.values, judge.values[:, 0], groups=judge.groups, draws=draws)
    return _stats(figures)


def _alt_test(humans: LabelMatrix, judge: LabelMatrix, *, epsilon: float, draws: int) -> dict[str, Any]:
    if humans.values is not None and judge.values is not None:
        closer = closer_by_score(humans.values, judge.values[:, 0])
    else:
        closer = closer_by_label(humans.codes, judge.codes[:, 0], humans.scale.size)
    test: AltTest = alt_test(humans.raters, closer, epsilon=epsilon, groups=humans.groups, draws=draws)
    return {
        "epsilon": test.epsilon,
        "winning_rate": test.winning_rate.to_dict(),
        "advantage_probability": test.advantage_probability.to_dict(),
        "passed": test.passed,
        "humans": [asdict(human) for human in test.humans],
    }


def _nothing_to_compare(humans: LabelMatrix, judge: LabelMatrix) -> str | None:
    """The plainer reason why a judge has no figure at all, where there is one."""
    for matrix, reason in ((humans, why.NO_HUMANS), (judge, why.NO_VALID_VERDICTS)):
        empty = np.isnan(matrix.values).all() if matrix.values is not None else (matrix.codes < 0).all()
        if empty:
            return reason
    return None


def _coverage(matrix: LabelMatrix) -> dict[str, Any]:
    """What agreement rests on: ratings on items with fewer than two have nothing to be compared with."""
    present = matrix.codes >= 0 if matrix.values is None else ~np.isnan(matrix.values)
    per_item = present.sum(axis=1)
    pairable = per_item >= 2
    return {
        "raters": int(present.any(axis=0).sum()),
        "items": int(pairable.sum()),
        "ratings": int(per_item[pairable].sum()),
        "ratings_unpaired": int(per_item[~pairable].sum()),
        "shares": _shares(matrix),
    }


def _shares(matrix: LabelMatrix) -> dict[str, float] | None:
    """How often each label is given, as a share of all labels; None where there are none."""
    counts = np.bincount(matrix.codes[matrix.codes >= 0], minlength=matrix.scale.size)
    if not counts.sum():
        return None
    return {label: float(c) for label, c in zip(matrix.scale.labels, counts / counts.sum(), strict=True)}


def _majority(humans: LabelMatrix) -> dict[str, Any]:
    """How many items the humans' majority gives each label, and on how many two labels share the lead."""
    labels = majority(humans.codes, humans.scale.size)
    counts = np.bincount(labels[labels >= 0], minlength=humans.scale.size)
    return {
        "labels": {label: int(count) for label, count in zip(humans.scale.labels, counts, strict=True)},
        "undecided": int((labels == NO_VERDICT).sum()),
    }


def _mean(values: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Each row's mean over what is there; NaN for an empty row."""
    present = ~np.isnan(values)
    total = np.where(present, values, 0).sum(axis=1, dtype=np.float64)
    count = present.sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _stats(figures: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: stat.to_dict() for name, stat in figures.items()}
