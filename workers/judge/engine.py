"""What every engine offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from workers.judge.requests import JudgeRequest
from workers.judge.verdicts import JudgeOutput


class EngineError(ValueError):
    """An engine, a model or a setting that cannot be had; the message says which and what would be right."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The kinds of criterion that an engine answers, and what it needs to answer."""

    pair: bool = False
    score: bool = False
    choice: bool = False
    needs_reference: bool = False


class Engine(Protocol):
    @property
    def capabilities(self) -> Capabilities: ...

    def refuses(self, request: JudgeRequest) -> str | None:
        """Why it will not judge such a request, as a sentence, or None. Looks at what is there, never at the texts."""
        ...

    def judge(self, requests: Sequence[JudgeRequest]) -> list[JudgeOutput]:
        """One output a request, in order. What goes wrong with one request is that output's status."""
        ...
