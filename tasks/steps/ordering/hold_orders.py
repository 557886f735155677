"""Steps of allocate-orders before stock is promised: which orders wait for a person, which for nobody any more."""

from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.domain.notices import NoticeKind
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.holds import OrderRules, duplicates, expired, hold_sheet, is_over
from tasks.domain.ordering.ship_by import urgency
from tasks.domain.states import AlertKind, HoldReason
from tasks.runs.step import step
from tasks.steps.messaging.notify_customers import notify_customers
from tasks.store.database.engine import engine, exclusive
from tasks.store.ordering import holds, order_notices
from tasks.store.stock.alerts import raise_alerts, resolve_alerts

GUARD = "the guard against duplicates"
LOOK_BACK = timedelta(days=7)  # an order paid later than that after it was placed is not compared any more


def _rules() -> OrderRules:
    return read("rules/orders.yaml", OrderRules)


@step(task_run_name="let go orders whose hold is over")
def end_holds(as_of: datetime) -> int:
    """End the holds that have come to their date, and those whose order is held by nothing; says how many."""
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        found = holds.open_holds(connection)
        dated = is_over(found, _rules(), as_of)
        free = found["closed"] | (found["hold_now"].fillna("") != found["reason"])
        why = dated.map({True: "its date", False: "the order itself"})
        ended = found.assign(ended_by=why, lets_go=~free)[dated | free]
        return holds.end(connection, ended[["hold_id", "order_id", "ended_by", "lets_go"]], as_of) + holds.end_dated(
            connection, as_of
        )


@step(task_run_name="hold orders placed twice")
def hold_duplicates(as_of: datetime) -> int:
    """Hold the later of two orders of one customer for the same goods, once; a person decides. Says how many."""
    rules = _rules().duplicates
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        orders, lines = holds.suspects(connection, as_of - LOOK_BACK - timedelta(hours=rules.window_h))
        found = duplicates(orders, lines, rules)
        found = found[found["order_id"].isin(holds.unheld(connection, found["order_id"]))]
        nothing = {"until": pd.Series(pd.NaT, index=found.index, dtype="datetime64[s, UTC]"),
                   "comment": pd.Series(pd.NA, index=found.index, dtype="str")}  # fmt: skip
        told = found.assign(reason=str(HoldReason.DUPLICATE), set_by=GUARD, **nothing)
        return holds.hold(connection, told, as_of)


@step(task_run_name="give up orders nobody paid")
def expire_unpaid(as_of: datetime) -> int:
    """Give up unpaid orders whose time is up and tell their customers; warn of those paid all the same.

    Says how many were given up.
    """
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        late = expired(holds.unpaid(connection), _rules().unpaid, as_of)
        gone = holds.expire(connection, late["order_id"], as_of)
        if gone:
            told = order_notices.untold(connection, late["order_id"], NoticeKind.ORDER_EXPIRED)
            told["happened_at"] = told["order_id"].map(late.set_index("order_id")["due_at"])
            items = told["order_id"].map(order_notices.contents(connection, told["order_id"]))
            notify_customers(connection, NoticeKind.ORDER_EXPIRED, told.assign(items=items), as_of)
        _warn_of_late_money(connection, as_of)
        return gone


def _warn_of_late_money(connection: Connection, as_of: datetime) -> None:
    found = holds.paid_after_expiry(connection)
    cause = "paid_after_expiry:" + found["merchant"] + ":" + found["order_number"]
    detail = "paid on " + found["paid_at"].dt.strftime("%Y-%m-%d") + " after it was given up: pay back or order anew"
    told = found.assign(cause=cause, kind=str(AlertKind.PAID_AFTER_EXPIRY), subject=found["order_number"],
                        detail=detail, opened_at=pd.Timestamp(as_of))  # fmt: skip
    raise_alerts(connection, told[["cause", "kind", "subject", "detail", "merchant_id", "opened_at"]])
    resolve_alerts(connection, AlertKind.PAID_AFTER_EXPIRY, cause, as_of)


def held_orders(connection: Connection, as_of: datetime) -> pd.DataFrame:
    """The orders on hold as a sheet to answer in (`holds.SHEET`): filled in, it goes to inbox/holds."""
    found = holds.held(connection)
    rules = read("rules/allocation.yaml", AllocationRules).ship_by
    return hold_sheet(found, urgency(found["ship_by"], as_of, rules))
