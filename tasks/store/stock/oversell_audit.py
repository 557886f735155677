"""What the oversell audit compares: places, promises and open lines, set-based."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, case, cast, exists, func, or_, select

from tasks.domain.states import AllocationState, Condition, PickState
from tasks.store.database.frames import read, staged
from tasks.store.schema import (
    allocations,
    locations,
    merchants,
    order_lines,
    orders,
    picks,
    products,
    stock_levels,
    warehouses,
)
from tasks.store.sql_rules import NEEDS_NOTHING
from tasks.store.stock.places import product_parts

_IS_OPEN = allocations.c.state == AllocationState.OPEN
_IS_KEPT = allocations.c.state.in_((AllocationState.OPEN, AllocationState.CONSUMED))
_IS_IN_WAVE = exists().where(picks.c.allocation_id == allocations.c.id, picks.c.state != PickState.CANCELLED)
_IS_BEGUN = exists().where(picks.c.allocation_id == allocations.c.id,
                           picks.c.state.in_((PickState.PICKED, PickState.SHORT)))  # fmt: skip
_PLACE_KEY = ("location_id", "product_id", "lot")


def doubtful_places(connection: Connection) -> pd.DataFrame:
    """Places whose record does not add up or is below zero.

    Columns: product_id, merchant, sku, warehouse, location, on_hand, stored, promised (int64) and orders (those of the
    open promises, separated by a blank).
    """
    level, promise = stock_levels.c, allocations.c
    units = cast(func.sum(promise.quantity), BigInteger).label("units")
    sums = (
        select(*(promise[name] for name in _PLACE_KEY), units)
        .where(_IS_OPEN)
        .group_by(*(promise[name] for name in _PLACE_KEY))
    )
    promised = sums.subquery("promised")
    is_place = and_(*(level[name] == promised.c[name] for name in _PLACE_KEY), level.condition == Condition.AVAILABLE)
    promised_units = func.coalesce(promised.c.units, 0)
    facts = (level.location_id, level.product_id, level.lot, level.on_hand, level.allocated.label("stored"))
    query = _with_names(select(*facts, promised_units.label("promised")), level).outerjoin(promised, is_place)
    query = query.where(or_(level.on_hand < 0, level.allocated != promised_units))
    places = read(connection, query.order_by(merchants.c.code, products.c.sku, level.location_id, level.lot))
    with staged(connection, places[list(_PLACE_KEY)], like=allocations) as rows:
        is_promise = and_(_IS_OPEN, *(promise[name] == rows.c[name] for name in _PLACE_KEY))
        numbers = select(*(promise[name] for name in _PLACE_KEY), orders.c.order_number)
        numbers = numbers.join_from(allocations, orders, orders.c.id == promise.order_id).join(rows, is_promise)
        return _with_orders(places, read(connection, numbers.order_by(orders.c.order_number)), list(_PLACE_KEY))


def _with_names(query: Select[Any], row: Any) -> Select[Any]:
    """The query with the names of product and place; `row`: columns with product_id and location_id."""
    names = [merchants.c.code.label("merchant"), products.c.sku, warehouses.c.code.label("warehouse"),
             locations.c.code.label("location")]  # fmt: skip
    return (
        query.add_columns(*names)
        .join(products, products.c.id == row.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id)
        .join(locations, locations.c.id == row.location_id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
    )


def _with_orders(places: pd.DataFrame, numbers: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """`places` with orders: the `numbers` (order_number, by `key`) of each, separated by a blank."""
    joined = numbers.drop_duplicates().groupby(key)["order_number"].agg(" ".join).rename("orders").reset_index()
    places = places.merge(joined.astype({"orders": "str"}), on=key, how="left")
    return places.assign(orders=places["orders"].fillna(""))


def line_differences(connection: Connection) -> pd.DataFrame:
    """Lines whose quantity is not that of their promises: merchant, sku, expected, found (int64), orders. No kits."""
    line, promise = order_lines.c, allocations.c
    expected = cast(func.sum(case((_IS_KEPT, promise.quantity), else_=0)), BigInteger).label("expected")
    key = (promise.order_id, promise.line_number)
    promised = select(*key, expected).group_by(*key).subquery("promised")
    is_line = and_(line.order_id == promised.c.order_id, line.line_number == promised.c.line_number)
    is_product = and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == line.sku)
    query = (
        select(merchants.c.code.label("merchant"), line.sku, promised.c.expected,
               line.quantity_allocated.label("found"), orders.c.order_number.label("orders"))
        .join_from(order_lines, promised, is_line).join(orders, orders.c.id == line.order_id)
        .join(merchants, merchants.c.id == orders.c.merchant_id).join(products, is_product)
        .where(promised.c.expected != line.quantity_allocated, products.c.is_kit.is_(False))
        .order_by(merchants.c.code, orders.c.order_number, line.line_number)
    )  # fmt: skip
    return read(connection, query)


def closed_order_promises(connection: Connection) -> pd.DataFrame:
    """Open promises of orders that need nothing: merchant, sku, warehouse, location, quantity, picked, orders."""
    promise = allocations.c
    query = select(promise.quantity, _IS_BEGUN.label("picked"), orders.c.order_number.label("orders"))
    query = _with_names(query.join_from(allocations, orders, orders.c.id == promise.order_id), promise)
    query = query.where(_IS_OPEN, NEEDS_NOTHING)
    return read(connection, query.order_by(merchants.c.code, orders.c.order_number, promise.id))


def sellable_units(connection: Connection) -> pd.Series:
    """Units on hand fit to be sold, by product_id (int64)."""
    level, units = stock_levels.c, cast(func.sum(stock_levels.c.on_hand), BigInteger).label("units")
    query = select(level.product_id, units).where(level.condition == Condition.AVAILABLE).group_by(level.product_id)
    return read(connection, query).astype("int64").set_index("product_id")["units"]


def wanted_lines(connection: Connection) -> pd.DataFrame:
    """What paid open orders still ask for, of products that at least one of their lines lacks.

    Columns: product_id, merchant, sku (the component of a kit), order_id, order_number, line_number, channel, paid_at,
    ship_by, service_level, units, promised, free (int64: still to be sent, promised of them, and those in no wave).
    """
    part, line, order = product_parts(), order_lines.c, orders.c
    sold_products = products.alias("sold_products")
    is_sold = and_(sold_products.c.merchant_id == order.merchant_id, sold_products.c.sku == line.sku)
    units: ColumnElement[int] = (
        line.quantity_ordered - line.quantity_cancelled - line.quantity_shipped
    ) * part.c.quantity
    is_unsent = and_(order.paid_at.is_not(None), ~NEEDS_NOTHING, line.requires_shipping,
                     line.quantity_shipped < line.quantity_ordered - line.quantity_cancelled)  # fmt: skip
    wanted = (
        select(part.c.part_id.label("product_id"), line.order_id, line.line_number, units.label("units"),
               (line.quantity_allocated < line.quantity_ordered - line.quantity_cancelled).label("lacks"))
        .join_from(order_lines, orders, order.id == line.order_id).join(sold_products, is_sold)
        .join(part, part.c.product_id == sold_products.c.id).where(is_unsent)
    ).cte("wanted").prefix_with("MATERIALIZED")  # fmt: skip  # lines first: SQLite would go from products to all orders
    lacking = select(wanted.c.product_id).where(wanted.c.lacks).distinct()
    names = ("order_id", "line_number", "product_id")
    is_promise = and_(_IS_OPEN, *(allocations.c[name] == wanted.c[name] for name in names))
    promised = func.coalesce(func.sum(allocations.c.quantity), 0)
    free = func.coalesce(func.sum(case((~_IS_IN_WAVE, allocations.c.quantity), else_=0)), 0)
    key = (
        wanted.c.product_id,
        merchants.c.code,
        products.c.sku,
        wanted.c.order_id,
        order.order_number,
        wanted.c.line_number,
        order.channel,
        order.paid_at,
        order.ship_by,
        order.service_level,
        wanted.c.units,
    )
    query = (
        select(*key[:1], merchants.c.code.label("merchant"), *key[2:],
               cast(promised, BigInteger).label("promised"), cast(free, BigInteger).label("free"))
        .join_from(wanted, orders, order.id == wanted.c.order_id).join(products, products.c.id == wanted.c.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id).outerjoin(allocations, is_promise)
        .where(wanted.c.product_id.in_(lacking)).group_by(*key)
    )  # fmt: skip
    return read(connection, query).astype(dict.fromkeys(["units", "promised", "free"], "int64"))
