"""Django's own request handler with one hop to a thread instead of one a middleware.

Under ASGI, Django wraps each sync middleware on its own: ten hops a request, and a database connection that is opened
anew every time. Here the whole chain is loaded as sync code and runs in a fixed pool of threads, each with its own
persistent connection; on one port with WebSockets it costs what WSGI costs.
"""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class OneHopHandler(ASGIHandler):
    """An ASGI application: `await handler(scope, receive, send)` for scope type `http`."""

    def __init__(self, threads: int | None = None) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(threads or settings.PAGE_THREADS, thread_name_prefix="page")

    def load_middleware(self, is_async: bool = False) -> None:
        """Load the chain as sync code, whatever the base class asks for."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in a pool thread."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, context.run, self._answer, request)

    def _answer(self, request: HttpRequest) -> Any:
        # The signals that usually do this fire in the event loop's thread, where no connection lives.
        close_old_connections()
        try:
            return self.get_response(request)
        finally:
            close_old_connections()
