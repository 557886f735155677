"""The ship-by date of paid orders, and holds that only waited for a payment."""

import pandas as pd
from sqlalchemy import Connection, and_, select, update

from tasks.domain.states import HoldReason
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import orders


def lift_payment_holds(connection: Connection) -> int:
    """End the hold of orders whose payment has come. Returns their number."""
    is_paid = and_(orders.c.hold_reason == HoldReason.PAYMENT, orders.c.paid_at.is_not(None))
    return changed(connection, update(orders).where(is_paid).values(hold_reason=None, hold_until=None))


def orders_without_ship_by(connection: Connection) -> pd.DataFrame:
    """Paid open orders that have no ship-by: order_id, paid_at, service_level."""
    order = orders.c
    needs_ship_by = order.paid_at.is_not(None), order.ship_by.is_(None), order.cancelled_at.is_(None)
    query = select(order.id.label("order_id"), order.paid_at, order.service_level).where(*needs_ship_by)
    return read(connection, query.order_by(order.id))


def set_ship_by(connection: Connection, dates: pd.DataFrame) -> int:
    """Write the ship_by of orders that have none (order_id, ship_by). Returns their number."""
    with staged(connection, dates.dropna(), like=orders) as new:
        order = and_(orders.c.id == new.c.order_id, orders.c.ship_by.is_(None))
        return changed(connection, update(orders).where(order).values(ship_by=new.c.ship_by))
