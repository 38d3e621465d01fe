from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from apps.core.onehop import OneHopHandler
from tests.asgi import Visitor

threads: list[str] = []
closed = threading.Event()


def plain(request: HttpRequest) -> HttpResponse:
    threads.append(threading.current_thread().name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    response = HttpResponse(f"{request.method} {len(request.body)}")
    response.set_cookie("seen", "yes")
    return response


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken view")


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    def rows() -> Iterator[bytes]:
        try:
            with connection.cursor() as cursor:
                for number in range(int(request.GET["rows"])):
                    cursor.execute("SELECT %s", [number])
                    threads.append(threading.current_thread().name)
                    yield f"{cursor.fetchone()[0]}\n".encode()
        finally:
            closed.set()

    return StreamingHttpResponse(rows(), content_type="text/plain")


async def in_the_loop(request: HttpRequest) -> StreamingHttpResponse:
    async def rows():
        for number in range(3):
            await asyncio.sleep(0)
            yield f"{number}\n"

    return StreamingHttpResponse(rows())


urlpatterns = [
    path("plain/", plain),
    path("broken/", broken),
    path("streamed/", streamed),
    path("loop/", in_the_loop),
]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]


@pytest.fixture
def visitor(settings) -> Iterator[Visitor]:
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
    threads.clear()
    closed.clear()
    pages = OneHopHandler(threads=2)
    loop = asyncio.new_event_loop()
    yield Visitor(pages, loop)
    pages.close()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def test_answers_in_a_pool_thread(visitor):
    answer = visitor.post("/plain/", b"x" * 200_000)
    assert (answer.status, answer.text) == (200, "POST 200000")
    assert answer.headers["set-cookie"].startswith("seen=yes")
    assert threads[0].startswith("page")


def test_a_failing_view_is_a_500(visitor, caplog):
    assert visitor.get("/broken/").status == 500
    assert "broken view" in caplog.text
    assert visitor.get("/nowhere/").status == 404


def test_streams_from_the_thread_that_made_the_response(visitor):
    answer = visitor.get("/streamed/?rows=50")
    assert answer.text.split() == [str(number) for number in range(50)]
    assert len(set(threads)) == 1
    assert threads[0].startswith("page")


def test_streams_what_is_asynchronous_from_the_loop(visitor):
    assert visitor.get("/loop/").text == "0\n1\n2\n"


def test_a_stream_ends_when_the_client_goes_away(visitor):
    sent: list[dict[str, object]] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/streamed/",
        "query_string": b"rows=1000000",
        "headers": [(b"host", b"localhost")],
        "scheme": "http",
    }
    gone = asyncio.Event()

    async def send(message):
        sent.append(message)
        if len(sent) == 5:
            gone.set()

    incoming = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive():
        for message in incoming:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    visitor.loop.run_until_complete(visitor.app(scope, receive, send))
    assert closed.is_set()
    assert 5 <= len(sent) < 1000
