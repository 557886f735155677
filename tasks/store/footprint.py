"""What the database holds, in a few letters a table: whether a run changed anything at all (I8)."""

import hashlib

from sqlalchemy import Connection, select, type_coerce
from sqlalchemy.types import NullType

from tasks.store.schema import BOOKKEEPING, metadata

_ROWS_AT_ONCE = 20_000


def footprint(connection: Connection) -> dict[str, str]:
    """A digest of every row of every table, by table name; equal digests are equal rows of the same database.

    What only says which orders are yet to be looked at is left out: it holds no fact.
    """
    return {name: _digest(connection, name) for name in sorted(metadata.tables) if name not in BOOKKEEPING}


def _digest(connection: Connection, name: str) -> str:
    table = metadata.tables[name]
    as_stored = [type_coerce(column, NullType()) for column in table.columns]  # not made into moments and the like
    rows = connection.execute(
        select(*as_stored).order_by(*table.primary_key.columns), execution_options={"yield_per": _ROWS_AT_ONCE}
    )
    digest = hashlib.blake2b(digest_size=12)
    for some in rows.partitions():
        digest.update(repr([tuple(row) for row in some]).encode())
    return digest.hexdigest()
