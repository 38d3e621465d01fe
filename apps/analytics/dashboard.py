"""The report behind the dashboard: made once for a set of labels, then kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.analytics import cache, frames
from apps.analytics.frames import Ledger, Version
from apps.analytics.prevalence import prevalence
from apps.analytics.report import assemble
from apps.analytics.standing import apart
from apps.analytics.stats.labels import LabelMatrix
from apps.rubrics.models import Criterion

SMALL = 50_000  # labels that a page waits for; for more a worker is asked
SMALL_PAIRS = 150  # pairs of raters, likewise
EPSILON = 0.2
RATERS_LISTED = 40  # of whom the page says how often they give each label


def make(*, dataset_id: int, criterion: Criterion) -> dict[str, Any]:
    """The report of the labels that are there now, kept for whoever asks next."""
    ledger = cache.ledger(dataset_id=dataset_id, criterion_id=criterion.pk)
    kept = cache.kept_report(dataset_id=dataset_id, criterion_id=criterion.pk, version=ledger.version)
    if kept is None:
        kept = build(ledger, criterion)
        cache.keep_report(kept, dataset_id=dataset_id, criterion_id=criterion.pk, version=ledger.version)
    return kept


def known(*, dataset_id: int, criterion: Criterion, version: Version) -> dict[str, Any] | None:
    """The report of these labels where it is there, or small enough to be made while a page waits.

    Else the last finished one: where labels come faster than reports, each is a little late, and says so.
    """
    keys = {"dataset_id": dataset_id, "criterion_id": criterion.pk}
    found = cache.kept_report(**keys, version=version)
    if found is not None:
        return found
    if is_small(**keys, version=version):
        return make(dataset_id=dataset_id, criterion=criterion)
    last = cache.last_version(**keys)
    return None if last is None else cache.kept_report(**keys, version=last)


def is_small(*, dataset_id: int, criterion_id: int, version: Version) -> bool:
    if version.count > SMALL:
        return False
    raters = len(np.unique(cache.ledger(dataset_id=dataset_id, criterion_id=criterion_id).rows["rater"]))
    return raters * (raters - 1) // 2 <= SMALL_PAIRS


def build(ledger: Ledger, criterion: Criterion) -> dict[str, Any]:
    """The JSON of `analyze` for one criterion, raters by id, and what the page says beside it.

    `version` is the labels it is of, `order` the raters as the page lists them, `given` how often they give each label,
    `apart` who stands apart.
    """
    columns, left_out = frames.columns(ledger, criterion)
    kinds = {
        rater: "judge" if judge else "human" for rater, judge in zip(columns.raters, columns.is_judge, strict=True)
    }
    report = assemble([columns], kinds, left_out, epsilon=EPSILON)
    matrix = columns.verdicts().matrix
    people = matrix.select(list(np.flatnonzero(~columns.is_judge)))
    weights = "quadratic" if columns.kind == "score" else "unweighted"
    report["version"] = str(ledger.version)
    report["order"] = list(columns.raters)
    report["kind"] = columns.kind
    report["criterion"] = report["criteria"].pop(columns.name)
    report["given"] = {
        "people": _given(people),
        "raters": {rater: _given(matrix.select([i])) for i, rater in enumerate(columns.raters[:RATERS_LISTED])},
    }
    report["apart"] = [
        {
            "rater": people.raters[found.column],
            "difference": found.difference.to_dict(),
            "without": {name: stat.to_dict() for name, stat in found.without.items()},
        }
        for found in apart(people, weights)
    ]
    return report


def _given(matrix: LabelMatrix) -> dict[str, Any]:
    """How often these raters give each label, and their mean score."""
    found = prevalence(matrix)
    return {
        "labels": {label: stat.to_dict() for label, stat in found.labels.items()},
        "mean": None if found.mean is None else found.mean.to_dict(),
    }
