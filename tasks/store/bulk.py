"""Rows out of the database by the million, as Arrow columns: no Python object is made for any of them."""

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Boolean, Connection, Float, Integer, Select, Text
from sqlalchemy.types import TypeEngine

from tasks.store.types import Instant

_ROWS_MAX = 1 << 26  # SQLite has no column types: the driver looks at so many rows before it settles on one


def read_bulk(connection: Connection, statement: Select[Any]) -> pd.DataFrame:
    """The rows of `statement` in the dtypes of `frames.read`, for results of many rows.

    They are read over a connection of the driver's own and show what is committed: nothing that `connection` itself
    has written before, and not its temporary tables. The locks that `connection` holds keep others from writing.
    """
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    table = _fetch(connection, str(compiled))
    kinds = {column.key: column.type for column in statement.selected_columns}
    columns = zip(table.column_names, table.columns, strict=True)
    return pd.DataFrame({name: _typed(values, kinds[name]) for name, values in columns}, copy=False)


def _fetch(connection: Connection, sql: str) -> pa.Table:
    url = connection.engine.url
    if connection.dialect.name == "postgresql":
        import adbc_driver_postgresql.dbapi as driver

        opened = driver.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    else:
        import adbc_driver_sqlite.dbapi as driver

        opened = driver.connect(f"file:{url.database}")
    with opened, opened.cursor() as cursor:
        if connection.dialect.name == "sqlite":
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(_ROWS_MAX)})
        cursor.execute(sql)
        return cursor.fetch_arrow_table()


def _typed(values: pa.ChunkedArray, kind: TypeEngine[Any]) -> pd.Series:
    if isinstance(kind, Instant):
        return _moments(values)
    if isinstance(kind, Integer):
        whole = values.cast(pa.int64())
        return pd.Series(whole.to_numpy()) if not whole.null_count else whole.to_pandas(types_mapper=_nullable)
    if isinstance(kind, Boolean):
        return pd.Series(values.cast(pa.bool_()).to_numpy())
    if isinstance(kind, Float):
        return pd.Series(values.cast(pa.float64()).to_numpy())
    if isinstance(kind, Text):
        return values.cast(pa.large_string()).to_pandas(types_mapper={pa.large_string(): pd.StringDtype("pyarrow", pd.NA)}.get).astype("str")
    raise TypeError(f"no column of type {kind} is read in bulk")


def _moments(values: pa.ChunkedArray) -> pd.Series:
    if not pa.types.is_timestamp(values.type):  # SQLite keeps texts
        values = pc.cast(values.cast(pa.string()), pa.timestamp("s"))
    seconds = pa.timestamp("s", "UTC")
    return pd.Series(values.cast(seconds, safe=False).to_pandas()).dt.as_unit("s")


def _nullable(kind: pa.DataType) -> Any:
    return {pa.int64(): pd.Int64Dtype()}.get(kind)
