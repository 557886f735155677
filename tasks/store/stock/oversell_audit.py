"""What the oversell audit looks at: places, promises and open lines side by side, set-based."""

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
from tasks.store.stock.places import parts

_OPEN = allocations.c.state == AllocationState.OPEN
_KEPT = allocations.c.state.in_((AllocationState.OPEN, AllocationState.CONSUMED))
_IN_WAVE = exists().where(picks.c.allocation_id == allocations.c.id, picks.c.state != PickState.CANCELLED)
_TAKEN = exists().where(picks.c.allocation_id == allocations.c.id,
                        picks.c.state.in_((PickState.PICKED, PickState.SHORT)))  # fmt: skip
_PLACE = ("location_id", "product_id", "lot")


def doubtful_places(connection: Connection) -> pd.DataFrame:
    """Places whose record does not add up or is below zero.

    Columns: product_id, merchant, sku, warehouse, location, on_hand, stored, promised (int64) and orders (of their open
    promises, a blank between).
    """
    level, one = stock_levels.c, allocations.c
    units = cast(func.sum(one.quantity), BigInteger).label("units")
    sums = select(*(one[name] for name in _PLACE), units).where(_OPEN).group_by(*(one[name] for name in _PLACE))
    promised = sums.subquery("promised")
    same = and_(*(level[name] == promised.c[name] for name in _PLACE), level.condition == Condition.AVAILABLE)
    kept = func.coalesce(promised.c.units, 0)
    told = _named(select(level.location_id, level.product_id, level.lot, level.on_hand, level.allocated.label("stored"),
                         kept.label("promised")), level).outerjoin(promised, same)  # fmt: skip
    found = read(connection, told.where(or_(level.on_hand < 0, level.allocated != kept)).order_by(
        merchants.c.code, products.c.sku, level.location_id, level.lot))  # fmt: skip
    with staged(connection, found[list(_PLACE)], like=allocations) as those:
        here = and_(_OPEN, *(one[name] == those.c[name] for name in _PLACE))
        numbers = select(*(one[name] for name in _PLACE), orders.c.order_number)
        numbers = numbers.join_from(allocations, orders, orders.c.id == one.order_id).join(those, here)
        return _with_orders(found, read(connection, numbers.order_by(orders.c.order_number)), list(_PLACE))


def _named(told: Select[Any], of: Any) -> Select[Any]:
    """The statement with the names of its product and place beside it."""
    words = [merchants.c.code.label("merchant"), products.c.sku, warehouses.c.code.label("warehouse"),
             locations.c.code.label("location")]  # fmt: skip
    return (
        told.add_columns(*words)
        .join(products, products.c.id == of.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id)
        .join(locations, locations.c.id == of.location_id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
    )


def _with_orders(found: pd.DataFrame, numbers: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    joined = numbers.drop_duplicates().groupby(key)["order_number"].agg(" ".join).rename("orders").reset_index()
    told = found.merge(joined.astype({"orders": "str"}), on=key, how="left")
    return told.assign(orders=told["orders"].fillna(""))


def line_differences(connection: Connection) -> pd.DataFrame:
    """Lines that say another quantity than their promises: merchant, sku, expected, found (int64), orders. No kits."""
    line, one = order_lines.c, allocations.c
    kept = cast(func.sum(case((_KEPT, one.quantity), else_=0)), BigInteger).label("expected")
    promised = select(one.order_id, one.line_number, kept).group_by(one.order_id, one.line_number).subquery("promised")
    same = and_(line.order_id == promised.c.order_id, line.line_number == promised.c.line_number)
    goods = and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == line.sku)
    told = (
        select(merchants.c.code.label("merchant"), line.sku, promised.c.expected,
               line.quantity_allocated.label("found"), orders.c.order_number.label("orders"))
        .join_from(order_lines, promised, same).join(orders, orders.c.id == line.order_id)
        .join(merchants, merchants.c.id == orders.c.merchant_id).join(products, goods)
        .where(promised.c.expected != line.quantity_allocated, products.c.is_kit.is_(False))
        .order_by(merchants.c.code, orders.c.order_number, line.line_number)
    )  # fmt: skip
    return read(connection, told)


def closed_order_promises(connection: Connection) -> pd.DataFrame:
    """Open promises of orders that need nothing: merchant, sku, warehouse, location, quantity, picked, orders."""
    one = allocations.c
    told = select(one.quantity, _TAKEN.label("picked"), orders.c.order_number.label("orders"))
    told = _named(told.join_from(allocations, orders, orders.c.id == one.order_id), one).where(_OPEN, NEEDS_NOTHING)
    return read(connection, told.order_by(merchants.c.code, orders.c.order_number, one.id))


def sellable_units(connection: Connection) -> pd.Series:
    """Units on hand fit to be sold, by product_id (int64)."""
    level, units = stock_levels.c, cast(func.sum(stock_levels.c.on_hand), BigInteger).label("units")
    told = select(level.product_id, units).where(level.condition == Condition.AVAILABLE).group_by(level.product_id)
    return read(connection, told).astype("int64").set_index("product_id")["units"]


def wanted_lines(connection: Connection) -> pd.DataFrame:
    """What paid open orders still ask for, of products somebody waits for or of which more is asked than exists.

    Columns: product_id, merchant, sku (the component of a kit), order_id, order_number, line_number, channel, paid_at,
    ship_by, service_level, units, promised, free (int64: still to be sent, promised of them, and those in no wave).
    """
    part, line, o = parts(), order_lines.c, orders.c
    goods = products.alias("goods")
    sold = and_(goods.c.merchant_id == o.merchant_id, goods.c.sku == line.sku)
    left: ColumnElement[int] = (
        line.quantity_ordered - line.quantity_cancelled - line.quantity_shipped
    ) * part.c.quantity
    waits = and_(o.paid_at.is_not(None), ~NEEDS_NOTHING, line.requires_shipping,
                 line.quantity_shipped < line.quantity_ordered - line.quantity_cancelled)  # fmt: skip
    asked = (
        select(part.c.part_id.label("product_id"), line.order_id, line.line_number, left.label("units"),
               (line.quantity_allocated < line.quantity_ordered - line.quantity_cancelled).label("lacks"))
        .join_from(order_lines, orders, o.id == line.order_id).join(goods, sold)
        .join(part, part.c.product_id == goods.c.id).where(waits)
    ).cte("asked").prefix_with("MATERIALIZED")  # fmt: skip  # lines first: SQLite would go from products to all orders
    lacking = select(asked.c.product_id).where(asked.c.lacks).distinct()
    a, mine = asked.c, and_(_OPEN, allocations.c.order_id == asked.c.order_id,
                            allocations.c.line_number == asked.c.line_number,
                            allocations.c.product_id == asked.c.product_id)  # fmt: skip
    promised = func.coalesce(func.sum(allocations.c.quantity), 0)
    free = func.coalesce(func.sum(case((~_IN_WAVE, allocations.c.quantity), else_=0)), 0)
    key = (a.product_id, merchants.c.code, products.c.sku, a.order_id, o.order_number, a.line_number, o.channel,
           o.paid_at, o.ship_by, o.service_level, a.units)  # fmt: skip
    told = (
        select(*key[:1], merchants.c.code.label("merchant"), *key[2:],
               cast(promised, BigInteger).label("promised"), cast(free, BigInteger).label("free"))
        .join_from(asked, orders, o.id == a.order_id).join(products, products.c.id == a.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id).outerjoin(allocations, mine)
        .where(a.product_id.in_(lacking)).group_by(*key)
    )  # fmt: skip
    return read(connection, told).astype(dict.fromkeys(["units", "promised", "free"], "int64"))
