"""Paid orders that are still to be sent: the work list of a shift."""

import pandas as pd
from sqlalchemy import Connection, func, select

from tasks.store.database.frames import read
from tasks.store.schema import merchants, order_lines, orders
from tasks.store.sql_rules import NEEDS_NOTHING


def unsent_orders(connection: Connection) -> pd.DataFrame:
    """Paid orders that are not fully sent and neither cancelled nor refunded.

    Columns: merchant, order_number, channel, service_level, ship_by, hold_reason, units (still to be sent), allocated
    and picked (of them), int64.
    """
    order, line = orders.c, order_lines.c
    units = func.sum(line.quantity_ordered - line.quantity_cancelled - line.quantity_shipped)
    sums = [func.sum(line[f"quantity_{name}"] - line.quantity_shipped).label(name) for name in ("allocated", "picked")]
    key = (merchants.c.code, order.order_number, order.channel, order.service_level, order.ship_by, order.hold_reason)
    query = (
        select(key[0].label("merchant"), *key[1:], units.label("units"), *sums)
        .join_from(orders, order_lines, line.order_id == order.id)
        .join(merchants, merchants.c.id == order.merchant_id)
        .where(order.paid_at.is_not(None), ~NEEDS_NOTHING)
        .where(line.requires_shipping, line.quantity_shipped < line.quantity_ordered)
        .group_by(order.id, *key)
        .having(units > 0)
        .order_by(order.id)
    )
    return read(connection, query).astype(dict.fromkeys(["units", "allocated", "picked"], "int64"))
