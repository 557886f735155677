"""Dated stock movements of the warehouse system."""

import pandas as pd
from sqlalchemy import Connection, Table, literal, select

from tasks.store.frames import read
from tasks.store.intake import Intake, Loaded
from tasks.store.merging import count, drop, drop_repeats
from tasks.store.places import placed
from tasks.store.schema import merchants, stock_moves
from tasks.store.stock import PLACE, post_moves

FACTS = ("warehouse", "location", "sku", "condition", "lot", "quantity", "kind", "occurred_at")


def load_movements(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Post staged movements to the ledger, each id once; the same id with another story is refused."""
    total = count(connection, rows)
    refused = [drop_repeats(connection, rows, ("merchant_id", "movement_id"), FACTS), _refuse_zero(connection, rows)]
    here = placed(connection, rows)
    refused.append(here.refused)
    c = here.rows.c
    cause = literal("movement:") + merchants.c.code + literal(":") + c.movement_id
    found = read(
        connection,
        select(c.row_number, *(c[name] for name in PLACE), c.quantity, c.kind, c.reason, c.document,
               c.occurred_at.label("effective_at"), cause.label("cause"), stock_moves.c.quantity.label("booked"))
        .join_from(here.rows, merchants, merchants.c.id == c.merchant_id)
        .join(stock_moves, stock_moves.c.cause == cause, isouter=True)
    )  # fmt: skip
    told = found["booked"].notna() & (found["booked"] != found["quantity"])
    refused.append(_otherwise(found[told]))
    moves = found[~told].drop(columns=["row_number", "booked"]).assign(recorded_at=pd.Timestamp(intake.as_of))
    posted = post_moves(connection, moves)
    bad = pd.concat(refused, ignore_index=True)
    return Loaded(posted, total - posted - len(bad), bad)


def _otherwise(told: pd.DataFrame) -> pd.DataFrame:
    reason = "movement_id: found '" + told["cause"].str.split(":", n=2).str[2] + "' again with "
    reason += told["quantity"].astype("str") + " units, expected the " + told["booked"].astype("str") + " booked before"
    return pd.DataFrame({"row_number": told["row_number"], "reason": reason.astype("str")})


def _refuse_zero(connection: Connection, rows: Table) -> pd.DataFrame:
    reason = literal("quantity: found '0', expected units that moved").label("reason")
    found = read(connection, select(rows.c.row_number, reason).where(rows.c.quantity == 0))
    drop(connection, rows, found)
    return found
