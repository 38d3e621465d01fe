from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.rubrics.reader import CriterionDraft, Kind, OptionDraft, RubricDraft, RubricReading, read_rubric, write_rubric

GOOD = """\
name: Support answers
guidelines: |
  Judge what the customer can use.

  Two lines of it.
criteria:
  - id: overall
    kind: pair
    question: Which response helps more?
    strength: yes
  - id: correct
    name: Correctness
    kind: score
    question: Are the facts right?
    scale: 1-3
    levels:
      1: Wrong where it matters.
      2: No
      3: 全部正确。
    weight: 2
    required: false
  - id: tone
    kind: choice
    question: How does it sound?
    options:
      - polite
      - {id: rude, label: Rude or cold, description: Would upset a customer}
    scenarios: [complaint, chat]
    parent: general
"""
DRAFT = RubricDraft(
    name="Support answers",
    guidelines="Judge what the customer can use.\n\nTwo lines of it.",
    criteria=(
        CriterionDraft(id="overall", name="Overall", kind="pair", question="Which response helps more?", strength=True),
        CriterionDraft(
            id="correct",
            name="Correctness",
            kind="score",
            question="Are the facts right?",
            scale=(1, 3),
            levels={1: "Wrong where it matters.", 2: "No", 3: "全部正确。"},
            weight=2.0,
            required=False,
        ),
        CriterionDraft(
            id="tone",
            name="Tone",
            kind="choice",
            question="How does it sound?",
            options=(
                OptionDraft("polite", "polite"),
                OptionDraft("rude", "Rude or cold", "Would upset a customer"),
            ),
            scenarios=("complaint", "chat"),
            parent="general",
        ),
    ),
)
DRAWN = """\
name: Support answers
version: 5
criteria:
  - id: overall
    kind: pair
    question: Which response helps more?
    ties: true
  - id: correct
    kind: score
    question: Are the facts, numbers and steps right?
    scale: 1-5
    levels:
      1: Wrong where it matters, or made up.
      2: Mostly wrong; a right detail here and there.
      3: Right in the main point, with an error.
      4:
      5: Right in every fact, number and step.
  - id: tone
    kind: scroe
    question: Would the customer feel taken seriously?
    parent: general
    weigth: 0.5
"""


def read(text: str | bytes, name: str = "rubric.yaml") -> RubricReading:
    return read_rubric(text.encode() if isinstance(text, str) else text, name=name)


def criterion(lines: str) -> str:
    """A rubric whose one criterion has these fields, from line 3 on."""
    indented = "\n".join(f"    {line}" for line in lines.strip("\n").split("\n"))
    return f"name: R\ncriteria:\n  -{indented[3:]}\n"


def test_yaml_is_read():
    reading = read(GOOD)
    assert reading.problems == ()
    assert reading.draft == DRAFT
    assert reading.publishable
    assert [draft.line for draft in reading.draft.criteria] == [7, 11, 22]


def test_json_is_read_with_lines():
    rows = {
        "name": "Support answers",
        "criteria": [
            {
                "id": "fun",
                "kind": "score",
                "question": "Fun? \U0001f600",
                "scale": [1, 2],
                "levels": {"1": "No", "2": "Yes"},
            }
        ],
    }
    text = json.dumps(rows, indent="\t")  # escaped surrogate pairs and tabs, which YAML would refuse
    for name in ("rubric.json", "rubric.txt"):
        reading = read(text, name)
        assert reading.problems == ()
        assert reading.draft is not None
        assert reading.draft.criteria[0].question == "Fun? \U0001f600"
        assert reading.draft.criteria[0].line == 4
    (problem,) = read(text.replace('"No"', "null")).errors
    assert (problem.path, problem.line) == ("criteria[0].levels.1", 13)


def test_yaml_in_flow_style_is_not_taken_for_json():
    assert read("{name: R, criteria: [{id: a, kind: pair, question: Which?}]}").problems == ()


def test_the_faults_of_the_drawn_page_are_found_and_the_rest_can_be_previewed():
    reading = read(DRAWN)
    assert [(p.line, p.severity, str(p)) for p in reading.problems] == [
        (
            16,
            "error",
            "Line 16: criteria[1].levels.4 has no description. Found nothing. "
            "Expected a sentence that says what a 4 is.",
        ),
        (19, "error", "Line 19: criteria[2].kind is “scroe”. Expected pair, score or choice. Did you mean score?"),
        (
            22,
            "warning",
            "Line 22: criteria[2].weigth is not a known field and will be left out. Did you mean weight?",
        ),
    ]
    assert len(reading.lines) == 22
    assert not reading.publishable
    assert reading.draft is not None
    overall, correct, tone = reading.draft.criteria
    assert overall.kind == "pair"
    assert correct.level_rows[3] == (4, "")
    assert tone.kind is None
    assert reading.line_of("criteria[1].levels") == 16
    assert reading.line_of("criteria[0]") is None


@pytest.mark.parametrize(
    ("lines", "line", "path", "said"),
    [
        ("kind: pair\nquestion: Q", 3, "criteria[0].id", "is missing"),
        ("id: a b\nkind: pair\nquestion: Q", 3, "criteria[0].id", "Did you mean a_b?"),
        ("id: a\nquestion: Q", 3, "criteria[0].kind", "is missing"),
        ("id: a\nkind: likert\nquestion: Q", 4, "criteria[0].kind", "Did you mean score?"),
        ("id: a\nkind: [pair]\nquestion: Q", 4, "criteria[0].kind", "is not a text"),
        ("id: a\nkind: pair", 3, "criteria[0].question", "is missing"),
        ("id: a\nkind: pair\nquestion:", 5, "criteria[0].question", "says nothing"),
        ("id: a\nkind: pair\nquestion: true", 5, "criteria[0].question", "is not a text"),
        ("id: a\nkind: pair\nquestion: Q\nties: maybe", 6, "criteria[0].ties", "neither true nor false"),
        ("id: a\nkind: pair\nquestion: Q\nties: no\nboth_bad: yes", 7, "criteria[0].both_bad", "ties are off"),
        ("id: a\nkind: score\nquestion: Q\nscale: 5", 6, "criteria[0].scale", "Did you mean 1-5?"),
        ("id: a\nkind: score\nquestion: Q\nscale: 5-1", 6, "criteria[0].scale", "Did you mean 1-5?"),
        ("id: a\nkind: score\nquestion: Q\nscale: 1-5000", 6, "criteria[0].scale", "is too wide"),
        ("id: a\nkind: score\nquestion: Q\nscale: {min: 1, max: x}", 6, "criteria[0].scale", "is not a scale"),
        ("id: a\nkind: score\nquestion: Q\nlevels:\n  6: S", 7, "criteria[0].levels.6", "is off the scale"),
        ("id: a\nkind: score\nquestion: Q\nlevels:\n  good: S", 7, "criteria[0].levels.good", "is not a level"),
        ("id: a\nkind: score\nquestion: Q\nlevels: [S]", 6, "criteria[0].levels", "which level is which"),
        ("id: a\nkind: score\nquestion: Q\nlevels:\n  1: S\n  01: S", 8, "criteria[0].levels.01", "a second time"),
        ("id: a\nkind: choice\nquestion: Q", 3, "criteria[0].options", "is missing"),
        ("id: a\nkind: choice\nquestion: Q\noptions: [one]", 6, "criteria[0].options", "offers no choice"),
        ("id: a\nkind: choice\nquestion: Q\noptions: [x, x]", 6, "criteria[0].options[1]", "repeats the option"),
        ("id: a\nkind: choice\nquestion: Q\noptions: x", 6, "criteria[0].options", "is not a list"),
        ("id: a\nkind: pair\nquestion: Q\nscenarios: chat", 6, "criteria[0].scenarios", "Did you mean [chat]?"),
        ("id: a\nkind: pair\nquestion: Q\nweight: heavy", 6, "criteria[0].weight", "is not a weight"),
        ("id: a\nkind: pair\nquestion: Q\nweight: .nan", 6, "criteria[0].weight", "is not a weight"),
        ("id: a\nid: b\nkind: pair\nquestion: Q", 4, "criteria[0].id", "the first is on line 3"),
        ("id: a\nkind: pair\nquestion: Q\nlevels: {1: x}", 6, "criteria[0].levels", "for criteria of the kind score"),
    ],
)
def test_a_fault_has_its_path_and_line(lines, line, path, said):
    problems = [problem for problem in read(criterion(lines)).problems if problem.path == path]
    assert [problem.line for problem in problems] == [line]
    assert said in str(problems[0])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "is empty"),
        ("# nothing\n", 1, "is empty"),
        ("- a\n- b\n", 1, "The file is not a rubric."),
        ("just text", 1, "The file is not a rubric."),
        ("name: R", 1, "criteria is missing"),
        ("name: R\ncriteria: {}", 2, "criteria is not a list"),
        ("name: R\ncriteria: []", 2, "criteria is empty"),
        ("name: R\ncriteria:\n  - overall", 3, "criteria[0] is not a criterion"),
        ("name: R\ncriteria:\n\t- id: a", 3, "Spaces for indentation"),
        ("name: R: S", 1, "Quotes around a text that holds a colon"),
        ("name: 'R", 1, "not valid YAML"),
        ("name: R\n---\nname: S", 2, "A second document"),
        ("a: &a [x]\nb: *a", 2, "An alias"),
        ("name: !!python/object/apply:os.system ['x']", 1, "A tag"),
        ("? [a]\n: b", 1, "where a field's name belongs"),
        ("a: " + "[" * 100_000, 1, "nested deeper"),
        ("- " * 100_000, 1, "nested deeper"),
        ('name: "a\\0b"', 1, "control character"),
        ("name: R\nx: a\x00b", 2, "control character U+0000"),
        (b"name: R\nx: \xff", 2, "not UTF-8 at byte 12"),
        ("name: R".encode("utf-16"), 1, "not UTF-8"),
        (b"x" * 10_000_000, 1, "at most 256 KiB"),
        ('{"name": "R",\n "criteria": [}', 2, "not valid JSON"),
        ('{"name": "\\ud800"}', 1, "half of a surrogate pair"),
        ('{"name": ' + "[" * 100_000, 1, "nested"),
        ('{"name": NaN}', 1, "out of range"),
    ],
)
def test_an_unreadable_or_hostile_file_is_refused_politely(text, line, said):
    began = time.monotonic()
    name = "rubric.json" if str(text).startswith('{"') else "rubric.yaml"
    reading = read(text, name)
    assert [problem.line for problem in reading.errors] == [line]
    assert said in str(reading.errors[0])
    assert not reading.publishable
    assert time.monotonic() - began < 5


def test_many_faults_stay_quick_and_few():
    began = time.monotonic()
    reading = read("\n".join(f"krit{number}: x" for number in range(20_000)))
    assert len(reading.problems) == 500
    assert time.monotonic() - began < 20


def test_ids_must_differ():
    one = "  - {id: a, kind: pair, question: Q}\n"
    (problem,) = read(f"name: R\ncriteria:\n{one}{one}").problems
    assert str(problem) == ("Line 4: criteria[1].id is already used on line 3. Found “a”. Expected an id of its own.")


def test_a_file_without_a_name_takes_the_files():
    reading = read("criteria: [{id: a, kind: pair, question: Q}]", "my rubric.yaml")
    assert reading.draft is not None
    assert reading.draft.name == "my rubric"
    assert [problem.path for problem in reading.warnings] == ["name"]
    assert reading.publishable


def test_levels_that_are_not_described_are_a_warning():
    reading = read(criterion("id: a\nkind: score\nquestion: Q\nscale: 0-4\nlevels: {0: Bad, 4: Good}"))
    assert [str(problem) for problem in reading.problems] == [
        "Line 7: criteria[0].levels describes no level 1, 2, 3. Expected a sentence for each level."
    ]
    assert reading.publishable


def test_the_good_rubric_is_written_back():
    assert read(write_rubric(DRAFT)).draft == DRAFT


texts = (
    st.text(
        st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff") | st.just("\n"),
        min_size=1,
        max_size=40,
    )
    .map(str.strip)
    .filter(bool)
)
labels = texts.filter(lambda text: "\n" not in text)
keys = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,8}", fullmatch=True) | st.sampled_from(["no", "null", "1", "1e3", "是"])


@st.composite
def criteria(draw: st.DrawFn) -> CriterionDraft:
    kind: Kind = draw(st.sampled_from(["pair", "score", "choice"]))
    low = draw(st.integers(-5, 5))
    high = low + draw(st.integers(1, 9))
    ties = draw(st.booleans()) if kind == "pair" else True
    ids = draw(st.lists(labels, min_size=2, max_size=4, unique=True))
    return CriterionDraft(
        id=draw(keys),
        name=draw(texts),
        kind=kind,
        question=draw(texts),
        scale=(low, high) if kind == "score" else None,
        levels=draw(st.dictionaries(st.integers(low, high), texts)) if kind == "score" else {},
        ties=ties,
        strength=kind == "pair" and draw(st.booleans()),
        both_bad=kind == "pair" and ties and draw(st.booleans()),
        options=tuple(OptionDraft(key, draw(texts), draw(texts | st.just(""))) for key in ids)
        if kind == "choice"
        else (),
        scenarios=tuple(draw(st.lists(labels, max_size=3, unique=True))),
        weight=draw(st.floats(0, 1e6)),
        required=draw(st.booleans()),
        parent=draw(texts | st.just("")),
    )


@settings(deadline=None)
@given(st.builds(RubricDraft, texts, texts | st.just(""), st.lists(criteria(), min_size=1, max_size=3).map(tuple)))
def test_what_is_written_reads_back_equal(draft):
    reading = read(write_rubric(draft))
    assert reading.draft == draft
    assert all(
        problem.message.startswith("is already used") for problem in reading.errors
    )  # two drawn ids may be equal


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from(["r.yaml", "r.json"]))
def test_no_bytes_crash_the_reader(data, name):
    check(read_rubric(data, name=name))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["pair", "score"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["name", "criteria", "id", "kind", "question", "scale", "levels", "options", "1", "min", "max"]
            )
            | st.text(max_size=6),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(values)
def test_no_json_crashes_the_reader(value):
    check(read_rubric(json.dumps({"name": "R", "criteria": value}).encode(), name="r.json"))
    check(read_rubric(json.dumps({"criteria": [value]}, ensure_ascii=False).encode("utf-8", "replace"), name="r.yaml"))


def check(reading: RubricReading) -> None:
    assert reading.draft is not None or reading.errors
    for problem in reading.problems:
        assert problem.line >= 1
        assert problem.line <= max(1, len(reading.lines) + 1)
        assert problem.message
        str(problem).encode()
