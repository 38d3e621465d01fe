"""Two raters side by side: the table of what both said, and how far that is agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.analytics import cache, frames, selectors
from apps.analytics.page.figures import Figures, definitions, pair_figures
from apps.analytics.selectors import Judged, Who
from apps.analytics.stats.pairwise import pairs


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    label: str
    cells: list[tuple[int, int, bool]]  # how many, heat 1 to 7 or 0, whether both said the same
    total: int


@dataclass(frozen=True, slots=True)
class PairPage:
    a: Who
    b: Who
    n: int
    labels: list[str]
    rows: list[ConfusionRow]
    totals: list[int]
    figures: Figures
    definitions: list[tuple[str, str, str]]


def pair_page(view: Judged, a: str, b: str) -> PairPage | None:
    """What two raters, by id, said of the items both judged; None if either is no rater here."""
    ledger = cache.ledger(dataset_id=view.dataset.pk, criterion_id=view.criterion.pk)
    columns, _left_out = frames.columns(ledger, view.criterion)
    if a == b or a not in columns.raters or b not in columns.raters:
        return None
    who = selectors.raters(list(columns.raters))
    matrix = columns.verdicts().matrix.select([columns.raters.index(a), columns.raters.index(b)])
    (found,) = pairs(matrix)
    largest = max(1, int(found.table.max()))
    labels = list(matrix.scale.labels)
    stats: dict[str, Any] = {
        "raw_agreement": found.raw_agreement.to_dict(),
        **{name: stat.to_dict() for name, stat in found.kappa.items()},
    }
    figures = pair_figures(stats, columns.kind)
    return PairPage(
        a=who[a],
        b=who[b],
        n=found.n,
        labels=labels,
        rows=[
            ConfusionRow(
                labels[i],
                [(int(n), min(7, 1 + int(6 * n / largest)) if n else 0, i == j) for j, n in enumerate(row)],
                int(row.sum()),
            )
            for i, row in enumerate(found.table)
        ],
        totals=[int(n) for n in found.table.sum(axis=0)],
        figures=figures,
        definitions=definitions(row.name for row in figures.rows),
    )
