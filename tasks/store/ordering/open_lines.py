"""Open orders and what they still need."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray
from sqlalchemy import Connection, Select, Table, and_, func, select
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.states import AllocationState, PickState
from tasks.store.database.bulk import read_bulk
from tasks.store.database.frames import read
from tasks.store.schema import allocations, locations, merchants, order_lines, orders, picks, products
from tasks.store.stock.places import parts

NEED = order_lines.c.quantity_ordered - order_lines.c.quantity_cancelled - order_lines.c.quantity_allocated
_LINE_OF = and_(
    allocations.c.order_id == order_lines.c.order_id, allocations.c.line_number == order_lines.c.line_number
)
_GOODS = and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == order_lines.c.sku)


def open_lines(connection: Connection, of: Table | None = None) -> pd.DataFrame:
    """Every line of an order neither cancelled nor fulfilled that still needs stock, whatever the order waits for.

    `of`: a table of order_id, where only those are asked for.

    Columns: order_id, line_number, merchant_id, merchant, order_number, sku, product_id (Int64), need,
    quantity_allocated, unit_price_minor (Int64), created_at, paid_at, ship_by, service_level, hold_reason, hold_until,
    refunded_minor, total_minor (Int64).
    """
    o, line = orders.c, order_lines.c
    header = select(
        o.id.label("order_id"), o.merchant_id, o.order_number, o.created_at, o.paid_at, o.ship_by, o.service_level,
        o.hold_reason, o.hold_until, o.refunded_minor, o.total_minor,
    ).where(o.cancelled_at.is_(None), o.fulfilled_at.is_(None))  # fmt: skip
    asking = select(
        line.order_id, line.line_number, line.sku, NEED.label("need"), line.quantity_allocated, line.unit_price_minor
    ).where(line.requires_shipping, NEED > 0)
    headers = _rows_of(connection, header, o.id, of)
    rows = _rows_of(connection, asking, line.order_id, of)
    found = _joined(headers, rows, _goods(connection, of), merchant_codes(connection))
    return found.astype({"product_id": "Int64", "total_minor": "Int64", "unit_price_minor": "Int64"})


def _rows_of(connection: Connection, statement: Select[Any], key: Any, of: Table | None) -> pd.DataFrame:
    return read_bulk(connection, statement if of is None else statement.join_from(key.table, of, of.c.order_id == key))


def _goods(connection: Connection, of: Table | None) -> pd.DataFrame:
    every = select(products.c.merchant_id, products.c.sku, products.c.id.label("product_id"))
    if of is None:
        return read_bulk(connection, every)
    mine = every.join_from(of, orders, orders.c.id == of.c.order_id)
    mine = mine.join(order_lines, order_lines.c.order_id == orders.c.id).join(products, _GOODS)
    return read_bulk(connection, mine.distinct())


def _joined(headers: pd.DataFrame, rows: pd.DataFrame, goods: pd.DataFrame, codes: pd.Series) -> pd.DataFrame:
    """Lines beside their orders and products: by position, for there may be millions."""
    headers = headers.sort_values("order_id", ignore_index=True)
    at = np.searchsorted(headers["order_id"], rows["order_id"])
    known = at < len(headers)
    known[known] = headers["order_id"].to_numpy()[at[known]] == rows["order_id"].to_numpy()[known]
    rows, at = rows[known], at[known]
    found = pd.concat([rows.reset_index(drop=True),
                       headers.drop(columns="order_id").take(at).reset_index(drop=True)], axis=1)  # fmt: skip
    merchant = found["merchant_id"].map(codes).astype("str")
    return found.assign(product_id=_product_ids(found, goods), merchant=merchant)


def _product_ids(rows: pd.DataFrame, goods: pd.DataFrame) -> ExtensionArray:
    """The product each merchant calls so; missing where it calls none so."""
    skus = pd.Index(goods["sku"].unique())
    own = 1 + max(goods["merchant_id"].max() if len(goods) else 0, rows["merchant_id"].max() if len(rows) else 0)
    known = pd.Series(goods["product_id"].to_numpy(), skus.get_indexer(goods["sku"]) * own + goods["merchant_id"])
    codes, said = pd.factorize(rows["sku"])
    place = np.append(skus.get_indexer(pd.Index(said)), -1)[codes]
    at = known.index.get_indexer(pd.Index(np.where(place < 0, -1, place * own + rows["merchant_id"])))
    ids = np.append(known.to_numpy(dtype="int64"), 0)[at]
    return pd.arrays.IntegerArray(ids, at < 0)


def merchant_codes(connection: Connection) -> pd.Series:
    """Code by merchant_id."""
    found = read(connection, select(merchants.c.id, merchants.c.code).order_by(merchants.c.id))
    return found.set_index("id")["code"]


def promised_parts(connection: Connection, of: Table | None = None) -> pd.DataFrame:
    """What orders that still need stock have: order_id, line_number, product_id, warehouse_id, units (int64).

    `of`: a table of order_id, where only those are asked for.
    """
    key = [allocations.c[name] for name in ("order_id", "line_number", "product_id")] + [locations.c.warehouse_id]
    needing = select(order_lines.c.order_id).where(NEED > 0) if of is None else select(of.c.order_id)
    statement = (
        select(*key, func.sum(allocations.c.quantity).label("units"))
        .join_from(allocations, locations, locations.c.id == allocations.c.location_id)
        .where(allocations.c.state != AllocationState.RELEASED, allocations.c.order_id.in_(needing))
        .group_by(*key)
    )
    names = ["order_id", "line_number", "product_id", "warehouse_id"]
    return read_bulk(connection, statement).astype("int64").sort_values(names, ignore_index=True)


def places_in_waves(connection: Connection, of: Table | None = None) -> pd.DataFrame:
    """Open promises of lines that still need stock, whose picking is under way or done: they cannot grow.

    `of`: a table of order_id, where only those are asked for.

    Columns: order_id, line_number, location_id, product_id, lot.
    """
    key = [allocations.c[name] for name in ("order_id", "line_number", "location_id", "product_id", "lot")]
    statement = (
        select(*key)
        .join_from(allocations, order_lines, _LINE_OF)
        .join(picks, and_(picks.c.allocation_id == allocations.c.id, picks.c.state != PickState.CANCELLED))
        .where(allocations.c.state == AllocationState.OPEN, NEED > 0)
        .order_by(*key)
    )
    return read(
        connection, statement if of is None else statement.where(allocations.c.order_id.in_(select(of.c.order_id)))
    )


def demand_since(connection: Connection, since: datetime, until: datetime) -> pd.Series:
    """Units asked for in the period, cancelled ones not counted, by product_id; a kit asks for its components."""
    part: Subquery = parts()
    units = func.sum((order_lines.c.quantity_ordered - order_lines.c.quantity_cancelled) * part.c.quantity)
    statement = (
        select(part.c.part_id.label("product_id"), units.label("units"))
        .join_from(order_lines, orders, orders.c.id == order_lines.c.order_id)
        .join(products, _GOODS)
        .join(part, part.c.product_id == products.c.id)
        .where(orders.c.created_at > since, orders.c.created_at <= until, orders.c.cancelled_at.is_(None))
        .group_by(part.c.part_id)
        .order_by(part.c.part_id)
    )
    found = read(connection, statement).astype("int64")
    return found.set_index("product_id")["units"]
