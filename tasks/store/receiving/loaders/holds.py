"""Loads sheets of holds: orders that a person holds or releases."""

import pandas as pd
from sqlalchemy import (
    Connection,
    Table,
    and_,
    exists,
    or_,
    select,
)

from tasks.domain.ordering.holds import judge_holds
from tasks.domain.states import HoldAction
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import read, staged
from tasks.store.database.upserts import drop_repeats, row_count
from tasks.store.ordering.holds import LINE_OF_ORDER, hold_orders, release_orders
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import order_lines, orders
from tasks.store.sql_rules import IS_CLOSED

HOLD_COLUMNS = (
    "row_number",
    "merchant_id",
    "order_number",
    "action",
    "hold_reason",
    "hold_until",
    "set_by",
    "comment",
)


def load_holds(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Set and release the holds on a sheet; a row without an action, or without effect, is unchanged."""
    total = row_count(connection, rows)
    repeats = drop_repeats(connection, rows, ("merchant_id", "order_number"), HOLD_COLUMNS[3:6])
    sheet = read(connection, select(*(rows.c[name] for name in HOLD_COLUMNS)).order_by(rows.c.row_number))
    exclusive(connection, "allocations")
    changes, refused = judge_holds(sheet, _named_orders(connection, sheet), intake.as_of)
    release_orders(connection, changes[changes["action"] == HoldAction.RELEASE], intake.as_of)
    hold_orders(connection, _hold_rows(changes[changes["action"] == HoldAction.HOLD], intake), intake.as_of)
    refused_rows = pd.concat([repeats, refused], ignore_index=True)
    return Loaded(len(changes), total - len(changes) - len(refused_rows), refused_rows)


def _named_orders(connection: Connection, sheet: pd.DataFrame) -> pd.DataFrame:
    order = orders.c
    with staged(connection, sheet[["merchant_id", "order_number"]], like=orders) as named:
        is_named = and_(order.merchant_id == named.c.merchant_id, order.order_number == named.c.order_number)
        has_open_lines = exists().where(LINE_OF_ORDER, order_lines.c.quantity_shipped < order_lines.c.quantity_ordered)
        return read(
            connection,
            select(
                order.merchant_id,
                order.order_number,
                order.id.label("order_id"),
                order.hold_reason.label("hold_now"),
                order.hold_until.label("until_now"),
                or_(IS_CLOSED, ~has_open_lines).label("closed"),
            ).join(named, is_named),
        )


def _hold_rows(changes: pd.DataFrame, intake: Intake) -> pd.DataFrame:
    cause = f"sheet:{intake.import_id}:" + changes["row_number"].astype("str")
    names = {"hold_reason": "reason", "hold_until": "until"}
    holds = changes.rename(columns=names).assign(cause=cause.astype("str"), detail=changes["comment"])
    return holds[["order_id", "cause", "reason", "detail", "set_by", "until", "comment"]]
