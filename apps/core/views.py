"""The pages for what went wrong. Each says what happened and what to do next."""

from __future__ import annotations

import contextlib
import errno
import sys

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views import defaults


def refuse(request: HttpRequest, status: int, *, detail: str = "") -> HttpResponse:
    """The error page of that status (400, 403, 404, 413, 429 or 500), with a sentence of our own where there is one."""
    return render(request, f"{status}.html", {"detail": detail}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls it while it handles the exception. A full disk is the one fault that the user can pass on."""
    if not is_disk_full(sys.exc_info()[1]):
        return defaults.server_error(request)
    for handler in request.upload_handlers:
        with contextlib.suppress(OSError):
            handler.upload_interrupted()  # else half a file stays on the full disk until the garbage is collected
    return disk_full()


def is_disk_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def disk_full() -> HttpResponse:
    """Without a request and its context, which may need what is broken."""
    return HttpResponse(render_to_string("507.html"), status=507)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return refuse(
        request,
        403,
        detail=_(
            "This form was opened before you signed in, or by another site. Go back, load the page again and send it "
            "once more; what you typed is usually still there."
        ),
    )
