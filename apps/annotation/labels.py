"""What an annotator sends: read, checked against the rubric, and turned into what is stored. No database in here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import orjson
from django.utils.translation import gettext as _

from apps.core.text import has_nul
from apps.datasets.models import Item
from apps.judgments.models import Strength, Verdict
from apps.projects.models import Project
from apps.rubrics.models import Criterion

NOTE_MAX_LENGTH = 5_000
_DAY = 86_400.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadLabel(ValueError):
    """What was sent cannot be stored; the message says what to do about it, for the annotator."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one criterion. The verdict is as it was shown: A is the left side."""

    criterion: int
    kind: int
    verdict: int | None = None
    score: float | None = None
    choice: int | None = None
    strength: int | None = None
    both_bad: bool = False

    def unswapped(self, order: int) -> Answer:
        """The same answer with A as the item's first response, whichever side it was shown on."""
        if self.verdict is None or order == 0:
            return self
        return Answer(**{**asdict(self), "verdict": 2 - self.verdict})


@dataclass(frozen=True, slots=True)
class Lease:
    """Which lease a label answers. A lease given anew to the same person, perhaps with sides exchanged, has a new one.

    On the page it is `ID-MICROSECONDS`; it tells nothing about the item or its sides.
    """

    assignment: int
    leased_at: datetime

    def __str__(self) -> str:
        return f"{self.assignment}-{(self.leased_at - _EPOCH) // _MICROSECOND}"

    @classmethod
    def read(cls, text: str) -> Lease:
        """Raises BadLabel for anything that `str(lease)` did not write."""
        head, dash, tail = text.partition("-")
        if not (dash and len(text) < 40 and head.isascii() and tail.isascii() and head.isdigit() and tail.isdigit()):
            raise BadLabel(_("The page did not say which item this label is for. Load the page again."))
        try:
            return cls(int(head), _EPOCH + timedelta(microseconds=int(tail)))
        except OverflowError as error:
            raise BadLabel(_("The page did not say which item this label is for. Load the page again.")) from error


@dataclass(frozen=True, slots=True)
class Submission:
    """One submit: all answers to one item."""

    answers: tuple[Answer, ...]
    note: str | None = None
    #: active seconds
    seconds: float | None = None
    #: the texts were read as they were written, not rendered
    raw: bool = False

    def rows(self) -> str:
        """The answers as JSON for the statement; the note goes with the first."""
        rows = [asdict(answer) for answer in self.answers]
        rows[0]["rationale"] = self.note
        return orjson.dumps(rows).decode()

    @property
    def details(self) -> str | None:
        return '{"view": "raw"}' if self.raw else None


def criteria_for(criteria: Iterable[Criterion], *, kind: int, scenario: str) -> tuple[Criterion, ...]:
    """The criteria that apply to an item: preferences to pairs, scores and choices to singles, by scenario."""
    pair = kind == Item.Kind.PAIR
    return tuple(
        criterion
        for criterion in criteria
        if (criterion.kind == Criterion.Kind.PAIR) is pair
        and (not criterion.scenarios or scenario in criterion.scenarios)
    )


def field_name(criterion: Criterion) -> str:
    """The criterion's name in the form."""
    return f"c{criterion.pk}"


@lru_cache(maxsize=8)
def votes(*, ties: bool, strength: bool, both_bad: bool) -> dict[str, tuple[int, int | None, bool]]:
    """What a preference can be answered with, in the order of the buttons: value → verdict, strength, both bad."""
    a: dict[str, tuple[int, int | None, bool]] = {"A": (Verdict.A, None, False)}
    b: dict[str, tuple[int, int | None, bool]] = {"B": (Verdict.B, None, False)}
    if strength:
        a = {"A-much": (Verdict.A, Strength.MUCH, False), "A-slight": (Verdict.A, Strength.SLIGHT, False)}
        b = {"B-slight": (Verdict.B, Strength.SLIGHT, False), "B-much": (Verdict.B, Strength.MUCH, False)}
    middle: dict[str, tuple[int, int | None, bool]] = {"tie": (Verdict.TIE, None, False)} if ties else {}
    if both_bad:
        middle["bad"] = (Verdict.TIE, None, True)
    return a | middle | b


def votes_of(criterion: Criterion) -> dict[str, tuple[int, int | None, bool]]:
    return votes(ties=criterion.ties, strength=criterion.strength, both_bad=criterion.both_bad)


def read_submission(data: Mapping[str, str], criteria: tuple[Criterion, ...], *, rationale: str) -> Submission:
    """Read a form against the criteria that apply to its item.

    Args:
        rationale: the project's `Project.Rationale`.
    Raises:
        BadLabel: a criterion without an answer, an answer the rubric does not offer, or a missing reason.
    """
    answers = []
    for criterion in criteria:
        value = data.get(field_name(criterion), "")
        if value:
            answers.append(_answer(criterion, value))
        elif criterion.required:
            raise BadLabel(
                _("“%(criterion)s” has no answer yet. Choose one, then submit.") % {"criterion": criterion.name}
            )
    if not answers:
        raise BadLabel(_("Nothing was chosen. Choose an answer, then submit."))
    return Submission(
        answers=tuple(answers),
        note=_note(data.get("note", ""), rationale),
        seconds=_seconds(data.get("seconds", "")),
        raw=data.get("view") == "raw",
    )


def _answer(criterion: Criterion, value: str) -> Answer:
    bad = BadLabel(
        _("“%(value)s” is not an answer that “%(criterion)s” offers. Load the page again.")
        % {"value": value[:40], "criterion": criterion.name}
    )
    if criterion.kind == Criterion.Kind.PAIR:
        vote = votes_of(criterion).get(value)
        if vote is None:
            raise bad
        return Answer(criterion.pk, criterion.kind, verdict=vote[0], strength=vote[1], both_bad=vote[2])
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 6):
        raise bad
    number = int(value)
    if criterion.kind == Criterion.Kind.CHOICE:
        if not 0 <= number < len(criterion.options):
            raise bad
        return Answer(criterion.pk, criterion.kind, choice=number)
    if criterion.scale_min is None or criterion.scale_max is None:
        raise bad
    if not criterion.scale_min <= number <= criterion.scale_max:
        raise bad
    return Answer(criterion.pk, criterion.kind, score=float(number))


def _note(text: str, rationale: str) -> str | None:
    text = text.strip()
    if rationale == Project.Rationale.OFF:
        return None
    if has_nul(text):
        raise BadLabel(_("Your note holds a NUL character, which no text may contain. Remove it and submit again."))
    if len(text) > NOTE_MAX_LENGTH:
        raise BadLabel(
            _("Your note is %(length)d characters long; %(most)d are the most. Shorten it, then submit.")
            % {"length": len(text), "most": NOTE_MAX_LENGTH}
        )
    if not text and rationale == Project.Rationale.REQUIRED:
        raise BadLabel(_("This project asks for a reason with every label. Add a note, then submit."))
    return text or None


def _seconds(text: str) -> float | None:
    """Never a reason to refuse a label: what makes no sense is not stored."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return round(seconds, 2) if math.isfinite(seconds) and 0 <= seconds <= _DAY else None
