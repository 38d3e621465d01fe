"""Sync middleware: apps/core/onehop.py runs the whole chain in one thread."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from apps.core.views import refuse

GetResponse = Callable[[HttpRequest], HttpResponse]


class RefuseNul:
    """Answers 400 to a NUL in the address, a cookie or a form, where PostgreSQL would fail with a 500 later.

    Multipart bodies are left to the form fields, which refuse it too: reading them here would take the choice of
    upload handlers from the view. JSON is checked where it is parsed (`text.has_nul`).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            nul = _has_nul(request)
        except RequestDataTooBig:
            return refuse(request, 413)
        if nul:
            return refuse(
                request,
                400,
                detail=_("The request holds a NUL character, which no text may contain. Remove it and send it again."),
            )
        return self.get_response(request)


def _has_nul(request: HttpRequest) -> bool:
    query, cookies = request.META.get("QUERY_STRING", ""), request.META.get("HTTP_COOKIE", "")
    if "%00" in query or "\x00" in query or "\x00" in request.path_info:
        return True
    if "\\000" in cookies or "\x00" in cookies:  # a quoted cookie may spell it in octal
        return True
    if request.method in {"GET", "HEAD"} or request.content_type != "application/x-www-form-urlencoded":
        return False
    return b"%00" in request.body or b"\x00" in request.body


class Preferences:
    """Activates the signed-in person's language and time zone; a visitor gets the browser's language, and UTC."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = getattr(request, "user", None)
        language = getattr(user, "language", "")
        if language not in dict(settings.LANGUAGES):
            language = translation.get_language_from_request(request)
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
        try:
            timezone.activate(zoneinfo.ZoneInfo(getattr(user, "time_zone", "") or settings.TIME_ZONE))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):  # a zone that this machine no longer knows
            timezone.deactivate()
        response = self.get_response(request)
        patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response
