from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from apps.annotation.labels import Answer, BadLabel, Lease, criteria_for, read_submission, votes
from apps.annotation.statements import SUBMIT, side
from apps.judgments.models import Strength, Verdict
from apps.projects.models import Project
from apps.rubrics.models import Criterion

PAIR = Criterion(pk=1, key="overall", name="Overall", kind=Criterion.Kind.PAIR)
STRONG = Criterion(pk=2, key="safe", name="Safe", kind=Criterion.Kind.PAIR, strength=True, both_bad=True, ties=False)
SCORE = Criterion(pk=3, key="tone", name="Tone", kind=Criterion.Kind.SCORE, scale_min=0, scale_max=10, required=False)
CHOICE = Criterion(
    pk=4, key="kind", name="Kind", kind=Criterion.Kind.CHOICE, options=[{"id": "good"}, {"id": "bad"}], scenarios=["a"]
)
OPTIONAL = Project.Rationale.OPTIONAL


def test_a_lease_is_read_as_it_was_written():
    lease = Lease(17, datetime(2025, 3, 14, 9, 26, 53, 589793, tzinfo=UTC))
    assert str(lease) == "17-1741944413589793"
    assert Lease.read(str(lease)) == lease


@pytest.mark.parametrize(
    "text", ["", "17", "17-", "-17", "17-x", "17-1-1", "٣-1", "1-" + "9" * 37, "1-99999999999999999999"]
)
def test_a_lease_of_another_form_is_refused(text):
    with pytest.raises(BadLabel, match="Load the page again"):
        Lease.read(text)


def test_votes_follow_the_rubric():
    assert list(votes(ties=True, strength=False, both_bad=False)) == ["A", "tie", "B"]
    assert list(votes(ties=False, strength=False, both_bad=True)) == ["A", "bad", "B"]
    assert list(votes(ties=True, strength=True, both_bad=True)) == [
        "A-much",
        "A-slight",
        "tie",
        "bad",
        "B-slight",
        "B-much",
    ]


def test_criteria_apply_by_kind_and_scenario():
    every = (PAIR, STRONG, SCORE, CHOICE)
    assert criteria_for(every, kind=2, scenario="a") == (PAIR, STRONG)
    assert criteria_for(every, kind=1, scenario="a") == (SCORE, CHOICE)
    assert criteria_for(every, kind=1, scenario="b") == (SCORE,)


def test_reads_every_kind_of_answer():
    read = read_submission(
        {"c1": "tie", "c2": "B-much", "c3": "10", "c4": "1"}, (PAIR, STRONG, SCORE, CHOICE), rationale=OPTIONAL
    )
    assert read.answers == (
        Answer(1, 0, verdict=Verdict.TIE),
        Answer(2, 0, verdict=Verdict.B, strength=Strength.MUCH),
        Answer(3, 1, score=10.0),
        Answer(4, 2, choice=1),
    )


def test_an_optional_criterion_may_be_left_out_but_not_everything():
    assert len(read_submission({"c1": "A"}, (PAIR, SCORE), rationale=OPTIONAL).answers) == 1
    with pytest.raises(BadLabel, match="Nothing was chosen"):
        read_submission({}, (SCORE,), rationale=OPTIONAL)
    with pytest.raises(BadLabel, match="“Overall” has no answer yet"):
        read_submission({"c3": "1"}, (PAIR, SCORE), rationale=OPTIONAL)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("c1", "C"),
        ("c2", "tie"),
        ("c2", "A"),
        ("c3", "11"),
        ("c3", "-1"),
        ("c3", "1.0"),
        ("c4", "2"),
        ("c4", "-1"),
        ("c4", "good"),
    ],
)
def test_what_the_rubric_does_not_offer_is_refused_with_its_value(field, value):
    with pytest.raises(BadLabel, match=f"“{value}” is not an answer"):
        read_submission(
            {"c1": "A", "c2": "A-much", "c4": "0", field: value}, (PAIR, STRONG, SCORE, CHOICE), rationale=OPTIONAL
        )


def test_unswapping_turns_the_sides_and_nothing_else():
    shown = Answer(1, 0, verdict=Verdict.A, strength=Strength.SLIGHT)
    assert shown.unswapped(0) == shown
    assert shown.unswapped(1) == Answer(1, 0, verdict=Verdict.B, strength=Strength.SLIGHT)
    assert Answer(1, 0, verdict=Verdict.TIE, both_bad=True).unswapped(1).verdict == Verdict.TIE
    assert Answer(3, 1, score=4.0).unswapped(1).score == 4.0


def test_notes_follow_the_project():
    def note(text: str, rationale: str) -> str | None:
        return read_submission({"c1": "A", "note": text}, (PAIR,), rationale=rationale).note

    assert note("  why  ", OPTIONAL) == "why"
    assert note(" ", OPTIONAL) is None
    assert note("why", Project.Rationale.OFF) is None
    with pytest.raises(BadLabel, match="asks for a reason"):
        note("", Project.Rationale.REQUIRED)
    with pytest.raises(BadLabel, match="5001 characters"):
        note("x" * 5001, OPTIONAL)


def test_sides_alternate_with_the_place_and_differ_between_items():
    assert all(side(item, place) != side(item, place + 1) for item in (1, 2**31, 2**40) for place in range(5))
    first = [side(item, 0) for item in range(1, 2001)]
    assert 900 < sum(first) < 1100
    assert sum(a == b for a, b in pairwise(first)) > 500  # not merely even and odd


def test_the_hot_statement_is_short_enough_for_psycopg_to_remember():
    from psycopg import _queries

    assert len(SUBMIT) < _queries.MAX_CACHED_STATEMENT_LENGTH
    assert "--" not in SUBMIT
