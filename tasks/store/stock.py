"""The stock ledger: moves are only ever appended, levels always equal their sum (I2)."""

import pandas as pd
from sqlalchemy import Connection, delete, exists, func, insert, literal, select, true

from tasks.store.engine import exclusive
from tasks.store.frames import changed, insert_into, staged
from tasks.store.schema import stock_levels, stock_moves

PLACE = ("location_id", "product_id", "condition", "lot")


def post_moves(connection: Connection, moves: pd.DataFrame) -> int:
    """Append moves and bring the levels up to date; a move whose cause is in the ledger already is passed over.

    `moves`: product_id, location_id, condition, lot, quantity (signed, not 0), kind, reason, document,
    effective_at, recorded_at, cause. Returns how many moves were new.
    """
    if moves.empty:
        return 0
    exclusive(connection, "stock")
    with staged(connection, moves, like=stock_moves) as new:
        connection.execute(delete(new).where(exists().where(stock_moves.c.cause == new.c.cause)))
        names = [str(column.key) for column in new.columns]
        posted = changed(connection, insert(stock_moves).from_select(names, select(new).order_by(new.c.cause)))
        place = [new.c[name] for name in PLACE]
        sums = select(*place, func.sum(new.c.quantity), literal(0)).group_by(*place)
        upsert = insert_into(connection, stock_levels).from_select([*PLACE, "on_hand", "allocated"], sums.where(true()))
        upsert = upsert.on_conflict_do_update(
            index_elements=list(PLACE), set_={"on_hand": stock_levels.c.on_hand + upsert.excluded.on_hand}
        )
        connection.execute(upsert)
        return posted
