"""Open order lines: what each still needs of which product."""

from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray
from sqlalchemy import Connection, Select, Table, and_, select

from tasks.store.database.bulk import read_bulk
from tasks.store.database.frames import read
from tasks.store.schema import merchants, order_lines, orders, products

NEED = order_lines.c.quantity_ordered - order_lines.c.quantity_cancelled - order_lines.c.quantity_allocated
PRODUCT_OF_LINE = and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == order_lines.c.sku)


def open_lines(connection: Connection, chosen_orders: Table | None = None) -> pd.DataFrame:
    """Every line that still needs stock, of orders neither cancelled nor fulfilled, whatever keeps the order waiting.

    `chosen_orders`: a table of order_id, where only lines of those are read.

    Columns: order_id, line_number, merchant_id, merchant, order_number, sku, product_id (Int64), need,
    quantity_allocated, unit_price_minor (Int64), created_at, paid_at, ship_by, service_level, hold_reason, hold_until,
    refunded_minor, total_minor (Int64).
    """
    order, line = orders.c, order_lines.c
    open_orders = select(
        order.id.label("order_id"), order.merchant_id, order.order_number, order.created_at, order.paid_at,
        order.ship_by, order.service_level, order.hold_reason, order.hold_until, order.refunded_minor,
        order.total_minor,
    ).where(order.cancelled_at.is_(None), order.fulfilled_at.is_(None))  # fmt: skip
    needing_lines = select(
        line.order_id, line.line_number, line.sku, NEED.label("need"), line.quantity_allocated, line.unit_price_minor
    ).where(line.requires_shipping, NEED > 0)
    headers = _rows_of_orders(connection, open_orders, order.id, chosen_orders)
    rows = _rows_of_orders(connection, needing_lines, line.order_id, chosen_orders)
    lines = _with_headers(rows, headers)
    merchant = lines["merchant_id"].map(_merchant_codes(connection)).astype("str")
    lines = lines.assign(product_id=_product_ids(lines, _product_skus(connection, chosen_orders)), merchant=merchant)
    return lines.astype({"product_id": "Int64", "total_minor": "Int64", "unit_price_minor": "Int64"})


def _rows_of_orders(
    connection: Connection, query: Select[Any], order_id: Any, chosen_orders: Table | None
) -> pd.DataFrame:
    if chosen_orders is not None:
        query = query.join_from(order_id.table, chosen_orders, chosen_orders.c.order_id == order_id)
    return read_bulk(connection, query)


def _product_skus(connection: Connection, chosen_orders: Table | None) -> pd.DataFrame:
    """merchant_id, sku and product_id of every product, or of those the chosen orders ask for."""
    query = select(products.c.merchant_id, products.c.sku, products.c.id.label("product_id"))
    if chosen_orders is None:
        return read_bulk(connection, query)
    query = query.join_from(chosen_orders, orders, orders.c.id == chosen_orders.c.order_id)
    query = query.join(order_lines, order_lines.c.order_id == orders.c.id).join(products, PRODUCT_OF_LINE)
    return read_bulk(connection, query.distinct())


def _with_headers(rows: pd.DataFrame, headers: pd.DataFrame) -> pd.DataFrame:
    """Lines with the columns of their orders, without lines of other orders; by position, as there may be millions."""
    headers = headers.sort_values("order_id", ignore_index=True)
    position = np.searchsorted(headers["order_id"], rows["order_id"])
    has_header = position < len(headers)
    has_header[has_header] = (
        headers["order_id"].to_numpy()[position[has_header]] == rows["order_id"].to_numpy()[has_header]
    )
    rows, position = rows[has_header], position[has_header]
    of_line = headers.drop(columns="order_id").take(position).reset_index(drop=True)
    return pd.concat([rows.reset_index(drop=True), of_line], axis=1)


def _product_ids(rows: pd.DataFrame, skus: pd.DataFrame) -> ExtensionArray:
    """The product that each row's merchant sells under its SKU; missing where there is none.

    `skus`: merchant_id, sku, product_id.
    """
    words = pd.Index(skus["sku"].unique())
    width = 1 + max(skus["merchant_id"].max() if len(skus) else 0, rows["merchant_id"].max() if len(rows) else 0)
    key = words.get_indexer(skus["sku"]) * width + skus["merchant_id"]
    codes, row_words = pd.factorize(rows["sku"])
    word = np.append(words.get_indexer(pd.Index(row_words)), -1)[codes]
    row_key = np.where(word < 0, -1, word * width + rows["merchant_id"])
    position = pd.Index(key).get_indexer(pd.Index(row_key))
    ids = np.append(skus["product_id"].to_numpy(dtype="int64"), 0)[position]
    return pd.arrays.IntegerArray(ids, position < 0)


def _merchant_codes(connection: Connection) -> pd.Series:
    """Code by merchant_id."""
    rows = read(connection, select(merchants.c.id, merchants.c.code).order_by(merchants.c.id))
    return rows.set_index("id")["code"]
