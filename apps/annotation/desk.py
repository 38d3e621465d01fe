"""The changing part of the annotator's screen: the item, the questions, one's own progress. No database in here.

The page is drawn whole once; after that each answer brings only these parts (`data-part`), and the script puts them in
the place of the old ones. Nothing in them may tell who wrote a response, what others said, or in which order an item's
responses stand: tests/apps/test_annotation_blind.py reads them for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from django.template import Context
from django.template.backends.django import Template as BackendTemplate
from django.template.base import Template
from django.template.loader import get_template, render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from apps.annotation import labels
from apps.annotation.labels import Lease
from apps.datasets import texts
from apps.datasets.models import Item
from apps.projects.models import Project
from apps.rubrics.models import Criterion


class Leased(NamedTuple):
    """A lease and its item's texts, as the statements return them; the texts are None where none are kept yet."""

    assignment: int
    order: int
    leased_at: datetime
    item: int
    kind: int
    scenario: str
    version: int | None
    instruction: str | None
    context: str | None
    reference: str | None
    responses: list[str] | None

    @property
    def is_ready(self) -> bool:
        """Whether its texts are kept, by the renderer of today."""
        return self.version == texts.VERSION

    @property
    def token(self) -> str:
        return str(Lease(self.assignment, self.leased_at))


@dataclass(frozen=True, slots=True)
class Shown:
    """What the project lets annotators see and asks of them."""

    context: bool
    reference: bool
    scenario: bool
    rationale: str

    @classmethod
    def by(cls, project: Project) -> Shown:
        return cls(project.show_context, project.show_reference, project.show_scenario, project.rationale)


class Parts(NamedTuple):
    """A desk's changing parts, by where they stand on the whole page."""

    above: str
    main: str
    below: str

    @property
    def whole(self) -> SafeString:
        return mark_safe(self.above + self.main + self.below)  # noqa: S308 -- rendered templates


def parts(leased: Leased, *, criteria: Sequence[Criterion], shown: Shown, base: str, raw: bool = False) -> Parts:
    """The item, what it is leased as, and the questions that apply to it.

    Args:
        criteria: all of the rubric version's.
        base: the address of the round's desk; `submit/`, `skip/` and `flag/` stand under it.
    """
    if leased.instruction is None or leased.responses is None:
        raise ValueError(f"the texts of item {leased.item} have not been rendered")
    responses = leased.responses[::-1] if leased.order else leased.responses
    item = Context(
        {
            "instruction": texts.spoken(leased.instruction),
            "context": mark_safe(leased.context or "") if shown.context else "",  # noqa: S308 -- kept HTML is sanitised
            "reference": mark_safe(leased.reference or "") if shown.reference else "",  # noqa: S308
            "scenario": leased.scenario if shown.scenario else "",
            "responses": [texts.spoken(response) for response in responses],
            "raw": raw,
        }
    )
    asked = Asked(labels.criteria_for(criteria, kind=leased.kind, scenario=leased.scenario))
    language = get_language() or ""
    lease = format_html('<input type="hidden" name="lease" value="{}" form="vote" data-part="lease">', leased.token)
    if leased.kind == Item.Kind.PAIR:
        return Parts(
            above=_compiled("annotation/_instruction.html").render(item),
            main=_compiled("annotation/_panes.html").render(item),
            below=lease + _questions("annotation/_votes.html", asked, shown.rationale, base, language),
        )
    return Parts(
        above="",
        main=_compiled("annotation/_source.html").render(item)
        + _questions("annotation/_scales.html", asked, shown.rationale, base, language),
        below=lease + _questions("annotation/_bar.html", asked, shown.rationale, base, language),
    )


def progress(done: int, total: int) -> SafeString:
    """One's own progress; never anybody else's."""
    return _compiled("annotation/_progress.html").render(Context({"done": done, "total": total}))


class Asked:
    """Criteria as a key of the cache below: a published criterion never changes, so its number stands for it."""

    def __init__(self, criteria: Sequence[Criterion]) -> None:
        self.criteria = criteria
        self._numbers = tuple(criterion.pk for criterion in criteria)

    def __hash__(self) -> int:
        return hash(self._numbers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asked) and self._numbers == other._numbers


@lru_cache(maxsize=512)
def _questions(template: str, asked: Asked, rationale: str, base: str, language: str) -> str:
    """The form with the votes or scales: the same for every item with the same questions, so it is written once."""
    questions = [_question(criterion) for criterion in asked.criteria]
    return render_to_string(
        template, {"questions": questions, "several": len(questions) > 1, "rationale": rationale, "base": base}
    )


def _question(criterion: Criterion) -> dict[str, Any]:
    question: dict[str, Any] = {"criterion": criterion, "name": labels.field_name(criterion)}
    if criterion.kind == Criterion.Kind.PAIR:
        question["votes"] = list(labels.votes_of(criterion))
    elif criterion.kind == Criterion.Kind.SCORE:
        low, high = criterion.scale_min or 0, criterion.scale_max or 0
        question["levels"] = [(str(value), criterion.levels.get(str(value), "")) for value in range(low, high + 1)]
    else:
        question["options"] = [(str(index), option) for index, option in enumerate(criterion.options)]
    return question


@cache
def _compiled(name: str) -> Template:
    """The bare template: no request, no context processors."""
    loaded = get_template(name)
    assert isinstance(loaded, BackendTemplate)
    return loaded.template
