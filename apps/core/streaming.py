"""A long download under ASGI, written by sync code.

Django would read a sync iterator to its end before it sends the first byte. Here each chunk is made in one thread of
its own, which keeps its database connection and its transaction to itself, and is sent before the next is asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

from django.db import connections


async def in_thread(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks of a generator that is run, and closed, in a thread of its own."""
    loop = asyncio.get_running_loop()
    executor = ThreadPoolExecutor(1, thread_name_prefix="download")

    def leave() -> None:
        close = getattr(chunks, "close", None)
        if close is not None:  # a reader who left early ends the transaction now
            close()
        connections.close_all()

    try:
        while (chunk := await loop.run_in_executor(executor, next, chunks, None)) is not None:
            yield chunk
    finally:
        await asyncio.shield(loop.run_in_executor(executor, leave))
        executor.shutdown(wait=False)
