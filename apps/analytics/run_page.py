"""What a run's page says of its judge beside people. Judging stands below analytics, so its page asks for this part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.analytics import cache, selectors
from apps.analytics.frames import newest_label
from apps.judging.models import JudgeRun
from apps.rubrics.models import Criterion


@dataclass(frozen=True, slots=True)
class WithPeople:
    """The judge of a run under one criterion; each figure is what `{% stat %}` takes."""

    criterion: Criterion
    #: Cohen's kappa with the people's majority, with quadratic weights for scores
    kappa: dict[str, Any] | None
    #: with each person's vote, and people with one another in the same units
    judge: dict[str, Any] | None
    people: dict[str, Any] | None


def with_people(run: JudgeRun) -> list[WithPeople]:
    """A row for each criterion whose figures are known now; a worker is asked for those that are not."""
    rows = []
    for criterion in run.rubric_version.criteria.select_related("version__rubric"):
        keys = {"dataset_id": run.dataset_id, "criterion_id": criterion.pk}
        newest = newest_label(**keys)
        if not newest:
            continue
        judged = selectors.Judged(run.dataset, criterion, newest)
        report = selectors.report(judged, cache.version(**keys))
        figures = report["criterion"]["judges"].get(str(run.judge.rater_id)) if report else None
        if not figures:
            continue
        weighted = "kappa_vs_majority" if criterion.kind != Criterion.Kind.SCORE else "kappa_vs_majority_quadratic"
        rows.append(
            WithPeople(
                criterion,
                kappa=figures.get("vs_humans", {}).get(weighted),
                judge=selectors.judge_with_people(figures),
                people=figures.get("ceiling", {}).get("human_human_agreement"),
            )
        )
    return rows
