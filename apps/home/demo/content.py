"""The demo's files, as the importers take them: bytes, wherever the package is installed."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import BinaryIO, Literal

PAIRS = "pairs.jsonl"
SINGLES = "singles.jsonl"
PAIRWISE_RUBRIC = "pairwise.yaml"
SCORES_RUBRIC = "scores.yaml"

OVERLAP = 3
"""How many annotators are to label an item."""


@dataclass(frozen=True, slots=True)
class PairTruth:
    """The better side of a pair as its author meant it, how plainly it is better (0 to 1), and why."""

    preferred: Literal["A", "B", "tie"]
    strength: float
    why: str
    labels: int = OVERLAP
    """How many simulated annotators got to it; fewer than `OVERLAP` leaves work for a newcomer."""


@dataclass(frozen=True, slots=True)
class SingleTruth:
    """The scores that an answer deserves, by criterion, as its author meant it."""

    scores: dict[str, int]
    why: str
    labels: int = OVERLAP


def read(name: str) -> bytes:
    return files("apps.home.demo").joinpath(name).read_bytes()


def stream(name: str) -> BinaryIO:
    return io.BytesIO(read(name))


def pair_truths() -> dict[str, PairTruth]:
    """By item id. Only the simulation may look: it is what the demo's annotators are trying to see."""
    return {item: PairTruth(**row) for item, row in json.loads(read("truth.json"))["pairs"].items()}


def single_truths() -> dict[str, SingleTruth]:
    return {item: SingleTruth(**row) for item, row in json.loads(read("truth.json"))["singles"].items()}
