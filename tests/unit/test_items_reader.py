from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.datasets.formats.items_jsonl import read_items, write_item
from apps.datasets.formats.lines import FirstLines, read_lines
from apps.datasets.formats.records import ItemRecord, Message, Problem, ResponseRecord, group_key

PAIR = {
    "id": "q1",
    "instruction": "Say hello.",
    "responses": [{"system": "alpha", "text": "Hello."}, {"system": "beta", "text": "Hi."}],
}


def read(*rows: object) -> list[ItemRecord | Problem]:
    """Read rows given as objects (written as JSON) or as raw bytes."""
    lines = (row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
    return list(read_items(io.BytesIO(b"\n".join(lines) + b"\n")))


def pair(**changes: Any) -> dict[str, Any]:
    row = {**PAIR, **changes}
    return {key: value for key, value in row.items() if value is not ...}


def only_problem(*rows: object) -> Problem:
    problems = [entry for entry in read(*rows) if isinstance(entry, Problem)]
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def test_a_pair_and_a_single_are_read():
    single = {"id": "q2", "messages": [{"role": "user", "content": "你好"}], "responses": [PAIR["responses"][0]]}
    first, second = read(pair(context="Be kind.", meta={"source": "made up"}, scenario="chat", group="g"), single)

    assert first == ItemRecord(
        line=1,
        id="q1",
        instruction="Say hello.",
        responses=(ResponseRecord("alpha", "Hello."), ResponseRecord("beta", "Hi.")),
        context="Be kind.",
        scenario="chat",
        group="g",
        meta={"source": "made up"},
    )
    assert isinstance(first, ItemRecord)
    assert isinstance(second, ItemRecord)
    assert (first.kind, second.kind) == ("pair", "single")
    assert (second.line, second.instruction, second.messages) == (2, "你好", (Message("user", "你好"),))


def test_blank_lines_carriage_returns_a_mark_and_a_missing_last_break_are_fine():
    body = json.dumps(PAIR).encode()
    text = b"\xef\xbb\xbf" + body + b"\r\n\r\n  \n" + body.replace(b"q1", b"q2")
    entries = list(read_items(io.BytesIO(text)))
    assert [(entry.line, getattr(entry, "id", entry)) for entry in entries] == [(1, "q1"), (4, "q2")]


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        (pair(id=...), "id", "is missing"),
        (pair(id=17), "id", "must be text, not a number (found 17)"),
        (pair(id=" q1"), "id", "begins or ends with white space"),
        (pair(id=""), "id", "must not be blank"),
        (pair(id="a\nb"), "id", "line break"),
        (pair(id="x" * 201), "id", "201 characters; 200 are allowed"),
        (pair(instruction=...), "instruction", "is missing"),
        (pair(instruction=["x"]), "instruction", "must be text, not a list"),
        (pair(instruction=" "), "instruction", "is blank, and there is no context"),
        (pair(instruction=..., messages=[]), "messages", "has no turns"),
        (pair(messages=[{"role": "user", "content": "x"}]), "instruction", "stands beside messages"),
        (
            pair(instruction=..., messages=[{"role": "human", "content": "x"}]),
            "messages[0].role",
            'Did you mean "user"?',
        ),
        (pair(instruction=..., messages=[{"role": "user"}]), "messages[0].content", "is missing"),
        (pair(instruction=..., messages=[{"role": "user", "content": " "}]), "messages", "holds no text"),
        (pair(context=3), "context", "must be text, not a number"),
        (pair(reference=" "), "reference", "is blank"),
        (pair(scenario=""), "scenario", "must not be blank"),
        (pair(group=["g"]), "group", "must be text, not a list"),
        (pair(meta=["x"]), "meta", "must be an object, not a list"),
        (pair(responses=...), "responses", "is missing"),
        (pair(responses={}), "responses", "must be a list, not an object"),
        (pair(responses=[]), "responses", "is empty"),
        (pair(responses=[*PAIR["responses"], PAIR["responses"][0]]), "responses", "has 3 responses"),
        (pair(responses=["Hello."]), "responses[0]", "must be an object, not text"),
        (pair(responses=[{"text": "Hello."}]), "responses[0].system", "is missing"),
        (pair(responses=[{"system": "a"}]), "responses[0].text", "is missing"),
        (pair(responses=[{"system": "a", "text": True}]), "responses[0].text", "must be text, not true or false"),
        (
            pair(responses=[{"system": "a", "text": "x", "messages": [{"role": "user", "content": "x"}]}]),
            "responses[0].text",
            "stands beside messages",
        ),
        (
            pair(responses=[{"system": "a", "text": "x", "modle": "b"}]),
            "responses[0].modle",
            "is not a known field",
        ),
        (pair(refrence="x"), "refrence", 'Did you mean "reference"?'),
        (pair(prompt="x", colour="x"), "prompt", 'Move it into "meta"'),
        (pair(instruction="a\x00b"), "instruction", "NUL character"),
        (pair(meta={"deep": {"list": ["\x00"]}}), "meta.deep.list[0]", "NUL character"),
        (pair(meta={"a\x00": 1}), "meta", "NUL character"),
    ],
)
def test_a_fault_is_named_with_line_field_value_and_remedy(row, field, said):
    problem = next(entry for entry in read(b"", row) if isinstance(entry, Problem))
    assert (problem.line, problem.field) == (2, field)
    assert said in str(problem)
    assert problem.remedy


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"id": "q1", "instruction": ', "is not valid JSON at column 28: expecting value (found …"),
        (b"hello", "not valid JSON at column 1"),
        (b'["id"]', "is a list, not a JSON object"),
        (b"12", "is a number, not a JSON object"),
        (b'{"id": "q\xff1"}', "not UTF-8 at byte 10"),
        (b'{"id": "q\x001"}', "NUL byte at column 10"),
        (b'{"id": "q1", "instruction": "\\ud800"}', "instruction: holds half of a surrogate pair"),
        (b'{"id": "q1", "meta": {"x": NaN}}', "meta.x: is not a finite number (found NaN)"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"id": ' + b"9" * 5000 + b"}", "not valid JSON"),
    ],
)
def test_an_unreadable_line_is_named_and_the_rest_is_still_checked(line, said):
    before, problem, after = read(PAIR, line, pair(id="q3"))
    assert isinstance(before, ItemRecord)
    assert isinstance(problem, Problem)
    assert problem.line == 2
    assert said in str(problem)
    assert isinstance(after, ItemRecord)


def test_every_fault_of_a_line_is_said_at_once():
    problems = read({"id": 1, "responses": [{"system": ""}, 4]})
    assert [problem.field for problem in problems if isinstance(problem, Problem)] == [
        "id",
        "instruction",
        "responses[0].system",
        "responses[0].text",
        "responses[1]",
    ]


def test_a_repeated_id_names_the_line_that_had_it_first():
    problem = only_problem(PAIR, pair(id="q2"), PAIR)
    assert str(problem) == ('Line 3, id: is already used on line 1 (found "q1"). Give every item an id of its own.')


def test_an_empty_response_and_two_responses_by_one_system_are_data():
    responses = [{"system": "alpha", "text": ""}, {"system": "alpha", "text": "Hi."}]
    (record,) = read(pair(responses=responses))
    assert isinstance(record, ItemRecord)
    assert [response.text for response in record.responses] == ["", "Hi."]


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_a_problem(content):
    (problem,) = read_items(io.BytesIO(content))
    assert isinstance(problem, Problem)
    assert problem.line == 1
    assert "the file is empty" in problem.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"id": "q1"}\n'.encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b\x08\x00rest", "gzip"),
        (b"PK\x03\x04rest", "zip"),
        (b'[\n  {"id": "q1"},\n', "one JSON document that is spread over many lines"),
    ],
)
def test_another_kind_of_file_is_named_once(content, said):
    (problem,) = read_items(io.BytesIO(content))
    assert said in str(problem)


class Endless(io.RawIOBase):
    """One line of `size` bytes that is never in memory as a whole, then `tail`."""

    def __init__(self, size: int, tail: bytes) -> None:
        self.left, self.tail, self.largest = size, tail, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.largest = max(self.largest, len(buffer))
        if self.left:
            count = min(self.left, len(buffer))
            buffer[:count] = b"x" * count
            self.left -= count
            return count
        count = min(len(self.tail), len(buffer))
        buffer[:count] = self.tail[:count]
        self.tail = self.tail[count:]
        return count


def test_a_line_of_200_mb_is_named_and_skipped_without_holding_it():
    stream = Endless(200_000_000, b"\n" + json.dumps(PAIR).encode())
    problem, record = read_items(stream)  # type: ignore[arg-type]
    assert isinstance(problem, Problem)
    assert str(problem).startswith("Line 1: is longer than the 8 MiB that a line may have, and was skipped")
    assert problem.value == "200.0 MB"
    assert isinstance(record, ItemRecord)
    assert record.line == 2
    assert stream.largest <= 8 * 1024 * 1024


def test_a_line_of_exactly_the_limit_is_read():
    entries = list(read_lines(io.BytesIO(b"12345678\n123456789\n1234567\n"), limit=8))
    assert [entry if isinstance(entry, tuple) else entry.line for entry in entries] == [
        (1, b"12345678\n"),
        2,
        (3, b"1234567\n"),
    ]


def test_first_lines_stay_exact_while_the_table_grows():
    first = FirstLines()
    assert all(first.seen(f"key-{number}", number + 1) == 0 for number in range(20_000))
    assert all(first.seen(f"key-{number}", 99) == number + 1 for number in range(20_000))


def test_items_that_ask_the_same_share_a_group():
    asked = group_key(group=None, instruction="Why?", context=None)
    assert asked == group_key(group=None, instruction="Why?", context="")
    assert asked != group_key(group=None, instruction="Why", context="?")
    assert asked != group_key(group="Why?", instruction="Why?", context=None)
    assert -(2**63) <= asked < 2**63


texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)
names = st.text(st.characters(min_codepoint=33, max_codepoint=0x9FFF, categories=["L", "N"]), min_size=1, max_size=20)
spoken = texts.filter(str.strip)
turns = st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), spoken), min_size=1, max_size=3).map(tuple)


@st.composite
def item_records(draw: st.DrawFn) -> ItemRecord:
    from apps.datasets.formats.records import flatten

    def response() -> ResponseRecord:
        messages = draw(st.none() | turns)
        return ResponseRecord(draw(names), flatten(messages) if messages else draw(texts), messages)

    messages = draw(st.none() | turns)
    return ItemRecord(
        1,
        draw(names),
        flatten(messages) if messages else draw(spoken),
        tuple(response() for _ in range(draw(st.integers(1, 2)))),
        messages,
        draw(st.none() | texts),
        draw(st.none() | spoken),
        draw(st.none() | names),
        draw(st.none() | names),
        draw(st.dictionaries(texts, st.none() | st.integers(-(2**63), 2**63) | texts | st.lists(texts), max_size=3)),
    )


@settings(deadline=None)
@given(item_records())
def test_what_is_written_reads_back_equal(record):
    assert list(read_items(io.BytesIO(write_item(record)))) == [record]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(["id", "instruction", "messages", "context", "responses", "meta", "group", "system", "text"])
nearly_items = st.dictionaries(fields | st.text(max_size=8), json_values | st.just(PAIR["responses"]), max_size=6)


def check_entries(content: bytes) -> None:
    previous = 0
    for entry in read_items(io.BytesIO(content)):
        assert entry.line is not None
        assert entry.line >= previous
        previous = entry.line
        if isinstance(entry, Problem):
            assert entry.message
            assert entry.remedy or entry.value
            assert "\x00" not in str(entry)
            str(entry).encode()
            assert len(str(entry)) < 1000
        else:
            assert "\x00" not in repr(entry)


@settings(deadline=None)
@given(st.binary(max_size=300) | st.lists(st.binary(max_size=40)).map(b"\n".join))
def test_no_bytes_crash_the_reader(content):
    check_entries(content)


@settings(deadline=None)
@given(st.lists(nearly_items, max_size=4))
def test_no_json_crashes_the_reader(rows):
    check_entries("\n".join(json.dumps(row) for row in rows).encode())
