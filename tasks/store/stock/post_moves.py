"""Facts of the ledger: what came in, moved and left. One that came late leaves every count true."""

import pandas as pd
from sqlalchemy import Connection, func, select, union_all

from tasks.store import ledger
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import read, staged
from tasks.store.schema import stock_moves
from tasks.store.stock.count_corrections import corrections_of

PLACE = ledger.PLACE


def post_moves(connection: Connection, moves: pd.DataFrame) -> int:
    """Append moves and bring the levels up to date; a move whose cause is in the ledger already is passed over.

    `moves`: product_id, location_id, condition, lot, quantity (signed, not 0), kind, reason, document,
    effective_at, recorded_at, cause. A move that is effective before a count of its place was settled changes what that
    count should have found: the adjustment is corrected beside it. Returns how many moves were new.
    """
    if moves.empty:
        return 0
    exclusive(connection, "stock")
    with staged(connection, moves, like=stock_moves) as new:
        posted = ledger.write(connection, new)
        place = [new.c[name] for name in PLACE]
        since = select(*place, func.min(new.c.effective_at).label("since")).group_by(*place)
        corrected = corrections_of(connection, read(connection, since), moves["recorded_at"].max())
        with staged(connection, corrected, like=stock_moves) as late:
            ledger.write(connection, late)
            columns = (*PLACE, "quantity")
            every = union_all(*(select(*(table.c[name] for name in columns)) for table in (new, late)))
            ledger.raise_levels(connection, ledger.sums_of(every.subquery("every")))
        return posted


def correct_counts(connection: Connection, places: pd.DataFrame, as_of: pd.Timestamp) -> int:
    """Correct what counts posted where picks came late: units in pickers' hands were not missing.

    `places`: PLACE and since, from when on something else is known now. Returns how many adjustments were corrected.
    """
    exclusive(connection, "stock")
    return ledger.append(connection, corrections_of(connection, places, as_of))
