"""Rows into PostgreSQL by COPY, inside Django's transaction.

PostgreSQL is the slower side, and waiting for it releases the interpreter lock: `ahead` therefore reads and checks the
next lines in a thread while the last ones are being stored.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

import psycopg
from django.db import connection

T = TypeVar("T")
_END = object()


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY `rows` into `table`. Table and columns are our own names, never a user's text."""
    connection.ensure_connection()
    driver = cast("psycopg.Connection[Any]", connection.connection)
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for row in rows:
            copy.write_row(row)


def reserve_ids(sequence_of: str, count: int) -> list[int]:
    """`count` fresh ids of the table's own sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [sequence_of, count]
        )
        return [row[0] for row in cursor.fetchall()]


def batches(entries: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` entries, the last one shorter."""
    batch: list[T] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def ahead(entries: Iterator[T], depth: int = 2) -> Iterator[T]:
    """The same entries, made up to `depth` ahead in a thread. An exception there is raised here."""
    made: queue.Queue[Any] = queue.Queue(maxsize=depth)
    stop = threading.Event()

    def produce() -> None:
        outcome: Any = _END
        try:
            for entry in entries:
                while not stop.is_set():
                    try:
                        made.put(entry, timeout=0.2)
                        break
                    except queue.Full:
                        continue
                if stop.is_set():
                    return
        except BaseException as error:  # whatever it is belongs to the consumer
            outcome = error
        while not stop.is_set():
            try:
                made.put(outcome, timeout=0.2)
                return
            except queue.Full:
                continue

    thread = threading.Thread(target=produce, name="import-reader", daemon=True)
    thread.start()
    try:
        while (entry := made.get()) is not _END:
            if isinstance(entry, BaseException):
                raise entry
            yield entry
    finally:
        stop.set()
        thread.join()
