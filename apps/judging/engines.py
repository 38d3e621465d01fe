"""Between our rows and the engines, which know neither Django nor a database."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from apps.datasets.models import Item, Response
from apps.judging.models import JudgeConfig
from apps.judging.rows import ReadOutput
from apps.judgments.models import Order, Status, Verdict
from apps.rubrics.models import Criterion
from workers.engines.registry import load_engine
from workers.judge.engine import Engine
from workers.judge.requests import CriterionKind, CriterionSpec, JudgeRequest
from workers.judge.verdicts import JudgeOutput

#: why an engine refuses a question, where that follows from what it can do; anything else is its own sentence
NO_REFERENCE, WRONG_KIND, ONE_RESPONSE, NO_ANSWERS = "no_reference", "wrong_kind", "one_response", "no_answers"

_KINDS: dict[int, CriterionKind] = {
    Criterion.Kind.PAIR: "pair",
    Criterion.Kind.SCORE: "score",
    Criterion.Kind.CHOICE: "choice",
}
_ORDERS: dict[Order, Literal["AB", "BA"]] = {Order.AB: "AB", Order.BA: "BA"}
_STATUSES = {status.label: status for status in Status}
_VERDICTS = {verdict.label: verdict for verdict in Verdict}
#: the distributions whose version decides what an engine answers
_PACKAGES = {"baseline": ("jurybox-server", "rouge-score")}


@dataclass(frozen=True, slots=True)
class Question:
    """One verdict to ask for."""

    item_id: int
    criterion: Criterion
    order: Order
    request: JudgeRequest


def engine_of(judge: JudgeConfig) -> Engine:
    """The judge's engine, loaded once a process. Raises EngineError where it cannot be had."""
    return load_engine(judge.engine, judge.model, judge.params)


def spec_of(criterion: Criterion) -> CriterionSpec:
    """What a judge may know of the criterion."""
    scale = None
    if criterion.scale_min is not None and criterion.scale_max is not None:
        scale = (criterion.scale_min, criterion.scale_max)
    return CriterionSpec(
        key=criterion.key,
        kind=_KINDS[criterion.kind],
        name=criterion.name,
        question=criterion.question,
        ties=criterion.ties,
        scale=scale,
        levels=tuple((int(level), text) for level, text in criterion.levels.items()),
        options=tuple(option["id"] for option in criterion.options),
    )


@dataclass(frozen=True, slots=True)
class ItemTexts:
    """What a judge gets to read of an item. Without the models: a run makes hundreds of thousands of them."""

    item_id: int
    external_id: str
    kind: int
    scenario: str
    instruction: str
    context: str
    reference: str | None
    responses: tuple[str, ...]


def texts_of(item_ids: Sequence[int]) -> list[ItemTexts]:
    """The items' texts, in that order."""
    responses: dict[int, list[str]] = {}
    found = Response.objects.filter(item__in=item_ids).order_by("item", "position").values_list("item", "text")
    for item_id, text in found:
        responses.setdefault(item_id, []).append(text)
    fields = ("pk", "external_id", "kind", "scenario", "instruction", "context", "reference")
    items = Item.objects.filter(pk__in=item_ids).values(*fields)
    rows = {row.pop("pk"): row for row in items}
    return [ItemTexts(item_id=item_id, responses=tuple(responses[item_id]), **rows[item_id]) for item_id in item_ids]


def request_of(item: ItemTexts, spec: CriterionSpec) -> JudgeRequest:
    """The question about the item as shown in the order AB."""
    return JudgeRequest(
        item_id=item.external_id,
        kind="pair" if item.kind == Item.Kind.PAIR else "single",
        instruction=item.instruction,
        responses=item.responses,
        criterion=spec,
        context=item.context or None,
        reference=item.reference,
    )


def shown(request: JudgeRequest, order: Order, sample: int) -> JudgeRequest:
    """The same question with its responses in that order."""
    responses = request.responses if order == Order.AB else request.responses[::-1]
    return replace(request, responses=responses, order=_ORDERS[order], sample=sample)


def refusal(engine: Engine, request: JudgeRequest) -> str | None:
    """Why the engine would not judge it: one of the reasons above or a sentence; None if it would."""
    sentence = engine.refuses(request)
    if sentence is None:
        return None
    able = engine.capabilities
    if not {"pair": able.pair, "score": able.score, "choice": able.choice}[request.criterion.kind]:
        return WRONG_KIND
    if able.needs_reference and not (request.reference and request.reference.strip()):
        return NO_REFERENCE
    if request.criterion.kind == "pair" and len(request.responses) != 2:
        return ONE_RESPONSE
    return sentence if request.criterion.answers else NO_ANSWERS


def judge(config: JudgeConfig, questions: Sequence[Question]) -> list[ReadOutput]:
    """Ask the judge and read what it says."""
    outputs = engine_of(config).judge([question.request for question in questions])
    return [_read(question, output) for question, output in zip(questions, outputs, strict=True)]


def _read(question: Question, output: JudgeOutput) -> ReadOutput:
    choice = None
    if output.choice is not None:
        choice = [option["id"] for option in question.criterion.options].index(output.choice)
    return ReadOutput(
        item_id=question.item_id,
        criterion=question.criterion,
        order=question.order,
        sample=question.request.sample,
        status=_STATUSES[output.status],
        verdict=None if output.verdict is None else _VERDICTS[output.verdict],
        score=output.score,
        choice=choice,
        seconds=output.seconds,
        raw=output.raw,
        rationale=output.rationale,
        prompt_hash=output.prompt_hash,
    )


def versions(config: JudgeConfig) -> dict[str, str]:
    """What this process would judge with: packages and Python, by name."""
    found = {"Python": platform.python_version()}
    for package in _PACKAGES[config.engine]:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # run from a checkout that was not installed
            continue
    return found
