"""What a frame says is what the table says, on both databases: every type, missing values, awkward texts."""

from datetime import UTC, date, datetime

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import BigInteger, Boolean, Column, Date, Engine, Float, Integer, MetaData, Table, Text, select

from tasks.store.database.frames import fill, read, staged
from tasks.store.database.types import Instant

KINDS = Table(
    "kinds", MetaData(), Column("number", BigInteger), Column("units", Integer), Column("share", Float),
    Column("is_kit", Boolean), Column("name", Text), Column("at", Instant), Column("day", Date),
)  # fmt: skip
TEXTS = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
MOMENTS = some.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31), timezones=some.just(UTC))  # noqa: DTZ001
ROWS = some.tuples(
    some.integers(-(2**63) + 1, 2**63 - 1) | some.none(),
    some.integers(-(2**31), 2**31 - 1) | some.none(),
    some.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda share: share + 0.0) | some.none(),
    some.booleans(),
    TEXTS | some.sampled_from(['"', "\\N", "a,b", "a\nb", "\t", "", "=1+1", "x'; DROP TABLE orders; --"]) | some.none(),
    MOMENTS.map(lambda at: at.replace(microsecond=0, fold=0)) | some.none(),
    some.dates(date(1970, 1, 1), date(2099, 12, 31)) | some.none(),
)


def as_frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """The rows in the dtypes that rules make."""
    dtypes = {"number": "Int64", "units": "Int64", "share": "float64", "is_kit": "bool", "name": "str",
              "at": "datetime64[s, UTC]", "day": "object"}  # fmt: skip
    columns = list(zip(*rows, strict=True)) or [() for _ in dtypes]
    made = {name: pd.Series(list(values), dtype=object) for name, values in zip(dtypes, columns, strict=True)}
    return pd.DataFrame(made).astype(dtypes)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(some.lists(ROWS, min_size=1, max_size=30))
def test_rows_come_back_as_they_went_in(store: Engine, rows: list[tuple[object, ...]]) -> None:
    """Also numbers that fill their column, and texts that mean something to a database, to CSV or to COPY."""
    frame = as_frame(rows)
    with store.begin() as connection, staged(connection, frame, like=KINDS) as table:
        told = connection.execute(select(table)).all()
    assert sorted(map(repr, map(tuple, told))) == sorted(map(repr, rows))


def test_a_frame_of_no_rows_is_no_trouble(store: Engine) -> None:
    """Also where no row tells what its columns are."""
    with store.begin() as connection, staged(connection, as_frame([]), like=KINDS) as table:
        fill(connection, table, as_frame([]))
        assert read(connection, select(table)).empty


def test_a_number_too_large_for_its_column_is_refused(store: Engine) -> None:
    """It is never cut down to what fits."""
    if store.dialect.name == "sqlite":
        pytest.skip("SQLite keeps whole numbers of any column in eight bytes")
    frame = as_frame([(1, 2**31, 0.5, True, "a", datetime(2026, 1, 5, tzinfo=UTC), date(2026, 1, 5))])
    with pytest.raises(pa.ArrowInvalid, match="2147483648"), store.begin() as connection:
        staged(connection, frame, like=KINDS).__enter__()
