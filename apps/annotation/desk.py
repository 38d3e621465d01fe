"""The changing part of the annotator's screen: the item, the questions, one's own progress. No database in here.

The page is drawn whole once; after that each answer brings only these parts (`data-part`), and the script puts them in
the place of the old ones. Nothing in them may tell who wrote a response, what others said, or in which order an item's
responses stand: tests/apps/test_annotation.py reads them for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.template.loader import render_to_string
from django.utils.html import escape, format_html
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
    values = {
        "instruction": texts.spoken(leased.instruction),
        "context": leased.context or "" if shown.context else "",
        "reference": leased.reference or "" if shown.reference else "",
        "scenario": escape(leased.scenario) if shown.scenario else "",
        **{f"response_{place}": texts.spoken(response) for place, response in enumerate(responses)},
    }
    asked = Asked(labels.criteria_for(criteria, kind=leased.kind, scenario=leased.scenario))
    language = get_language() or ""
    lease = format_html('<input type="hidden" name="lease" value="{}" form="vote" data-part="lease">', leased.token)
    if leased.kind == Item.Kind.PAIR:
        return Parts(
            above=_filled("annotation/_instruction.html", values, raw=raw),
            main=_filled("annotation/_panes.html", values, raw=raw),
            below=lease + _questions("annotation/_votes.html", asked, shown.rationale, base, language),
        )
    return Parts(
        above="",
        main=_filled("annotation/_source.html", values, raw=raw)
        + _questions("annotation/_scales.html", asked, shown.rationale, base, language),
        below=lease + _questions("annotation/_bar.html", asked, shown.rationale, base, language),
    )


def progress(done: int, total: int) -> SafeString:
    """One's own progress; never anybody else's."""
    return mark_safe(_filled("annotation/_progress.html", {"done": str(done), "total": str(total)}))  # noqa: S308


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


_CUT = "\x00"  # stands in no text: a NUL is refused wherever text comes in


def _filled(template: str, values: Mapping[str, str], *, raw: bool = False) -> str:
    """The template with these values, which must be safe HTML; an empty one counts as absent."""
    present = tuple(name for name, value in values.items() if value)
    pieces = _pieces(template, present, raw, get_language() or "")
    return "".join([values[piece] if at % 2 else piece for at, piece in enumerate(pieces)])


@lru_cache(maxsize=256)
def _pieces(template: str, present: tuple[str, ...], raw: bool, language: str) -> list[str]:
    """The template as it is in this language, cut where the values go: text, name, text, name, …, text.

    Rendering it anew for every item would cost as much as a query.
    """
    places = {name: mark_safe(f"{_CUT}{name}{_CUT}") for name in present}  # noqa: S308 -- names of ours
    return render_to_string(template, {**places, "raw": raw}).split(_CUT)
