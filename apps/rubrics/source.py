"""A YAML or JSON file as plain nodes that know their lines. Nothing in it is ever constructed or executed.

YAML is read as events, so aliases, tags and endless nesting are refused before they can cost anything; scalars follow
YAML 1.2 (`no` is a text). JSON has its own small reader: YAML's refuses tabs and escaped surrogate pairs.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from apps.core.said import said as _

SIZE_LIMIT = 256 * 1024
DEPTH_LIMIT = 12
_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SourceError(Exception):
    """The file cannot be read at all: where, why, and what would be right; sentences that are `said`, without stops."""

    def __init__(self, line: int, message: str, expected: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Scalar:
    line: int
    text: str
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Sequence:
    line: int
    items: list[Node]


@dataclass(frozen=True, slots=True)
class Mapping:
    line: int
    #: key → (line of the key, value); of a key given twice the first
    entries: dict[str, tuple[int, Node]]
    #: (key, its line, line of the first) of keys given twice
    repeated: list[tuple[str, int, int]]


Node = Scalar | Sequence | Mapping


def decode(data: bytes) -> str:
    if len(data) > SIZE_LIMIT:
        raise SourceError(
            1,
            _("The file has %(count)s bytes", count=f"{len(data):,}"),
            _("A rubric of at most %(limit)s KiB", limit=SIZE_LIMIT // 1024),
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError(
            line,
            _("The file is not UTF-8 at byte %(position)s", position=error.start + 1),
            _("A text file saved as UTF-8"),
        ) from None
    control = _CONTROL.search(text)
    if control:
        raise SourceError(
            len(_BREAK.findall(text, 0, control.start())) + 1,
            _("The file holds the control character %(character)s", character=f"U+{ord(control.group()):04X}"),
            _("A text file; remove the character"),
        )
    return text


def split_lines(text: str) -> list[str]:
    lines = _BREAK.split(text)
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def read_source(text: str, *, json_only: bool = False) -> Node:
    """The file's one document. Raises SourceError where there is none, or more than one."""
    if json_only or text.lstrip().startswith(("{", "[")):
        try:
            return _read_json(text)
        except SourceError:
            if json_only:
                raise
            try:  # YAML's flow style looks much like JSON
                return _read_yaml(text)
            except SourceError:
                pass
            raise
    return _read_yaml(text)


def _read_yaml(text: str) -> Node:
    events = _events(text)
    event = next(events)
    if isinstance(event, yaml.StreamEndEvent):
        raise SourceError(1, _("The file is empty"), _("A rubric with a name and criteria"))
    node = _from_event(next(events), events, 1)
    next(events)  # the end of the document
    event = next(events)
    if not isinstance(event, yaml.StreamEndEvent):
        raise SourceError(_line(event), _("A second document begins here"), _("One rubric a file, without ---"))
    return node


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.AliasEvent):
                raise SourceError(
                    _line(event),
                    _("An alias (%(alias)s) is used", alias=f"*{str(event.anchor)[:40]}"),
                    _("The text itself, repeated"),
                )
            if isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) is not None:
                raise SourceError(_line(event), _("A tag (!) is used"), _("Plain texts, numbers, lists and fields"))
            if not isinstance(event, yaml.StreamStartEvent):
                yield event
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        problem = error.problem or error.context or "it is not valid YAML"
        raise SourceError(line, _("This is not valid YAML: %(reason)s", reason=problem), _yaml_hint(problem)) from None
    except yaml.YAMLError as error:
        reason = str(error)[:200]
        raise SourceError(1, _("This is not valid YAML: %(reason)s", reason=reason), _("A text file in YAML")) from None


def _yaml_hint(problem: str) -> str:
    if "\\t" in problem or "'\t'" in problem or "cannot start any token" in problem:
        return _("Spaces for indentation, never tabs, and quotes around a text that begins with a special character")
    if "mapping values are not allowed" in problem:
        return _("Quotes around a text that holds a colon and a space")
    return _("One “field: value” a line, indented evenly; quotes around a text with special characters")


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return 1 if mark is None else mark.line + 1


def _from_event(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
    line = _line(event)
    if depth > DEPTH_LIMIT:
        raise _too_deep(line)
    if isinstance(event, yaml.ScalarEvent):
        if _CONTROL.search(event.value):
            raise SourceError(line, _("This text holds a control character"), _("The text without it"))
        plain = event.implicit[0] and event.style in (None, "")
        return Scalar(line, event.value, _resolve(event.value) if plain else event.value)
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[Node] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(_from_event(event, events, depth + 1))
        return Sequence(line, items)
    entries: dict[str, tuple[int, Node]] = {}
    repeated: list[tuple[str, int, int]] = []
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _from_event(event, events, depth + 1)
        if not isinstance(key, Scalar):
            raise SourceError(key.line, _("A list or a mapping stands where a field's name belongs"), _("A name"))
        _enter(entries, repeated, key.text, key.line, _from_event(next(events), events, depth + 1))
    return Mapping(line, entries, repeated)


def _enter(
    entries: dict[str, tuple[int, Node]], repeated: list[tuple[str, int, int]], key: str, line: int, node: Node
) -> None:
    if key in entries:
        repeated.append((key, line, entries[key][0]))
    else:
        entries[key] = (line, node)


def _resolve(text: str) -> str | int | float | bool | None:
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _INTEGER.fullmatch(text):
        return int(text)
    if len(text) < 40 and _NUMBER.fullmatch(text):
        return float(text)
    return text


def _read_json(text: str) -> Node:
    try:
        json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        line = len(_BREAK.findall(text, 0, error.pos)) + 1
        reason = error.msg[:1].lower() + error.msg[1:]
        raise SourceError(line, _("This is not valid JSON: %(reason)s", reason=reason), _("One JSON object")) from None
    except (RecursionError, ValueError):
        message = _("This JSON is nested too deeply or holds a number out of range")
        raise SourceError(1, message, _("A rubric")) from None
    starts = [0, *(found.end() for found in _BREAK.finditer(text))]
    tokens = ((bisect_right(starts, found.start()), found.group()) for found in _TOKEN.finditer(text))
    line, token = next(tokens)
    return _from_token(line, token, tokens, 1)


def _too_deep(line: int) -> SourceError:
    message = _("This is nested deeper than %(levels)s levels", levels=DEPTH_LIMIT)
    return SourceError(line, message, _("A rubric of few levels"))


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _from_token(line: int, first: str, tokens: Iterator[tuple[int, str]], depth: int) -> Node:
    """The text is known to be valid JSON, so only its shape is followed here."""
    if depth > DEPTH_LIMIT:
        raise _too_deep(line)
    if first == "[":
        items: list[Node] = []
        for at, part in tokens:
            if part == "]":
                break
            if part != ",":
                items.append(_from_token(at, part, tokens, depth + 1))
        return Sequence(line, items)
    if first == "{":
        entries: dict[str, tuple[int, Node]] = {}
        repeated: list[tuple[str, int, int]] = []
        for at, part in tokens:
            if part == "}":
                break
            if part != ",":
                key = _json_text(at, part)
                next(tokens)  # the colon
                _enter(entries, repeated, key, at, _from_token(*next(tokens), tokens, depth + 1))
        return Mapping(line, entries, repeated)
    if first.startswith('"'):
        value = _json_text(line, first)
        return Scalar(line, value, value)
    number = json.loads(first)
    return Scalar(line, first, number)


def _json_text(line: int, token: str) -> str:
    text: str = json.loads(token)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SourceError(line, _("This text holds half of a surrogate pair"), _("The whole character")) from None
    if _CONTROL.search(text):
        raise SourceError(line, _("This text holds a control character"), _("The text without it"))
    return text
