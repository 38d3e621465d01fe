"""Judgments by five simulated annotators, each with habits of their own, so that the dashboards show something.

An annotator sees an item's hidden truth through noise and habits. The same seed gives the same judgments, and
every (annotator, item) draws from a stream of its own: rewording one item leaves the others as they were.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from math import log
from statistics import median
from typing import Literal

import numpy as np

from apps.datasets.formats.items_jsonl import read_items
from apps.datasets.formats.records import ItemRecord, JudgmentRecord
from apps.home.demo import content

SEED = 20
SESSION = 12  # items an annotator labels in one sitting
PAUSE = timedelta(seconds=6)  # between two items
NIGHT = timedelta(hours=21)
SECONDS_A_BYTE = 0.02  # about 500 words, or 1,000 characters of Chinese, a minute: people skim


@dataclass(frozen=True, slots=True)
class Annotator:
    """Who labels, and how. Preferences are on the scale of a truth's strength, scores in points."""

    name: str
    noise: float
    tie_below: float
    """A preference weaker than this is called a tie."""
    score_noise: float
    pace: float
    """Time taken, as a multiple of reading everything once."""
    length_pull: float = 0.0
    """What an answer twice as long gains."""
    left_pull: float = 0.0
    """What the answer on the left gains over the one on the right."""
    generosity: float = 0.0
    explains: float = 0.0
    """How often a reason is given."""


ANNOTATORS = (
    Annotator("Simulated 1 (careful)", noise=0.15, tie_below=0.22, score_noise=0.4, pace=1.5, explains=0.6),
    Annotator("Simulated 2 (quick)", noise=0.30, tie_below=0.15, score_noise=0.9, pace=0.5, left_pull=0.08),
    Annotator("Simulated 3 (likes length)", noise=0.20, tie_below=0.18, score_noise=0.6, pace=1.0, length_pull=0.25),
    Annotator("Simulated 4 (often undecided)", noise=0.20, tie_below=0.35, score_noise=0.6, pace=1.2, explains=0.3),
    Annotator(
        "Simulated 5 (generous)", noise=0.22, tie_below=0.22, score_noise=0.6, pace=0.9, generosity=0.5, explains=0.2
    ),
)


@dataclass(frozen=True, slots=True)
class _Place:
    """One annotator's turn at one item."""

    item: ItemRecord
    annotator: Annotator
    order: Literal["AB", "BA"]
    rng: np.random.Generator
    seconds: float
    at: datetime | None


def simulate_pairs(*, seed: int = SEED, until: datetime | None = None) -> Iterator[JudgmentRecord]:
    """Preferences on the demo's pairs; `line` counts from 1. With `until`, dated over the six days before it."""
    truths = content.pair_truths()
    labels = {item: truth.labels for item, truth in truths.items()}
    start = None if until is None else until - timedelta(days=6)
    explained: set[str] = set()
    for line, place in enumerate(_places(_items(content.PAIRS), labels, seed=seed, start=start), 1):
        item, truth = place.item, truths[place.item.id]
        verdict = _verdict(place, truth)
        rationale = None
        if item.id not in explained and verdict == truth.preferred and place.rng.random() < place.annotator.explains:
            explained.add(item.id)
            rationale = truth.why
        yield JudgmentRecord(
            line,
            item.id,
            place.annotator.name,
            "human",
            order=place.order,
            verdict=verdict,
            rationale=rationale,
            seconds=place.seconds,
            at=place.at,
        )


def simulate_scores(*, seed: int = SEED, until: datetime | None = None) -> Iterator[JudgmentRecord]:
    """Scores on the demo's single answers, a record a criterion; `seconds` is the item's, on each of them."""
    truths = content.single_truths()
    labels = {item: truth.labels for item, truth in truths.items()}
    items = _items(content.SINGLES)
    usual = median(_size(item.responses[0].text) for item in items)
    start = None if until is None else until - timedelta(days=3)
    explained: set[str] = set()
    line = 0
    for place in _places(items, labels, seed=seed, start=start):
        item, annotator, truth = place.item, place.annotator, truths[place.item.id]
        habit = annotator.generosity + annotator.length_pull * log(_size(item.responses[0].text) / usual, 2)
        scores = {}
        for criterion, deserved in truth.scores.items():
            seen = deserved + habit + annotator.score_noise * place.rng.normal()
            scores[criterion] = min(5, max(1, round(seen)))
        rationale = None
        if (
            item.id not in explained
            and scores["correct"] == truth.scores["correct"]
            and place.rng.random() < annotator.explains
        ):
            explained.add(item.id)
            rationale = truth.why
        for criterion, score in scores.items():
            line += 1
            yield JudgmentRecord(
                line,
                item.id,
                annotator.name,
                "human",
                criterion=criterion,
                score=float(score),
                rationale=rationale if criterion == "correct" else None,
                seconds=place.seconds,
                at=place.at,
            )


def _verdict(place: _Place, truth: content.PairTruth) -> Literal["A", "B", "tie"]:
    annotator = place.annotator
    first, second = (_size(response.text) for response in place.item.responses)
    preference = {"A": truth.strength, "B": -truth.strength, "tie": 0.0}[truth.preferred]
    preference += annotator.noise * place.rng.normal()
    preference += annotator.length_pull * log(first / second, 2)
    preference += annotator.left_pull * (1 if place.order == "AB" else -1)
    if abs(preference) < annotator.tie_below:
        return "tie"
    return "A" if preference > 0 else "B"


def _places(
    items: Sequence[ItemRecord], labels: dict[str, int], *, seed: int, start: datetime | None
) -> Iterator[_Place]:
    """Who labels what, and when: every trio of annotators meets equally often, and so does every side."""
    trios = list(combinations(range(len(ANNOTATORS)), content.OVERLAP))
    rng = np.random.default_rng(seed)
    done = [0] * len(ANNOTATORS)
    clocks = [None if start is None else start + timedelta(hours=index) for index in range(len(ANNOTATORS))]
    turn: list[int] = []
    for item in items:
        turn = turn or rng.permutation(len(trios)).tolist()
        trio = rng.permutation(trios[turn.pop()]).tolist()
        for number, index in enumerate(trio[: labels[item.id]]):
            annotator, clock = ANNOTATORS[index], clocks[index]
            own = np.random.default_rng([seed, zlib.crc32(annotator.name.encode()), zlib.crc32(item.id.encode())])
            seconds = round(_reading(item) * annotator.pace * float(own.lognormal(0.0, 0.3)), 1)
            if clock is not None:
                clock += timedelta(seconds=seconds) + PAUSE
                done[index] += 1
                clocks[index] = clock + NIGHT if done[index] % SESSION == 0 else clock
            swapped = len(item.responses) == 2 and (zlib.crc32(item.id.encode()) + number) % 2 == 1
            yield _Place(item, annotator, "BA" if swapped else "AB", own, seconds, clock)


def _items(name: str) -> list[ItemRecord]:
    records = []
    for record in read_items(content.stream(name)):
        if not isinstance(record, ItemRecord):
            raise ValueError(f"{name}: {record}")
        records.append(record)
    return records


def _size(text: str) -> int:
    """UTF-8 bytes: a Chinese character then weighs about as much as half an English word, as it does for a reader."""
    return len(text.encode())


def _reading(item: ItemRecord) -> float:
    texts = [item.instruction, item.context or "", *(response.text for response in item.responses)]
    return 3 + SECONDS_A_BYTE * sum(_size(text) for text in texts)
