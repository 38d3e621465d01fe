"""Sentences of plain libraries: said in English at once, and again in a reader's language where they are shown.

    from apps.core.said import said as _

    _("has %(count)s responses", count=3)

`makemessages` finds the templates, which are therefore literals. Nothing here knows Django or a language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any


class Said(str):
    """The English text, which also remembers what it was made from. A value may be a term that is itself said.

    What is cut or glued from it is a plain text that stays English.
    """

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, str | int]

    def __new__(cls, template: str, values: Mapping[str, str | int] | None = None) -> Said:
        text = super().__new__(cls, template % values if values else template)
        text.template = template
        text.values = values or {}
        return text


def said(template: str, /, **values: str | int) -> Said:
    """The template with its values; imported as `_`."""
    return Said(template, values) if values else _whole(template)


_whole = lru_cache(maxsize=None)(Said)  # as many as the code has literals; a bad file says the same a million times


def told(text: str, translate: Callable[[str], str]) -> str:
    """The text in the language of `translate`; a plain text as it is."""
    if not isinstance(text, Said):
        return text
    template = translate(text.template)
    if not text.values:
        return template
    return template % {
        name: told(value, translate) if isinstance(value, str) else value for name, value in text.values.items()
    }


def packed(text: str) -> Any:
    """The text for a JSON column: `[template, {name: value}]`, or a plain text as it is."""
    if not isinstance(text, Said):
        return text
    values = {name: packed(value) if isinstance(value, str) else value for name, value in text.values.items()}
    return [text.template, values]


def unpacked(stored: Any) -> Any:
    """What `packed` was given."""
    if not isinstance(stored, list):
        return stored
    template, values = stored
    return Said(template, {name: unpacked(value) for name, value in values.items()})
