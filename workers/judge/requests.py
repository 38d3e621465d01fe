"""What a judge is asked: one item, shown in one order, under one criterion."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

Order = Literal["AB", "BA"]
CriterionKind = Literal["pair", "score", "choice"]


@dataclass(frozen=True, slots=True)
class CriterionSpec:
    """As much of a criterion as a judge may know. `scale` is for scores, `options` (ids) for choices."""

    key: str
    kind: CriterionKind
    name: str = ""
    question: str = ""
    ties: bool = True
    scale: tuple[int, int] | None = None
    levels: tuple[tuple[int, str], ...] = ()
    options: tuple[str, ...] = ()

    @property
    def answers(self) -> tuple[str | int, ...]:
        """Every answer that it allows, a pair's in the order A, tie, B."""
        if self.kind == "pair":
            return ("A", "tie", "B") if self.ties else ("A", "B")
        if self.kind == "score":
            low, high = self.scale or (1, 5)
            return tuple(range(low, high + 1))
        return self.options


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """One question. `responses` are in the order shown: in `BA` the item's second response comes first."""

    item_id: str
    kind: Literal["single", "pair"]
    instruction: str
    responses: tuple[str, ...]
    criterion: CriterionSpec
    context: str | None = None
    reference: str | None = None
    order: Order = "AB"
    sample: int = 0


def fingerprint(*parts: object) -> str:
    """SHA-256, in hex, of everything that an answer depends on: equal ones need not be judged again."""
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
