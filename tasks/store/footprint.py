"""What the database holds, in a few letters a table: whether a run changed anything at all (I8)."""

import hashlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from tasks.store.schema import BOOKKEEPING, metadata

_ROWS_AT_ONCE = 20_000


def footprint(connection: Connection) -> dict[str, str]:
    """A digest of every row of every table, by table name; equal digests are equal rows of the same database.

    What only says which orders are yet to be looked at is left out: it holds no fact.
    """
    return {name: _digest(connection, name) for name in sorted(metadata.tables) if name not in BOOKKEEPING}


def _digest(connection: Connection, name: str) -> str:
    table = metadata.tables[name]
    rows = select(*table.columns).order_by(*table.primary_key.columns).compile(dialect=connection.dialect)
    digest = hashlib.blake2b(digest_size=12)
    for some in _as_stored(connection, str(rows)):
        digest.update(some)
    return digest.hexdigest()


def _as_stored(connection: Connection, rows: str) -> Iterator[bytes | memoryview]:
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        with raw.cursor().copy(f"COPY ({rows}) TO STDOUT") as copy:
            yield from copy
        return
    cursor = raw.execute(rows)
    while some := cursor.fetchmany(_ROWS_AT_ONCE):
        yield repr(some).encode()
