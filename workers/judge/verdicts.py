"""What a judge said and how it was read. An answer without a verdict is never a tie and never a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workers.judge.requests import Order

Side = Literal["first", "tie", "second"]
Verdict = Literal["A", "tie", "B"]
Status = Literal["ok", "unparsed", "truncated", "refused", "error"]

_UNSWAPPED: dict[tuple[Side, Order], Verdict] = {
    ("first", "AB"): "A",
    ("second", "AB"): "B",
    ("first", "BA"): "B",
    ("second", "BA"): "A",
    ("tie", "AB"): "tie",
    ("tie", "BA"): "tie",
}


def unswap(side: Side, order: Order) -> Verdict:
    """The verdict on the item's own responses that a verdict on those shown means: A is the item's first."""
    return _UNSWAPPED[side, order]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOutput:
    """One answer: `verdict` (un-swapped), `score` or `choice` (an option's id) where `status` is `ok`, else none."""

    raw: str
    status: Status = "ok"
    verdict: Verdict | None = None
    score: float | None = None
    choice: str | None = None
    rationale: str | None = None
    seconds: float = 0.0
    prompt_hash: str = ""

    def __post_init__(self) -> None:
        given = sum(value is not None for value in (self.verdict, self.score, self.choice))
        if given != (self.status == "ok"):
            raise ValueError(f"status {self.status!r} does not go with {given} answers")
