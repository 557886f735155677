"""Loads sheets of holds: orders a person stops, and those let go."""

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
from tasks.store.database.merging import count, drop_repeats
from tasks.store.ordering.holds import LINE_OF_ORDER, hold, release
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import order_lines, orders
from tasks.store.sql_rules import IS_CLOSED

ROW = ("row_number", "merchant_id", "order_number", "action", "hold_reason", "hold_until", "set_by", "comment")


def load_holds(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Set and lift holds as a sheet says; a row without an action, or with what is so already, says nothing new."""
    total = count(connection, rows)
    bad = drop_repeats(connection, rows, ("merchant_id", "order_number"), ROW[3:6])
    said = read(connection, select(*(rows.c[name] for name in ROW)).order_by(rows.c.row_number))
    exclusive(connection, "allocations")
    wanted, refused = judge_holds(said, _named(connection, said), intake.as_of)
    release(connection, wanted[wanted["action"] == HoldAction.RELEASE], intake.as_of)
    hold(connection, _to_set(wanted[wanted["action"] == HoldAction.HOLD], intake), intake.as_of)
    every = pd.concat([bad, refused], ignore_index=True)
    return Loaded(len(wanted), total - len(wanted) - len(every), every)


def _named(connection: Connection, said: pd.DataFrame) -> pd.DataFrame:
    o = orders.c
    with staged(connection, said[["merchant_id", "order_number"]], like=orders) as those:
        same = and_(o.merchant_id == those.c.merchant_id, o.order_number == those.c.order_number)
        left = exists().where(LINE_OF_ORDER, order_lines.c.quantity_shipped < order_lines.c.quantity_ordered)
        return read(
            connection,
            select(o.merchant_id, o.order_number, o.id.label("order_id"), o.hold_reason.label("hold_now"),
                   o.hold_until.label("until_now"), or_(IS_CLOSED, ~left).label("closed")).join(those, same),
        )  # fmt: skip


def _to_set(wanted: pd.DataFrame, intake: Intake) -> pd.DataFrame:
    cause = f"sheet:{intake.import_id}:" + wanted["row_number"].astype("str")
    names = {"hold_reason": "reason", "hold_until": "until"}
    told = wanted.rename(columns=names).assign(cause=cause.astype("str"), detail=wanted["comment"])
    return told[["order_id", "cause", "reason", "detail", "set_by", "until", "comment"]]
