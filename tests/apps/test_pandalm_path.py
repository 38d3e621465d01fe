"""The whole path on real input: PandaLM's human test set, 999 pairs with three annotators (Wang et al. 2023).

Imported by the product, judged by two baselines on real Celery workers, read from the dashboard, exported and read
again by `analyze`. The figures are those that PandaLM publishes and that other packages recompute from the same file.
"""

from __future__ import annotations

import csv
import io
import json
import time

import pytest
from django.core.management import call_command
from django.urls import reverse

from apps.exports import services as exports
from apps.exports.options import JudgmentOptions
from apps.imports import services as imports
from apps.judging import tasks
from apps.judging.models import JudgeRun
from apps.judging.services import judges, runs
from apps.judgments.models import Judgment
from apps.projects.models import Role
from apps.rubrics import services as rubrics
from tests.factories import make_member, make_project

RUBRIC = """
name: PandaLM
criteria:
  - id: overall
    kind: pair
    question: Which response follows the instruction better?
"""
VERDICTS = {0: "tie", 1: "A", 2: "B"}
KAPPAS = {
    ("annotator1", "annotator2"): 0.8520,
    ("annotator1", "annotator3"): 0.8789,
    ("annotator2", "annotator3"): 0.8617,
}
FLEISS = 0.8642
MAJORITY = {"A": 422, "tie": 105, "B": 472}


@pytest.fixture
def lines(reference_data):
    """The test set as the lines that Jurybox imports: items and judgments."""
    rows = json.loads((reference_data / "pandalm_testset" / "testset-v1.json").read_text())
    items, judgments = [], []
    for row in rows:
        systems = row["cmp_key"].split("_")
        items.append(
            {
                "id": str(row["idx"]),
                "instruction": row["instruction"],
                "context": row["input"],
                "responses": [
                    # Six responses of the file are JSON `true`: a model answered "True" and its author's tool read it.
                    {"system": system, "text": text if isinstance(text, str) else str(text)}
                    for system, text in zip(systems, (row["response1"], row["response2"]), strict=True)
                ],
            }
        )
        judgments += [
            {"item": str(row["idx"]), "rater": name, "kind": "human", "verdict": VERDICTS[row[name]]}
            for name in ("annotator1", "annotator2", "annotator3")
        ]
    return items, judgments


def as_stream(lines) -> io.BytesIO:
    return io.BytesIO("".join(json.dumps(line) + "\n" for line in lines).encode())


def wait_for(runs_started, *, patience=120):
    give_up = time.monotonic() + patience
    pks = [run.pk for run in runs_started]
    while JudgeRun.objects.filter(pk__in=pks).exclude(status=JudgeRun.Status.DONE).exists():
        assert time.monotonic() < give_up, list(JudgeRun.objects.filter(pk__in=pks).values_list("status", "message"))
        time.sleep(0.1)


@pytest.mark.slow
def test_the_published_figures_on_the_page_and_in_analyze(client, lines, spawn_worker, tmp_path):
    items, judgments = lines
    project = make_project()
    lead = make_member(project, Role.LEAD)

    dataset, outcome = imports.import_items(project=project, dataset_name="PandaLM", stream=as_stream(items))
    assert dataset is not None
    assert (outcome.stored, outcome.problems.bad) == (999, 0)
    draft = rubrics.create_rubric(project=project, source=RUBRIC, source_name="pandalm.yaml")
    version = rubrics.publish(version=draft)
    outcome = imports.import_judgments(dataset=dataset, version=version, stream=as_stream(judgments))
    assert (outcome.stored, outcome.problems.bad) == (2997, 0)

    spawn_worker(concurrency=2)
    started = []
    seeded: dict[str, object] = {"seed": 1}
    for model, params in (("length", {}), ("random", seeded)):
        judge = judges.create_judge(project=project, name=model, engine="baseline", model=model, params=params, by=lead)
        started.append(runs.start_run(judge=judge, dataset=dataset, rubric_version=version, by=lead))
        tasks.enqueue(started[-1])
    wait_for(started)
    assert Judgment.objects.filter(rater__judge__isnull=False).count() == 2 * 2 * 999

    # The dashboard
    client.force_login(lead)
    address = reverse("analytics:agreement", args=[project.slug])
    response = client.get(address)
    page, text = response.context["page"], response.content.decode()
    assert {who.name for who in page.shown if who.is_baseline} == {"length", "random"}
    for pair, kappa in KAPPAS.items():
        (row,) = [each for each in page.pairs if {each.a.name, each.b.name} == set(pair)]
        assert (row.n, row.kappa["estimate"]) == (999, pytest.approx(kappa, abs=5e-5))
        cell = f"{pair[1]} with {pair[0]}: kappa {kappa:.2f}, 999 items"
        assert f'aria-label="{cell}"' in text
    shown = {row.name: row for row in page.coefficients.rows}
    assert shown["fleiss_kappa"].stat["estimate"] == pytest.approx(FLEISS, abs=5e-5)
    assert f'<span class="strong">{FLEISS:.2f}</span>' in text
    assert "Most people say A on 422 items, tie on 105, B on 472." in text
    assert {judge.who.name for judge in page.judges} == {"length", "random"}
    (swap,) = [each for each in page.compared if each.name == "consistency"]
    assert {row.label: row.stat["estimate"] for row in swap.table.rows}["length"] == 1.0
    rows = list(
        csv.DictReader(io.StringIO(client.get(reverse("analytics:pairs_csv", args=[project.slug])).content.decode()))
    )
    assert len(rows) == 10

    # The same out of the export
    export = exports.create_export(
        project=project, dataset=dataset, rubric_version=version, options=JudgmentOptions(), by=lead
    )
    exported = tmp_path / "judgments.jsonl"
    exported.write_bytes(b"".join(exports.write(export)))
    (tmp_path / "items.jsonl").write_bytes(as_stream(items).getvalue())
    (tmp_path / "rubric.yaml").write_text(RUBRIC)
    printed = io.StringIO()
    call_command(
        "analyze",
        str(exported),
        items=str(tmp_path / "items.jsonl"),
        rubric=str(tmp_path / "rubric.yaml"),
        json=True,
        stdout=printed,
    )
    report = json.loads(printed.getvalue())
    criterion = report["criteria"]["overall"]
    kappas = {(pair["a"], pair["b"]): pair["cohen_kappa"]["estimate"] for pair in criterion["pairs"]}
    for pair, kappa in KAPPAS.items():
        assert kappas[pair] == pytest.approx(kappa, abs=5e-5)
    assert criterion["agreement"]["humans"]["fleiss_kappa"]["estimate"] == pytest.approx(FLEISS, abs=5e-5)
    assert criterion["majority"] == {"labels": MAJORITY, "undecided": 0}
    assert report["items"] == 999
    assert {name: rater["judgments"] for name, rater in report["raters"].items()} == {
        **dict.fromkeys(("annotator1", "annotator2", "annotator3"), 999),
        **dict.fromkeys(("length", "random"), 1998),
    }
    # One computation: files and database give the same figures, their intervals too.
    assert criterion["agreement"]["humans"]["fleiss_kappa"] == shown["fleiss_kappa"].stat
    assert criterion["judges"]["length"]["swap"]["consistency"]["estimate"] == 1.0
