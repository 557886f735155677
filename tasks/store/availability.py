"""What lies where, what is promised of it already, and which places may not be promised from."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, exists, func, literal, select, union_all
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.states import COUNT_SETTLED, AlertKind, AlertState, Condition, PickState
from tasks.store.frames import read
from tasks.store.schema import (
    alerts,
    allocations,
    count_lines,
    kit_components,
    locations,
    merchants,
    picks,
    products,
    stock_levels,
    warehouses,
)


def parts() -> Subquery:
    """What one unit of a product takes from stock: a kit's components, of anything else itself.

    Columns: product_id, part_id, quantity.
    """
    kit, own = kit_components.c, products.c.id
    kits = select(kit.kit_id.label("product_id"), kit.component_id.label("part_id"), kit.quantity)
    plain = select(own.label("product_id"), own.label("part_id"), literal(1).label("quantity"))
    return union_all(kits, plain.where(own.not_in(select(kit.kit_id)))).subquery("parts")


def read_parts(connection: Connection) -> pd.DataFrame:
    """`parts` of every product: product_id, part_id, quantity, all int64, in that order."""
    made = parts()
    rows = read(connection, select(made).order_by(made.c.product_id, made.c.part_id))
    return rows.astype("int64")


def places(connection: Connection) -> pd.DataFrame:
    """Every place of available stock, in the order of its ids.

    Columns: product_id, location_id, warehouse_id, lot, on_hand, allocated, location, purpose, warehouse, and
    blocked (bool): a picker found less there than the book says, and nobody has counted it since.
    """
    level = stock_levels
    statement = (
        select(
            level.c.product_id, level.c.location_id, level.c.lot, level.c.on_hand, level.c.allocated,
            locations.c.code.label("location"), locations.c.purpose, locations.c.warehouse_id,
            warehouses.c.code.label("warehouse"),
        )
        .join_from(level, locations, locations.c.id == level.c.location_id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
        .where(level.c.condition == Condition.AVAILABLE)
        .order_by(level.c.product_id, level.c.location_id, level.c.lot)
    )  # fmt: skip
    found = read(connection, statement)
    doubtful = pd.MultiIndex.from_frame(read(connection, _uncounted_short_picks()))
    here = pd.MultiIndex.from_frame(found[["location_id", "product_id"]])
    return found.assign(blocked=here.isin(doubtful) if len(doubtful) else False)


def _uncounted_short_picks() -> Select[Any]:
    """Places where a pick was short and no count came after it."""
    counted = exists().where(
        count_lines.c.location_id == allocations.c.location_id,
        count_lines.c.product_id == allocations.c.product_id,
        count_lines.c.counted_at > picks.c.picked_at,
        count_lines.c.state.in_(COUNT_SETTLED),
    )
    return (
        select(allocations.c.location_id, allocations.c.product_id)
        .join_from(picks, allocations, allocations.c.id == picks.c.allocation_id)
        .where(picks.c.state == PickState.SHORT, ~counted)
        .distinct()
    )


def held_back(connection: Connection) -> pd.DataFrame:
    """Units on hand that may not be sold, by product and warehouse: product_id, warehouse_id, units."""
    units = func.sum(stock_levels.c.on_hand).label("units")
    statement = (
        select(stock_levels.c.product_id, locations.c.warehouse_id, units)
        .join_from(stock_levels, locations, locations.c.id == stock_levels.c.location_id)
        .where(stock_levels.c.condition != Condition.AVAILABLE)
        .group_by(stock_levels.c.product_id, locations.c.warehouse_id)
        .order_by(stock_levels.c.product_id, locations.c.warehouse_id)
    )
    return read(connection, statement).astype("int64")


def catalogue(connection: Connection) -> pd.DataFrame:
    """Every product as the warnings and the feed name it.

    Columns: product_id, merchant_id, merchant, sku, name, abc_class, unit_price_minor, currency, reorder_point
    (Int64), country_of_origin, is_kit.
    """
    p = products.c
    statement = (
        select(
            p.id.label("product_id"), p.merchant_id, merchants.c.code.label("merchant"), p.sku, p.name, p.abc_class,
            p.unit_price_minor, p.currency, p.reorder_point, p.country_of_origin, p.is_kit,
        )
        .join_from(products, merchants, merchants.c.id == p.merchant_id)
        .order_by(merchants.c.code, p.sku)
    )  # fmt: skip
    return read(connection, statement)


def warned_of(connection: Connection) -> pd.Series:
    """The causes of the low-stock warnings that are not closed (str)."""
    statement = select(alerts.c.cause).where(
        alerts.c.kind == AlertKind.LOW_STOCK, alerts.c.state != AlertState.RESOLVED
    )
    return read(connection, statement.order_by(alerts.c.cause))["cause"]
