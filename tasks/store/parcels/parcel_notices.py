"""The facts of a notice about a parcel: the parcel, its order and its contents."""

from collections import defaultdict
from typing import Any

import pandas as pd
from sqlalchemy import Connection, and_, func, select

from tasks.store.database.frames import read, staged
from tasks.store.schema import merchants, order_lines, orders, products, shipment_lines, shipments


def notice_rows(connection: Connection, parcel_ids: pd.Series) -> pd.DataFrame:
    """One row per parcel with an order: columns as in `tasks.domain.notices.notices`, and facts.

    Facts: carrier, tracking_number, items (list of sku, name, quantity), is_complete (whether the whole order left);
    also shipment_id, shipped_at, delivered_at. Parcels without an order have no customer and are left out.
    """
    parcel, order, merchant = shipments.c, orders.c, merchants.c
    columns: list[Any] = [
        parcel.id.label("shipment_id"), parcel.parcel.label("subject"), parcel.carrier, parcel.tracking_number,
        parcel.shipped_at, parcel.delivered_at, merchant.id.label("merchant_id"), merchant.code.label("merchant"),
        order.id.label("order_id"), order.order_number, order.channel, order.email, order.language,
        order.customer_name, order.fulfilled_at.is_not(None).label("is_complete"),
    ]  # fmt: skip
    with staged(connection, pd.DataFrame({"shipment_id": parcel_ids.astype("int64").drop_duplicates()})) as ids:
        is_chosen = shipments.c.id.in_(select(ids.c.shipment_id))
        parcels = read(
            connection,
            select(*columns)
            .join_from(shipments, merchants, merchants.c.id == shipments.c.merchant_id)
            .join(orders, orders.c.id == shipments.c.order_id)
            .where(is_chosen)
            .order_by(shipments.c.id),
        )
        items = read(connection, _items().where(is_chosen))
    by_parcel: dict[int, list[dict[str, object]]] = defaultdict(list)
    for parcel_id, sku, name, quantity in items.itertuples(index=False):  # groupby takes a minute for a day's parcels
        by_parcel[parcel_id].append({"sku": sku, "name": name, "quantity": int(quantity)})
    parcels = parcels.astype({"order_id": "Int64", "is_complete": "bool"})
    contents = [by_parcel[parcel_id] for parcel_id in parcels["shipment_id"]]
    return parcels.assign(items=pd.Series(contents, index=parcels.index, dtype=object))


def _items() -> Any:
    """SKU, name and quantity of the contents of each parcel; the name of the order line, otherwise the product's."""
    line, goods = order_lines.c, products.c
    same_line = and_(line.order_id == shipment_lines.c.order_id, line.line_number == shipment_lines.c.line_number,
                     line.sku == shipment_lines.c.sku)  # fmt: skip
    name = func.max(func.coalesce(line.name, goods.name, shipment_lines.c.sku))
    key = [shipments.c.id, shipment_lines.c.sku]
    quantity = func.sum(shipment_lines.c.quantity).label("quantity")
    columns: list[Any] = [key[0].label("shipment_id"), key[1], name.label("name"), quantity]
    return (
        select(*columns)
        .join_from(shipments, shipment_lines, shipment_lines.c.shipment_id == shipments.c.id)
        .join(order_lines, same_line, isouter=True)
        .join(products, and_(goods.merchant_id == shipments.c.merchant_id, goods.sku == shipment_lines.c.sku),
              isouter=True)
        .group_by(*key)
        .order_by(*key)
    )  # fmt: skip
