from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.projects import services
from apps.projects.access import why_closed
from apps.projects.models import Invitation, Membership, Project, Role
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def no_tries():
    cache.clear()


@pytest.fixture
def project() -> Project:
    return make_project("Support answers")


@pytest.fixture
def lead(project) -> User:
    return make_member(project, Role.LEAD)


def invited(project: Project, role: Role = Role.ANNOTATOR) -> str:
    return services.invite(project=project, role=role, by=make_user(), by_role=Role.ADMIN)[1]


def newcomer(**fields: str) -> dict[str, str]:
    return {"username": "nora", "display_name": "", "password": "", "time_zone": "", **fields}


# --- making and settings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slug"), [("Support answers", "support-answers"), ("客服回答", "project"), ("--", "project")]
)
def test_a_slug_is_made_from_the_name_and_stays_unique(name, slug):
    ada = make_user()
    first, second = (services.create_project(name=name, language="en", by=ada) for _ in range(2))
    assert (first.slug, second.slug) == (slug, f"{slug}-2")
    assert Membership.objects.get(project=first, user=ada).role == Role.ADMIN


def test_a_slug_that_was_asked_for_is_not_changed_behind_ones_back(project):
    with pytest.raises(IntegrityError):
        services.create_project(name="Other", language="en", by=make_user(), slug=project.slug)
    assert Project.objects.count() == 1


def test_labelling_is_closed_outside_its_days_and_in_the_archive(project):
    today = date(2026, 5, 4)
    assert why_closed(project, today) == ""
    project.starts_on, project.ends_on = today + timedelta(days=1), today + timedelta(days=2)
    assert "starts" in why_closed(project, today)
    assert why_closed(project, project.ends_on) == ""
    assert "ended" in why_closed(project, today + timedelta(days=3))
    project.archived_at = timezone.now()
    assert "archived" in why_closed(project, project.ends_on)


# --- members ----------------------------------------------------------------------------------------------------------


def membership_of(project: Project, user: User) -> Membership:
    return Membership.objects.get(project=project, user=user)


def test_the_last_admin_stays(project, lead):
    admin = membership_of(project, make_member(project, Role.ADMIN))
    with pytest.raises(services.LastAdmin):
        services.change_role(membership=admin, role=Role.LEAD, by=Role.ADMIN)
    with pytest.raises(services.LastAdmin):
        services.remove_member(membership=admin, by=Role.ADMIN)
    services.change_role(membership=membership_of(project, lead), role=Role.ADMIN, by=Role.ADMIN)
    services.remove_member(membership=admin, by=Role.ADMIN)
    assert membership_of(project, lead).role == Role.ADMIN


def test_leads_make_leads_but_touch_no_admin(project, lead):
    admin = membership_of(project, make_member(project, Role.ADMIN))
    annotator = membership_of(project, make_member(project))
    services.change_role(membership=annotator, role=Role.LEAD, by=Role.LEAD)
    for forbidden in (
        lambda: services.change_role(membership=annotator, role=Role.ADMIN, by=Role.LEAD),
        lambda: services.change_role(membership=admin, role=Role.LEAD, by=Role.LEAD),
        lambda: services.remove_member(membership=admin, by=Role.LEAD),
        lambda: services.invite(project=project, role=Role.ADMIN, by=lead, by_role=Role.LEAD),
    ):
        with pytest.raises(services.NotAllowed):
            forbidden()


# --- invitations ------------------------------------------------------------------------------------------------------


def test_an_invitation_makes_a_user_and_signs_them_in(client, project):
    project.language = "zh-hans"
    project.save()
    path = invited(project, Role.LEAD)
    page = client.get(path)
    assert project.name in page.content.decode()
    assert page["Referrer-Policy"] == "strict-origin"
    assert Invitation.objects.get().accepted_at is None  # looking burns nothing

    answer = client.post(path, newcomer(display_name="Nora N.", password=PASSWORD, time_zone="Asia/Shanghai"))
    assert answer["Location"] == reverse("home:project", args=[project.slug])
    nora = User.objects.get(username="nora")
    assert client.session["_auth_user_id"] == str(nora.pk)
    assert (nora.language, nora.time_zone, nora.check_password(PASSWORD)) == ("zh-hans", "Asia/Shanghai", True)
    assert membership_of(project, nora).role == Role.LEAD
    assert Invitation.objects.get().accepted_by == nora

    other = Client()
    assert (other.get(path).status_code, other.post(path, newcomer(username="eve")).status_code) == (410, 410)
    assert not User.objects.filter(username="eve").exists()


def test_an_account_without_a_password_is_fine_and_a_strange_time_zone_is_utc(client, project):
    client.post(invited(project), newcomer(time_zone="Mars/Olympus"))
    nora = User.objects.get(username="nora")
    assert (nora.has_usable_password(), nora.time_zone) == (False, "UTC")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"username": "TAKEN"}, "This name is taken"),
        ({"username": ""}, "required"),
        ({"username": "no spaces please"}, "letters, numbers"),
        ({"password": "12345"}, "too short"),
        ({"username": "nora-long-name", "password": "nora-long-name"}, "similar"),
    ],
)
def test_a_bad_form_is_said_and_burns_nothing(client, project, fields, says):
    make_user("taken")
    answer = client.post(invited(project), newcomer(**fields))
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert Invitation.objects.get().accepted_at is None


def test_who_is_signed_in_joins_with_one_button(client, project):
    nora = make_user("nora")
    client.force_login(nora)
    path = invited(project)
    assert "Join as nora" in client.get(path).content.decode()
    client.post(path)
    assert membership_of(project, nora).role == Role.ANNOTATOR
    assert User.objects.filter(username="nora").count() == 1


def test_a_member_does_not_burn_the_link_of_someone_else(client, project, lead):
    client.force_login(lead)
    path = invited(project)
    assert "already" in client.get(path).content.decode()
    client.post(path)
    assert Invitation.objects.get().accepted_at is None
    assert membership_of(project, lead).role == Role.LEAD


def test_guessed_expired_and_withdrawn_invitations_look_the_same(client, project):
    withdrawn, expired = invited(project), invited(project)
    first, second = Invitation.objects.order_by("pk")
    services.revoke(invitation=first)
    Invitation.objects.filter(pk=second.pk).update(
        created_at=timezone.now() - timedelta(days=20), expires_at=timezone.now() - timedelta(seconds=1)
    )
    altered = withdrawn[:-2] + ("A" if withdrawn[-2] != "A" else "B") + "/"
    pages = [client.get(path) for path in (withdrawn, expired, altered, "/invite/guess/")]
    assert {page.status_code for page in pages} == {410}
    assert len({page.content.decode().split("<main")[1] for page in pages}) == 1
    for path in (withdrawn, expired, altered):
        assert client.post(path, newcomer()).status_code == 410
    assert not User.objects.filter(username="nora").exists()


def test_only_a_digest_is_kept(project):
    token = invited(project).strip("/").split("/")[-1]
    assert token not in str(vars(Invitation.objects.get()))
    assert len(token) >= 43  # 256 bits


# --- the team page ----------------------------------------------------------------------------------------------------


def test_a_lead_invites_and_sees_the_link_once(client, project, lead):
    client.force_login(lead)
    answer = client.post(reverse("home:invite", args=[project.slug]), {"role": "annotator", "note": "Nora"})
    path = re.search(r'value="http://testserver(/invite/[^"]+)"', answer.content.decode())
    assert path is not None
    assert "no-store" in answer["Cache-Control"]
    assert path[1] not in client.get(reverse("home:team", args=[project.slug])).content.decode()
    assert Client().get(path[1]).status_code == 200

    client.post(reverse("home:revoke", args=[project.slug, Invitation.objects.get().pk]))
    assert Client().get(path[1]).status_code == 410


def test_a_lead_cannot_invite_an_admin(client, project, lead):
    client.force_login(lead)
    answer = client.post(reverse("home:invite", args=[project.slug]), {"role": "admin"})
    assert answer.status_code == 422
    assert not Invitation.objects.exists()


def test_roles_change_on_the_page_and_the_last_admin_is_explained(client, project):
    admin, annotator = make_member(project, Role.ADMIN), make_member(project)
    client.force_login(admin)
    url = reverse("home:role", args=[project.slug, membership_of(project, annotator).pk])
    client.post(url, {"role": "lead"})
    assert membership_of(project, annotator).role == Role.LEAD
    own = reverse("home:role", args=[project.slug, membership_of(project, admin).pk])
    assert "at least one admin" in client.post(own, {"role": "lead"}, follow=True).content.decode()
    assert client.post(url, {"role": "king"}).status_code == 404
    client.post(reverse("home:remove", args=[project.slug, membership_of(project, annotator).pk]))
    assert not Membership.objects.filter(user=annotator).exists()


def test_members_of_other_projects_are_out_of_reach(client, project, lead):
    client.force_login(lead)
    stranger = Membership.objects.get(user=make_member(make_project()))
    for name in ("home:role", "home:remove"):
        assert client.post(reverse(name, args=[project.slug, stranger.pk]), {"role": "lead"}).status_code == 404
    assert Membership.objects.get(pk=stranger.pk).role == Role.ANNOTATOR


# --- who may open what ------------------------------------------------------------------------------------------------

LEAD_PAGES = ["home:settings", "home:team"]
LEAD_POSTS = ["home:invite", "home:archive"]


@pytest.mark.parametrize("name", LEAD_PAGES)
def test_pages_for_leads(client, project, lead, name):
    url = reverse(name, args=[project.slug])
    assert client.get(url)["Location"].startswith("/sign-in/")
    for user, status in [
        (make_member(project), 403),
        (make_user(), 404),
        (make_member(make_project(), Role.ADMIN), 404),
        (lead, 200),
        (make_user(is_superuser=True), 200),
    ]:
        client.force_login(user)
        assert client.get(url).status_code == status


@pytest.mark.parametrize("name", LEAD_POSTS)
def test_posts_for_leads(client, project, name):
    url = reverse(name, args=[project.slug])
    for user, status in [(make_member(project), 403), (make_user(), 404)]:
        client.force_login(user)
        assert client.post(url, {"role": "annotator"}).status_code == status
    assert not Invitation.objects.exists()


def test_only_an_admin_archives(client, project, lead):
    url = reverse("home:archive", args=[project.slug])
    client.force_login(lead)
    assert client.post(url, {"archive": "1"}).status_code == 403
    client.force_login(make_member(project, Role.ADMIN))
    client.post(url, {"archive": "1"})
    assert Project.objects.get(pk=project.pk).archived_at is not None
    assert "archived" in client.get(reverse("home:settings", args=[project.slug])).content.decode()
    client.post(url, {"restore": "1"})
    assert Project.objects.get(pk=project.pk).archived_at is None
