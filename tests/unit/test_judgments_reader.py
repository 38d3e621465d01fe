from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.datasets.formats.judgments_jsonl import read_judgments, write_judgment
from apps.datasets.formats.records import JudgmentRecord, Problem

VOTE = {"item": "q1", "rater": "Ada", "kind": "human", "verdict": "A"}


def read(*rows: object) -> list[JudgmentRecord | Problem]:
    lines = (row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
    return list(read_judgments(io.BytesIO(b"\n".join(lines) + b"\n")))


def vote(**changes: Any) -> dict[str, Any]:
    row = {**VOTE, **changes}
    return {key: value for key, value in row.items() if value is not ...}


def test_a_vote_a_score_a_choice_and_a_failure_are_read():
    entries = read(
        vote(strength="much", order="BA", seconds=4, confidence=1, at="2025-03-14T09:26:53Z", rationale=""),
        vote(criterion="tone", verdict=None, score=4, sample=2, revision=1, mark="gold"),
        vote(criterion="class", verdict=..., choice="polite", rubric="support"),
        vote(rater="judge-1", kind="judge", verdict=None, status="unparsed"),
    )
    assert entries == [
        JudgmentRecord(
            1,
            "q1",
            "Ada",
            "human",
            order="BA",
            verdict="A",
            strength="much",
            seconds=4.0,
            confidence=1.0,
            rationale="",
            at=datetime(2025, 3, 14, 9, 26, 53, tzinfo=UTC),
        ),
        JudgmentRecord(2, "q1", "Ada", "human", "tone", score=4.0, sample=2, revision=1, mark="gold"),
        JudgmentRecord(3, "q1", "Ada", "human", "class", choice="polite", rubric="support"),
        JudgmentRecord(4, "q1", "judge-1", "judge", status="unparsed"),
    ]


def test_null_says_the_same_as_leaving_an_optional_field_out():
    optional = set(JudgmentRecord.__dataclass_fields__) - {"line", "item", "rater", "kind", "verdict"}
    assert read({**dict.fromkeys(optional), **VOTE}) == read(VOTE)


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        (vote(item=...), "item", "is missing"),
        (vote(item=7), "item", 'Write it in quotes: "7".'),
        (vote(rater=None), "rater", "is missing"),
        (vote(kind="model"), "kind", 'Did you mean "judge"?'),
        (vote(kind=...), "kind", "is missing"),
        (vote(verdict="C"), "verdict", 'must be "A", "B" or "tie" (found "C")'),
        (vote(verdict="Tie"), "verdict", 'Did you mean "tie"?'),
        (vote(verdict=1), "verdict", 'must be "A", "B" or "tie" (found 1)'),
        (vote(verdict=["A"]), "verdict", 'must be "A", "B" or "tie"'),
        (vote(verdict=...), "verdict", "is missing"),
        (vote(verdict=None), "verdict", "is empty, and nothing says why"),
        (vote(score=3), "score", "stands beside verdict"),
        (vote(verdict=..., score="4"), "score", "Write it without quotes."),
        (vote(verdict=..., score=True), "score", "must be a number, not true or false"),
        (vote(verdict=..., score=1e300), "score", "is beyond any scale"),
        (vote(verdict=..., choice=""), "choice", "must not be blank"),
        (vote(status="unparsed"), "verdict", 'stands beside status "unparsed"'),
        (vote(status="failed"), "status", "must be"),
        (vote(order="ab"), "order", 'Did you mean "AB"?'),
        (vote(criterion=""), "criterion", "must not be blank"),
        (vote(strength="very"), "strength", 'must be "much" or "slight"'),
        (vote(verdict="tie", strength="much"), "strength", "the verdict is neither A nor B"),
        (vote(both_bad=True), "both_bad", "goes with the verdict tie only"),
        (vote(both_bad="yes"), "both_bad", "must be true or false, not text"),
        (vote(sample=-1), "sample", "must not be negative"),
        (vote(sample=True), "sample", "must be a whole number, not true or false"),
        (vote(revision=1.0), "revision", "must be a whole number"),
        (vote(revision=40_000), "revision", "must not be greater than 32,767"),
        (vote(mark="golden"), "mark", 'Did you mean "gold"?'),
        (vote(confidence=80), "confidence", "Write 0.8?"),
        (vote(seconds=-1), "seconds", "must not be negative"),
        (vote(rationale=3), "rationale", "must be text, not a number"),
        (vote(rationale="a\x00"), "rationale", "NUL character"),
        (vote(at="2025-03-14T09:26:53"), "at", "has no time zone"),
        (vote(at="yesterday"), "at", "is not a date and time in ISO 8601"),
        (vote(at=1_700_000_000), "at", "must be a date and time in text"),
        (vote(at="0001-01-01T00:00:00+05:00"), "at", "is in the year 1"),
        (vote(label="A"), "label", "Remove it."),
        (vote(verdict=..., label="A"), "label", 'Did you mean "verdict"?'),
        (b'{"item": "q1", "rater": "Ada", "kind": "human", "verdict": "A", "verdict": "B"}', "verdict", "given twice"),
        (b'{"item": "q1", "rater": "Ada", "kind": "human", "score": NaN}', "score", "is not a finite number"),
        (b'{"item": "q1", "rater": "Ada", "kind": "human", "score": 1e999}', "score", "is not a finite number"),
    ],
)
def test_a_fault_is_named_with_line_field_value_and_remedy(row, field, said):
    problem = next(entry for entry in read(b"", row) if isinstance(entry, Problem))
    assert (problem.line, problem.field) == (2, field)
    assert said in str(problem)
    assert problem.remedy


def test_a_quote_inside_a_text_is_no_second_field():
    (record,) = read(vote(rationale='It says {"verdict": "B"} and "verdict": "B".'))
    assert isinstance(record, JudgmentRecord)


@pytest.mark.parametrize(
    ("rows", "field", "said"),
    [
        ((VOTE, VOTE), "item", "was judged by Ada on line 1 already"),
        ((VOTE, vote(item="q2", kind="judge")), "kind", 'was a "human" on line 1'),
        ((VOTE, vote(item="q2", verdict=None, score=3)), "score", "line 1 has a verdict for the criterion overall"),
    ],
)
def test_contradictions_between_lines_are_named(rows, field, said):
    record, problem = read(*rows)
    assert isinstance(record, JudgmentRecord)
    assert isinstance(problem, Problem)
    assert (problem.line, problem.field) == (2, field)
    assert said in str(problem)


@pytest.mark.parametrize("change", [{"order": "BA"}, {"sample": 1}, {"revision": 1}, {"rubric": "r"}, {"rater": "Bo"}])
def test_every_part_of_the_key_tells_judgments_apart(change):
    assert all(isinstance(entry, JudgmentRecord) for entry in read(VOTE, vote(**change)))


FIRST, LAST = datetime(1970, 1, 2), datetime(2199, 1, 1)  # noqa: DTZ001  the time zone is drawn beside them
names = st.text(st.characters(min_codepoint=33, max_codepoint=0x9FFF, categories=["L", "N"]), min_size=1, max_size=20)
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)


@st.composite
def judgment_records(draw: st.DrawFn) -> JudgmentRecord:
    answer = draw(st.sampled_from(["verdict", "score", "choice", "none"]))
    verdicts: st.SearchStrategy[Literal["A", "B", "tie"]] = st.sampled_from(["A", "B", "tie"])
    verdict = draw(verdicts) if answer == "verdict" else None
    return JudgmentRecord(
        1,
        draw(names),
        draw(names),
        draw(st.sampled_from(["human", "judge"])),
        draw(names),
        draw(st.sampled_from(["AB", "BA"])),
        verdict,
        draw(st.floats(-1e8, 1e8)) if answer == "score" else None,
        draw(names) if answer == "choice" else None,
        draw(st.sampled_from(["unparsed", "truncated", "refused", "error"])) if answer == "none" else "ok",
        draw(st.sampled_from([None, "much", "slight"])) if verdict in ("A", "B") else None,
        draw(st.booleans()) if verdict == "tie" else False,
        draw(st.integers(0, 32_767)),
        draw(st.integers(0, 32_767)),
        draw(st.sampled_from([None, "warmup", "gold", "late", "adjudicated"])),
        draw(st.none() | texts),
        draw(st.none() | st.floats(0, 1)),
        draw(st.none() | st.floats(0, 1e6)),
        draw(st.none() | names),
        draw(st.none() | st.datetimes(FIRST, LAST, timezones=st.timezones())),
    )


@settings(deadline=None)
@given(judgment_records())
def test_what_is_written_reads_back_equal(record):
    (back,) = read_judgments(io.BytesIO(write_judgment(record)))
    assert back == record


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
nearly_judgments = st.dictionaries(
    st.sampled_from(sorted(JudgmentRecord.__dataclass_fields__)) | st.text(max_size=8),
    json_values | st.sampled_from(["A", "AB", "ok", "human", "2025-03-14T09:26:53Z"]),
    max_size=8,
)


@settings(deadline=None)
@given(st.lists(nearly_judgments.map(lambda row: json.dumps(VOTE | row).encode()) | st.binary(max_size=40), max_size=4))
def test_nothing_crashes_the_reader_and_every_problem_has_a_line(lines):
    previous = 0
    for entry in read_judgments(io.BytesIO(b"\n".join(lines))):
        assert entry.line is not None
        assert entry.line >= previous
        previous = entry.line
        if isinstance(entry, Problem):
            str(entry).encode()
            assert "\x00" not in str(entry)
            assert entry.message
