"""`manage.py analyze`: figures from files, faults to standard error, exit status 2, never a traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).resolve().parents[2]


def lines(path: Path, *rows: object) -> str:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return str(path)


def judgment(item, rater, verdict, kind="human", **fields):
    return {"item": item, "rater": rater, "kind": kind, "verdict": verdict, **fields}


@pytest.fixture
def humans(tmp_path):
    return lines(
        tmp_path / "humans.jsonl",
        *(judgment(f"i{i}", rater, "A" if i % (2 + k) else "B") for k, rater in enumerate("xyz") for i in range(40)),
    )


@pytest.fixture
def judges(tmp_path):
    return lines(
        tmp_path / "judges.jsonl",
        *(judgment(f"i{i}", "j", "A", "judge", order=order) for i in range(40) for order in ("AB", "BA")),
    )


def analyze(*arguments):
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("analyze", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), f"{err.getvalue()}{error}"
    return 0, out.getvalue(), err.getvalue()


def test_a_table_for_people(humans, judges):
    status, out, err = analyze(humans, judges)

    assert (status, err) == (0, "")
    assert "40 items, 3 humans, 1 judge, 200 judgments" in out
    assert "Fleiss’ κ" in out
    assert "Same verdict in both orders" in out
    assert "winning rate" in out.lower()
    assert max(map(len, out.splitlines())) < 160


def test_json_for_programs(humans, judges):
    status, out, _ = analyze(humans, judges, "--json")
    report = json.loads(out)

    assert status == 0
    stat = report["criteria"]["overall"]["judges"]["j"]["swap"]["consistency"]
    assert stat["estimate"] == 1
    assert stat["ci"][0] == pytest.approx(0.912, abs=1e-3)  # Wilson, 40 of 40
    assert report["criteria"]["overall"]["judges"]["j"]["alt_test"]["epsilon"] == 0.2


def test_standard_input_and_epsilon(humans, judges, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path(judges).read_bytes())))
    status, out, _ = analyze(humans, "-", "--epsilon", "0.1", "--json")

    assert status == 0
    assert json.loads(out)["criteria"]["overall"]["judges"]["j"]["alt_test"]["epsilon"] == 0.1


def test_items_rubric_and_scale(tmp_path, humans):
    responses = [{"system": s, "text": "x"} for s in "ab"]
    items = lines(
        tmp_path / "items.jsonl",
        *({"id": f"i{i}", "instruction": f"do {i // 4}", "responses": responses} for i in range(40)),
    )
    rubric = tmp_path / "rubric.yaml"
    rubric.write_text("name: T\ncriteria:\n  - {id: overall, kind: pair, question: Which?}\n")
    status, out, _ = analyze(humans, "--items", items, "--rubric", str(rubric), "--json")
    assert status == 0
    assert json.loads(out)["groups"] == 10

    scored = lines(
        tmp_path / "s.jsonl", *({"item": i, "rater": r, "kind": "human", "score": 8} for i in "ab" for r in "xy")
    )
    assert analyze(scored)[0] == 2
    assert "is off the scale 1-5" in analyze(scored)[2]
    assert analyze(scored, "--scale", "1-10")[0] == 0


def test_every_bad_line_of_every_file_is_told(tmp_path, humans):
    bad = lines(
        tmp_path / "bad.jsonl",
        judgment("i1", "w", "C"),
        "{not json",
        judgment("i2", "w", "A"),
        judgment("i2", "w", "A"),
        {"item": "i3", "rater": "w", "verdict": "A"},
    )
    more = lines(tmp_path / "more.jsonl", judgment("i1", "x", "A", "judge"), judgment("i1", "x", "A"))
    status, out, err = analyze(humans, bad, more)

    assert (status, out) == (2, "")
    for line in (1, 2, 4, 5):
        assert f"bad.jsonl: Line {line}" in err
    assert "more.jsonl: Line 1, kind" in err
    assert "Nothing was computed" in err


def test_the_same_judgment_in_two_files(tmp_path, humans):
    again = lines(tmp_path / "again.jsonl", judgment("i1", "x", "A"))
    status, _, err = analyze(humans, again)

    assert status == 2
    assert "again.jsonl: Line 1, item: this judgment is there twice" in err


def test_faults_that_only_follow_from_other_faults_are_not_told(tmp_path, humans):
    items = lines(tmp_path / "items.jsonl", "{}")
    rubric = tmp_path / "rubric.yaml"
    rubric.write_text("name: T\ncriteria:\n  - {id: overall, kind: pear, question: Which?}\n")
    status, _, err = analyze(humans, "--items", items, "--rubric", str(rubric))

    assert status == 2
    assert "rubric.yaml: Line 3, criteria[0].kind" in err
    assert "pair" in err
    assert "items.jsonl: Line 1" in err
    assert "humans.jsonl" not in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.jsonl"], "missing.jsonl: No such file or directory"),
        (["."], "Is a directory"),
        (["-", "-"], "can be read once only"),
        (["x", "--scale", "5-1"], "is not a scale; write it as 1-5"),
        (["x", "--scale", "0-500"], "at most"),
        (["x", "--epsilon", "two"], "is not a number from 0 to 1"),
        (["x", "--epsilon", "nan"], "is not a number from 0 to 1"),
        (["x", "--scale", "1-5", "--rubric", "r.yaml"], "leave out --scale or --rubric"),
    ],
)
def test_bad_usage(arguments, said):
    status, out, err = analyze(*arguments)

    assert (status != 0, out) == (True, "")
    assert said in err


def test_an_empty_file(tmp_path):
    status, _, err = analyze(lines(tmp_path / "empty.jsonl"))

    assert status == 2
    assert "empty.jsonl" in err


def test_the_command_needs_no_database_and_shows_no_traceback(tmp_path, humans):
    environment = {
        **os.environ,
        "DATABASE_URL": "postgresql://nobody:nothing@localhost:1/none",
        "REDIS_URL": "redis://localhost:1",
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)

    def run(*arguments):
        command = [sys.executable, "manage.py", "analyze", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)

    good = run(humans, "--json")
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["items"] == 40
    bad = run(str(tmp_path / "none.jsonl"))
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "Traceback" not in bad.stderr
