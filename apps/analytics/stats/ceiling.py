"""What humans reach among themselves, in the very units the judge is measured in: the ceiling for any judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from . import estimate as why
from .correlation import pearson_of_moments
from .estimate import Estimate
from .labels import Codes, Floats, Ints, Scale, label_counts, majority
from .pairwise import cell_of, disagreement, kappa_of
from .resample import DRAWS, Statistic, distinct_rows, estimates, fold, ratio

_DENSE = 12_000_000  # numbers; larger terms stay sparse


def vote_agreement(
    humans: Codes, judge: Codes, scale: Scale, *, tie: int | None = None, groups: Ints | None = None, draws: int = DRAWS
) -> dict[str, Estimate]:
    """Agreement of single votes, pooled: judge with each human vote, humans with one another, and the difference.

    With the code of a `tie`, also over the votes where neither side says tie. Crowded items weigh more, as published;
    n counts the items with such a pair of votes.
    Source: Zheng et al. (2023), setups S1 (with ties) and S2 (without), as FastChat computes them.
    """
    counts = label_counts(humans, scale.size)
    rows, index, _ = distinct_rows(np.column_stack([counts, judge.astype(np.int64) + 2]), _base(counts, scale))
    counts, judge = counts[rows], judge[rows]
    terms = [_vote_terms(counts, judge)]
    names = [""]
    if tie is not None:
        decided = counts.copy()
        decided[:, tie] = 0
        terms.append(_vote_terms(decided, np.where(judge == tie, -1, judge)))
        names.append("_without_ties")
    statistics = {}
    for i, name in enumerate(names):
        judge_human, human_human = (_share(6 * i + offset) for offset in (0, 3))
        statistics[f"judge_human_agreement{name}"] = judge_human
        statistics[f"human_human_agreement{name}"] = human_human
        statistics[f"agreement_difference{name}"] = _minus(judge_human, human_human)
    return estimates(fold(index, np.column_stack(terms), groups), statistics, draws=draws)


def leave_one_out(
    humans: Codes, judge: Codes, scale: Scale, *, groups: Ints | None = None, draws: int = DRAWS
) -> dict[str, Estimate]:
    """Each human against the majority of the others, beside the judge against the same majority on the same items.

    The mean over the humans of kappa (quadratic where the labels are scores) and of accuracy, and the paired difference
    judge minus human. Items where the others are split are left out; n counts the items with at least one comparison.
    """
    size = scale.size
    rows, index, _ = distinct_rows(np.column_stack([humans, judge]) + np.int8(2), size + 2)
    humans, judge = humans[rows], judge[rows]
    blocks = []
    for one in range(humans.shape[1]):
        rest = majority(np.delete(humans, one, axis=1), size)
        compared = (humans[:, one] >= 0) & (judge >= 0)
        blocks.append([np.where(compared, cell_of(rest, side, size), -1) for side in (humans[:, one], judge)])
    cells = np.array(blocks, dtype=np.int64).reshape(-1, len(rows))  # (2 x humans, rows): human, judge, human, judge
    item, column = np.nonzero(cells.T >= 0)
    hot = sparse.csr_array(
        (np.ones(len(item)), (item, 1 + column * size * size + cells[column, item])),
        shape=(len(rows), 1 + len(cells) * size * size),
    )
    compared_at_all = sparse.csr_array(np.asarray((cells >= 0).any(axis=0), dtype=np.float64).reshape(-1, 1))
    terms = sparse.hstack([compared_at_all, hot[:, 1:]], format="csr")
    cost = disagreement(scale, "quadratic" if scale.numeric else "unweighted")

    def kappas(totals: Floats) -> Floats:
        tables = totals[:, 1:].reshape(len(totals), -1, 2, size, size)
        return kappa_of(tables, cost)

    def accuracies(totals: Floats) -> Floats:
        tables = totals[:, 1:].reshape(len(totals), -1, 2, size, size)
        return ratio(np.diagonal(tables, axis1=-2, axis2=-1).sum(axis=-1), tables.sum(axis=(-2, -1)))

    return _human_and_judge(index, terms, {"kappa": kappas, "accuracy": accuracies}, groups, draws)


def leave_one_out_scores(
    humans: NDArray[np.floating], judge: NDArray[np.floating], *, groups: Ints | None = None, draws: int = DRAWS
) -> dict[str, Estimate]:
    """Each human's scores against the mean score of the others, beside the judge's against the same mean: Pearson."""
    seen, code = np.unique(np.column_stack([humans, judge]), return_inverse=True)  # scores repeat: fold equal rows
    rows, index, _ = distinct_rows(code.reshape(len(judge), -1), len(seen) + 1)
    humans, judge = humans[rows], judge[rows]
    present = ~np.isnan(humans)
    filled = np.where(present, humans, 0.0).astype(np.float64)
    total, raters = filled.sum(axis=1), present.sum(axis=1)
    middle = total.sum() / max(raters.sum(), 1)
    columns: list[Floats] = []
    compared_at_all = np.zeros(len(judge), dtype=bool)
    for one in range(humans.shape[1]):
        compared = present[:, one] & (raters >= 2) & ~np.isnan(judge)
        rest = (total - filled[:, one]) / np.maximum(raters - 1, 1) - middle
        compared_at_all |= compared
        for side in (filled[:, one], np.where(compared, judge, 0.0)):
            x = side - middle
            columns += [
                np.where(compared, moment, 0.0) for moment in (np.ones_like(x), x, rest, x * x, rest * rest, x * rest)
            ]
    terms = sparse.csr_array(np.column_stack([compared_at_all, *columns]))

    def pearson(totals: Floats) -> Floats:
        return pearson_of_moments(totals[:, 1:].reshape(len(totals), -1, 2, 6))

    return _human_and_judge(index, terms, {"pearson": pearson}, groups, draws)


def _human_and_judge(
    index: Ints,
    terms: sparse.csr_array,
    measures: dict[str, Callable[[Floats], Floats]],
    groups: Ints | None,
    draws: int,
) -> dict[str, Estimate]:
    """Means over the humans of each measure (m, humans, 2), for human, judge and judge minus human."""

    def mean(measure: Callable[[Floats], Floats], weights: Sequence[float]) -> Callable[[Floats], Floats]:
        def of(totals: Floats) -> Floats:
            values = measure(totals)
            defined = np.isfinite(values).all(axis=-1)  # a human whose value or whose judge's value is undefined
            combined = np.where(defined, np.nan_to_num(values) @ np.asarray(weights), 0.0)
            return ratio(combined.sum(axis=1), defined.sum(axis=1).astype(np.float64))

        return of

    statistics = {}
    for name, measure in measures.items():
        for side, weights in {"human": (1, 0), "judge": (0, 1), "difference": (-1, 1)}.items():
            label = f"{side}_{name}" if side != "difference" else f"{name}_difference"
            statistics[label] = Statistic(mean(measure, weights), lambda t: t[:, 0])
    kept = terms if terms.shape[0] * terms.shape[1] > _DENSE else terms.toarray()
    compared = np.asarray(terms[:, [0]].todense()).ravel() > 0
    return estimates(fold(np.where(compared[index], index, -1), kept, groups), statistics, draws=draws)


def _base(counts: Ints, scale: Scale) -> int:
    return int(max(counts.max(initial=0) + 1, scale.size + 2))


def _vote_terms(counts: Ints, judge: NDArray[np.integer]) -> Floats:
    """Agreeing pairs, pairs, and whether there are any: judge with humans, then humans among themselves."""
    votes = counts.sum(axis=1)
    with_judge = np.where(judge >= 0, votes, 0)
    agreeing = np.where(judge >= 0, counts[np.arange(len(counts)), np.maximum(judge, 0)], 0)
    among = votes * (votes - 1) // 2
    same = (counts * (counts - 1) // 2).sum(axis=1)
    return np.column_stack([agreeing, with_judge, with_judge > 0, same, among, among > 0]).astype(np.float64)


def _share(start: int) -> Statistic:
    return Statistic(
        lambda t: ratio(t[:, start], t[:, start + 1]),
        lambda t: t[:, start + 2],
        why.NO_OVERLAP,
        perfect_floor=lambda t, share: 1 - share,
    )


def _minus(first: Statistic, second: Statistic) -> Statistic:
    return Statistic(
        lambda t: first.of(t) - second.of(t), lambda t: np.minimum(first.support(t), second.support(t)), why.NO_OVERLAP
    )
