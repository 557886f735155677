"""Upserts by natural key: new rows are inserted, changed rows updated, equal rows left as they are."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, func, or_, select, update
from sqlalchemy.sql.selectable import Subquery

from tasks.store.database.frames import changed, insert_into, read, staged


def insert_new(connection: Connection, target: Table, rows: Select[Any]) -> int:
    """INSERT … SELECT that skips rows whose key exists. Returns the number of rows inserted."""
    names = [column.key for column in rows.selected_columns]
    # Without a WHERE clause SQLite cannot tell ON CONFLICT from the ON of a join.
    rows = rows if rows.whereclause is not None else rows.where(select(1).scalar_subquery() == 1)
    return changed(connection, insert_into(connection, target).from_select(names, rows).on_conflict_do_nothing())


def differs(target: Table, source: Subquery | Table, columns: Sequence[str]) -> ColumnElement[bool]:
    """Whether `source` has another value in any of `columns`; a missing value does not differ."""
    return or_(
        *(and_(source.c[name].is_not(None), target.c[name].is_distinct_from(source.c[name])) for name in columns)
    )


def keys_match(target: Table, source: Subquery | Table, key: Sequence[str]) -> ColumnElement[bool]:
    """Whether the two rows have the same key, whose parts are never missing."""
    return and_(*(target.c[name] == source.c[name] for name in key))


def update_changed(
    connection: Connection, target: Table, source: Subquery | Table, key: Sequence[str], columns: Sequence[str]
) -> int:
    """UPDATE … FROM for the rows that differ; missing values overwrite nothing. Returns the number of rows updated."""
    statement = (
        update(target)
        .where(keys_match(target, source, key), differs(target, source, columns))
        .values({name: func.coalesce(source.c[name], target.c[name]) for name in columns})
    )
    return changed(connection, statement)


def merge(
    connection: Connection, target: Table, rows: Select[Any], key: Sequence[str], columns: Sequence[str]
) -> tuple[int, int]:
    """Insert new rows and update changed ones; `rows` selects exactly key and columns, each key once.

    Returns the numbers of rows inserted and updated.
    """
    source = rows.subquery("source")
    updated = update_changed(connection, target, source, key, columns)
    return insert_new(connection, target, rows), updated


def drop_repeats(connection: Connection, rows: Table, key: Sequence[str], facts: Sequence[str]) -> pd.DataFrame:
    """Delete staged rows whose key came earlier in the same file.

    Returns the rows that contradict the first one in any of `facts`, as row_number and reason; equal ones are only
    deleted.
    """
    first = func.min(rows.c.row_number).over(partition_by=[rows.c[name] for name in key]).label("first")
    ranked = select(rows.c.row_number, first).subquery("ranked")
    repeat, original = rows.alias("repeat"), rows.alias("original")
    contradicts = or_(*(repeat.c[name].is_distinct_from(original.c[name]) for name in facts))
    repeats = read(
        connection,
        select(ranked.c.row_number, ranked.c.first, contradicts.label("contradicts"))
        .join(repeat, repeat.c.row_number == ranked.c.row_number)
        .join(original, original.c.row_number == ranked.c.first)
        .where(ranked.c.row_number > ranked.c.first),
    )
    drop_rows(connection, rows, repeats)
    wrong = repeats[repeats["contradicts"].astype(bool)]
    reason = f"{key[-1]}: found again with other values than in row " + wrong["first"].astype("str")
    reason += ", expected once per file"
    return pd.DataFrame({"row_number": wrong["row_number"].astype("int64"), "reason": reason.astype("str")})


def drop_rows(connection: Connection, rows: Table, unwanted: pd.DataFrame) -> None:
    """Delete the staged rows whose `row_number` is in `unwanted`."""
    if len(unwanted):
        with staged(connection, unwanted[["row_number"]].drop_duplicates()) as numbers:
            connection.execute(delete(rows).where(rows.c.row_number.in_(select(numbers.c.row_number))))


def row_count(connection: Connection, table: Table | Subquery) -> int:
    """The number of rows."""
    return int(connection.scalar(select(func.count()).select_from(table)) or 0)
