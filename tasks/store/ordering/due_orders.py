"""Orders that are still to be sent, as a shift works them."""

import pandas as pd
from sqlalchemy import Connection, func, select

from tasks.store.database.frames import read
from tasks.store.schema import merchants, order_lines, orders
from tasks.store.sql_rules import NEEDS_NOTHING


def unsent(connection: Connection) -> pd.DataFrame:
    """Paid orders not wholly sent, neither cancelled nor refunded.

    Columns: merchant, order_number, channel, service_level, ship_by, hold_reason, units (still to be sent), allocated
    and picked (of them), int64.
    """
    o, line = orders.c, order_lines.c
    wanted = func.sum(line.quantity_ordered - line.quantity_cancelled - line.quantity_shipped)
    sums = [func.sum(line[f"quantity_{name}"] - line.quantity_shipped).label(name) for name in ("allocated", "picked")]
    key = (merchants.c.code, o.order_number, o.channel, o.service_level, o.ship_by, o.hold_reason)
    told = (
        select(key[0].label("merchant"), *key[1:], wanted.label("units"), *sums)
        .join_from(orders, order_lines, line.order_id == o.id)
        .join(merchants, merchants.c.id == o.merchant_id)
        .where(o.paid_at.is_not(None), ~NEEDS_NOTHING)
        .where(line.requires_shipping, line.quantity_shipped < line.quantity_ordered)
        .group_by(o.id, *key)
        .having(wanted > 0)
        .order_by(o.id)
    )
    return read(connection, told).astype(dict.fromkeys(["units", "allocated", "picked"], "int64"))
