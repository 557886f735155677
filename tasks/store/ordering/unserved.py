"""What open orders still need of each product."""

import pandas as pd
from sqlalchemy import BigInteger, Connection, cast, func, select

from tasks.store.database.frames import read
from tasks.store.ordering.open_lines import NEED
from tasks.store.schema import order_lines, orders, products
from tasks.store.sql_rules import IS_REFUNDED
from tasks.store.stock.places import parts


def unserved(connection: Connection) -> pd.Series:
    """Units paid orders need and are not promised yet, by product_id (int64); a kit needs its components."""
    part, o = parts(), orders.c
    units = cast(func.sum(NEED * part.c.quantity), BigInteger).label("units")
    goods = (products.c.merchant_id == o.merchant_id) & (products.c.sku == order_lines.c.sku)
    told = (
        select(part.c.part_id.label("product_id"), units)
        .join_from(order_lines, orders, o.id == order_lines.c.order_id)
        .join(products, goods)
        .join(part, part.c.product_id == products.c.id)
        .where(NEED > 0, order_lines.c.requires_shipping, o.paid_at.is_not(None), o.cancelled_at.is_(None))
        .where(o.fulfilled_at.is_(None), ~IS_REFUNDED)
        .group_by(part.c.part_id)
        .order_by(part.c.part_id)
    )
    return read(connection, told).astype("int64").set_index("product_id")["units"]
