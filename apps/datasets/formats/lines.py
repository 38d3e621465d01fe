"""From a binary stream to JSON objects, line by line, in bounded memory and with an address for every fault."""

from __future__ import annotations

import io
import json
import math
from array import array
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import orjson

from apps.datasets.formats.records import Problem

LINE_LIMIT = 8 * 1024 * 1024
SHOWN = 60  # characters of a value that a message repeats
_SKIP = 1024 * 1024
_BOM = b"\xef\xbb\xbf"

_OTHER_FILES = (  # first bytes, what the file is, remedy
    (b"\xff\xfe", "is encoded as UTF-16", "Save it as UTF-8."),
    (b"\xfe\xff", "is encoded as UTF-16", "Save it as UTF-8."),
    (b"\x1f\x8b", "is compressed with gzip", "Unpack it first."),
    (b"PK\x03\x04", "is a zip archive or an office document", "Unpack it, or export it as JSON Lines."),
    (b"PAR1", "is a Parquet file", "Export it as JSON Lines."),
)


def shorten(value: object) -> str:
    """A value as it stands in the file, cut to a length that fits a message."""
    if isinstance(value, str):
        shown = json.dumps(value[: SHOWN + 1], ensure_ascii=False)
    elif isinstance(value, dict | list) and len(value) > SHOWN:
        return f"a list of {len(value)}" if isinstance(value, list) else f"an object of {len(value)} fields"
    else:
        try:
            shown = json.dumps(value, ensure_ascii=False, default=str)
        except (RecursionError, ValueError):
            return "a deeply nested value"
    # A NUL or a lone surrogate must not travel on inside the message about it.
    shown = shown.replace("\x00", "\\u0000").encode("utf-8", "backslashreplace").decode()
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"


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
                f"is longer than the {limit / 1024 / 1024:g} MiB that a line may have, and was skipped",
                "Check that every object ends with a line break; shorten or split the text.",
            )
            continue
        if line.isspace() or not line:
            continue
        if blank and line.strip() in (b"[", b"{"):
            yield Problem(
                number,
                "",
                "",
                "opens one JSON document that is spread over many lines",
                "Write one JSON object a line (JSON Lines), without a list around them.",
            )
            return
        blank = False
        yield number, line
    if blank:
        yield Problem(1, "", "", "is all there is: the file is empty", "Write one JSON object a line.")


def parse_object(number: int, line: bytes, problems: list[Problem]) -> dict[str, Any] | None:
    """The JSON object of a line, or None with the reasons appended to `problems`."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        problems += _why_unreadable(number, line, error)
        return None
    if type(row) is dict:
        return row
    kind = {list: "a list", str: "text", bool: "true or false"}.get(type(row), "null" if row is None else "a number")
    problems.append(
        Problem(number, "", shorten(row), f"is {kind}, not a JSON object", "Write one object in { } a line.")
    )
    return None


def repeated_field(line: bytes, row: dict[str, Any]) -> str | None:
    """The field that a flat object names twice (a parser keeps the last and loses the others), if any."""
    # A quote inside a text is escaped, so this counts field names; it is exact enough to rule a repeat out.
    if line.count(b'":') - line.count(b'\\":') <= len(row):
        return None
    repeated: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
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
        return [
            Problem(
                number,
                "",
                f"byte 0x{line[bad.start]:02X}" + (f" after {shorten(near)}" if near else ""),
                f"is not UTF-8 at byte {bad.start + 1}",
                "Save the file as UTF-8.",
            )
        ]
    if "\x00" in text:
        at = text.index("\x00")
        return [
            Problem(number, "", "", f"holds a NUL byte at column {at + 1}", "Remove it; text cannot hold NUL bytes.")
        ]
    try:
        # The standard parser takes NaN, Infinity and lone surrogates, so that they can be named by their path.
        row = json.loads(text)
    except json.JSONDecodeError as bad:
        reason = bad.msg[:1].lower() + bad.msg[1:]
        return [
            Problem(
                number,
                "",
                _near(text, bad.pos),
                f"is not valid JSON at column {bad.pos + 1}: {reason}",
                "Write one complete JSON object a line.",
            )
        ]
    except (RecursionError, ValueError):
        row = None
    found = list(_unstorable(number, row, "", 0))
    return found or [
        Problem(number, "", "", f"is not valid JSON: {error.msg.split(':')[0]}", "Write one JSON object a line.")
    ]


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
        message = "is not a finite number"
        yield Problem(number, path, json.dumps(value), message, "Write a number, or null where there is none.")
    elif isinstance(value, list) and depth < 50:
        for index, child in enumerate(value):
            yield from _unstorable(number, child, f"{path}[{index}]", depth + 1)
    elif isinstance(value, dict) and depth < 50:
        for key, child in value.items():
            fault = text_fault(key)
            if fault:
                yield Problem(number, path, shorten(key), f"has a field whose name {fault[0]}", fault[1])
            yield from _unstorable(number, child, join(path, shown_key(key)), depth + 1)


def text_fault(text: str) -> tuple[str, str] | None:
    """Why a text cannot be stored (message, remedy): NUL characters and halves of surrogate pairs."""
    if "\x00" in text:
        at = text.index("\x00")
        return f"holds a NUL character (\\u0000) at character {at + 1}", "Remove it; text cannot hold NUL."
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return (
            f"holds half of a surrogate pair at character {error.start + 1}",
            "Write the whole character; it was probably cut in two.",
        )
    return None


def shown_key(key: str) -> str:
    """A field name as part of a path: short, and without anything that cannot be stored."""
    return key if key.isprintable() and len(key) <= SHOWN else shorten(key)


def join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
