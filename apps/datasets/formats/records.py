"""What the readers yield and the writers take: plain records, without Django and without a database."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

ITEM_ID_LENGTH = 200
NAME_LENGTH = 200  # systems, raters, scenarios, groups, rubrics, criteria, choices
COUNTER_MAX = 32_767  # sample and revision are small integers in the table
SECONDS_MAX = 10_000_000.0
SCORE_MAX = 1e9

JudgmentStatus = Literal["ok", "unparsed", "truncated", "refused", "error"]
JudgmentMark = Literal["warmup", "gold", "late", "adjudicated"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ResponseRecord:
    """One system's answer. `text` is what a reader sees; a conversation is also kept turn by turn."""

    system: str
    text: str
    messages: tuple[Message, ...] | None = None


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """One thing to judge. `instruction` is the flattened conversation where the file gave `messages`."""

    line: int
    id: str
    instruction: str
    responses: tuple[ResponseRecord, ...]
    messages: tuple[Message, ...] | None = None
    context: str | None = None
    reference: str | None = None
    scenario: str | None = None
    group: str | None = None
    meta: Mapping[str, object] = field(default_factory=dict)

    @property
    def kind(self) -> Literal["single", "pair"]:
        return "pair" if len(self.responses) == 2 else "single"


@dataclass(frozen=True, slots=True)
class JudgmentRecord:
    """One rater's verdict on one item under one criterion; `verdict` is un-swapped whatever `order` says.

    At most one of `verdict`, `score` and `choice` is set: exactly one where `status` is `ok`, else none.
    """

    line: int
    item: str
    rater: str
    kind: Literal["human", "judge"]
    criterion: str = "overall"
    order: Literal["AB", "BA"] = "AB"
    verdict: Literal["A", "B", "tie"] | None = None
    score: float | None = None
    choice: str | None = None
    status: JudgmentStatus = "ok"
    strength: Literal["much", "slight"] | None = None
    both_bad: bool = False
    sample: int = 0
    revision: int = 0
    mark: JudgmentMark | None = None
    rationale: str | None = None
    confidence: float | None = None
    seconds: float | None = None
    rubric: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one place of a file, and what to do about it.

    `field` is a path such as `responses[1].text`, empty where the whole line is meant; `value` is what was
    found, shortened; `message` continues the field's name ("is missing"); `remedy` is a sentence of its own.
    What has words is `said`, so that a page can tell it in its reader's language; `str` is English.
    """

    line: int | None
    field: str
    value: str
    message: str
    remedy: str

    def __str__(self) -> str:
        place = "The file" if self.line is None else f"Line {self.line}"
        if self.field:
            place = f"{place}, {self.field}"
        found = f" (found {self.value})" if self.value else ""
        return f"{place}: {self.message}{found}. {self.remedy}".rstrip()


def flatten(messages: tuple[Message, ...]) -> str:
    """A conversation as one text, for search, for hashing and for whoever shows text only."""
    if len(messages) == 1:
        return messages[0].content
    return "\n\n".join(f"{message.role}: {message.content}" for message in messages)


def group_key(*, group: str | None, instruction: str, context: str | None) -> int:
    """64 signed bits that stand for an item's group; items without one that ask the same thing belong together."""
    asked = f"group\0{group}" if group is not None else f"asked\0{instruction}\0{context or ''}"
    return int.from_bytes(hashlib.blake2b(asked.encode(), digest_size=8).digest(), "big", signed=True)
