"""A rubric file, read into a draft with every fault named by path and line. A library: no Django, no database.

name: Support answers
guidelines: |
  Judge what the customer can use.
criteria:
  - id: overall
    kind: pair
    question: Which response helps more?
  - id: correct
    kind: score
    question: Are the facts, numbers and steps right?
    scale: 1-5
    levels:
      1: Wrong where it matters, or made up.
      5: Right in every fact, number and step.
  - id: tone
    kind: choice
    question: How does it sound?
    options: [polite, neutral, rude]
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal, cast

import yaml

from apps.core.said import said as _
from apps.rubrics.source import Mapping, Node, Scalar, Sequence, SourceError, decode, read_source, split_lines

Kind = Literal["pair", "score", "choice"]
KINDS: tuple[Kind, ...] = ("pair", "score", "choice")
DEFAULT_SCALE = (1, 5)
LEVELS_MAX = 101
CRITERIA_MAX = 50
OPTIONS_MAX = 50
PROBLEMS_MAX = 500  # a file with more is another kind of file; the first of them say so
KEY_LENGTH = 60
NAME_LENGTH = 120
SCENARIO_LENGTH = 200
SENTENCE_LENGTH = 4_000
GUIDELINES_LENGTH = 100_000
_SHOWN = 60

_RUBRIC_FIELDS = ("name", "version", "guidelines", "criteria")
_RUBRIC_ALIASES = {"title": "name", "instructions": "guidelines", "guideline": "guidelines", "criterion": "criteria"}
_CRITERION_FIELDS = (
    "id", "name", "kind", "question", "scale", "levels", "ties", "strength", "both_bad", "options", "scenarios",
    "weight", "required", "parent",
)  # fmt: skip
_CRITERION_ALIASES = {
    "key": "id", "title": "name", "type": "kind", "description": "question", "prompt": "question", "text": "question",
    "range": "scale", "anchors": "levels", "descriptions": "levels", "labels": "options", "choices": "options",
    "classes": "options", "tie": "ties", "scenario": "scenarios", "weights": "weight",
}  # fmt: skip
_OF_KIND: dict[Kind, tuple[str, ...]] = {
    "pair": ("ties", "strength", "both_bad"),
    "score": ("scale", "levels"),
    "choice": ("options",),
}
_KIND_ALIASES = {
    "pairwise": "pair", "preference": "pair", "comparison": "pair", "compare": "pair", "rating": "score",
    "likert": "score", "scale": "score", "number": "score", "category": "choice", "classification": "choice",
    "class": "choice", "label": "choice", "select": "choice",
}  # fmt: skip
_OPTION_FIELDS = ("id", "label", "description")
_OPTION_ALIASES = {"key": "id", "value": "id", "name": "label", "text": "label", "title": "label"}
_KEY = re.compile(r"\w[\w.-]*")
_SCALE = re.compile(r"(-?\d{1,6})\s*(?:-|–|—|~|\.\.\.?|…|to|bis|至|到)\s*(-?\d{1,6})")


@dataclass(frozen=True, slots=True)
class RubricProblem:
    """One fault: `message` continues the path ("is missing"), the rest says what was found and would be right.

    What has words is `said`, so that a page can tell it in its reader's language; `str` is English.
    """

    line: int
    path: str
    severity: Literal["error", "warning"]
    message: str
    found: str = ""
    expected: str = ""
    meant: str = ""

    def __str__(self) -> str:
        about = f"{self.path} {self.message}" if self.path else self.message
        parts = [f"Line {self.line}: {about}."]
        if self.found:
            parts.append(f"Found {self.found}.")
        if self.expected:
            parts.append(f"Expected {self.expected}.")
        if self.meant:
            parts.append(f"Did you mean {self.meant}?")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class OptionDraft:
    id: str
    label: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class CriterionDraft:
    """A criterion as far as it could be read: `kind` or `scale` None, or a level that is absent, is a gap to show."""

    id: str
    name: str
    kind: Kind | None
    question: str
    scale: tuple[int, int] | None = None
    levels: dict[int, str] = field(default_factory=dict)
    ties: bool = True
    strength: bool = False
    both_bad: bool = False
    options: tuple[OptionDraft, ...] = ()
    scenarios: tuple[str, ...] = ()
    weight: float = 1.0
    required: bool = True
    parent: str = ""
    path: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def level_rows(self) -> list[tuple[int, str]]:
        """Every level of the scale in order, with its description or an empty text."""
        if self.scale is None:
            return sorted(self.levels.items())
        return [(level, self.levels.get(level, "")) for level in range(self.scale[0], self.scale[1] + 1)]


@dataclass(frozen=True, slots=True)
class RubricDraft:
    name: str
    guidelines: str
    criteria: tuple[CriterionDraft, ...]


@dataclass(frozen=True, slots=True)
class RubricReading:
    """What a file holds. `draft` has the readable parts even when there are errors; it is None where there are none."""

    draft: RubricDraft | None
    problems: tuple[RubricProblem, ...]
    lines: tuple[str, ...]

    @property
    def errors(self) -> tuple[RubricProblem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[RubricProblem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    @property
    def publishable(self) -> bool:
        return self.draft is not None and not self.errors

    @property
    def wrong_lines(self) -> frozenset[int]:
        return frozenset(problem.line for problem in self.problems)

    def line_of(self, path: str) -> int | None:
        """The line of the first problem at a path or below it, for a preview that says where a gap comes from."""
        below = (f"{path}.", f"{path}[")
        return next((p.line for p in self.problems if p.path == path or p.path.startswith(below)), None)


def read_rubric(data: bytes, *, name: str) -> RubricReading:
    """Read an uploaded file; `name` is the file's, which tells JSON from YAML and stands in for a missing title."""
    text = ""
    try:
        text = decode(data)
        root = read_source(text, json_only=name.lower().endswith(".json"))
    except SourceError as error:
        problem = RubricProblem(error.line, "", "error", error.message, expected=error.expected)
        return RubricReading(None, (problem,), tuple(split_lines(text)))
    reader = _Reader()
    draft = reader.rubric(root, PurePath(name).stem.strip() or "Rubric")
    problems = sorted(reader.problems, key=lambda problem: problem.line)
    return RubricReading(draft, tuple(problems[:PROBLEMS_MAX]), tuple(split_lines(text)))


def write_rubric(draft: RubricDraft) -> str:
    """The YAML that `read_rubric` reads back as an equal draft; what is at its default is left out."""
    document: dict[str, Any] = {"name": draft.name}
    if draft.guidelines:
        document["guidelines"] = draft.guidelines
    document["criteria"] = [_written(criterion) for criterion in draft.criteria]
    return yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as a block, the way a person would."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


def _written(criterion: CriterionDraft) -> dict[str, Any]:
    row: dict[str, Any] = {"id": criterion.id}
    if criterion.name != _title(criterion.id):
        row["name"] = criterion.name
    row["kind"] = criterion.kind
    row["question"] = criterion.question
    if criterion.kind == "pair":
        row["ties"] = criterion.ties
        row |= {flag: True for flag in ("strength", "both_bad") if getattr(criterion, flag)}
    if criterion.scale is not None:
        row["scale"] = f"{criterion.scale[0]}-{criterion.scale[1]}"
    if criterion.levels:
        row["levels"] = dict(sorted(criterion.levels.items()))
    if criterion.options:
        row["options"] = [
            {"id": option.id, "label": option.label}
            | ({"description": option.description} if option.description else {})
            for option in criterion.options
        ]
    if criterion.scenarios:
        row["scenarios"] = list(criterion.scenarios)
    if criterion.weight != 1:
        row["weight"] = criterion.weight
    if not criterion.required:
        row["required"] = False
    if criterion.parent:
        row["parent"] = criterion.parent
    return row


def _title(key: str) -> str:
    words = key.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def _shown(node: Node) -> str:
    if isinstance(node, Sequence):
        return _("a list of %(count)s", count=len(node.items))
    if isinstance(node, Mapping):
        return _("%(count)s fields", count=len(node.entries))
    if node.value is None:
        return _("nothing")
    return f"“{_cut(node.text)}”" if isinstance(node.value, str) else _cut(node.text)


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _meant(text: str, options: Iterable[str], aliases: dict[str, str]) -> str:
    lowered = text.strip().lower()[:_SHOWN]
    if lowered in aliases:
        return aliases[lowered]
    close = difflib.get_close_matches(lowered, list(options), n=1, cutoff=0.6)
    return close[0] if close else ""


def _either(options: Iterable[str]) -> str:
    *most, last = options
    return _("%(options)s or %(last)s", options=", ".join(most), last=last) if most else last


class _Reader:
    def __init__(self) -> None:
        self.problems: list[RubricProblem] = []

    def error(
        self, line: int, path: str, message: str, *, found: str = "", expected: str = "", meant: str = ""
    ) -> None:
        self.problems.append(RubricProblem(line, path, "error", message, found, expected, meant))

    def warning(self, line: int, path: str, message: str, *, expected: str = "", meant: str = "") -> None:
        self.problems.append(RubricProblem(line, path, "warning", message, expected=expected, meant=meant))

    # The parts of a rubric

    def rubric(self, root: Node, fallback: str) -> RubricDraft | None:
        if not isinstance(root, Mapping):
            self.error(
                root.line, "", _("The file is not a rubric"), found=_shown(root), expected=_("name: and criteria:")
            )
            return None
        self.fields("", root, _RUBRIC_FIELDS, _RUBRIC_ALIASES)
        if "name" in root.entries:
            name = self.text("name", *root.entries["name"], NAME_LENGTH, _("a short name"))
        else:
            message = _("is missing; “%(name)s”, from the file's name, is used", name=_cut(fallback))
            self.warning(root.line, "name", message)
            name = fallback[:NAME_LENGTH]
        guidelines = ""
        if "guidelines" in root.entries:
            line, node = root.entries["guidelines"]
            if not _empty(node):
                guidelines = self.text("guidelines", line, node, GUIDELINES_LENGTH, _("text for the annotators"))
        if "version" in root.entries:
            line, node = root.entries["version"]
            if not (isinstance(node, Scalar) and type(node.value) is int and node.value > 0):
                message = _("is not a whole number; versions are numbered when they are published")
                self.warning(line, "version", message)
        return RubricDraft(name, guidelines, self.criteria(root))

    def criteria(self, root: Mapping) -> tuple[CriterionDraft, ...]:
        example = _("a list: each criterion begins with “- id:”")
        if "criteria" not in root.entries:
            self.error(root.line, "criteria", _("is missing"), expected=example)
            return ()
        line, node = root.entries["criteria"]
        if not isinstance(node, Sequence):
            self.error(line, "criteria", _("is not a list"), found=_shown(node), expected=example)
            return ()
        if not node.items:
            self.error(line, "criteria", _("is empty"), expected=_("at least one criterion"))
        if len(node.items) > CRITERIA_MAX:
            found, expected = str(len(node.items)), _("at most %(limit)s", limit=CRITERIA_MAX)
            self.error(line, "criteria", _("has too many criteria"), found=found, expected=expected)
        drafts = []
        first: dict[str, int] = {}
        for index, child in enumerate(node.items[:CRITERIA_MAX]):
            path = f"criteria[{index}]"
            if not isinstance(child, Mapping):
                expected = _("id:, kind: and question:")
                self.error(child.line, path, _("is not a criterion"), found=_shown(child), expected=expected)
                continue
            draft = self.criterion(path, child)
            if draft.id and draft.id in first:
                id_line = child.entries["id"][0]
                message = _("is already used on line %(line)s", line=first[draft.id])
                self.error(id_line, f"{path}.id", message, found=f"“{draft.id}”", expected=_("an id of its own"))
            elif draft.id:
                first[draft.id] = child.entries["id"][0]
            drafts.append(draft)
        return tuple(drafts)

    def criterion(self, path: str, node: Mapping) -> CriterionDraft:
        self.fields(path, node, _CRITERION_FIELDS, _CRITERION_ALIASES)
        entries = node.entries
        key = name = question = parent = ""
        if "id" in entries:
            key = self.key(f"{path}.id", *entries["id"])
        else:
            self.error(node.line, f"{path}.id", _("is missing"), expected=_("a short id such as “overall”"))
        if "name" in entries:
            name = self.text(f"{path}.name", *entries["name"], NAME_LENGTH, _("a short name"))
        kind = self.kind(path, node)
        expected = _("the question that annotators answer")
        if "question" in entries:
            question = self.text(f"{path}.question", *entries["question"], SENTENCE_LENGTH, expected)
        else:
            self.error(node.line, f"{path}.question", _("is missing"), expected=expected)
        if "parent" in entries:
            expected = _("the name of a general criterion")
            parent = self.text(f"{path}.parent", *entries["parent"], NAME_LENGTH, expected)

        for of_kind, fields in _OF_KIND.items():
            for unused in fields:
                if kind not in (None, of_kind) and unused in entries:
                    message = _("is for criteria of the kind %(kind)s and will be left out", kind=of_kind)
                    self.warning(entries[unused][0], f"{path}.{unused}", message)
        scale: tuple[int, int] | None = None
        levels: dict[int, str] = {}
        options: tuple[OptionDraft, ...] = ()
        ties, strength, both_bad = True, False, False
        if kind == "score":
            scale = self.scale(f"{path}.scale", *entries["scale"]) if "scale" in entries else DEFAULT_SCALE
            levels = self.levels(path, node, scale)
        elif kind == "choice":
            options = self.options(path, node)
        elif kind == "pair":
            ties = self.flag(path, node, "ties", default=True)
            strength = self.flag(path, node, "strength", default=False)
            both_bad = self.flag(path, node, "both_bad", default=False)
            if both_bad and not ties:
                message = _("says that both are bad, which is a tie, and ties are off")
                expected = _("ties: true, or no both_bad")
                self.error(entries["both_bad"][0], f"{path}.both_bad", message, expected=expected)
        return CriterionDraft(
            id=key,
            name=name or _title(key),
            kind=kind,
            question=question,
            scale=scale,
            levels=levels,
            ties=ties,
            strength=strength,
            both_bad=both_bad,
            options=options,
            scenarios=self.scenarios(path, node),
            weight=self.weight(path, node),
            required=self.flag(path, node, "required", default=True),
            parent=parent,
            path=path,
            line=node.line,
        )

    def kind(self, path: str, node: Mapping) -> Kind | None:
        if "kind" not in node.entries:
            self.error(node.line, f"{path}.kind", _("is missing"), expected=_either(KINDS))
            return None
        line, value = node.entries["kind"]
        if isinstance(value, Scalar) and value.text in KINDS:
            return value.text
        if _empty(value):
            self.error(line, f"{path}.kind", _("says nothing"), expected=_either(KINDS))
        elif isinstance(value, Scalar):
            meant = _meant(value.text, KINDS, _KIND_ALIASES)
            message = _("is “%(value)s”", value=_cut(value.text))
            self.error(line, f"{path}.kind", message, expected=_either(KINDS), meant=meant)
        else:
            self.error(line, f"{path}.kind", _("is not a text"), found=_shown(value), expected=_either(KINDS))
        return None

    def scale(self, path: str, line: int, node: Node) -> tuple[int, int] | None:
        ends: list[Any] = []
        if isinstance(node, Scalar):
            match = _SCALE.fullmatch(node.text.strip())
            ends = [int(part) for part in match.groups()] if match else []
        elif isinstance(node, Sequence):
            ends = [item.value if isinstance(item, Scalar) else None for item in node.items]
        elif node.entries.keys() == {"min", "max"}:
            pair = (node.entries["min"][1], node.entries["max"][1])
            ends = [value.value if isinstance(value, Scalar) else None for value in pair]
        expected = _("two whole numbers such as 1-5")
        if len(ends) != 2 or any(type(end) is not int for end in ends):
            single = isinstance(node, Scalar) and type(node.value) is int and 1 < node.value <= LEVELS_MAX
            meant = f"1-{node.value}" if single and isinstance(node, Scalar) else ""
            self.error(line, path, _("is not a scale"), found=_shown(node), expected=expected, meant=meant)
            return None
        low, high = ends
        if low >= high:
            meant = f"{high}-{low}" if low > high else ""
            self.error(line, path, _("does not go upwards"), found=_shown(node), expected=expected, meant=meant)
            return None
        if high - low >= LEVELS_MAX or low < -1000 or high > 1000:
            expected = _("at most %(limit)s levels, between -1000 and 1000", limit=LEVELS_MAX)
            self.error(line, path, _("is too wide"), found=_shown(node), expected=expected)
            return None
        return low, high

    def levels(self, path: str, node: Mapping, scale: tuple[int, int] | None) -> dict[int, str]:
        where = f"{path}.levels"
        if "levels" not in node.entries:
            message = _("is missing; annotators will see bare numbers")
            self.warning(node.line, where, message, expected=_("a sentence for each level"))
            return {}
        line, value = node.entries["levels"]
        if not isinstance(value, Mapping):
            expected = _("one line a level, such as “1: Wrong where it matters.”")
            self.error(line, where, _("does not say which level is which"), found=_shown(value), expected=expected)
            return {}
        self.repeats(where, value)
        read: dict[int, str] = {}
        given: set[int] = set()
        for key, (key_line, child) in value.entries.items():
            here = f"{where}.{_cut(key)}"
            if not re.fullmatch(r"-?\d{1,6}", key):
                self.error(key_line, here, _("is not a level"), expected=_("a whole number on the scale"))
                continue
            level = int(key)
            if scale and not scale[0] <= level <= scale[1]:
                low, high = scale
                expected = _("a level from %(low)s to %(high)s, or a wider scale", low=low, high=high)
                self.error(key_line, here, _("is off the scale"), found=str(level), expected=expected)
                continue
            if level in given:
                self.error(key_line, here, _("is described a second time"), expected=_("one description a level"))
                continue
            given.add(level)
            expected = _("a sentence that says what a %(level)s is", level=level)
            if _empty(child):
                self.error(key_line, here, _("has no description"), found=_("nothing"), expected=expected)
            elif text := self.text(here, key_line, child, SENTENCE_LENGTH, expected):
                read[level] = text
        if scale:
            missing = [str(level) for level in range(scale[0], scale[1] + 1) if level not in given]
            if missing:
                some = ", ".join(missing[:10]) + (" …" if len(missing) > 10 else "")
                self.warning(
                    line,
                    where,
                    _("describes no level %(levels)s", levels=some),
                    expected=_("a sentence for each level"),
                )
        return read

    def options(self, path: str, node: Mapping) -> tuple[OptionDraft, ...]:
        where = f"{path}.options"
        expected = _("a list of at least two labels")
        if "options" not in node.entries:
            self.error(node.line, where, _("is missing"), expected=expected)
            return ()
        line, value = node.entries["options"]
        drafts: list[OptionDraft] = []
        if isinstance(value, Mapping):  # id: description
            self.repeats(where, value)
            for key, (key_line, child) in value.entries.items():
                here = f"{where}.{_cut(key)}"
                wanted = _("a description")
                text = "" if _empty(child) else self.text(here, key_line, child, SENTENCE_LENGTH, wanted)
                if self.option_id(here, key_line, key):
                    drafts.append(OptionDraft(key, key, text))
            count = len(value.entries)
        elif isinstance(value, Sequence):
            lines: dict[str, int] = {}
            for index, child in enumerate(value.items[: OPTIONS_MAX + 1]):
                option = self.option(f"{where}[{index}]", child)
                if option is None:
                    continue
                if option.id in lines:
                    message = _("repeats the option of line %(line)s", line=lines[option.id])
                    self.error(child.line, f"{where}[{index}]", message, found=f"“{_cut(option.id)}”")
                    continue
                lines[option.id] = child.line
                drafts.append(option)
            count = len(value.items)
        else:
            self.error(line, where, _("is not a list"), found=_shown(value), expected=expected)
            return ()
        if count < 2:
            self.error(line, where, _("offers no choice"), found=str(count), expected=expected)
        if count > OPTIONS_MAX:
            expected = _("at most %(limit)s", limit=OPTIONS_MAX)
            self.error(line, where, _("has too many options"), found=str(count), expected=expected)
        return tuple(drafts[:OPTIONS_MAX])

    def option(self, path: str, node: Node) -> OptionDraft | None:
        if isinstance(node, Mapping):
            self.fields(path, node, _OPTION_FIELDS, _OPTION_ALIASES)
            entries = node.entries
            if "id" not in entries and "label" not in entries:
                self.error(node.line, path, _("has neither id nor label"), expected=_("a label"))
                return None
            label = ""
            if "label" in entries:
                label = self.text(f"{path}.label", *entries["label"], NAME_LENGTH, _("a label"))
            key = self.text(f"{path}.id", *entries["id"], NAME_LENGTH, _("a short id")) if "id" in entries else label
            description = ""
            if "description" in entries and not _empty(entries["description"][1]):
                description = self.text(
                    f"{path}.description", *entries["description"], SENTENCE_LENGTH, _("a description")
                )
            return OptionDraft(key, label or key, description) if self.option_id(path, node.line, key) else None
        text = self.text(path, node.line, node, NAME_LENGTH, _("a label"))
        return OptionDraft(text, text) if text and self.option_id(path, node.line, text) else None

    def option_id(self, path: str, line: int, key: str) -> bool:
        if not key:
            return False
        if len(key) > NAME_LENGTH or "\n" in key or key != key.strip():
            expected = _("at most %(limit)s characters", limit=NAME_LENGTH)
            self.error(line, path, _("is not a label"), found=f"“{_cut(key)}”", expected=expected)
            return False
        return True

    def scenarios(self, path: str, node: Mapping) -> tuple[str, ...]:
        if "scenarios" not in node.entries:
            return ()
        line, value = node.entries["scenarios"]
        where = f"{path}.scenarios"
        if _empty(value):
            return ()
        if not isinstance(value, Sequence):
            meant = f"[{_cut(value.text)}]" if isinstance(value, Scalar) else ""
            self.error(
                line, where, _("is not a list"), found=_shown(value), expected=_("a list of scenarios"), meant=meant
            )
            return ()
        read = [
            self.text(f"{where}[{index}]", child.line, child, SCENARIO_LENGTH, _("the name of a scenario"))
            for index, child in enumerate(value.items)
        ]
        return tuple(dict.fromkeys(filter(None, read)))

    # Single values

    def fields(self, path: str, node: Mapping, known: tuple[str, ...], aliases: dict[str, str]) -> None:
        self.repeats(path, node)
        for key, (line, _value) in node.entries.items():
            if key not in known:
                meant = _meant(key, known, aliases) if len(self.problems) < PROBLEMS_MAX else ""
                here = f"{path}.{_cut(key)}" if path else _cut(key)
                message = _("is not a known field and will be left out")
                self.warning(line, here, message, meant=meant if meant not in node.entries else "")

    def repeats(self, path: str, node: Mapping) -> None:
        for key, line, first in node.repeated:
            here = f"{path}.{_cut(key)}" if path else _cut(key)
            message = _("is given a second time; the first is on line %(line)s", line=first)
            self.error(line, here, message, expected=_("it once"))

    def text(self, path: str, line: int, node: Node, limit: int, expected: str) -> str:
        """A text without white space around it, or an empty one after an error. A number is read as it is written."""
        if not isinstance(node, Scalar) or isinstance(node.value, bool):
            quoted = _("%(expected)s, in quotes if need be", expected=expected)
            self.error(line, path, _("is not a text"), found=_shown(node), expected=quoted)
            return ""
        text = node.text.strip()
        if not text or node.value is None:
            self.error(line, path, _("says nothing"), expected=expected)
            return ""
        if len(text) > limit:
            found = _("%(count)s characters", count=f"{len(text):,}")
            self.error(line, path, _("is too long"), found=found, expected=_("at most %(limit)s", limit=f"{limit:,}"))
            return text[:limit]
        return text

    def key(self, path: str, line: int, node: Node) -> str:
        key = self.text(path, line, node, KEY_LENGTH, _("a short id such as “overall”"))
        if key and not _KEY.fullmatch(key):
            meant = re.sub(r"[^\w.-]+", "_", key).strip("_.-")
            expected = _("letters, digits, “_”, “-” and “.”")
            self.error(line, path, _("is not an id"), found=f"“{_cut(key)}”", expected=expected, meant=meant)
        return key

    def flag(self, path: str, node: Mapping, name: str, *, default: bool) -> bool:
        if name not in node.entries:
            return default
        line, value = node.entries[name]
        if isinstance(value, Scalar):
            if isinstance(value.value, bool):
                return value.value
            said = {"yes": True, "on": True, "no": False, "off": False}.get(value.text.lower())
            if said is not None:
                return said
        expected = _("true or false")
        self.error(line, f"{path}.{name}", _("is neither true nor false"), found=_shown(value), expected=expected)
        return default

    def weight(self, path: str, node: Mapping) -> float:
        if "weight" not in node.entries:
            return 1.0
        line, value = node.entries["weight"]
        number = value.value if isinstance(value, Scalar) else None
        if type(number) in (int, float) and 0 <= cast(float, number) <= 1_000_000:
            return float(cast(float, number))
        expected = _("a number from 0 up, such as 0.5")
        self.error(line, f"{path}.weight", _("is not a weight"), found=_shown(value), expected=expected)
        return 1.0


def _empty(node: Node) -> bool:
    return isinstance(node, Scalar) and (node.value is None or not node.text.strip())
