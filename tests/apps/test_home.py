from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts import keys
from apps.accounts.models import User
from apps.accounts.services import create_user
from apps.annotation.models import RoundMember
from apps.annotation.services import create_round, join
from apps.home import selectors
from apps.judging.services.judges import create_judge
from apps.judging.services.runs import start_run
from apps.projects.models import Membership, Project, Role
from tests.factories import make_dataset, make_member, make_pair_rubric, make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make_project("Support answers")


@pytest.fixture
def lead(project) -> User:
    return make_member(project, Role.LEAD)


def page(client: Client, name: str, *args: object) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def open_round(project: Project, *, pairs: int = 4):
    return create_round(
        project=project,
        dataset=make_dataset(project, pairs=pairs),
        rubric_version=make_pair_rubric(project),
        name="Spring",
        by=None,
        overlap=2,
    )


# --- the start page ---------------------------------------------------------------------------------------------------


def test_start_of_someone_without_a_project_says_what_to_do(client):
    client.force_login(make_user())
    assert "invitation link" in page(client, "home:start")
    client.force_login(make_user(is_superuser=True))
    assert reverse("home:new") in page(client, "home:start")


def test_who_only_labels_in_one_project_goes_there(client, project):
    client.force_login(make_member(project))
    assert client.get("/")["Location"] == reverse("home:project", args=[project.slug])


def test_leads_see_progress_and_annotators_do_not(client, project, lead):
    round_ = open_round(project)
    annotator = make_member(project)
    make_member(make_project("Second"), user=annotator)
    join(round=round_, user=lead)
    RoundMember.objects.update(done=3)
    client.force_login(lead)
    assert "3 of 8" in page(client, "home:start")
    client.force_login(annotator)
    assert "of 8" not in page(client, "home:start")


# --- making a project -------------------------------------------------------------------------------------------------


def test_admins_make_projects_and_others_do_not(client, project, lead):
    form = {"name": "客服", "language": "zh-hans", "slug": ""}
    client.force_login(lead)
    assert client.get(reverse("home:new")).status_code == 403
    assert client.post(reverse("home:new"), form).status_code == 403
    client.force_login(make_member(project, Role.ADMIN))
    answer = client.post(reverse("home:new"), form)
    made = Project.objects.get(name="客服")
    assert answer["Location"] == reverse("home:project", args=[made.slug])
    assert (made.language, Membership.objects.get(project=made).role) == ("zh-hans", Role.ADMIN)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"slug": "taken"}, "Another project has this name"),
        ({"slug": "-a-"}, "Only lowercase letters"),
        ({"slug": "with space"}, "valid"),
        ({"name": ""}, "required"),
        ({"language": "xx"}, "not one of the available"),
        ({"name": "bell\x07"}, "control character"),
    ],
)
def test_a_bad_project_is_explained(client, fields, says):
    Project.objects.create(name="Taken", slug="taken")
    client.force_login(make_user(is_superuser=True))
    answer = client.post(reverse("home:new"), {"name": "New", "language": "en", "slug": "", **fields})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert Project.objects.count() == 1


# --- the overview -----------------------------------------------------------------------------------------------------


def steps_of(project: Project) -> dict[str, tuple[str, bool]]:
    return {step.title: (step.state, step.now) for step in selectors.overview(project).steps}


def test_next_steps_follow_the_state_of_the_project(client, project, lead):
    client.force_login(lead)
    assert [step.title for step in selectors.overview(project).steps if step.now] == ["Rubric"]
    assert page(client, "home:project", project.slug).count("btn primary") == 1

    make_pair_rubric(project)
    assert steps_of(project)["Rubric"] == ("done", False)
    assert steps_of(project)["Items"] == ("todo", True)

    dataset = make_dataset(project, pairs=4)
    assert steps_of(project)["Items"] == ("done", False)
    assert steps_of(project)["People"] == ("todo", True)

    annotator = make_member(project)
    assert steps_of(project)["Round"] == ("todo", True)

    version = project.rubrics.get().versions.get()
    round_ = create_round(project=project, dataset=dataset, rubric_version=version, name="Spring", by=lead, overlap=1)
    assert steps_of(project)["Labels"] == ("todo", True)
    join(round=round_, user=annotator)
    RoundMember.objects.update(done=2)
    assert steps_of(project)["Labels"] == ("doing", True)
    RoundMember.objects.update(done=4)
    assert steps_of(project)["Labels"] == ("done", False)
    assert steps_of(project)["Judge run"] == ("todo", True)

    judge = create_judge(project=project, name="longer", engine="baseline", model="length", params={}, by=lead)
    start_run(judge=judge, dataset=dataset, rubric_version=version, by=lead)
    assert steps_of(project)["Judge run"] == ("doing", True)
    text = page(client, "home:project", project.slug)
    assert "4 <small>of 4</small>" in text
    assert "Run 1 of longer started" in text


def test_the_overview_of_an_annotator_shows_nothing_about_others(client, project, lead):
    round_ = open_round(project)
    annotator = make_member(project)
    for user in (lead, annotator):
        join(round=round_, user=user)
    RoundMember.objects.filter(user=lead).update(done=77)
    RoundMember.objects.filter(user=annotator).update(done=5)
    client.force_login(annotator)
    text = page(client, "home:project", project.slug)
    assert reverse("annotation:next", args=[project.slug]) in text
    assert ">5<" in text
    assert ">77<" not in text
    for name in ("home:team", "home:settings", "judging:runs", "rubrics:index", "exports:index"):
        assert f'href="{reverse(name, args=[project.slug])}"' not in text


def test_a_closed_project_says_so_to_annotators(client, project):
    open_round(project)
    annotator = make_member(project)
    client.force_login(annotator)
    Project.objects.update(archived_at=timezone.now())
    text = page(client, "home:project", project.slug)
    assert "archived" in text
    assert "btn primary" not in text


def test_strangers_find_no_project(client, project):
    url = reverse("home:project", args=[project.slug])
    assert client.get(url)["Location"].startswith("/sign-in/")
    client.force_login(make_user())
    assert client.get(url).status_code == 404


def test_the_overview_costs_few_queries(client, project, lead, django_assert_max_num_queries):
    open_round(project)
    client.force_login(lead)
    page(client, "home:project", project.slug)
    with django_assert_max_num_queries(40):
        page(client, "home:project", project.slug)


def test_the_navigation_counts_in_one_query(project, lead, django_assert_num_queries):
    open_round(project)
    with django_assert_num_queries(1):
        counts = selectors.nav_counts(project)
    assert (counts.items, counts.version, counts.rounds, counts.members, counts.judges) == (4, 1, 1, 1, 0)


def test_what_people_wrote_is_shown_as_text(client, project, lead):
    Project.objects.update(name="<script>alert(1)</script>", description="<img src=x onerror=alert(2)>")
    client.force_login(lead)
    text = page(client, "home:project", project.slug)
    assert "<script>alert" not in text
    assert "<img" not in text


# --- the project's settings -------------------------------------------------------------------------------------------


def settings_form(**fields: object) -> dict[str, object]:
    return {
        "name": "Support",
        "description": "",
        "language": "en",
        "overlap": 3,
        "rationale": "optional",
        "starts_on": "",
        "ends_on": "",
        "show_context": "on",
        "one_key_submit": "on",
        **fields,
    }


def test_settings_are_saved_and_the_slug_stays(client, project, lead):
    client.force_login(lead)
    url = reverse("home:settings", args=[project.slug])
    answer = client.post(
        url, settings_form(name="客服", overlap=5, starts_on="2026-05-01", blind_leads="on", slug="other")
    )
    assert answer["Location"] == url
    saved = Project.objects.get(pk=project.pk)
    assert (saved.name, saved.overlap, saved.blind_leads, saved.show_context) == ("客服", 5, True, True)
    assert (str(saved.starts_on), saved.slug) == ("2026-05-01", project.slug)
    assert 'value="2026-05-01"' in page(client, "home:settings", project.slug)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"overlap": 0}, "At least one person"),
        ({"overlap": 51}, "At most 50"),
        ({"overlap": "many"}, "whole number"),
        ({"starts_on": "2026-05-02", "ends_on": "2026-05-01"}, "before the first"),
        ({"rationale": "always"}, "not one of the available"),
        ({"name": "a\nb"}, "control character"),
    ],
)
def test_bad_settings_are_explained_and_nothing_is_saved(client, project, lead, fields, says):
    client.force_login(lead)
    answer = client.post(reverse("home:settings", args=[project.slug]), settings_form(**fields))
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert Project.objects.get(pk=project.pk).name == "Support answers"


# --- one's own settings -----------------------------------------------------------------------------------------------


def account_form(**fields: str) -> dict[str, str]:
    return {"display_name": "Anna B.", "language": "zh-hans", "theme": "dark", "time_zone": "Asia/Shanghai", **fields}


def test_own_settings_are_saved(client):
    anna = create_user(username="anna")
    client.force_login(anna)
    client.post(reverse("home:account"), account_form(time_zone="asia/shanghai"))
    anna.refresh_from_db()
    assert (anna.display_name, anna.language, anna.theme) == ("Anna B.", "zh-hans", "dark")
    assert anna.time_zone == "Asia/Shanghai"
    text = page(client, "home:account")
    assert 'lang="zh-CN"' in text
    assert 'data-theme="dark"' in text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"time_zone": "Berlin"}, "Did you mean Europe/Berlin?"),
        ({"time_zone": "Mars"}, "There is no time zone"),
        ({"time_zone": "../etc/passwd"}, "There is no time zone"),
        ({"language": "tlh"}, "not one of the available"),
        ({"display_name": "a\u2028b"}, "control character"),
    ],
)
def test_bad_own_settings_are_explained(client, fields, says):
    anna = create_user(username="anna")
    client.force_login(anna)
    answer = client.post(reverse("home:account"), account_form(**fields))
    assert answer.status_code == 422
    assert says in answer.content.decode()
    anna.refresh_from_db()
    assert anna.display_name == ""


def test_the_theme_switch(client):
    anna = create_user(username="anna")
    url = reverse("home:theme")
    assert client.post(url, {"theme": "dark"}).status_code == 302  # not signed in
    client.force_login(anna)
    assert client.post(url, {"theme": "dark"}).status_code == 204
    assert User.objects.get().theme == "dark"
    assert client.post(url, {"theme": "pink"}).status_code == 422
    assert client.post(url, {"theme": "light", "next": "/account/"})["Location"] == "/account/"
    for elsewhere in ("//evil.example/", "/\\evil.example", "https://evil.example/"):
        assert client.post(url, {"theme": "light", "next": elsewhere}).status_code == 204


# --- keys -------------------------------------------------------------------------------------------------------------


def test_own_keys_are_kept_where_they_differ_and_can_be_given_back(client):
    anna = create_user(username="anna")
    client.force_login(anna)
    url = reverse("home:keys")
    client.post(url, {"undo": "KeyZ", "skip": "KeyS", "back": "Backspace"})
    anna.refresh_from_db()
    assert anna.keys == {"undo": "KeyZ", "back": "Backspace"}
    assert 'value="Z"' in page(client, "home:keys")
    client.post(url, {"reset": "1"})
    anna.refresh_from_db()
    assert anna.keys == {}


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"undo": "KeyS"}, "“Skip” has this key"),
        ({"undo": "KeyZ", "flag": "KeyZ"}, "has this key"),
        ({"undo": "Tab"}, "cannot be used"),
        ({"undo": "<b>"}, "cannot be used"),
        ({"skip": "Digit4"}, "Digits choose a score"),
        ({"skip": "Shift+Digit1"}, "much better"),
        ({"left": "KeyJ", "skip": "Shift+KeyJ"}, "much better"),
    ],
)
def test_keys_that_clash_are_explained(client, wanted, says):
    anna = create_user(username="anna")
    client.force_login(anna)
    answer = client.post(reverse("home:keys"), wanted)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    anna.refresh_from_db()
    assert anna.keys == {}


def test_a_key_that_was_freed_can_be_taken(client):
    anna = create_user(username="anna")
    client.force_login(anna)
    assert client.post(reverse("home:keys"), {"skip": "KeyQ", "undo": "KeyS"}).status_code == 302
    anna.refresh_from_db()
    assert anna.keys == {"skip": "KeyQ", "undo": "KeyS"}


def test_keys_are_shown_as_on_a_keyboard_and_read_back():
    for code, text in keys.every_key().items():
        assert keys.code_of(text) == code
    assert [keys.code_of(text) for text in ("q", "KeyQ", "⇧ q", "nonsense")] == [
        "KeyQ",
        "KeyQ",
        "Shift+KeyQ",
        "nonsense",
    ]
