"""A browser's part against an ASGI application: cookies, forms, answers; for tests that cannot share a transaction.

Django's own test client calls the middleware chain directly and so never meets what stands before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.middleware.csrf import _get_new_csrf_string

from apps.accounts.models import User

App = Callable[..., Awaitable[None]]


def signed_in(user: User) -> dict[str, str]:
    """The cookies of a browser in which the user has just signed in."""
    request = HttpRequest()
    request.session = SessionStore()
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session.save()
    return {
        settings.SESSION_COOKIE_NAME: str(request.session.session_key),
        settings.CSRF_COOKIE_NAME: _get_new_csrf_string(),
    }


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Visitor:
    """One browser. Synchronous outside, so that tests use the ORM as usual; the loop is kept between requests."""

    app: App
    loop: asyncio.AbstractEventLoop
    cookies: dict[str, str] = field(default_factory=dict)
    host: str = "localhost"

    def sign_in(self, user: User) -> Visitor:
        self.cookies |= signed_in(user)
        return self

    def get(self, path: str, **headers: str) -> Answer:
        return self.loop.run_until_complete(self.send("GET", path, headers=headers))

    def post(self, path: str, data: Mapping[str, str] | bytes = b"", *, token: bool = True, **headers: str) -> Answer:
        """A form, with the token of this browser; header names with `_` for `-`."""
        body = data if isinstance(data, bytes) else urlencode(data).encode()
        if token:
            headers.setdefault("X_CSRFToken", self.cookies.get(settings.CSRF_COOKIE_NAME, ""))
        headers.setdefault("Content_Type", "application/x-www-form-urlencoded")
        return self.loop.run_until_complete(self.send("POST", path, body, headers))

    async def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        path, _, query = path.partition("?")
        sent = {"Host": self.host, "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        sent |= {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
        }
        parts = [body[start : start + 65536] for start in range(0, len(body), 65536)] or [b""]
        incoming = [
            {"type": "http.request", "body": part, "more_body": number < len(parts) - 1}
            for number, part in enumerate(parts)
        ]
        outgoing: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if incoming:
                return incoming.pop(0)
            await asyncio.sleep(3600)  # a client that waits for the answer
            raise AssertionError

        async def put(message: dict[str, Any]) -> None:
            outgoing.append(message)

        await self.app(scope, receive, put)
        start = outgoing[0]
        received = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], received, b"".join(message.get("body", b"") for message in outgoing[1:]))
