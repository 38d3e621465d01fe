"""Rows into PostgreSQL by COPY, inside Django's transaction.

PostgreSQL stores what it has while the next rows are made, since it is another process: a generator of rows that reads
and checks its lines on the way costs hardly more than the storing alone. (A thread that reads ahead was slower: it and
this one wait for each other's interpreter lock at every piece that is sent.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, TypeVar, cast

import psycopg
from django.db import connection

T = TypeVar("T")


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
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [sequence_of])
        sequence = cursor.fetchone()[0]  # looked up once: in the next line it would be looked up for every id
        cursor.execute("SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence, count])
        return [row[0] for row in cursor.fetchall()]


def lazy_batches(entries: Iterable[T], size: int) -> Iterator[Iterator[T]]:
    """Iterators over `size` entries each, the last one shorter; each must be used up before the next is asked for."""
    rest = iter(entries)
    for first in rest:
        yield chain([first], islice(rest, size - 1))


def refresh_statistics(table: str, columns: Sequence[str], added: int) -> None:
    """ANALYZE the columns that plans ask for, where `added` rows change what is known of the table.

    Plans made from the statistics of an empty table are poor ones. A table that was large before keeps good plans, and
    autovacuum looks at it soon; to sample a gigabyte in the middle of an import took longer than the import.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table])
        if cursor.fetchone()[0] < 2 * added:
            cursor.execute(f"ANALYZE (SKIP_LOCKED) {table} ({', '.join(columns)})")
