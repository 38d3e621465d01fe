"""What an import keeps of a file's problems: all of them are counted, the first are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from apps.core.said import packed
from apps.datasets.formats.records import Problem

TOLD = 1000


@dataclass(slots=True)
class Problems:
    """Counts lines, not problems: a line with two problems is one bad line."""

    bad: int = 0
    told: list[Problem] = field(default_factory=list)
    total: int = 0
    _last: int | None = -1

    def add(self, problem: Problem) -> None:
        self.total += 1
        if problem.line is None or problem.line != self._last:
            self.bad += 1
            self._last = problem.line
        if len(self.told) < TOLD:
            self.told.append(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem)

    def as_rows(self) -> list[list[object]]:
        """In line order, as the import's row stores them."""
        told = sorted(self.told, key=lambda problem: problem.line or 0)
        return [[p.line, p.field, packed(p.value), packed(p.message), packed(p.remedy)] for p in told]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a file came to: `stored` rows, or nothing where it was refused; `good` rows were right, stored or not."""

    stored: int
    problems: Problems
    refused: bool
    good: int
