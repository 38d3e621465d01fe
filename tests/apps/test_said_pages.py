"""What libraries say without a language is told in that of whoever reads the page."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import trans_real

from apps.imports import services
from apps.imports.models import Import
from apps.judging.engines import NO_ANSWERS, ONE_RESPONSE, refusal
from apps.judging.views import refused
from apps.projects.models import Project, Role
from tests.factories import make_member, make_project
from workers.engines.registry import load_engine
from workers.judge.requests import CriterionSpec, JudgeRequest

pytestmark = pytest.mark.django_db

WORDS = {
    "has %(count)s responses": "有%(count)s个回答",
    "must be a number, not %(kind)s": "得是数，不是%(kind)s",
    "text": "字",
    "%(message)s.": "%(message)s。",
    "is “%(value)s”": "写的是“%(value)s”",
    "%(options)s or %(last)s": "%(options)s或%(last)s",
    "a list of %(count)s": "共%(count)s项",
    "is not a text": "不是文字",
}


@pytest.fixture
def project() -> Project:
    return make_project()


@pytest.fixture
def reader(client: Client, project: Project, monkeypatch: pytest.MonkeyPatch) -> Client:
    """An admin who reads Chinese, with these words for it."""
    chinese = trans_real.translation("zh-hans")
    known = chinese.gettext
    monkeypatch.setattr(chinese, "gettext", lambda message: WORDS.get(message) or known(message))
    user = make_member(project, Role.ADMIN)
    user.language = "zh-hans"
    user.save(update_fields=["language"])
    client.force_login(user)
    return client


def test_an_import_is_reported_in_the_language_of_its_reader(
    reader: Client, project: Project, settings, tmp_path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    responses = [{"system": "<b>", "text": "x"}] * 3
    row = services.receive(
        project=project,
        kind=Import.Kind.ITEMS,
        file_name="items.jsonl",
        chunks=[json.dumps({"id": "a", "instruction": "Why?", "responses": responses}).encode()],
        dataset_name="Spring",
        by=make_member(project, Role.LEAD),
    )
    services.carry_out(row.pk)
    row.refresh_from_db()
    assert row.problems[0][3] == ["has %(count)s responses", {"count": 3}]

    address = reverse("imports:report", args=[project.slug, row.pk])
    assert "<p>有3个回答。" in reader.get(address).content.decode()
    table = reader.get(reverse("imports:problems", args=[project.slug, row.pk]))
    assert "有3个回答。" in b"".join(table.streaming_content).decode()  # type: ignore[attr-defined]
    reader.force_login(make_member(project, Role.LEAD))
    assert "<p>has 3 responses." in reader.get(address).content.decode()


def test_terms_inside_a_sentence_are_told_and_old_reports_still_show(reader: Client, project: Project) -> None:
    term = ["must be a number, not %(kind)s", {"kind": ["text", {}]}]
    row = Import.objects.create(
        project=project,
        kind=Import.Kind.ITEMS,
        status=Import.Status.REFUSED,
        file_name="f",
        dataset_name="d",
        problems=[[1, "score", "<i>", term, ""], [2, "id", "", "was stored as 100 % English.", "Mend it."]],
    )
    page = reader.get(reverse("imports:report", args=[project.slug, row.pk])).content.decode()
    assert "得是数，不是字。" in page
    assert "&lt;i&gt;" in page
    assert "was stored as 100 % English。" in page


def test_a_rubric_is_checked_in_the_language_of_its_reader(reader: Client, project: Project) -> None:
    source = "criteria:\n  - {id: a, kind: <b>, question: [1, 2]}"
    page = reader.post(reverse("rubrics:check", args=[project.slug]), {"source": source}).content.decode()
    assert "<p>写的是“&lt;b&gt;”。" in page
    assert "<strong>pair, score或choice</strong>" in page
    assert "<p>不是文字。" in page
    assert "共2项" in page


def test_what_a_judge_refuses_is_a_reason_with_words() -> None:
    request = JudgeRequest("a", "single", "Why?", ("x",), CriterionSpec("c", "pair"))
    assert refusal(load_engine("baseline", "length"), request) == ONE_RESPONSE
    assert refusal(load_engine("baseline", "random"), request) == ONE_RESPONSE
    nothing = JudgeRequest("a", "single", "Why?", ("x",), CriterionSpec("c", "choice"))
    assert refusal(load_engine("baseline", "random"), nothing) == NO_ANSWERS
    assert refused(ONE_RESPONSE, 2) == "2 questions: they compare two responses, and their items have one."
    assert refused(NO_ANSWERS, 1) == "1 question: its criterion offers nothing to choose from."
