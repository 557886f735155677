"""Writes frames to PostgreSQL tables with COPY, in the server's binary format."""

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
    """COPY the rows of `frame` into the columns of `table` with the same names."""
    send(connection, table, list(frame.columns), packed(table, frame))


def packed(table: Table, frame: pd.DataFrame) -> Iterator[bytes]:
    """The rows in the server's binary format, in chunks; values are cast to the types of the columns of `table`.

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


def send(connection: Connection, table: Table, names: list[str], chunks: Iterable[bytes]) -> None:
    """COPY the rows that `packed` gave for the columns `names`."""
    columns = ", ".join(f'"{name}"' for name in names)
    raw: Any = connection.connection.driver_connection
    with raw.cursor().copy(f'COPY "{table.name}" ({columns}) FROM STDIN (FORMAT binary)') as copy:
        for chunk in chunks:
            copy.write(chunk)


def _column(values: pd.Series, kind: TypeEngine[Any]) -> pa.ChunkedArray | pa.Array:
    array = pa.array(values, from_pandas=True)
    target = _type(kind)
    return array if array.type == target else array.cast(target)


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
