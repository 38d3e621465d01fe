"""Sentences of plain libraries: English at once, and every one of them can be told in another language."""

from __future__ import annotations

import ast
import copy
import io
import json
import pickle
import re
from pathlib import Path

import pytest

from apps.core.said import Said, packed, said, told, unpacked
from apps.datasets.formats.items_jsonl import read_items
from apps.datasets.formats.judgments_jsonl import read_judgments
from apps.datasets.formats.records import Problem
from apps.rubrics.reader import read_rubric

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = sorted(
    path
    for path in (ROOT / "apps").rglob("*.py")
    if re.search(r"^from apps\.core\.said import .*\bsaid as _", path.read_text(), re.MULTILINE)
)
SENTENCE = said("must be %(options)s, not %(kind)s", options=said("%(a)s or %(b)s", a="A", b="B"), kind="C")
CHINESE = {"must be %(options)s, not %(kind)s": "不能是%(kind)s，应为%(options)s", "%(a)s or %(b)s": "%(a)s或%(b)s"}


def chinese(template: str) -> str:
    return CHINESE[template]


def test_it_is_english_until_it_is_told() -> None:
    assert SENTENCE == "must be A or B, not C"
    assert f"It {SENTENCE}." == "It must be A or B, not C."
    assert told(SENTENCE, chinese) == "不能是C，应为A或B"
    assert told("plain 100 %s", chinese) == "plain 100 %s"
    assert told(said("100 %"), {"100 %": "百分之百 %"}.__getitem__) == "百分之百 %"


def test_it_survives_storing_and_copying() -> None:
    assert unpacked(json.loads(json.dumps(packed(SENTENCE)))) == SENTENCE
    assert unpacked("stored before") == "stored before"
    copies = [unpacked(json.loads(json.dumps(packed(SENTENCE)))), copy.deepcopy(SENTENCE)]
    copies.append(pickle.loads(pickle.dumps(SENTENCE)))
    assert [told(each, chinese) for each in copies] == ["不能是C，应为A或B"] * 3


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_template_can_be_extracted_and_has_its_values(path: Path) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_"
    ]
    assert calls
    for call in calls:
        (template,) = call.args
        assert isinstance(template, ast.Constant), f"line {call.lineno} has no literal"
        text = str(template.value)
        names = {keyword.arg for keyword in call.keywords}
        assert names == set(re.findall(r"%\((\w+)\)s", text)), f"line {call.lineno}"
        assert text.count("%") == len(re.findall(r"%\(\w+\)s", text)), f"line {call.lineno}"


BAD_ITEMS = b"""\xef\xbb\xbf{"id": 7, "responses": [], "meta": [], "extra": 1}
{"id": " a", "instruction": " ", "responses": [{"system": "", "text": 1}, 2]}
{"id": "b", "messages": [], "instruction": "x", "responses": [{"system": "s", "text": "x\\u0000"}]}
{"id": "c", "instruction": "x", "reference": "", "group": "a\\nb", "responses": {"a": 1}}
{"id": "d", "instruction": "x", "responses": [{"system": "s", "text": "x"}], "meta": {"x\\u0000": 1, "y": "\\ud800"}}
{"id": "e", "instruction": "x", "responses": [{"text": "x", "messages": [{"role": "x"}]}]}
{"id": "d", "instruction": "x", "responses": null, "messages": [{"role": 1, "content": 2}]}
[1]
{"id":
{"a": NaN, "\\ud800": 1}
\xff
\x00
"""
BAD_JUDGMENTS = b"""{}
{"item": "a", "rater": "r", "kind": "person", "verdict": "C", "strength": "very", "both_bad": 1, "mark": 1, "at": 1}
{"item": "a", "rater": "r", "kind": "human", "verdict": "A", "score": 1, "both_bad": true, "sample": -1}
{"item": "a", "rater": "r", "kind": "human", "status": "error", "choice": "x", "confidence": 80, "at": "2025-01-01"}
{"item": "a", "rater": "r", "kind": "human", "score": 1e300, "confidence": 2000, "seconds": -1, "at": "x"}
{"item": "a", "rater": "r", "kind": "human", "score": "1", "seconds": 1e300, "sample": 1e3, "revision": 99999}
{"item": "a", "rater": "r", "kind": "human", "verdict": null, "at": "1900-01-01T00:00:00+00:00", "item": "b"}
{"item": "a", "rater": "r", "kind": "human", "verdict": "A"}
{"item": "a", "rater": "r", "kind": "human", "verdict": "A"}
{"item": "b", "rater": "r", "kind": "judge", "score": 3}
"""
BAD_RUBRIC = b"""version: x
criteria:
  - {id: a b, kind: scroe, question: , weight: x, required: maybe, scenarios: x}
  - {id: c, kind: score, question: Q, scale: 5, options: [a], colour: 1}
  - {id: c, kind: score, question: [Q], scale: 5-1, levels: {x: 1, 9: 2}}
  - {id: d, kind: score, question: Q, scale: 1-3, levels: {1: , 9: 2}}
  - {id: e, kind: score, question: Q, scale: 1-999, levels: 3}
  - {id: f, kind: choice, question: Q, options: [a, a, {}]}
  - {id: g, kind: pair, kind: pair, question: Q, ties: false, both_bad: true}
  - 1
"""


def test_whatever_is_wrong_with_a_file_is_said() -> None:
    found = [*read_items(io.BytesIO(BAD_ITEMS)), *read_judgments(io.BytesIO(BAD_JUDGMENTS))]
    problems = [entry for entry in found if isinstance(entry, Problem)]
    assert len(problems) > 50
    plain = [str(each) for each in problems if not isinstance(each.message, Said) or not isinstance(each.remedy, Said)]
    assert plain == []


@pytest.mark.parametrize("data", [BAD_RUBRIC, b"", b"a: *b", b"a: !b c", b"- 1", b"\xff", b"\x00", b"{", b"a: 'b"])
def test_whatever_is_wrong_with_a_rubric_is_said(data: bytes) -> None:
    problems = read_rubric(data, name="rubric.yaml").problems
    assert problems
    assert [str(each) for each in problems if not isinstance(each.message, Said)] == []
    assert [str(each) for each in problems if each.expected and not isinstance(each.expected, Said)] == []
