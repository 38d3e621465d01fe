"""Three honest baselines: the floor that any model judge must beat. No model, no accelerator, no network.

- `length`: the longer response is better.
- `rouge_l`: the response closer to the reference is better.
- `random`: a seeded draw, anew for each order, so that its swap consistency is that of chance.

Each says in `raw` how it came to its verdict. Where two responses measure the same and the criterion has no tie, it
gives no verdict instead of preferring a side.
"""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from workers.engines.tokens import common_length, tokenize
from workers.judge.engine import Capabilities, Engine, EngineError
from workers.judge.requests import JudgeRequest, fingerprint
from workers.judge.verdicts import JudgeOutput, Side, unswap

MODELS = ("length", "rouge_l", "random")


def load(model: str, params: Mapping[str, object]) -> Engine:
    """The baseline of this name; `random` takes a whole number as `seed`, the others take nothing."""
    unknown = sorted(params.keys() - ({"seed"} if model == "random" else set()))
    if unknown:
        raise EngineError(f"The baseline “{model}” has no setting “{unknown[0]}”.")
    if model == "length":
        return Length()
    if model == "rouge_l":
        return RougeL()
    seed = params.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise EngineError("The seed must be a whole number.")
    return Random(seed)


class _PairBaseline(ABC):
    """What baselines that compare two responses by a measure have in common."""

    name: str
    capabilities = Capabilities(pair=True)

    def refuses(self, request: JudgeRequest) -> str | None:
        if request.criterion.kind != "pair":
            return f"The baseline “{self.name}” compares two responses; it gives no scores and no labels."
        if len(request.responses) != 2:
            return f"The baseline “{self.name}” needs two responses to compare."
        if self.capabilities.needs_reference and not (request.reference and request.reference.strip()):
            return f"The baseline “{self.name}” needs a reference answer, and the item has none."
        return None

    def judge(self, requests: Sequence[JudgeRequest]) -> list[JudgeOutput]:
        return [_timed(self._judge, request) for request in requests]

    def _judge(self, request: JudgeRequest) -> JudgeOutput:
        refusal = self.refuses(request)
        prompt = fingerprint(
            self.name, request.reference if self.capabilities.needs_reference else None, *_asked(request)
        )
        if refusal is not None:
            return JudgeOutput(raw=refusal, status="refused", prompt_hash=prompt)
        first, second = (self._measure(response, request) for response in request.responses)
        side: Side = "first" if first > second else "second" if second > first else "tie"
        raw = self._explain(first, second, side)
        if side == "tie" and not request.criterion.ties:
            raw = f"{raw}, and the criterion has no tie"
            return JudgeOutput(raw=raw, status="refused", prompt_hash=prompt)
        return JudgeOutput(raw=raw, verdict=unswap(side, request.order), prompt_hash=prompt)

    @abstractmethod
    def _measure(self, response: str, request: JudgeRequest) -> float:
        """What the better response has more of."""

    @abstractmethod
    def _explain(self, first: float, second: float, side: Side) -> str:
        """The two measures and what follows from them, in words."""


class Length(_PairBaseline):
    name = "length"

    def _measure(self, response: str, request: JudgeRequest) -> float:
        return len(response)

    def _explain(self, first: float, second: float, side: Side) -> str:
        if side == "tie":
            return f"{first:,.0f} characters each: as long as one another"
        return f"{first:,.0f} characters against {second:,.0f}: the {side} shown is longer"


class RougeL(_PairBaseline):
    """ROUGE-L F as rouge-score defines it, with a tokenizer that knows scripts without spaces."""

    name = "rouge_l"
    capabilities = Capabilities(pair=True, needs_reference=True)

    def _measure(self, response: str, request: JudgeRequest) -> float:
        return rouge_l(request.reference or "", response)

    def _explain(self, first: float, second: float, side: Side) -> str:
        shown = f"ROUGE-L {first:.4f} against {second:.4f}"
        return f"{shown}: as close to the reference" if side == "tie" else f"{shown}: the {side} shown is closer"


class Random:
    """A draw from what the criterion allows: the same for the same seed, item, order, sample and criterion."""

    capabilities = Capabilities(pair=True, score=True, choice=True)

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def refuses(self, request: JudgeRequest) -> str | None:
        if request.criterion.kind == "pair" and len(request.responses) != 2:
            return "A preference needs two responses."
        if not request.criterion.answers:
            return "The criterion offers nothing to choose from."
        return None

    def judge(self, requests: Sequence[JudgeRequest]) -> list[JudgeOutput]:
        return [_timed(self._judge, request) for request in requests]

    def _judge(self, request: JudgeRequest) -> JudgeOutput:
        criterion = request.criterion
        drawn_from = (self.seed, request.item_id, request.order, request.sample, criterion.key)
        prompt = fingerprint("random", *drawn_from, criterion.kind, criterion.answers)
        refusal = self.refuses(request)
        if refusal is not None:
            return JudgeOutput(raw=refusal, status="refused", prompt_hash=prompt)
        digest = hashlib.blake2b(fingerprint(*drawn_from).encode(), digest_size=16).digest()
        if criterion.kind == "pair":
            sides: tuple[Side, ...] = ("first", "tie", "second") if criterion.ties else ("first", "second")
            side = sides[int.from_bytes(digest, "big") % len(sides)]
            raw = f"drawn from {', '.join(sides)} with seed {self.seed}: {side}"
            return JudgeOutput(raw=raw, verdict=unswap(side, request.order), prompt_hash=prompt)
        answers = criterion.answers
        answer = answers[int.from_bytes(digest, "big") % len(answers)]
        raw = f"drawn from {', '.join(map(str, answers))} with seed {self.seed}: {answer}"
        if criterion.kind == "score":
            return JudgeOutput(raw=raw, score=float(answer), prompt_hash=prompt)
        return JudgeOutput(raw=raw, choice=str(answer), prompt_hash=prompt)


@lru_cache(maxsize=4096)  # both orders of a pair ask for the same two figures
def rouge_l(reference: str, response: str) -> float:
    """ROUGE-L F of a response: 0 nothing in common with the reference, 1 the same words in the same order."""
    from rouge_score.scoring import fmeasure  # its import takes longer than a thousand of these

    expected, given = tokenize(reference), tokenize(response)
    if not expected or not given:
        return 0.0
    common = common_length(expected, given)
    return float(fmeasure(common / len(given), common / len(expected)))


def _asked(request: JudgeRequest) -> tuple[object, ...]:
    return request.responses, request.order, request.sample, request.criterion.key, request.criterion.ties


def _timed(judge: Callable[[JudgeRequest], JudgeOutput], request: JudgeRequest) -> JudgeOutput:
    began = time.perf_counter()
    output = judge(request)
    return replace(output, seconds=time.perf_counter() - began)
