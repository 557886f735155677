"""The ship-by date of paid orders."""

import pandas as pd
from sqlalchemy import Connection, and_, select, update

from tasks.domain.states import HoldReason
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import orders


def lift_payment_holds(connection: Connection) -> int:
    """Let go the orders that waited for a payment which has come; says how many."""
    paid = and_(orders.c.hold_reason == HoldReason.PAYMENT, orders.c.paid_at.is_not(None))
    return changed(connection, update(orders).where(paid).values(hold_reason=None, hold_until=None))


def without_ship_by(connection: Connection) -> pd.DataFrame:
    """Paid open orders nobody has promised a day: order_id, paid_at, service_level."""
    o = orders.c
    statement = select(o.id.label("order_id"), o.paid_at, o.service_level).order_by(o.id)
    return read(connection, statement.where(o.paid_at.is_not(None), o.ship_by.is_(None), o.cancelled_at.is_(None)))


def promise_ship_by(connection: Connection, promised: pd.DataFrame) -> int:
    """Write ship_by of orders that have none (order_id, ship_by); says how many."""
    with staged(connection, promised.dropna(), like=orders) as new:
        same = and_(orders.c.id == new.c.order_id, orders.c.ship_by.is_(None))
        return changed(connection, update(orders).where(same).values(ship_by=new.c.ship_by))
