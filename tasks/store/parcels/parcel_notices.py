"""What a customer is told of a parcel: the parcel, its order, and what is in this parcel."""

from collections import defaultdict
from typing import Any

import pandas as pd
from sqlalchemy import Connection, and_, func, select

from tasks.store.database.frames import read, staged
from tasks.store.schema import merchants, order_lines, orders, products, shipment_lines, shipments


def notice_rows(connection: Connection, of_parcels: pd.Series) -> pd.DataFrame:
    """These parcels (ids) as `tasks.domain.notices.notices` takes them, with shipment_id, shipped_at, delivered_at.

    Facts: carrier, tracking_number, items (list of sku, name, quantity), is_complete (whether the whole order left).
    Parcels that belong to no order are nobody's to tell of.
    """
    parcel, order, merchant = shipments.c, orders.c, merchants.c
    columns: list[Any] = [
        parcel.id.label("shipment_id"), parcel.parcel.label("subject"), parcel.carrier, parcel.tracking_number,
        parcel.shipped_at, parcel.delivered_at, merchant.id.label("merchant_id"), merchant.code.label("merchant"),
        order.id.label("order_id"), order.order_number, order.channel, order.email, order.language,
        order.customer_name, order.fulfilled_at.is_not(None).label("is_complete"),
    ]  # fmt: skip
    with staged(connection, pd.DataFrame({"shipment_id": of_parcels.astype("int64").drop_duplicates()})) as chosen:
        here = shipments.c.id.in_(select(chosen.c.shipment_id))
        found = read(
            connection,
            select(*columns)
            .join_from(shipments, merchants, merchants.c.id == shipments.c.merchant_id)
            .join(orders, orders.c.id == shipments.c.order_id)
            .where(here)
            .order_by(shipments.c.id),
        )
        items = read(connection, _items().where(here))
    told: dict[int, list[dict[str, object]]] = defaultdict(list)
    for one, sku, name, quantity in items.itertuples(index=False):  # a group at a time would take a minute a day
        told[one].append({"sku": sku, "name": name, "quantity": int(quantity)})
    found = found.astype({"order_id": "Int64", "is_complete": "bool"})
    inside = [told[one] for one in found["shipment_id"]]
    return found.assign(items=pd.Series(inside, index=found.index, dtype=object))


def _items() -> Any:
    """SKU, name and quantity of what is in each parcel; a line's own name, or the product's."""
    line, goods = order_lines.c, products.c
    same = and_(line.order_id == shipment_lines.c.order_id, line.line_number == shipment_lines.c.line_number,
                line.sku == shipment_lines.c.sku)  # fmt: skip
    name = func.max(func.coalesce(line.name, goods.name, shipment_lines.c.sku))
    key = [shipments.c.id, shipment_lines.c.sku]
    quantity = func.sum(shipment_lines.c.quantity).label("quantity")
    columns: list[Any] = [key[0].label("shipment_id"), key[1], name.label("name"), quantity]
    return (
        select(*columns)
        .join_from(shipments, shipment_lines, shipment_lines.c.shipment_id == shipments.c.id)
        .join(order_lines, same, isouter=True)
        .join(products, and_(goods.merchant_id == shipments.c.merchant_id, goods.sku == shipment_lines.c.sku),
              isouter=True)
        .group_by(*key)
        .order_by(*key)
    )  # fmt: skip
