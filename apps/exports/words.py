"""What an export's page says of its options and counts; the manifest keeps the names that scripts read."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_OPTIONS = {
    "raters": gettext_lazy("Whose"),
    "marked": gettext_lazy("With marked ones"),
    "revisions": gettext_lazy("With earlier versions of edited labels"),
    "criterion": gettext_lazy("Criterion"),
    "source": gettext_lazy("Whose verdict"),
    "min_raters": gettext_lazy("People at least"),
    "min_agreement": gettext_lazy("Agreement at least"),
    "form": gettext_lazy("Form"),
    "extras": gettext_lazy("With id and agreement"),
}
_VALUES = {
    "all": gettext_lazy("people and judges"),
    "humans": gettext_lazy("people"),
    "judges": gettext_lazy("judges"),
    "majority": gettext_lazy("the majority, or the adjudicated verdict"),
    "adjudicated": gettext_lazy("adjudicated verdicts only"),
    "text": gettext_lazy("plain text"),
    "conversational": gettext_lazy("conversations"),
}
_COUNTS = {
    "human": gettext_lazy("By people"),
    "judge": gettext_lazy("By judges"),
    "marked": gettext_lazy("Marked"),
    "not read as a verdict": gettext_lazy("Not read as a verdict"),
    "pairs with labels": gettext_lazy("Pairs with labels"),
    "kept": gettext_lazy("Kept"),
    "tie": gettext_lazy("Left out: a tie"),
    "even votes": gettext_lazy("Left out: even votes"),
    "too few people": gettext_lazy("Left out: too few people"),
    "too little agreement": gettext_lazy("Left out: too little agreement"),
    "not adjudicated": gettext_lazy("Left out: not adjudicated"),
}


def options(chosen: Mapping[str, object]) -> list[tuple[str, str]]:
    """What was asked for, as (name, value)."""
    return [(str(_OPTIONS.get(name, name)), _value(value)) for name, value in chosen.items()]


def counts(counted: Mapping[str, int]) -> list[tuple[str, int]]:
    """What the file holds and what was left out, as (name, number)."""
    return [(str(_COUNTS.get(name, name)), number) for name, number in counted.items()]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(_VALUES.get(str(value), value))
