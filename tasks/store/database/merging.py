"""Bring a set of rows into a table by natural key: new rows in, changed rows up to date, equal rows left alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, func, or_, select, update
from sqlalchemy.sql.selectable import Subquery

from tasks.store.database.frames import changed, insert_into, read, staged

Columns = Mapping[str, ColumnElement[Any]]


def insert_new(connection: Connection, target: Table, rows: Select[Any]) -> int:
    """INSERT … SELECT whose rows with a known key are passed over; says how many were new."""
    names = [column.key for column in rows.selected_columns]
    # Without a WHERE clause SQLite cannot tell ON CONFLICT from the ON of a join.
    rows = rows if rows.whereclause is not None else rows.where(select(1).scalar_subquery() == 1)
    return changed(connection, insert_into(connection, target).from_select(names, rows).on_conflict_do_nothing())


def differs(target: Table, source: Subquery | Table, columns: Sequence[str]) -> ColumnElement[bool]:
    """Whether `source` says something else in any of `columns`; where it says nothing, it does not differ."""
    return or_(
        *(and_(source.c[name].is_not(None), target.c[name].is_distinct_from(source.c[name])) for name in columns)
    )


def same_key(target: Table, source: Subquery | Table, key: Sequence[str]) -> ColumnElement[bool]:
    """Whether the two rows have the same (never missing) key."""
    return and_(*(target.c[name] == source.c[name] for name in key))


def update_changed(
    connection: Connection, target: Table, source: Subquery | Table, key: Sequence[str], columns: Sequence[str]
) -> int:
    """UPDATE … FROM for the rows that differ; a missing value never erases. Says how many differed."""
    statement = (
        update(target)
        .where(same_key(target, source, key), differs(target, source, columns))
        .values({name: func.coalesce(source.c[name], target.c[name]) for name in columns})
    )
    return changed(connection, statement)


def merge(
    connection: Connection, target: Table, rows: Select[Any], key: Sequence[str], columns: Sequence[str]
) -> tuple[int, int]:
    """Insert what is new, update what changed; `rows` selects exactly key and columns, each key once.

    Returns how many rows are new and how many changed.
    """
    source = rows.subquery("source")
    updated = update_changed(connection, target, source, key, columns)
    return insert_new(connection, target, rows), updated


def drop_repeats(connection: Connection, rows: Table, key: Sequence[str], facts: Sequence[str]) -> pd.DataFrame:
    """Take rows whose key came earlier in the same file out of the staged rows.

    Returns those that contradict the first in one of `facts`, as row_number and reason; equal ones are just dropped.
    """
    first = func.min(rows.c.row_number).over(partition_by=[rows.c[name] for name in key]).label("first")
    ranked = select(rows.c.row_number, first).subquery("ranked")
    one, other = rows.alias("one"), rows.alias("other")
    contradicts = or_(*(one.c[name].is_distinct_from(other.c[name]) for name in facts))
    found = read(
        connection,
        select(ranked.c.row_number, ranked.c.first, contradicts.label("contradicts"))
        .join(one, one.c.row_number == ranked.c.row_number)
        .join(other, other.c.row_number == ranked.c.first)
        .where(ranked.c.row_number > ranked.c.first),
    )
    drop(connection, rows, found)
    wrong = found[found["contradicts"].astype(bool)]
    reason = f"{key[-1]}: found what row " + wrong["first"].astype("str") + " says otherwise, expected once a file"
    return pd.DataFrame({"row_number": wrong["row_number"].astype("int64"), "reason": reason.astype("str")})


def drop(connection: Connection, rows: Table, found: pd.DataFrame) -> None:
    """Take the rows whose `row_number` is in `found` out of the staged rows."""
    if len(found):
        with staged(connection, found[["row_number"]].drop_duplicates()) as gone:
            connection.execute(delete(rows).where(rows.c.row_number.in_(select(gone.c.row_number))))


def count(connection: Connection, table: Table | Subquery) -> int:
    """How many rows there are."""
    return int(connection.scalar(select(func.count()).select_from(table)) or 0)
