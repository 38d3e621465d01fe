from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from apps.accounts import services, throttle
from apps.accounts.models import SignInLink, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def no_tries():
    cache.clear()


@pytest.fixture
def anna() -> User:
    return services.create_user(username="anna", display_name="Anna B.", password=PASSWORD)


def sign_in(client: Client, username="anna", password=PASSWORD, **extra):
    return client.post(reverse("accounts:sign_in"), {"username": username, "password": password, **extra})


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


# --- password ---------------------------------------------------------------------------------------------------------


def test_sign_in_goes_to_the_page_that_was_asked_for(client, anna):
    asked = client.get(reverse("home:account"))
    assert asked.status_code == 302
    page = client.get(asked["Location"])
    assert 'name="next" value="/account/"' in page.content.decode()
    assert sign_in(client, next="/account/")["Location"] == "/account/"
    assert signed_in(client)


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_sign_in_never_leads_to_another_site(client, anna, wanted):
    assert sign_in(client, next=wanted)["Location"] == reverse("home:start")


def test_refusals_do_not_tell_who_has_an_account(client, anna):
    services.create_user(username="nopassword")
    gone = services.create_user(username="gone", password=PASSWORD)
    User.objects.filter(pk=gone.pk).update(is_active=False)

    answers = [
        sign_in(client, name, password)
        for name, password in [("anna", "wrong"), ("nobody", "wrong"), ("nopassword", "wrong"), ("gone", PASSWORD)]
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert len({str(answer.context["form"].non_field_errors()) for answer in answers}) == 1


def test_tries_are_limited_by_name_and_address(client, anna):
    for _ in range(throttle.TRIES_PER_NAME):
        assert sign_in(client, password="wrong").status_code == 422
    refused = sign_in(client)
    assert refused.status_code == 429
    assert "Too many tries" in refused.content.decode()
    assert sign_in(Client(REMOTE_ADDR="10.0.0.9")).status_code == 302  # nobody is locked out from elsewhere
    assert sign_in(client, username="ANNA").status_code == 429  # another spelling is the same name


def test_tries_are_limited_by_address_over_many_names(client):
    for number in range(throttle.TRIES_PER_ADDRESS):
        throttle.allow_try(name=f"name{number}", address="127.0.0.1")
    assert sign_in(client, "fresh", "wrong").status_code == 429


def test_a_right_password_clears_the_name(client, anna):
    for _ in range(throttle.TRIES_PER_NAME - 1):
        sign_in(client, password="wrong")
    sign_in(client)
    client.logout()
    assert sign_in(client, password="wrong").status_code == 422


def test_a_nul_is_refused(client, anna):
    assert sign_in(client, username="an\x00na").status_code in {400, 422}
    assert client.get("/sign-in/", {"next": "/\x00"}).status_code == 400


def test_sign_out_needs_a_post(client, anna):
    client.force_login(anna)
    assert client.get(reverse("accounts:sign_out")).status_code == 405
    client.post(reverse("accounts:sign_out"))
    assert not signed_in(client)


def test_sign_in_checks_for_forged_requests(anna):
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client).status_code == 403


def test_names_differ_by_more_than_case(anna):
    with pytest.raises(IntegrityError):
        services.create_user(username="ANNA")


# --- links ------------------------------------------------------------------------------------------------------------


def test_a_link_signs_in_once(client, anna):
    path = services.create_login_link(user=anna)
    page = client.get(path)
    assert "Sign in as Anna B." in page.content.decode()
    assert page["Referrer-Policy"] == "strict-origin"
    assert "no-store" in page["Cache-Control"]
    assert not signed_in(client)
    client.get(path)  # looking burns nothing

    assert client.post(path)["Location"] == reverse("home:start")
    assert signed_in(client)

    other = Client()
    assert (other.get(path).status_code, other.post(path).status_code) == (410, 410)
    assert not signed_in(other)


def test_used_expired_and_unknown_links_look_the_same(client, anna):
    used, expired = services.create_login_link(user=anna), services.create_login_link(user=anna)
    Client().post(used)
    SignInLink.objects.filter(used_at=None).update(
        created_at=timezone.now() - timedelta(days=3), expires_at=timezone.now() - timedelta(days=2)
    )
    pages = [client.get(path) for path in (used, expired, "/sign-in/link/guess/", used[:-2] + "A/")]
    assert {page.status_code for page in pages} == {410}
    csrf_free = {page.content.decode().split("<main")[1] for page in pages}
    assert len(csrf_free) == 1
    assert client.post(expired).status_code == 410


def test_only_a_digest_is_kept(anna):
    token = services.create_login_link(user=anna).strip("/").split("/")[-1]
    link = SignInLink.objects.get()
    assert token not in str(vars(link))
    assert link.digest == services.digest_of(token)
    assert len(token) >= 43  # 256 bits


def test_a_closed_account_has_no_way_in(client, anna):
    path = services.create_login_link(user=anna)
    User.objects.update(is_active=False)
    assert (client.get(path).status_code, client.post(path).status_code) == (410, 410)
    assert SignInLink.objects.get().used_at is None  # the refusal took the burning back


def test_a_link_replaces_who_was_signed_in(client, anna):
    client.force_login(services.create_user(username="ben"))
    client.post(services.create_login_link(user=anna))
    assert client.session["_auth_user_id"] == str(anna.pk)


# --- one's password ---------------------------------------------------------------------------------------------------


def test_changing_the_password_ends_other_sessions(client, anna):
    elsewhere = Client()
    for each in (client, elsewhere):
        each.force_login(anna)
    new = "another long sentence"
    wrong = client.post(reverse("accounts:password"), {"current": "no", "new": new, "again": new})
    assert wrong.status_code == 422

    done = client.post(reverse("accounts:password"), {"current": PASSWORD, "new": new, "again": new})
    assert done["Location"] == reverse("home:account")
    assert client.get(reverse("home:account")).status_code == 200
    assert elsewhere.get(reverse("home:account")).status_code == 302
    assert User.objects.get().check_password(new)


@pytest.mark.parametrize(("new", "again"), [("short", "short"), ("password", "password"), (PASSWORD, "different one")])
def test_weak_or_mistyped_passwords_are_refused(client, anna, new, again):
    client.force_login(anna)
    answer = client.post(reverse("accounts:password"), {"current": PASSWORD, "new": new, "again": again})
    assert answer.status_code == 422
    assert User.objects.get().check_password(PASSWORD)


def test_who_came_by_link_sets_a_password_without_the_old_one(client):
    ben = services.create_user(username="ben")
    client.post(services.create_login_link(user=ben))
    assert "Password until now" not in client.get(reverse("accounts:password")).content.decode()
    client.post(reverse("accounts:password"), {"new": PASSWORD, "again": PASSWORD})
    assert User.objects.get().check_password(PASSWORD)
    assert "Password until now" in client.get(reverse("accounts:password")).content.decode()


def test_the_old_password_is_not_guessed_at_an_open_desk(client, anna):
    client.force_login(anna)
    form = {"current": "wrong", "new": PASSWORD + "2", "again": PASSWORD + "2"}
    answers = [client.post(reverse("accounts:password"), form).status_code for _ in range(throttle.TRIES_PER_NAME + 1)]
    assert answers[-2:] == [422, 429]


# --- commands ---------------------------------------------------------------------------------------------------------


def test_the_first_admin_is_made_once():
    admin = services.ensure_first_admin()
    assert (admin.username, admin.is_superuser, admin.has_usable_password()) == ("admin", True, False)
    assert services.ensure_first_admin() == admin


def test_the_first_admin_takes_no_name_of_others():
    services.create_user(username="Admin")
    assert services.ensure_first_admin().username == "admin2"


@override_settings(PUBLIC_URL="https://jury.example/")
def test_login_link_prints_an_address_that_works(client, anna):
    out = StringIO()
    call_command("login_link", "Anna", "--hours", "2", stdout=out)
    assert out.getvalue().startswith("https://jury.example/sign-in/link/")
    left = SignInLink.objects.get().expires_at - timezone.now()
    assert timedelta(hours=1.9) < left < timedelta(hours=2)
    client.post(out.getvalue().strip().removeprefix("https://jury.example"))
    assert signed_in(client)


def test_login_link_uses_the_address_of_the_running_server(anna, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "VAR_DIR", tmp_path)
    assert services.base_url() == "http://localhost:8000"
    (tmp_path / "services.json").write_text('{"owner": {"pid": 1, "address": "http://localhost:8123/"}}')
    assert services.base_url() == "http://localhost:8123"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ana"], "Did you mean anna?"),
        (["zzz"], 'no user "zzz"'),
        (["anna", "--hours", "0"], "above 0"),
        (["anna", "--hours", "nan"], "above 0"),
    ],
)
def test_login_link_explains_what_is_wrong(anna, arguments, says):
    with pytest.raises(CommandError, match=says) as caught:
        call_command("login_link", *arguments)
    assert caught.value.returncode == 2
