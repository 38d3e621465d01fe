"""From a binary stream to JSON objects, line by line, in bounded memory and with an address for every fault."""

from __future__ import annotations

import io
import json
import math
from array import array
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import orjson

from apps.core.said import said as _
from apps.datasets.formats.records import Problem

LINE_LIMIT = 8 * 1024 * 1024
SHOWN = 60  # characters of a value that a message repeats
_SKIP = 1024 * 1024
_BOM = b"\xef\xbb\xbf"

_OTHER_FILES = (  # first bytes, what the file is, remedy
    (b"\xff\xfe", _("is encoded as UTF-16"), _("Save it as UTF-8.")),
    (b"\xfe\xff", _("is encoded as UTF-16"), _("Save it as UTF-8.")),
    (b"\x1f\x8b", _("is compressed with gzip"), _("Unpack it first.")),
    (b"PK\x03\x04", _("is a zip archive or an office document"), _("Unpack it, or export it as JSON Lines.")),
    (b"PAR1", _("is a Parquet file"), _("Export it as JSON Lines.")),
)


def shorten(value: object) -> str:
    """A value as it stands in the file, cut to a length that fits a message."""
    if isinstance(value, str):
        shown = json.dumps(value[: SHOWN + 1], ensure_ascii=False)
    elif isinstance(value, dict | list) and len(value) > SHOWN:
        if isinstance(value, list):
            return _("a list of %(count)s", count=len(value))
        return _("an object of %(count)s fields", count=len(value))
    else:
        try:
            shown = json.dumps(value, ensure_ascii=False, default=str)
        except (RecursionError, ValueError):
            return _("a deeply nested value")
    # A NUL or a lone surrogate must not travel on inside the message about it.
    shown = shown.replace("\x00", "\\u0000").encode("utf-8", "backslashreplace").decode()
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"


def type_name(value: object) -> str:
    """What JSON calls such a value, as a term inside a sentence."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return _("true or false")
    if isinstance(value, int | float):
        return _("a number")
    if isinstance(value, str):
        return _("text")
    return _("a list") if isinstance(value, list) else _("an object")


class FirstLines:
    """Remembers on which line a key was first seen, in 18 to 36 bytes a key instead of a dict's 110.

    Keys are kept as 64-bit hashes: of ten million different keys, two meet with a chance of 3 in a million.
    """

    def __init__(self) -> None:
        self._size = 1 << 12
        self._used = 0
        self._hashes = array("Q", bytes(8 * self._size))
        self._lines = array("I", bytes(4 * self._size))

    def seen(self, key: object, line: int) -> int:
        """The line that had this key before, or 0 after having remembered it."""
        wanted = hash(key) & 0xFFFF_FFFF_FFFF_FFFF or 1  # 0 marks an empty slot
        hashes, mask = self._hashes, self._size - 1
        slot = wanted & mask
        while found := hashes[slot]:
            if found == wanted:
                return self._lines[slot]
            slot = (slot + 1) & mask
        hashes[slot] = wanted
        self._lines[slot] = line
        self._used += 1
        if self._used * 3 > self._size * 2:
            self._grow()
        return 0

    def _grow(self) -> None:
        old = zip(self._hashes, self._lines, strict=True)
        self._size *= 2
        hashes = array("Q", bytes(8 * self._size))
        lines = array("I", bytes(4 * self._size))
        mask = self._size - 1
        for wanted, line in old:
            if wanted:
                slot = wanted & mask
                while hashes[slot]:
                    slot = (slot + 1) & mask
                hashes[slot] = wanted
                lines[slot] = line
        self._hashes, self._lines = hashes, lines


def read_lines(stream: BinaryIO, *, limit: int = LINE_LIMIT) -> Iterator[tuple[int, bytes] | Problem]:
    """Number and bytes of every line that is not blank; a line over `limit` is named, skipped and never held."""
    if isinstance(stream, io.RawIOBase):  # unbuffered: readline would read byte by byte
        stream = cast(BinaryIO, io.BufferedReader(stream))
    readline = stream.readline
    number = 0
    blank = True
    while line := readline(limit + 1):
        number += 1
        if number == 1:
            for start, what, remedy in _OTHER_FILES:
                if line.startswith(start):
                    yield Problem(1, "", "", what, remedy)
                    return
            line = line.removeprefix(_BOM)
        if len(line) > limit and not line.endswith(b"\n"):
            size = len(line)
            while (rest := readline(_SKIP)) and not rest.endswith(b"\n"):
                size += len(rest)
            blank = False
            yield Problem(
                number,
                "",
                f"{(size + len(rest)) / 1e6:,.1f} MB",
                _(
                    "is longer than the %(limit)s MiB that a line may have, and was skipped",
                    limit=f"{limit / 1024 / 1024:g}",
                ),
                _("Check that every object ends with a line break; shorten or split the text."),
            )
            continue
        if line.isspace() or not line:
            continue
        if blank and line.strip() in (b"[", b"{"):
            yield Problem(
                number,
                "",
                "",
                _("opens one JSON document that is spread over many lines"),
                _("Write one JSON object a line (JSON Lines), without a list around them."),
            )
            return
        blank = False
        yield number, line
    if blank:
        yield Problem(1, "", "", _("is all there is: the file is empty"), _("Write one JSON object a line."))


def parse_object(number: int, line: bytes, problems: list[Problem]) -> dict[str, Any] | None:
    """The JSON object of a line, or None with the reasons appended to `problems`."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        problems += _why_unreadable(number, line, error)
        return None
    if type(row) is dict:
        return row
    message = _("is %(kind)s, not a JSON object", kind=type_name(row))
    problems.append(Problem(number, "", shorten(row), message, _("Write one object in { } a line.")))
    return None


def repeated_field(line: bytes, row: dict[str, Any]) -> str | None:
    """The field that a flat object names twice (a parser keeps the last and loses the others), if any."""
    # A quote inside a text is escaped, so this counts field names; it is exact enough to rule a repeat out.
    if line.count(b'":') - line.count(b'\\":') <= len(row):
        return None
    repeated: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _value in pairs:
            if key in seen:
                repeated.append(key)
            seen.add(key)

    try:
        json.loads(line, object_pairs_hook=look)
    except RecursionError:  # the nesting itself is refused by the check of the field that holds it
        return None
    return repeated[0] if repeated else None


def _why_unreadable(number: int, line: bytes, error: orjson.JSONDecodeError) -> list[Problem]:
    line = line.rstrip()
    try:
        text = line.decode()
    except UnicodeDecodeError as bad:
        near = line[max(0, bad.start - 12) : bad.start].decode("utf-8", "ignore")
        byte = f"0x{line[bad.start]:02X}"
        value = (
            _("byte %(byte)s after %(text)s", byte=byte, text=shorten(near)) if near else _("byte %(byte)s", byte=byte)
        )
        message = _("is not UTF-8 at byte %(position)s", position=bad.start + 1)
        return [Problem(number, "", value, message, _("Save the file as UTF-8."))]
    if "\x00" in text:
        message = _("holds a NUL byte at column %(position)s", position=text.index("\x00") + 1)
        return [Problem(number, "", "", message, _("Remove it; text cannot hold NUL bytes."))]
    try:
        # The standard parser takes NaN, Infinity and lone surrogates, so that they can be named by their path.
        row = json.loads(text)
    except json.JSONDecodeError as bad:
        reason = bad.msg[:1].lower() + bad.msg[1:]
        message = _("is not valid JSON at column %(position)s: %(reason)s", position=bad.pos + 1, reason=reason)
        return [Problem(number, "", _near(text, bad.pos), message, _("Write one complete JSON object a line."))]
    except (RecursionError, ValueError):
        row = None
    found = list(_unstorable(number, row, "", 0))
    message = _("is not valid JSON: %(reason)s", reason=error.msg.split(":")[0])
    return found or [Problem(number, "", "", message, _("Write one JSON object a line."))]


def _near(text: str, position: int) -> str:
    """What stands around a fault, as it is written in the file."""
    start, end = max(0, position - 20), position + 20
    part = "".join(character if character.isprintable() else " " for character in text[start:end]).strip()
    return f"{'…' if start else ''}{part}{'…' if end < len(text) else ''}"


def _unstorable(number: int, value: object, path: str, depth: int) -> Iterator[Problem]:
    if isinstance(value, str):
        fault = text_fault(value)
        if fault:
            yield Problem(number, path, shorten(value), *fault)
    elif isinstance(value, float) and not math.isfinite(value):
        message = _("is not a finite number")
        yield Problem(number, path, json.dumps(value), message, _("Write a number, or null where there is none."))
    elif isinstance(value, list) and depth < 50:
        for index, child in enumerate(value):
            yield from _unstorable(number, child, f"{path}[{index}]", depth + 1)
    elif isinstance(value, dict) and depth < 50:
        for key, child in value.items():
            fault = _key_fault(key)
            if fault:
                yield Problem(number, path, shorten(key), *fault)
            yield from _unstorable(number, child, join(path, shown_key(key)), depth + 1)


def text_fault(text: str) -> tuple[str, str] | None:
    """Why a text cannot be stored (message, remedy): NUL characters and halves of surrogate pairs."""
    if nul := _nul(text):
        return _("holds a NUL character (\\u0000) at character %(position)s", position=nul), _NO_NUL
    if half := _half_pair(text):
        return _("holds half of a surrogate pair at character %(position)s", position=half), _WHOLE
    return None


def _key_fault(key: str) -> tuple[str, str] | None:
    """The same of a field's name."""
    if nul := _nul(key):
        message = _("has a field whose name holds a NUL character (\\u0000) at character %(position)s", position=nul)
        return message, _NO_NUL
    if half := _half_pair(key):
        message = _("has a field whose name holds half of a surrogate pair at character %(position)s", position=half)
        return message, _WHOLE
    return None


_NO_NUL = _("Remove it; text cannot hold NUL.")
_WHOLE = _("Write the whole character; it was probably cut in two.")


def _nul(text: str) -> int:
    """Which character is the first NUL, counted from one; 0 without any."""
    return text.find("\x00") + 1


def _half_pair(text: str) -> int:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start + 1
    return 0


def shown_key(key: str) -> str:
    """A field name as part of a path: short, and without anything that cannot be stored."""
    return key if key.isprintable() and len(key) <= SHOWN else shorten(key)


def join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
