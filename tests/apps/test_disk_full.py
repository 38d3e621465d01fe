"""A disk that is full while a file is sent: said in a sentence at every stage, and nothing is kept."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from django.test import Client

from apps.core.onehop import OneHopHandler


class FullFile:
    def __init__(self, *args: object, **kwargs: object) -> None:
        pass

    def write(self, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("chunks", [1, 3])
async def test_while_the_body_is_spooled(monkeypatch: pytest.MonkeyPatch, chunks: int) -> None:
    monkeypatch.setattr("django.core.handlers.asgi.tempfile.SpooledTemporaryFile", FullFile)
    handler = OneHopHandler(threads=1)
    waiting = [{"type": "http.request", "body": b"x", "more_body": number + 1 < chunks} for number in range(chunks)]
    sent: list[Any] = []

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        await handler.handle({"type": "http", "path": "/", "method": "POST", "headers": []}, receive, send)
    finally:
        handler.close()
    assert sent[0]["status"] == 507
    assert "disk is full" in b"".join(message.get("body", b"") for message in sent).decode()
    assert waiting == []


@pytest.mark.parametrize(("error", "status"), [(errno.ENOSPC, 507), (errno.EIO, 500)])
def test_while_a_view_works(monkeypatch: pytest.MonkeyPatch, error: int, status: int) -> None:
    def fail(request: object) -> None:
        raise OSError(error, "told by the system")

    monkeypatch.setattr("apps.core.middleware.RefuseNul.__call__", lambda self, request: fail(request))
    response = Client(raise_request_exception=False).get("/")
    assert response.status_code == status
    assert ("disk is full" in response.content.decode()) == (status == 507)
