"""Steps of allocate-orders before stock is promised: end holds, hold duplicates, expire unpaid orders."""

from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.domain.notices import NoticeKind
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.holds import OrderRules, duplicate_holds, expired_orders, hold_sheet, is_over
from tasks.domain.ordering.ship_by import urgency
from tasks.domain.states import AlertKind, HoldReason
from tasks.runs.step import step
from tasks.steps.messaging.notify_customers import notify_customers
from tasks.store.database.engine import engine, exclusive
from tasks.store.ordering import holds, order_notices
from tasks.store.stock.alerts import raise_alerts, resolve_alerts

DUPLICATE_GUARD = "the guard against duplicates"
LOOK_BACK = timedelta(days=7)  # an order paid later than that after it was placed is not compared any more


def _rules() -> OrderRules:
    return read("rules/orders.yaml", OrderRules)


@step(task_run_name="end holds that are over")
def end_holds(as_of: datetime) -> int:
    """End the holds whose date has come, and those that no longer hold their order. Returns their number."""
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        open_holds = holds.open_holds(connection)
        is_due = is_over(open_holds, _rules(), as_of)
        is_void = open_holds["closed"] | (open_holds["hold_now"].fillna("") != open_holds["reason"])
        ended_by = is_due.map({True: "its date", False: "the order itself"})
        ended = open_holds.assign(ended_by=ended_by, frees_order=~is_void)[is_due | is_void]
        count = holds.end_holds(connection, ended[["hold_id", "order_id", "ended_by", "frees_order"]], as_of)
        return count + holds.end_dated_holds(connection, as_of)


@step(task_run_name="hold orders placed twice")
def hold_duplicates(as_of: datetime) -> int:
    """Hold the later of two orders of one customer for the same goods, once; a person decides. Returns their number."""
    rules = _rules().duplicates
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        orders, lines = holds.possible_duplicates(connection, as_of - LOOK_BACK - timedelta(hours=rules.window_h))
        duplicates = duplicate_holds(orders, lines, rules)
        duplicates = duplicates[duplicates["order_id"].isin(holds.unheld_orders(connection, duplicates["order_id"]))]
        index = duplicates.index
        duplicates = duplicates.assign(
            reason=str(HoldReason.DUPLICATE),
            set_by=DUPLICATE_GUARD,
            until=pd.Series(pd.NaT, index=index, dtype="datetime64[s, UTC]"),
            comment=pd.Series(pd.NA, index=index, dtype="str"),
        )
        return holds.hold_orders(connection, duplicates, as_of)


@step(task_run_name="give up orders nobody paid")
def expire_unpaid(as_of: datetime) -> int:
    """Cancel unpaid orders whose time is up and tell their customers; warn of those that are paid after all.

    Returns the number of orders cancelled.
    """
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        expired = expired_orders(holds.unpaid_orders(connection), _rules().unpaid, as_of)
        count = holds.expire_orders(connection, expired["order_id"], as_of)
        if count:
            orders = order_notices.orders_to_notify(connection, expired["order_id"], NoticeKind.ORDER_EXPIRED)
            orders["happened_at"] = orders["order_id"].map(expired.set_index("order_id")["due_at"])
            items = orders["order_id"].map(order_notices.order_items(connection, orders["order_id"]))
            notify_customers(connection, NoticeKind.ORDER_EXPIRED, orders.assign(items=items), as_of)
        _warn_of_late_payments(connection, as_of)
        return count


def _warn_of_late_payments(connection: Connection, as_of: datetime) -> None:
    orders = holds.paid_after_expiry(connection)
    cause = "paid_after_expiry:" + orders["merchant"] + ":" + orders["order_number"]
    paid_on = orders["paid_at"].dt.strftime("%Y-%m-%d")
    alerts = orders.assign(
        cause=cause,
        kind=str(AlertKind.PAID_AFTER_EXPIRY),
        subject=orders["order_number"],
        detail="paid on " + paid_on + " after it was given up: pay back or order anew",
        opened_at=pd.Timestamp(as_of),
    )
    raise_alerts(connection, alerts[["cause", "kind", "subject", "detail", "merchant_id", "opened_at"]])
    resolve_alerts(connection, AlertKind.PAID_AFTER_EXPIRY, cause, as_of)


def hold_sheet_rows(connection: Connection, as_of: datetime) -> pd.DataFrame:
    """The orders on hold as a sheet to answer in (`holds.HOLD_SHEET`): filled in, it goes to inbox/holds."""
    orders = holds.orders_on_hold(connection)
    rules = read("rules/allocation.yaml", AllocationRules).ship_by
    return hold_sheet(orders, urgency(orders["ship_by"], as_of, rules))
