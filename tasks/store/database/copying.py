"""Frames into a PostgreSQL table by COPY, in the server's own binary form: it parses no text."""

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from sqlalchemy import BigInteger, Boolean, Connection, Date, Float, Integer, Table
from sqlalchemy.types import TypeEngine

from tasks.store.database.types import Instant

ROWS_AT_ONCE = 50_000


def copy_into(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """COPY the rows into the columns of `table` that they are named for."""
    send(connection, table, list(frame.columns), packed(table, frame))


def packed(table: Table, frame: pd.DataFrame) -> Iterator[bytes]:
    """The rows as the server takes them, in parts; values take the types of the columns of `table`.

    Raises pyarrow.ArrowInvalid for a value that its column cannot hold.
    """
    names = [str(name) for name in frame.columns]
    columns = [_column(frame[name], table.c[name].type) for name in names]
    rows = pa.table(columns, names).combine_chunks()
    encoder = ArrowToPostgresBinaryEncoder(rows.schema)
    yield encoder.write_header()
    for batch in rows.to_batches(max_chunksize=ROWS_AT_ONCE):
        yield encoder.write_batch(batch)
    yield encoder.finish()


def send(connection: Connection, table: Table, names: list[str], parts: Iterable[bytes]) -> None:
    """COPY `packed` rows of the columns `names`."""
    columns = ", ".join(f'"{name}"' for name in names)
    raw: Any = connection.connection.driver_connection
    with raw.cursor().copy(f'COPY "{table.name}" ({columns}) FROM STDIN (FORMAT binary)') as copy:
        for part in parts:
            copy.write(part)


def _column(values: pd.Series, kind: TypeEngine[Any]) -> pa.ChunkedArray | pa.Array:
    found = pa.array(values, from_pandas=True)
    wanted = _type(kind)
    return found if found.type == wanted else found.cast(wanted)


def _type(kind: TypeEngine[Any]) -> pa.DataType:
    if isinstance(kind, Instant):
        return pa.timestamp("us", "UTC")
    if isinstance(kind, BigInteger):
        return pa.int64()
    if isinstance(kind, Integer):
        return pa.int32()
    if isinstance(kind, Boolean):
        return pa.bool_()
    if isinstance(kind, Float):
        return pa.float64()
    return pa.date32() if isinstance(kind, Date) else pa.large_string()
