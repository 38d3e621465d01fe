"""What leaves: raw judgments that come back unchanged, and preferences that TRL takes."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest

from apps.exports import services
from apps.exports.formats.trl_preferences import decide
from apps.exports.models import Export
from apps.exports.options import JudgmentOptions, PreferenceOptions
from apps.imports.services import import_judgments
from apps.judgments.models import Judgment
from apps.projects.models import Project
from apps.rubrics.models import RubricVersion
from tests.factories import make_dataset, make_pair_rubric, make_project, make_score_rubric

pytestmark = pytest.mark.django_db


def read(export: Export) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(services.write(export)).splitlines()]


def judged(rows: list[dict[str, object]], *, pairs: int = 4) -> tuple[Project, Export]:
    project = make_project()
    dataset = make_dataset(project, pairs=pairs)
    version = make_pair_rubric(project, strength=True, both_bad=True)
    stream = io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    outcome = import_judgments(dataset=dataset, version=version, stream=stream)
    assert outcome.problems.told == []
    options = JudgmentOptions()
    return project, services.create_export(project=project, dataset=dataset, rubric_version=version, options=options)


def vote(item: int, rater: str, verdict: str | None, **fields: object) -> dict[str, object]:
    return {"item": f"pair-{item}", "rater": rater, "kind": "human", "verdict": verdict, **fields}


ROWS: list[dict[str, object]] = [
    vote(0, "ann", "A", order="BA", strength="much", seconds=3.5, rationale="好", at="2026-01-02T03:04:05Z"),
    vote(1, "ann", "tie", both_bad=True, mark="gold"),
    vote(2, "ann", "B", sample=1, confidence=0.5),
    vote(3, "judge", None, kind="judge", status="unparsed"),
]


def test_raw_judgments_come_back_as_they_went_in() -> None:
    _, export = judged(ROWS)
    out = read(export)
    again, second = judged(out)
    assert again.pk != export.project_id
    back = read(second)
    keep = set(out[0]) - {"at"}
    assert [{k: v for k, v in row.items() if k != "at"} for row in out] == [
        {k: v for k, v in row.items() if k != "at"} for row in back
    ]
    assert keep >= {"item", "rater", "kind", "criterion", "order", "verdict", "strength", "seconds", "rationale"}
    assert out[0]["at"] == "2026-01-02T03:04:05+00:00"
    assert out[3] == {**out[3], "status": "unparsed", "verdict": None, "kind": "judge"}


def test_only_the_latest_revision_leaves_unless_all_are_asked_for() -> None:
    project, export = judged([vote(0, "ann", "A"), vote(0, "ann", "B", revision=1), vote(0, "bo", "A")])
    assert [(row["rater"], row["verdict"]) for row in read(export)] == [("ann", "B"), ("bo", "A")]
    every = services.create_export(
        project=project,
        dataset=export.dataset,
        rubric_version=export.rubric_version,
        options=JudgmentOptions(revisions=True),
    )
    assert len(read(every)) == 3


def test_options_leave_out_judges_and_marked_ones() -> None:
    project, export = judged(ROWS)
    options = JudgmentOptions(raters="humans", marked=False)
    some = services.create_export(
        project=project, dataset=export.dataset, rubric_version=export.rubric_version, options=options
    )
    assert [row["item"] for row in read(some)] == ["pair-0", "pair-2"]


def test_the_manifest_describes_the_file_and_later_judgments_do_not_change_it() -> None:
    _, export = judged(ROWS)
    data = b"".join(services.write(export))
    row = {**vote(3, "late", "A"), "at": "2026-01-02T03:04:05Z"}
    stream = io.BytesIO(json.dumps(row).encode())
    import_judgments(dataset=export.dataset, version=export.rubric_version, stream=stream)
    assert b"".join(services.write(export)) == data
    export.refresh_from_db()
    manifest = services.manifest(export)
    assert manifest["sha256"] == hashlib.sha256(data).hexdigest()
    assert (manifest["rows"], manifest["bytes"]) == (4, len(data))
    assert manifest["counts"] == {"human": 3, "judge": 1, "marked": 1, "not read as a verdict": 1}


def test_the_manifest_of_a_file_nobody_has_read_is_the_same() -> None:
    _, export = judged(ROWS)
    digest = services.manifest(export)["sha256"]
    assert hashlib.sha256(b"".join(services.write(export))).hexdigest() == digest


def preferences(export: Export, **options: Any) -> Export:
    return services.create_export(
        project=export.project,
        dataset=export.dataset,
        rubric_version=export.rubric_version,
        options=PreferenceOptions(**options),
    )


def test_preferences_follow_the_majority_and_count_what_they_drop() -> None:
    _, export = judged(
        [
            *(vote(0, rater, "A") for rater in ("ann", "bo", "cy")),
            *(vote(1, rater, verdict) for rater, verdict in (("ann", "B"), ("bo", "B"), ("cy", "tie"))),
            *(vote(2, rater, "tie") for rater in ("ann", "bo")),
            *(vote(3, rater, verdict) for rater, verdict in (("ann", "A"), ("bo", "B"))),
            vote(3, "judge", "B", kind="judge"),
            vote(0, "gold", "B", mark="gold"),
        ]
    )
    chosen = preferences(export)
    assert read(chosen) == [
        {"prompt": "Question 0?", "chosen": "Answer 0 to 0.", "rejected": "Answer 1 to 0."},
        {"prompt": "Question 1?", "chosen": "Answer 1 to 1.", "rejected": "Answer 0 to 1."},
    ]
    chosen.refresh_from_db()
    assert chosen.counts == {"pairs with labels": 4, "kept": 2, "tie": 1, "even votes": 1}
    strict = preferences(export, min_agreement=0.9, extras=True)
    assert [(row["item"], row["agreement"]) for row in read(strict)] == [("pair-0", 1.0)]


def test_an_adjudicated_verdict_stands_before_the_majority() -> None:
    _, export = judged([vote(0, "ann", "A"), vote(0, "bo", "A"), vote(0, "lead", "B", mark="adjudicated")])
    assert read(preferences(export))[0]["chosen"] == "Answer 1 to 0."
    assert len(read(preferences(export, source="adjudicated"))) == 1


def test_an_edit_counts_once() -> None:
    _, export = judged([vote(0, "ann", "A"), vote(0, "ann", "B", revision=1)])
    assert read(preferences(export))[0]["chosen"] == "Answer 1 to 0."


def test_the_conversational_form_has_lists_everywhere() -> None:
    _, export = judged([vote(0, "ann", "A")])
    assert read(preferences(export, form="conversational")) == [
        {
            "prompt": [{"role": "user", "content": "Question 0?"}],
            "chosen": [{"role": "assistant", "content": "Answer 0 to 0."}],
            "rejected": [{"role": "assistant", "content": "Answer 1 to 0."}],
        }
    ]


@pytest.mark.parametrize(
    ("votes", "options", "winner", "reason"),
    [
        ((2, 0, 1, None), {}, "A", ""),
        ((1, 0, 1, None), {}, None, "even votes"),
        ((0, 2, 1, None), {}, None, "tie"),
        ((1, 1, 1, None), {}, None, "even votes"),
        ((1, 0, 0, None), {"min_raters": 2}, None, "too few people"),
        ((2, 1, 0, None), {"min_agreement": 0.8}, None, "too little agreement"),
        ((3, 0, 0, 2), {}, "B", ""),
        ((3, 0, 0, 1), {}, None, "tie"),
        ((3, 0, 0, None), {"source": "adjudicated"}, None, "not adjudicated"),
        ((2, 2, 1, None), {}, None, "even votes"),
    ],
)
def test_who_won(votes: tuple[int, int, int, int | None], options: dict[str, Any], winner: str | None, reason: str):
    decided = decide(*votes, PreferenceOptions(**options))
    assert (decided[0], decided[2]) == (winner, reason)


def test_scores_are_whole_numbers_again() -> None:
    project = make_project()
    dataset = make_dataset(project, singles=1)
    version: RubricVersion = make_score_rubric(project)
    row = {"item": "single-0", "rater": "ann", "kind": "human", "score": 4}
    import_judgments(dataset=dataset, version=version, stream=io.BytesIO(json.dumps(row).encode()))
    assert Judgment.objects.get().score == 4
    export = services.create_export(project=project, dataset=dataset, rubric_version=version, options=JudgmentOptions())
    assert read(export)[0]["score"] == 4
