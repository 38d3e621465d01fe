"""What text may be stored. PostgreSQL refuses a NUL in any text, and other control characters only hide things."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Tab, line feed and carriage return are ordinary in prose. Lone surrogates cannot be encoded, so never stored either.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LINE_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\ud800-\udfff]")


def has_nul(value: object) -> bool:
    """Whether a NUL stands anywhere in the text, or in the keys and values of what a JSON body was read into."""
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            if "\x00" in part:
                return True
        elif isinstance(part, Mapping):
            stack.extend(part.keys())
            stack.extend(part.values())
        elif isinstance(part, Sequence) and not isinstance(part, (bytes, bytearray)):
            stack.extend(part)
    return False


def validate_prose(value: str) -> None:
    """A form field of several lines: no control characters except tabs and line ends."""
    _refuse(_CONTROL.search(value))


def validate_line(value: str) -> None:
    """A form field of one line, such as a name: no control characters and no line ends."""
    _refuse(_LINE_CONTROL.search(value))


def _refuse(found: re.Match[str] | None) -> None:
    if found is not None:
        raise ValidationError(
            _("Character %(position)d is a control character (%(code)s), which cannot be stored. Remove it."),
            code="control_character",
            params={"position": found.start() + 1, "code": f"U+{ord(found[0]):04X}"},
        )
