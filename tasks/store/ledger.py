"""The stock ledger: moves are only ever appended, levels always equal their sum (I2)."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Table, delete, exists, func, insert, literal, select, true

from tasks.store.database.engine import exclusive
from tasks.store.database.frames import changed, insert_into, staged
from tasks.store.schema import stock_levels, stock_moves

PLACE = ("location_id", "product_id", "condition", "lot")


def append(connection: Connection, moves: pd.DataFrame) -> int:
    """Append moves as they are, and bring the levels up to date.

    Only for what a count posts: every other move may be late for a count, `stock.post_moves.post_moves` sees to that.
    """
    if moves.empty:
        return 0
    exclusive(connection, "stock")
    with staged(connection, moves, like=stock_moves) as new:
        posted = write(connection, new)
        raise_levels(connection, sums_of(new))
        return posted


def write(connection: Connection, new: Table) -> int:
    """Write staged moves to the ledger, without the levels; those whose cause is known leave the staged table."""
    connection.execute(delete(new).where(exists().where(stock_moves.c.cause == new.c.cause)))
    names = [str(column.key) for column in new.columns]
    return changed(connection, insert(stock_moves).from_select(names, select(new).order_by(new.c.cause)))


def sums_of(moves: Any) -> Select[Any]:
    """The units of `moves` by place."""
    place = [moves.c[name] for name in PLACE]
    return select(*place, func.sum(moves.c.quantity), literal(0)).where(true()).group_by(*place)


def raise_levels(connection: Connection, sums: Select[Any]) -> None:
    """Add what `sums` (of `sums_of`) moved to the levels, in one statement: only its outcome must satisfy I3."""
    upsert = insert_into(connection, stock_levels).from_select([*PLACE, "on_hand", "allocated"], sums)
    on_hand = stock_levels.c.on_hand + upsert.excluded.on_hand
    connection.execute(upsert.on_conflict_do_update(index_elements=list(PLACE), set_={"on_hand": on_hand}))
