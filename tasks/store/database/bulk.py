"""Reads millions of rows column by column, without a Python object for each value."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    Text,
    cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType, TypeEngine

from tasks.store.database.types import Instant

_NONE = np.iinfo("int64").min  # the sentinel of missing numbers; that of missing texts is a control character
_NO_TEXT, _NEXT = "\x1e", "\x1f"
_NEVER = "0000-00-00 00:00:00"  # a missing moment, as long as any other
_MOMENT = np.dtype([("at", f"S{len(_NEVER)}"), ("next", "S1")])


def read_bulk(connection: Connection, statement: Select[Any]) -> pd.DataFrame:
    """The rows of `statement`, in any order, in the dtypes of `frames.read`; for results of many rows.

    SQLite joins each column to one text, which numpy reads faster than the driver fetches rows; PostgreSQL copies
    CSV out. No text of the result may hold the characters 1E and 1F, which the exports' texts cannot.
    """
    rows = statement.subquery("bulk")
    kinds = {column.key: column.type for column in rows.c}
    if connection.dialect.name == "postgresql":
        return _copied(connection, select(*(_plain(column) for column in rows.c)), kinds)
    joined = [func.group_concat(_or_sentinel(column), _NEXT) for column in rows.c]
    texts = connection.execute(select(*joined)).one()
    return pd.DataFrame({name: _split(text, kinds[name]) for name, text in zip(kinds, texts, strict=True)})


def _plain(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Instant):
        return cast(func.extract("epoch", column), BigInteger).label(column.key)
    return cast(column, Integer).label(column.key) if isinstance(column.type, Boolean) else column


def _or_sentinel(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column with a sentinel for missing values, which group_concat would leave out."""
    nothing = {Text: _NO_TEXT, Instant: _NEVER}.get(type(column.type), _NONE)
    return func.coalesce(type_coerce(column, NullType()), literal(nothing))


def _split(text: str | None, kind: TypeEngine[Any]) -> pd.Series:
    if isinstance(kind, Instant):
        return _numbers(_seconds(f"{text}{_NEXT}".encode() if text is not None else b""), kind)
    if isinstance(kind, Text):
        words = pa.array(text.split(_NEXT) if text is not None else [], pa.large_string())
        return _texts(pa.chunked_array([words]), missing=_NO_TEXT)
    return _numbers(np.fromstring(text or "", dtype="int64", sep=_NEXT), kind)


def _seconds(moments: bytes) -> np.ndarray:
    """Seconds since 1970 of moments in SQLite's text form, each followed by one separator character."""
    words = np.frombuffer(moments, dtype=_MOMENT)["at"]
    never = words == _NEVER.encode()
    seconds: np.ndarray = np.where(never, b"1970-01-01 00:00:00", words).astype("datetime64[s]").astype("int64")
    seconds[never] = _NONE
    return seconds


def _copied(connection: Connection, statement: Select[Any], kinds: dict[str, TypeEngine[Any]]) -> pd.DataFrame:
    sql = str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    raw: Any = connection.connection.driver_connection
    whole = io.BytesIO()
    with raw.cursor().copy(f"COPY ({sql.replace('%%', '%')}) TO STDOUT (FORMAT csv, HEADER)") as copy:
        for block in copy:
            whole.write(block)
    types = {name: pa.large_string() if isinstance(kind, Text) else pa.int64() for name, kind in kinds.items()}
    options = pyarrow.csv.ConvertOptions(
        column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
    )
    whole.seek(0)
    table = pyarrow.csv.read_csv(
        whole, convert_options=options, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True)
    )
    return pd.DataFrame({name: _column(table.column(name), kind) for name, kind in kinds.items()})


def _column(values: pa.ChunkedArray, kind: TypeEngine[Any]) -> pd.Series:
    return _texts(values) if isinstance(kind, Text) else _numbers(values.fill_null(_NONE).to_numpy(), kind)


def _texts(values: pa.ChunkedArray, missing: str | None = None) -> pd.Series:
    texts: pd.Series = values.to_pandas(types_mapper={pa.large_string(): pd.StringDtype("pyarrow", np.nan)}.get)
    return texts if missing is None else texts.mask(texts == missing)


def _numbers(values: np.ndarray, kind: TypeEngine[Any]) -> pd.Series:
    if isinstance(kind, Instant):
        return pd.Series(values.astype("datetime64[s]")).dt.tz_localize("UTC")  # the least number is NaT
    if isinstance(kind, Boolean):
        return pd.Series(values == 1)
    if isinstance(kind, Float):
        raise TypeError("numbers with a point are not read in bulk")
    missing = values == _NONE
    return pd.Series(pd.arrays.IntegerArray(values, missing)) if missing.any() else pd.Series(values)
