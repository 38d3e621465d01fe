"""Who stands apart: people who agree with the others clearly less than those agree with one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from apps.analytics.stats import estimate as why
from apps.analytics.stats.agreement import agreement
from apps.analytics.stats.estimate import Estimate
from apps.analytics.stats.labels import Floats, LabelMatrix
from apps.analytics.stats.pairwise import Couples, disagreement, kappa_of
from apps.analytics.stats.resample import LEVEL, Statistic, distinct_rows, estimates, fold, ratio

FEWEST, MOST = 3, 12  # people; with more the joint resampling of all pairs grows too wide
SMALLEST = 0.03  # a difference of kappa below this is not worth a remark, however sure
_TERMS = 4_000_000


@dataclass(frozen=True, slots=True)
class Apart:
    """A person who stands apart.

    Args:
        column: of the matrix.
        difference: mean kappa of this person with the others, minus that of the others with one another. Its interval
            is wider than 95 %, so that all of them together hold with 95 % (Bonferroni), as everyone is looked at.
        without: agreement of the others alone.
    """

    column: int
    difference: Estimate
    without: dict[str, Estimate]


def apart(people: LabelMatrix, weights: str = "unweighted") -> list[Apart]:
    """Those whose difference lies below 0 with its whole interval; farthest first."""
    raters = people.codes.shape[1]
    if not FEWEST <= raters <= MOST or not people.whole:
        return []
    rows, index, _ = distinct_rows(people.codes + np.int8(1), people.scale.size + 1)
    couples = Couples(raters, people.scale)
    codes = people.codes[rows]
    paired = couples.paired(codes)
    if couples.width * len(rows) > _TERMS or not paired.any():
        return []
    cost = disagreement(people.scale, weights if people.scale.ordered else "unweighted")
    units = fold(np.where(paired, np.arange(len(rows)), -1)[index], couples.terms(codes), people.groups)
    found = estimates(
        units,
        {str(r): Statistic(_difference(couples, cost, r), lambda t: t[:, 0], why.NO_OVERLAP) for r in range(raters)},
        level=1 - (1 - LEVEL) / raters,
    )
    farthest = sorted(
        (r for r in range(raters) if _clearly_less(found[str(r)])), key=lambda r: found[str(r)].estimate or 0.0
    )
    return [
        Apart(r, found[str(r)], agreement(people.select([other for other in range(raters) if other != r])))
        for r in farthest
    ]


def _clearly_less(stat: Estimate) -> bool:
    return stat.estimate is not None and stat.ci is not None and stat.estimate < -SMALLEST and stat.ci[1] < 0


def _difference(couples: Couples, cost: Floats, rater: int) -> Callable[[Floats], Floats]:
    mine = np.array([rater in pair for pair in couples.couples])

    def of(totals: Floats) -> Floats:
        tables = totals[:, 1:].reshape(len(totals), len(couples.couples), couples.size, couples.size)
        kappas = kappa_of(tables, cost)
        return _mean(kappas[:, mine]) - _mean(kappas[:, ~mine])

    return of


def _mean(kappas: Floats) -> Floats:
    """Over the pairs where kappa is defined."""
    defined = np.isfinite(kappas)
    return ratio(np.where(defined, kappas, 0).sum(axis=1), defined.sum(axis=1).astype(np.float64))
