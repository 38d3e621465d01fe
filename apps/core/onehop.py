"""Django's own request handler with one hop to a thread instead of one for each middleware.

Under ASGI, Django wraps each sync middleware on its own: ten hops a request, and a database connection that is opened
anew every time. Here the whole chain is loaded as sync code and runs in a fixed pool of threads, each with its own
persistent connection; on one port with WebSockets it costs what WSGI costs.

Everything that belongs to a request happens in its thread, the signals around it too: `request_started` and
`request_finished` are what make Django check and drop that thread's connection. A streamed response with an ordinary
iterator is read in the same thread, piece by piece and no faster than the client takes it, so a view may stream from a
database cursor; it keeps one thread until it ends or the client goes away.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, cast

from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import connections
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from apps.core.views import disk_full, is_disk_full

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

log = logging.getLogger(__name__)


class OneHopHandler(ASGIHandler):
    """An ASGI application: `await handler(scope, receive, send)` for scope type `http`."""

    def __init__(self, threads: int | None = None) -> None:
        super().__init__()
        self._threads: int = threads or settings.PAGE_THREADS
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="page")

    def load_middleware(self, is_async: bool = False) -> None:
        """Load the chain as sync code, whatever the base class asks for."""
        super().load_middleware(is_async=False)

    def close(self) -> None:
        """Close every thread's connections and end the threads, once what they do is done."""
        all_here = threading.Barrier(self._threads)  # so that each thread gets one of the calls

        def leave() -> None:
            all_here.wait()
            connections.close_all()

        for _ in range(self._threads):
            self._pool.submit(leave)
        self._pool.shutdown()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, answer in a pool thread, send."""
        last: Mapping[str, Any] = {}

        async def noted() -> Mapping[str, Any]:
            nonlocal last
            last = await receive()
            return last

        try:
            body = await self.read_body(noted)
        except RequestAborted:
            return
        except OSError as error:  # an upload is spooled to the disk before any view sees it
            if not is_disk_full(error):
                raise
            log.error("an upload to %s was refused: %s", scope.get("path"), error)
            while last.get("more_body"):  # a browser shows no answer before it has sent all
                await noted()
            await self.send_response(disk_full(), send)
            return
        gone = threading.Event()
        watch = asyncio.create_task(_watch(receive, gone))
        try:
            exchange = _Exchange(self, scope, body, send, asyncio.get_running_loop(), gone)
            context = contextvars.copy_context()
            response = await exchange.loop.run_in_executor(self._pool, context.run, exchange.run)
            if response is not None:
                try:
                    await self.send_response(response, send)
                finally:
                    if not response.closed:
                        response.close()
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
            body.close()


class _Exchange:
    """One request and its response, in a pool thread."""

    def __init__(
        self,
        handler: OneHopHandler,
        scope: Scope,
        body: IO[bytes],
        send: Send,
        loop: asyncio.AbstractEventLoop,
        gone: threading.Event,
    ) -> None:
        self.handler, self.scope, self.body, self.send, self.loop, self.gone = handler, scope, body, send, loop, gone

    def run(self) -> HttpResponseBase | None:
        """The response to send; None where it has been streamed from here."""
        set_script_prefix(get_script_prefix(self.scope))
        signals.request_started.send(sender=type(self.handler), scope=self.scope)
        request, refused = self.handler.create_request(self.scope, self.body)
        if request is None:
            refused = cast(HttpResponseBase, refused)
            refused.close()
            return refused
        response = self._response(request)
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            try:
                self._stream(response)
            finally:
                response.close()
            return None
        if not response.streaming:
            response.close()  # its content stays; what it held open and this thread's connection are seen to here
        return response

    def _response(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = self.handler.get_response(request)
        response._handler_class = type(self.handler)  # type: ignore[attr-defined] # the sender of request_finished
        if isinstance(response, FileResponse):
            response.block_size = self.handler.chunk_size
        return response

    def _stream(self, response: StreamingHttpResponse) -> None:
        self._send(_head(response))
        for part in cast(Iterator[bytes], response.streaming_content):
            for chunk, _ in self.handler.chunk_bytes(part):
                if self.gone.is_set():
                    return
                self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _send(self, message: Any) -> None:
        """Send from this thread, and wait until the server takes more: a slow client slows the view down."""
        asyncio.run_coroutine_threadsafe(_sent(self.send, message), self.loop).result()


async def _sent(send: Send, message: Any) -> None:
    await send(message)


async def _watch(receive: Receive, gone: threading.Event) -> None:
    """Note when the client goes away, for a stream to stop."""
    while True:
        if (await receive())["type"] == "http.disconnect":
            gone.set()
            return


def _head(response: HttpResponseBase) -> dict[str, Any]:
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    headers += [
        (b"Set-Cookie", cookie.output(header="").strip().encode("ascii")) for cookie in response.cookies.values()
    ]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}
