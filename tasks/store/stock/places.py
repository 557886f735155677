"""What lies where, what is promised of it already, and which places may not be promised from."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Table, Text, and_, cast, exists, func, literal, select, union_all
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.states import COUNT_SETTLED, AlertKind, AlertState, Condition, PickState
from tasks.store.database.bulk import read_bulk
from tasks.store.database.frames import read
from tasks.store.schema import (
    alerts,
    allocations,
    count_lines,
    kit_components,
    locations,
    lots,
    merchants,
    picks,
    products,
    stock_levels,
    stock_moves,
    stock_snapshots,
    warehouses,
)


def parts() -> Subquery:
    """What one unit of a product takes from stock: a kit's components, of anything else itself.

    Columns: product_id, part_id, quantity.
    """
    kit, own = kit_components.c, products.c.id
    kits = select(kit.kit_id.label("product_id"), kit.component_id.label("part_id"), kit.quantity)
    plain = select(own.label("product_id"), own.label("part_id"), literal(1).label("quantity"))
    return union_all(kits, plain.where(~exists().where(kit.kit_id == own))).subquery("parts")


def kit_parts(connection: Connection, of: Table | None = None) -> pd.DataFrame:
    """`parts` of every product, or those in `of`: product_id, part_id, quantity, all int64, in that order."""
    made = parts()
    every = select(made.c.product_id, made.c.part_id, made.c.quantity)
    rows = read_bulk(connection, every if of is None else every.where(made.c.product_id.in_(select(of.c.product_id))))
    return rows.sort_values(["product_id", "part_id"], ignore_index=True).astype("int64")


def stock_places(connection: Connection, of: Table | None = None) -> pd.DataFrame:
    """Every place of available stock, in the order of its ids; `of`: a table of product_id, where only those are asked.

    Columns: product_id, location_id, warehouse_id, lot, on_hand, allocated, location, purpose, expires_on
    (datetime64[s], missing where the lot does not expire), and blocked (bool): a picker found less there than the
    book says, and nobody has counted it since.
    """
    level = stock_levels
    lot = and_(lots.c.product_id == level.c.product_id, lots.c.lot == level.c.lot)
    statement = (
        select(
            level.c.product_id, level.c.location_id, level.c.lot, level.c.on_hand, level.c.allocated,
            locations.c.code.label("location"), locations.c.purpose, locations.c.warehouse_id,
            cast(lots.c.expires_on, Text).label("expires_on"),
        )
        .join_from(level, locations, locations.c.id == level.c.location_id)
        .join(lots, lot, isouter=True)
        .where(level.c.condition == Condition.AVAILABLE)
    )  # fmt: skip
    wanted = statement if of is None else statement.join(of, of.c.product_id == level.c.product_id)
    found = read_bulk(connection, wanted)
    found["expires_on"] = pd.to_datetime(found["expires_on"]).dt.as_unit("s")
    found = found.sort_values(["product_id", "location_id", "lot"], ignore_index=True)
    doubtful = pd.MultiIndex.from_frame(read(connection, _uncounted_short_picks()))
    here = pd.MultiIndex.from_frame(found[["location_id", "product_id"]]) if len(doubtful) else None
    return found.assign(blocked=False if here is None else here.isin(doubtful))


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


def last_heard(connection: Connection) -> pd.Series:
    """When each warehouse was last heard of, by warehouse_id: its newest stock export or fact of the ledger."""
    mine = locations.c.warehouse_id == warehouses.c.id
    moved = select(stock_moves.c.effective_at).join(locations, locations.c.id == stock_moves.c.location_id)
    last = moved.where(mine).order_by(stock_moves.c.id.desc()).limit(1).correlate(warehouses).scalar_subquery()
    told = select(func.max(stock_snapshots.c.snapshot_at)).join(
        locations, locations.c.id == stock_snapshots.c.location_id
    )
    exported = told.where(mine).correlate(warehouses).scalar_subquery()
    statement = select(warehouses.c.id, last.label("moved"), exported.label("exported")).order_by(warehouses.c.id)
    return read(connection, statement).set_index("id").max(axis="columns")


def first_received(connection: Connection) -> pd.DataFrame:
    """When units of each lot first came: product_id, lot, received_at."""
    move = stock_moves.c
    first = select(move.product_id, move.lot, func.min(move.effective_at).label("received_at")).where(move.quantity > 0)
    return read(connection, first.group_by(move.product_id, move.lot).order_by(move.product_id, move.lot))


def unsellable_places(connection: Connection) -> pd.DataFrame:
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
