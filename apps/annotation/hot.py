"""The hot path: "store this label, give me the next item", answered before Django's middleware chain.

An annotator waits for this request a thousand times a day, so it is the one place with a shape of its own. It takes
POST /p/SLUG/label/ROUND/submit/ when the desk's script sends it (header `X-Desk`), and passes everything else on.

It makes every check that the chain makes: host, HTTPS, forged requests, session, expiry, password change, active
account, membership, project, round, dates. It makes them with Django's own code wherever there is some, in two or
three prepared statements on a connection pool of its own and without a hop to a thread. It knows one answer only: the
label is stored and here is the next item.

Whatever is not exactly that goes to the ordinary view at the same address (`views.submit`), which makes all checks
again and has the words for what is wrong. That is always safe, even for a label that is stored by then, because the
same submit twice stores one label. So nothing here decides against anybody: the hot path can only be too careful.
The two exceptions are a body that is too large and a failure, both answered here without reading further.
"""

from __future__ import annotations

import asyncio
import logging
import re
import zoneinfo
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from io import BytesIO
from types import MappingProxyType
from typing import Any, NamedTuple

import psycopg
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.utils.html import format_html
from django.utils.translation import gettext as _
from psycopg_pool import AsyncConnectionPool

from apps.annotation import desk, labels, selectors, statements
from apps.annotation.labels import BadLabel, Lease, Submission
from apps.annotation.services import ATTEMPTS, RETRY, label_params
from apps.rubrics.models import Criterion

log = logging.getLogger(__name__)

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Connection = psycopg.AsyncConnection[tuple[Any, ...]]

MAX_BODY = 64 * 1024  # a note of 5,000 characters, percent-encoded, is at most 60,000 bytes
_PATH = re.compile(r"/p/(?P<slug>[-a-zA-Z0-9_]+)/label/(?P<round>[0-9]{1,9})/submit/")
_HTML = "text/html; charset=utf-8"


class PassOn(Exception):
    """Something is not as it should be: the ordinary view knows what to say."""


class Standing(NamedTuple):
    """What statements.STANDING finds out about who asks and what they hold; its columns in order."""

    session_data: str
    password: str
    language: str
    time_zone: str
    show_context: bool
    show_reference: bool
    show_scenario: bool
    rationale: str
    starts_on: date | None
    ends_on: date | None
    lease_minutes: int
    rubric_version: int
    dataset: int
    item_count: int
    order: int
    leased_at: datetime
    kind: int
    scenario: str


class HotEndpoint:
    """An ASGI application in front of another."""

    def __init__(self, fallback: App) -> None:
        self._fallback = fallback
        self._pools: dict[asyncio.AbstractEventLoop, AsyncConnectionPool[Connection]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = _PATH.fullmatch(scope["path"].removeprefix(scope.get("root_path", "")))
        if match is None or scope["method"] != "POST" or not any(name == b"x-desk" for name, _ in scope["headers"]):
            await self._fallback(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            return  # the client has gone
        if len(body) > MAX_BODY:
            await _send(send, _too_large(_secure(scope)))
            return
        try:
            try:
                response = await self._answer(scope, body, match["slug"], int(match["round"]))
            except psycopg.OperationalError:
                # The connection was lost, before or after the commit; all others may be. Twice stores once.
                log.warning("Submit is tried again: the database connection was lost", exc_info=True)
                await self._pools[asyncio.get_running_loop()].check()
                response = await self._answer(scope, body, match["slug"], int(match["round"]))
        except PassOn:
            await self._fallback(scope, _replay(body, receive), send)
            return
        except Exception:
            log.exception("Submit failed: %s", scope["path"])
            response = _failed(_secure(scope))
        await _send(send, response)

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.close()

    async def _answer(self, scope: Scope, body: bytes, slug: str, round_id: int) -> HttpResponse:
        request = _checked_request(scope, body)
        session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        try:
            lease = Lease.read(request.POST.get("lease", ""))
        except BadLabel as error:
            raise PassOn from error
        if not session_key or request.POST.get("view") == "raw":
            raise PassOn  # raw texts are not kept as HTML, so they take the ordinary way
        async with self._connection() as connection:
            user_id = _users.get(session_key) or await _find_user(connection, session_key)
            standing = await _standing(connection, session_key, user_id, slug, round_id, lease)
            _check_standing(standing, user_id, lease)
            criteria = selectors.cached_criteria(standing.rubric_version)
            if criteria is None:
                raise PassOn  # the ordinary view reads them, and they stay
            asked = labels.criteria_for(criteria, kind=standing.kind, scenario=standing.scenario)
            submission = _read_label(request, asked, standing.rationale)
            row = await _submit(connection, user_id, round_id, lease, standing, submission)
        done, leased = row[0], desk.Leased._make(row[1:])
        if done is None or not leased.is_ready:
            raise PassOn  # refused, nothing left, or not rendered yet
        shown = desk.Shown(standing.show_context, standing.show_reference, standing.show_scenario, standing.rationale)
        with translation.override(_language(request, standing.language)):
            base = request.path.removesuffix("submit/")
            page = (
                desk.progress(done, standing.item_count)
                + desk.parts(leased, criteria=criteria, shown=shown, base=base).whole
            )
            headers = _headers(request.is_secure()) | {"Content-Language": translation.get_language() or ""}
        return HttpResponse(page, content_type=_HTML, headers=headers)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """A connection of the running loop's pool, which is opened on first use."""
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            database = settings.DATABASES["default"]
            pool = self._pools[loop] = AsyncConnectionPool(
                kwargs={
                    "host": database["HOST"] or None,
                    "port": database["PORT"] or None,
                    "user": database["USER"] or None,
                    "password": database["PASSWORD"] or None,
                    "dbname": database["NAME"],
                    **database.get("OPTIONS", {}),
                    "autocommit": True,
                    "options": "-c timezone=UTC",
                },
                min_size=1,
                max_size=settings.HOT_CONNECTIONS,
                timeout=10,
                open=False,
                name="hot",
            )
            await pool.open()
        async with pool.connection() as connection:
            yield connection


# --- checks -----------------------------------------------------------------------------------------------------------


class _Csrf(CsrfViewMiddleware):
    """Django's check; its refusal is left to the chain, which has the page and the log line."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        raise PassOn


def _no_view(request: HttpRequest) -> HttpResponse:
    raise AssertionError("the middlewares are called by hand, never a view behind them")


_csrf = _Csrf(_no_view)
_security = SecurityMiddleware(_no_view)
_frame = XFrameOptionsMiddleware(_no_view)
_sessions = SessionStore()


def _checked_request(scope: Scope, body: bytes) -> ASGIRequest:
    """The request, when it is for a host of ours, over HTTPS where that is asked, and from a page of ours."""
    try:
        request = ASGIRequest(scope, BytesIO(body))
        request.get_host()
        if _security.process_request(request) is not None:
            raise PassOn
        _csrf.process_request(request)
        _csrf.process_view(request, _no_view, (), {})
    except (DisallowedHost, SuspiciousOperation, MultiPartParserError, UnicodeDecodeError) as error:
        raise PassOn from error
    return request


#: whose session a key was when it was last looked up. Only a hint, which saves a query: `_check_standing` believes
#: nothing but the session's own row, which is read every time
_users: dict[str, int] = {}


async def _find_user(connection: Connection, key: str) -> int:
    if "\x00" in key:
        raise PassOn
    row = await (await connection.execute(statements.SESSION, {"key": key}, prepare=True)).fetchone()
    user_id, _ = _signed_in(row[0] if row is not None else "")
    if len(_users) >= 4096:
        _users.clear()
    _users[key] = user_id
    return user_id


def _signed_in(session_data: str) -> tuple[int, str]:
    """Who the session says is signed in, and the hash of the password that they signed in with."""
    data = _decoded(session_data)
    try:
        user_id, backend = int(data[SESSION_KEY]), data[BACKEND_SESSION_KEY]
    except (KeyError, ValueError) as error:
        raise PassOn from error
    if backend not in settings.AUTHENTICATION_BACKENDS:
        raise PassOn
    return user_id, str(data.get(HASH_SESSION_KEY, ""))


async def _standing(connection: Connection, key: str, user_id: int, slug: str, round_id: int, lease: Lease) -> Standing:
    params = {"key": key, "user": user_id, "slug": slug, "round": round_id, "assignment": lease.assignment}
    row = await (await connection.execute(statements.STANDING, params, prepare=True)).fetchone()
    if row is None:
        raise PassOn
    return Standing._make(row)


def _check_standing(standing: Standing, user_id: int, lease: Lease) -> None:
    session_user, auth_hash = _signed_in(standing.session_data)
    if session_user != user_id:
        raise PassOn  # someone else has signed in under the same key since
    if not constant_time_compare(auth_hash, _password_hash(standing.password)):
        raise PassOn  # the password was changed since, or the key was: the chain also knows the fallback keys
    if standing.leased_at != lease.leased_at:
        raise PassOn
    if selectors.outside_dates(standing.starts_on, standing.ends_on, _today(standing.time_zone)) is not None:
        raise PassOn


def _read_label(request: ASGIRequest, asked: tuple[Criterion, ...], rationale: str) -> Submission:
    try:
        return labels.read_submission(request.POST, asked, rationale=rationale)
    except BadLabel as error:
        raise PassOn from error


async def _submit(
    connection: Connection, user_id: int, round_id: int, lease: Lease, standing: Standing, submission: Submission
) -> tuple[Any, ...]:
    """The row of statements.SUBMIT."""
    params = {
        "user": user_id,
        "round": round_id,
        "assignment": lease.assignment,
        "leased_at": lease.leased_at,
        "lease_minutes": standing.lease_minutes,
        **label_params(standing.dataset, standing.rubric_version, submission),
    }
    for attempt in range(ATTEMPTS):
        try:
            row = await (await connection.execute(statements.SUBMIT, params, prepare=True)).fetchone()
        except RETRY:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            assert row is not None
            return row
    raise AssertionError("unreachable")


# A process sees the same few sessions, passwords and time zones again and again.


@lru_cache(maxsize=2048)
def _decoded(session_data: str) -> Mapping[str, Any]:
    if not session_data:
        return MappingProxyType({})
    decoded: dict[str, Any] = _sessions.decode(session_data)
    return MappingProxyType(decoded)


@lru_cache(maxsize=2048)
def _password_hash(password: str) -> str:
    return get_user_model()(password=password).get_session_auth_hash()


@lru_cache(maxsize=1024)
def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name or settings.TIME_ZONE)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo(settings.TIME_ZONE)


def _today(zone: str) -> date:
    return datetime.now(UTC).astimezone(_zone(zone)).date()


def _language(request: HttpRequest, language: str) -> str:
    return language if language in dict(settings.LANGUAGES) else translation.get_language_from_request(request)


# --- requests and responses -------------------------------------------------------------------------------------------


async def _read(receive: Receive) -> bytes | None:
    """The body, or a little more than may be sent; None when the client has gone."""
    body = b""
    while len(body) <= MAX_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """`receive` for the next application, with the body that has been read."""
    unread = [body]

    async def again() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return again


async def _send(send: Send, response: HttpResponse) -> None:
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    content = response.content
    headers.append((b"Content-Length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@cache
def _headers(secure: bool) -> dict[str, str]:
    """The policy headers that the chain's middleware would set; they are the same for every answer."""
    request = ASGIRequest(
        {"type": "http", "method": "POST", "path": "/", "scheme": "https" if secure else "http"}, BytesIO()
    )
    response = HttpResponse()
    for middleware in (_security, _frame, CSPMiddleware(_no_view)):
        middleware.process_response(request, response)
    del response.headers["Content-Type"]
    return {**dict(response.items()), "Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"}


def _secure(scope: Scope) -> bool:
    try:
        return ASGIRequest(scope, BytesIO()).is_secure()
    except UnicodeDecodeError:
        return False


def _plain(status: int, sentence: str, *, secure: bool) -> HttpResponse:
    """A page that needs no database and no template. The script shows its sentence."""
    page = format_html('<!doctype html><meta charset="utf-8"><title>{0}</title><p data-say>{0}</p>', sentence)
    return HttpResponse(page, status=status, content_type=_HTML, headers=_headers(secure))


def _too_large(secure: bool) -> HttpResponse:
    return _plain(413, _("Your label was not stored: what was sent is too large. Shorten your note."), secure=secure)


def _failed(secure: bool) -> HttpResponse:
    return _plain(
        500,
        _("Your label was not stored: something went wrong on our side. This page keeps it and sends it again."),
        secure=secure,
    )
