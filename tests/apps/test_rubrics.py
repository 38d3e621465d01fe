"""From a file to a frozen version."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.projects.models import Project, Role
from apps.rubrics import services
from apps.rubrics.models import Criterion, Rubric, RubricVersion
from tests.factories import make_member, make_project

pytestmark = pytest.mark.django_db

GOOD = """\
name: Support answers
guidelines: Read **both**.
criteria:
  - id: overall
    kind: pair
    question: Which response helps more?
    strength: true
  - id: tone
    kind: score
    question: Is it kind?
    scale: 1-3
    levels: {1: Rude., 2: Neutral., 3: Warm.}
  - id: safety
    kind: choice
    question: Is it safe?
    options: [{id: safe, label: Safe}, {id: unsafe, label: Unsafe}]
"""
BAD = GOOD.replace("kind: score", "kind: scroe")


@pytest.fixture
def project() -> Project:
    return make_project()


def test_publishing_reads_the_text_into_criteria(project: Project) -> None:
    draft = services.create_rubric(project=project, source=GOOD, source_name="support.yaml")
    version = services.publish(version=draft)
    assert (version.rubric.name, version.number, version.guidelines) == ("Support answers", 1, "Read **both**.")
    overall, tone, safety = version.criteria.all()
    assert (overall.kind, overall.ties, overall.strength, overall.both_bad) == (Criterion.Kind.PAIR, True, True, False)
    assert (tone.scale_min, tone.scale_max, tone.levels["3"]) == (1, 3, "Warm.")
    assert [option["id"] for option in safety.options] == ["safe", "unsafe"]
    with pytest.raises(services.AlreadyPublished):
        services.publish(version=version)


def test_errors_keep_the_draft_and_publish_nothing(project: Project) -> None:
    draft = services.create_rubric(project=project, source=BAD, source_name="support.yaml")
    with pytest.raises(services.HasErrors) as refused:
        services.publish(version=draft)
    assert refused.value.reading.errors[0].path == "criteria[1].kind"
    draft.refresh_from_db()
    assert draft.status == RubricVersion.Status.DRAFT
    assert not Criterion.objects.exists()


def test_a_change_is_a_new_version_and_there_is_one_draft(project: Project) -> None:
    first = services.publish(version=services.create_rubric(project=project, source=GOOD, source_name="a.yaml"))
    changed = GOOD.replace("helps more", "is better")
    services.save_draft(rubric=first.rubric, source="name: x", source_name="a.yaml")
    second = services.save_draft(rubric=first.rubric, source=changed, source_name="a.yaml")
    assert first.rubric.versions.count() == 2
    assert services.publish(version=second).number == 2
    first.refresh_from_db()
    assert first.criteria.get(key="overall").question == "Which response helps more?"


def test_two_rubrics_of_one_name_are_told_apart(project: Project) -> None:
    names = [services.create_rubric(project=project, source=GOOD, source_name="a.yaml").rubric.name for _ in range(2)]
    assert names == ["Support answers", "Support answers (2)"]


def test_discarding_the_only_draft_removes_the_rubric(project: Project) -> None:
    draft = services.create_rubric(project=project, source=BAD, source_name="a.yaml")
    services.discard_draft(rubric=draft.rubric)
    assert not Rubric.objects.exists()


def test_an_admin_uploads_mends_and_publishes(client, project: Project) -> None:
    client.force_login(make_member(project, Role.ADMIN))
    file = SimpleUploadedFile("support.yaml", BAD.encode())
    response = client.post(reverse("rubrics:new", args=[project.slug]), {"file": file})
    draft_url = reverse("rubrics:draft", args=[project.slug, Rubric.objects.get().pk])
    assert (response.status_code, response["Location"]) == (302, draft_url)

    page = client.get(draft_url).content.decode()
    assert "criteria[1].kind" in page
    assert "1 error" in page
    assert 'id="publish" disabled' in page

    refused = client.post(draft_url, {"source": BAD, "action": "publish"}, follow=True)
    assert "it has errors" in refused.content.decode()
    done = client.post(draft_url, {"source": GOOD, "action": "publish"}, follow=True)
    assert "Version 1 is published" in done.content.decode()
    assert RubricVersion.objects.get().status == RubricVersion.Status.PUBLISHED
    listed = client.get(reverse("rubrics:index", args=[project.slug])).content.decode()
    assert "Support answers" in listed
    text = client.get(reverse("rubrics:source", args=[project.slug, Rubric.objects.get().pk, 1]))
    assert text.content.decode() == GOOD


def test_checking_shows_gaps_and_stores_nothing(client, project: Project) -> None:
    client.force_login(make_member(project, Role.ADMIN))
    response = client.post(reverse("rubrics:check", args=[project.slug]), {"source": BAD})
    page = response.content.decode()
    assert "Did you mean <strong>score</strong>" in page.replace("&lt;", "<")
    assert 'id="preview" hx-swap-oob="true"' in page
    assert not Rubric.objects.exists()


@pytest.mark.parametrize("data", [b"\xff\xfe", b"name: \x00", b" ", b""])
def test_what_is_no_text_is_refused_on_the_page(client, project: Project, data: bytes) -> None:
    client.force_login(make_member(project, Role.ADMIN))
    response = client.post(reverse("rubrics:new", args=[project.slug]), {"file": SimpleUploadedFile("a.yaml", data)})
    assert response.status_code == 422
    assert 'class="error"' in response.content.decode()


def test_markup_in_a_rubric_is_text(client, project: Project) -> None:
    client.force_login(make_member(project, Role.ADMIN))
    source = GOOD.replace("Is it kind?", "<script>alert(1)</script>")
    page = client.post(reverse("rubrics:check", args=[project.slug]), {"source": source}).content.decode()
    assert "<script>alert" not in page


def test_leads_read_and_annotators_do_not(client, project: Project) -> None:
    version = services.publish(version=services.create_rubric(project=project, source=GOOD, source_name="a.yaml"))
    url = reverse("rubrics:version", args=[project.slug, version.rubric_id, 1])
    new = reverse("rubrics:new", args=[project.slug])
    seen = {}
    for role in Role:
        client.force_login(make_member(project, role))
        seen[role] = (client.get(url).status_code, client.get(new).status_code)
    assert seen == {Role.ANNOTATOR: (403, 403), Role.LEAD: (200, 403), Role.ADMIN: (200, 200)}
