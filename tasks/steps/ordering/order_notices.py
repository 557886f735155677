"""Steps of allocate-orders: tell customers that an order was received, and that one is late."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.domain.notices import NoticeKind
from tasks.domain.ordering import backorders
from tasks.domain.ordering.allocation import AllocationRules
from tasks.runs.step import step
from tasks.steps.messaging.notify_customers import notify_customers
from tasks.steps.ordering.explain_backorders import Served
from tasks.store.database.engine import engine
from tasks.store.ordering import order_notices


@step(task_run_name="confirm orders to customers")
def confirm_orders(as_of: datetime) -> int:
    """Thank for every paid open order once; what is old news is kept unsent. Returns how many notices are new."""
    with engine().begin() as connection:
        orders = order_notices.unconfirmed(connection)
        told = orders.assign(happened_at=orders["paid_at"], items=_items(connection, orders))
        return notify_customers(connection, NoticeKind.ORDER_CONFIRMED, told, as_of)


@step(task_run_name="tell customers of delays")
def tell_of_delays(served: Served, as_of: datetime) -> int:
    """Tell customers once whose paid order lacks stock and is, or is about to be, late; how many were told."""
    rules = read("rules/allocation.yaml", AllocationRules)
    late = backorders.delayed(served.waiting, as_of, rules.ship_by)
    if late.empty:
        return 0
    with engine().begin() as connection:
        orders = order_notices.untold(connection, late, NoticeKind.ORDER_DELAYED)
        told = orders.assign(happened_at=orders["ship_by"], items=_items(connection, orders))
        return notify_customers(connection, NoticeKind.ORDER_DELAYED, told, as_of)


def _items(connection: Connection, orders: pd.DataFrame) -> pd.Series:
    return orders["order_id"].map(order_notices.contents(connection, orders["order_id"]))
