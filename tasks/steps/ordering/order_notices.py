"""Steps of allocate-orders that write to customers: their order was received, or is late."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.domain.notices import NoticeKind
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.backorders import delayed_orders
from tasks.runs.step import step
from tasks.steps.messaging.notify_customers import notify_customers
from tasks.steps.ordering.explain_backorders import AllocationView
from tasks.store.database.engine import engine
from tasks.store.ordering import order_notices


@step(task_run_name="confirm orders to customers")
def confirm_orders(as_of: datetime) -> int:
    """Confirm every paid open order once; what is old news is kept unsent. Returns the number of new notices."""
    with engine().begin() as connection:
        orders = order_notices.orders_to_confirm(connection)
        orders = orders.assign(happened_at=orders["paid_at"], items=_items(connection, orders))
        return notify_customers(connection, NoticeKind.ORDER_CONFIRMED, orders, as_of)


@step(task_run_name="tell customers of delays")
def notify_delays(view: AllocationView, as_of: datetime) -> int:
    """Tell customers once whose paid order lacks stock and is or will be late. Returns the number of new notices."""
    rules = read("rules/allocation.yaml", AllocationRules)
    delayed = delayed_orders(view.waiting_lines, as_of, rules.ship_by)
    if delayed.empty:
        return 0
    with engine().begin() as connection:
        orders = order_notices.orders_to_notify(connection, delayed, NoticeKind.ORDER_DELAYED)
        orders = orders.assign(happened_at=orders["ship_by"], items=_items(connection, orders))
        return notify_customers(connection, NoticeKind.ORDER_DELAYED, orders, as_of)


def _items(connection: Connection, orders: pd.DataFrame) -> pd.Series:
    return orders["order_id"].map(order_notices.order_items(connection, orders["order_id"]))
