"""What is refused before any view runs, and what every request carries into it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import BadRequest, RequestDataTooBig, ValidationError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone, translation

from apps.core.middleware import Preferences, RefuseNul
from apps.core.text import has_nul, validate_line, validate_prose
from apps.core.views import bad_request, csrf_failure

FORM = "application/x-www-form-urlencoded"


def answer(request: HttpRequest) -> HttpResponse:
    request.user = AnonymousUser()
    return RefuseNul(lambda request: HttpResponse("fine"))(request)


@pytest.mark.parametrize(
    "request_",
    [
        RequestFactory().get("/items/?q=a%00b"),
        RequestFactory().get("/items/%00/"),
        RequestFactory().post("/", "name=a%00b", content_type=FORM),
        RequestFactory().post("/", b"name=a\x00b", content_type=FORM + "; charset=utf-8"),
        RequestFactory().get("/", headers={"cookie": 'sessionid="a\\000b"'}),
    ],
)
def test_a_nul_is_refused_with_a_page(request_):
    response = answer(request_)
    assert response.status_code == 400
    assert b"NUL character" in response.content


@pytest.mark.parametrize(
    "request_",
    [
        RequestFactory().get("/items/?q=100%25&r=%2500"),
        RequestFactory().post("/", "name=100%2500", content_type=FORM),
        RequestFactory().post("/", b"\x00", content_type="application/octet-stream"),
    ],
)
def test_ordinary_requests_pass(request_):
    assert answer(request_).content == b"fine"


def test_a_form_that_is_too_large_gets_the_page_for_it(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert answer(RequestFactory().post("/", "name=" + "x" * 100, content_type=FORM)).status_code == 413


def test_a_bad_request_says_whether_it_was_too_large():
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert bad_request(request, BadRequest()).status_code == 400
    assert bad_request(request, RequestDataTooBig()).status_code == 413
    assert csrf_failure(request, "no cookie").status_code == 403


def preferences(user: object, **headers: str) -> tuple[str, str, HttpResponse]:
    request = RequestFactory().get("/", headers=headers)
    request.user = user  # type: ignore[assignment]
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.extend([translation.get_language() or "", timezone.get_current_timezone_name()])
        return HttpResponse()

    with translation.override(None), timezone.override(None):
        response = Preferences(view)(request)
    return seen[0], seen[1], response


def test_a_person_has_their_language_and_time_zone():
    user = SimpleNamespace(language="zh-hans", time_zone="Asia/Shanghai")
    language, zone, response = preferences(user, accept_language="en")
    assert (language, zone) == ("zh-hans", "Asia/Shanghai")
    assert response["Content-Language"] == "zh-hans"


def test_a_visitor_has_the_browsers_language():
    language, zone, response = preferences(AnonymousUser(), accept_language="zh-CN,zh;q=0.9")
    assert (language, zone) == ("zh-hans", "UTC")
    assert "Accept-Language" in response["Vary"]


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "\x00"])
def test_an_unknown_time_zone_is_utc(zone):
    language, shown, _ = preferences(SimpleNamespace(language="", time_zone=zone), accept_language="fr")
    assert (language, shown) == ("en", "UTC")


@pytest.mark.parametrize("value", ["a\x00", {"a": ["b", {"c\x00": 1}]}, ["a", ("b", "\x00")]])
def test_a_nul_is_found_anywhere(value):
    assert has_nul(value)


@pytest.mark.parametrize("value", ["a", b"\x00", {"a": [1, None, 2.5, True]}, []])
def test_no_nul_is_found_where_there_is_none(value):
    assert not has_nul(value)


def test_names_are_one_line_and_prose_is_not():
    validate_prose("first\n\tsecond\r\n")
    validate_line("名字 – ok")
    for bad in ("a\nb", "a\x1bb", "a\u2028b", "\ud800"):
        with pytest.raises(ValidationError):
            validate_line(bad)
    with pytest.raises(ValidationError, match="Character 3 is a control character"):
        validate_prose("ab\x00c")
