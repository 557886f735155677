"""Reads query results into frames, and writes frames to the database in one statement each.

`staged` puts a frame into a temporary table, so that rows computed in memory are written by one INSERT or
UPDATE … FROM, whatever their number.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import BigInteger, Boolean, Column, Connection, CursorResult, Date, Float, MetaData, Select, Table, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.expression import Executable
from sqlalchemy.types import Integer, TypeEngine

from tasks.store.database.postgresql_copy import copy_into
from tasks.store.database.types import Instant

_counter = itertools.count()


def read(connection: Connection, statement: Select[Any] | Executable) -> pd.DataFrame:
    """The rows of `statement`, one column per label, in the dtypes the rules expect.

    Integers are int64, or Int64 where one is missing; times datetime64[s, UTC], texts str, booleans bool.
    """
    result = connection.execute(statement)
    types = {column.key: column.type for column in getattr(statement, "selected_columns", ())}
    rows = result.all()
    names = list(result.keys())
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [() for _ in names]
    return pd.DataFrame({name: _typed(values, types.get(name)) for name, values in zip(names, columns, strict=True)})


def _typed(values: tuple[Any, ...], kind: TypeEngine[Any] | None) -> pd.Series:
    if isinstance(kind, Instant):
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True)).dt.as_unit("s")
    if isinstance(kind, Integer):
        whole = pd.Series(values, dtype="Int64")
        return whole if whole.hasnans else whole.astype("int64")
    if isinstance(kind, Boolean):
        return pd.Series(values, dtype=bool)
    if isinstance(kind, Float):
        return pd.Series(values, dtype="float64")
    if isinstance(kind, Text):
        return pd.Series(values, dtype="str")
    return pd.Series(values, dtype=None if values else object)


def changed(connection: Connection, statement: Executable) -> int:
    """Execute an INSERT, UPDATE or DELETE. Returns the number of rows written, on either database."""
    result: CursorResult[Any] = connection.execute(statement, execution_options={"preserve_rowcount": True})
    return result.rowcount


def insert_into(connection: Connection, table: Table) -> Any:
    """An INSERT of the dialect of the connection, which may have an ON CONFLICT clause."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


@contextmanager
def staged(connection: Connection, frame: pd.DataFrame, like: Table | None = None) -> Iterator[Table]:
    """A temporary table with the rows of `frame`, dropped at the end of the block.

    A column has the type of the column of that name in `like`, otherwise the type that its dtype maps to.
    """
    name = f"staged_{next(_counter)}"
    columns = [Column(str(label), _sql_type(str(label), frame[label], like)) for label in frame.columns]
    table = Table(name, MetaData(), *columns, prefixes=["TEMPORARY"])
    table.create(connection)
    if len(frame):
        fill(connection, table, frame)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {name}")
    yield table
    table.drop(connection)  # after an error the rollback does it: a failed transaction takes no statements


@contextmanager
def id_table(connection: Connection, name: str, ids: pd.Series | None) -> Iterator[Any]:
    """A temporary table with each of the ids once, in the column `name`; None when `ids` is None, which means all."""
    if ids is None:
        yield None
    else:
        with staged(connection, pd.DataFrame({name: np.unique(ids.astype("int64"))})) as table:
            yield table


def _sql_type(label: str, values: pd.Series, like: Table | None) -> TypeEngine[Any]:
    if like is not None and label in like.c:
        return like.c[label].type
    dtype = values.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return Instant()
    if pd.api.types.is_bool_dtype(dtype):
        return Boolean()
    if pd.api.types.is_integer_dtype(dtype):
        return BigInteger()
    if pd.api.types.is_float_dtype(dtype):
        return Float()
    return Text()


def fill(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """Write every row and column of `frame` to `table`: COPY on PostgreSQL, one prepared statement on SQLite."""
    if connection.dialect.name == "postgresql":
        copy_into(connection, table, frame)
        return
    names = ", ".join(f'"{name}"' for name in frame.columns)
    columns = [_plain(frame[name], table.c[name].type) for name in frame.columns]
    raw: Any = connection.connection.driver_connection
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({", ".join("?" * len(columns))})'
    raw.executemany(statement, zip(*columns, strict=True))


def _plain(values: pd.Series, kind: TypeEngine[Any]) -> list[Any]:
    """Values as SQLite's driver takes them, with None for what is missing."""
    if isinstance(kind, Instant):
        values = values.dt.tz_convert("UTC").dt.strftime("%Y-%m-%d %H:%M:%S")
    elif isinstance(kind, Date):
        values = values.map(lambda day: day.isoformat(), na_action="ignore")
    plain = values.astype(object)
    return plain.where(values.notna(), None).tolist()
