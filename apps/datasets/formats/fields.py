"""Checks of single fields that the readers share; each appends a Problem and answers None when one fails."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from apps.core.said import said as _
from apps.datasets.formats.lines import join, shorten, shown_key, text_fault, type_name
from apps.datasets.formats.records import NAME_LENGTH, Message, Problem

ROLES = ("system", "developer", "user", "assistant", "tool")
_ROLE_ALIASES = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant", "function": "tool"}
_MESSAGE_FIELDS = frozenset({"role", "content"})
_META_DEPTH = 50


def one_of(options: Iterable[str]) -> str:
    """`"A", "B" or "tie"`."""
    *most, last = (f'"{option}"' for option in options)
    return _("%(options)s or %(last)s", options=", ".join(most), last=last) if most else last


def nearest(value: str, options: Iterable[str], aliases: Mapping[str, str]) -> str | None:
    """The option that was probably meant."""
    options = list(options)
    lowered = value.strip().lower()
    if lowered in aliases:
        return aliases[lowered]
    for option in options:
        if option.lower() == lowered:
            return option
    close = difflib.get_close_matches(lowered[:100], options, n=1, cutoff=0.75)
    return close[0] if close else None


def is_name(value: object, limit: int = NAME_LENGTH) -> TypeGuard[str]:
    """Whether this is a name at first sight; `Checker.name` looks again at what is not."""
    return type(value) is str and 0 < len(value) <= limit and value.isprintable() and value[0] != " " != value[-1]


class Checker:
    """The problems of one line. One object serves a whole file: making one a line would cost as much as a check."""

    __slots__ = ("line", "problems")

    def __init__(self) -> None:
        self.line = 0
        self.problems: list[Problem] = []

    def add(self, field: str, value: object, message: str, remedy: str) -> None:
        self.problems.append(Problem(self.line, field, shorten(value), message, remedy))

    def missing(self, field: str, remedy: str) -> None:
        self.problems.append(Problem(self.line, field, "", _("is missing"), remedy))

    def text(self, field: str, value: object) -> str | None:
        """Any text, empty too; what else a JSON parser lets through as text cannot be stored."""
        if type(value) is str and "\x00" not in value:
            return value
        self._explain_text(field, value)
        return None

    def optional_text(self, field: str, value: object) -> str | None:
        return None if value is None else self.text(field, value)

    def name(self, field: str, value: object, limit: int = NAME_LENGTH) -> str | None:
        """A text that identifies something: one line, not blank, without spaces at its ends."""
        if is_name(value, limit):
            return value
        return self._explain_name(field, value, limit)

    def optional_name(self, field: str, value: object) -> str | None:
        return None if value is None else self.name(field, value)

    def option(self, field: str, value: object, options: tuple[str, ...], aliases: Mapping[str, str]) -> str | None:
        if type(value) is str:
            if value in options:
                return value
            meant = nearest(value, options, aliases)
        else:
            meant = None
        several = one_of(options)
        remedy = _('Did you mean "%(meant)s"?', meant=meant) if meant else _("Write %(options)s.", options=several)
        self.add(field, value, _("must be %(options)s", options=several), remedy)
        return None

    def number(self, field: str, value: object) -> float | None:
        if type(value) is float or type(value) is int:
            if math.isfinite(value):
                return float(value)
            self.add(field, str(value), _("is not a finite number"), _("Write a number, or leave the field out."))
            return None
        quoted = isinstance(value, str) and _numeric(value)
        remedy = _("Write it without quotes.") if quoted else _("Write a number.")
        self.add(field, value, _("must be a number, not %(kind)s", kind=type_name(value)), remedy)
        return None

    def count(self, field: str, value: object, limit: int) -> int | None:
        if type(value) is int and 0 <= value <= limit:
            return value
        if type(value) is int:
            most = f"{limit:,}"
            message = _("must not be negative") if value < 0 else _("must not be greater than %(limit)s", limit=most)
            self.add(field, value, message, _("Write a whole number from 0 to %(limit)s.", limit=most))
        else:
            message = _("must be a whole number, not %(kind)s", kind=type_name(value))
            self.add(field, value, message, _("Write 0, 1, 2 and so on."))
        return None

    def flag(self, field: str, value: object) -> bool | None:
        if type(value) is bool:
            return value
        message = _("must be true or false, not %(kind)s", kind=type_name(value))
        self.add(field, value, message, _("Write true or false, unquoted."))
        return None

    def unknown_fields(
        self, path: str, row: Mapping[str, Any], known: frozenset[str], aliases: Mapping[str, str], remedy: str
    ) -> None:
        for key in row:
            if key in known:
                continue
            meant = nearest(key, known, aliases)
            advice = _('Did you mean "%(meant)s"?', meant=meant) if meant and meant not in row else remedy
            self.add(join(path, shown_key(key)), row[key], _("is not a known field"), advice)

    def messages(self, field: str, value: object) -> tuple[Message, ...] | None:
        """A conversation: at least one turn, each a role and a text."""
        if not isinstance(value, list):
            self.add(field, value, _("must be a list of turns, not %(kind)s", kind=type_name(value)), _TURNS)
            return None
        if not value:
            self.add(field, value, _("has no turns"), _TURNS)
            return None
        before = len(self.problems)
        turns = []
        for index, turn in enumerate(value):
            path = f"{field}[{index}]"
            if not isinstance(turn, dict):
                self.add(path, turn, _("must be an object, not %(kind)s", kind=type_name(turn)), _TURNS)
                continue
            if not turn.keys() <= _MESSAGE_FIELDS:
                self.unknown_fields(
                    path, turn, _MESSAGE_FIELDS, {"from": "role", "value": "content", "text": "content"}, _TURNS
                )
            role = content = None
            if "role" not in turn:
                self.missing(f"{path}.role", _("Write %(options)s.", options=one_of(ROLES)))
            else:
                role = self.option(f"{path}.role", turn["role"], ROLES, _ROLE_ALIASES)
            if "content" not in turn:
                self.missing(f"{path}.content", _("Write what was said as text."))
            else:
                content = self.text(f"{path}.content", turn["content"])
            if role is not None and content is not None:
                turns.append(Message(role, content))
        return tuple(turns) if len(self.problems) == before else None

    def meta(self, field: str, value: object) -> dict[str, object] | None:
        if type(value) is not dict:
            message = _("must be an object, not %(kind)s", kind=type_name(value))
            self.add(field, value, message, _('Write it like {"source": "forum"}.'))
            return None
        before = len(self.problems)
        self._walk(field, value, 1)
        return value if len(self.problems) == before else None

    def _walk(self, path: str, value: dict[str, Any] | list[Any], depth: int) -> None:
        if depth > _META_DEPTH:
            message = _("is nested deeper than %(levels)s levels", levels=_META_DEPTH)
            self.problems.append(Problem(self.line, path[:200], "", message, _("Flatten it.")))
            return
        pairs: Iterable[tuple[Any, Any]] = value.items() if type(value) is dict else enumerate(value)
        for key, child in pairs:
            if type(key) is str and "\x00" in key:
                self.add(path, key, _("has a field whose name holds a NUL character"), _("Rename the field."))
            if type(child) is str:
                if "\x00" in child:
                    self._explain_text(self._child(path, key), child)
            elif type(child) is dict or type(child) is list:
                self._walk(self._child(path, key), child, depth + 1)

    @staticmethod
    def _child(path: str, key: str | int) -> str:
        return f"{path}[{key}]" if type(key) is int else join(path, shown_key(str(key)))

    def _explain_text(self, field: str, value: object) -> None:
        if not isinstance(value, str):
            if type(value) in (int, float):
                remedy = _('Write it in quotes: "%(value)s".', value=str(value))
            else:
                remedy = _("Write a text in quotes.")
            self.add(field, value, _("must be text, not %(kind)s", kind=type_name(value)), remedy)
            return
        fault = text_fault(value)
        if fault:
            self.add(field, value, *fault)

    def _explain_name(self, field: str, value: object, limit: int) -> str | None:
        if not isinstance(value, str) or text_fault(value):
            self._explain_text(field, value)
        elif not value.strip():
            self.add(field, value, _("must not be blank"), _("Write a short name."))
        elif len(value) > limit:
            message = _("has %(count)s characters; %(limit)s are allowed", count=f"{len(value):,}", limit=limit)
            self.add(field, value, message, _("Write a shorter name."))
        elif value != value.strip():
            remedy = _("Write %(text)s.", text=shorten(value.strip()))
            self.add(field, value, _("begins or ends with white space"), remedy)
        elif any(
            ord(character) < 32 or 127 <= ord(character) < 160 or character in "\u2028\u2029" for character in value
        ):
            self.add(field, value, _("holds a line break or a control character"), _("Write it on one line."))
        else:  # joiners, ideographic spaces and the like are not "printable", yet belong to names
            return value
        return None


_TURNS = _('Write turns like {"role": "user", "content": "…"}.')


def _numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
