"""Stock by place: what is on hand, what of it is promised, and which places may not be promised from."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Table, Text, and_, cast, exists, func, literal, select, union_all
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.states import COUNT_SETTLED, Condition, PickState
from tasks.store.database.bulk import read_bulk
from tasks.store.database.frames import read
from tasks.store.schema import (
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


def product_parts() -> Subquery:
    """What one unit of a product takes from stock: a kit's components, of anything else itself.

    Columns: product_id, part_id, quantity.
    """
    kit, own = kit_components.c, products.c.id
    kits = select(kit.kit_id.label("product_id"), kit.component_id.label("part_id"), kit.quantity)
    plain = select(own.label("product_id"), own.label("part_id"), literal(1).label("quantity"))
    return union_all(kits, plain.where(~exists().where(kit.kit_id == own))).subquery("parts")


def kit_parts(connection: Connection, chosen_products: Table | None = None) -> pd.DataFrame:
    """`product_parts` of every product or of the chosen ones: product_id, part_id, quantity, all int64, sorted so.

    `chosen_products`: a table of product_id.
    """
    part = product_parts().c
    query = select(part.product_id, part.part_id, part.quantity)
    if chosen_products is not None:
        query = query.where(part.product_id.in_(select(chosen_products.c.product_id)))
    rows = read_bulk(connection, query)
    return rows.sort_values(["product_id", "part_id"], ignore_index=True).astype("int64")


def stock_places(connection: Connection, chosen_products: Table | None = None) -> pd.DataFrame:
    """Every place of available stock, in the order of its ids.

    `chosen_products`: a table of product_id, where only places of those are read.

    Columns: product_id, location_id, warehouse_id, lot, on_hand, allocated, location, purpose, expires_on
    (datetime64[s], missing where the lot does not expire), and blocked (bool): a picker found less there than the
    book says, and nobody has counted it since.
    """
    level = stock_levels
    is_lot = and_(lots.c.product_id == level.c.product_id, lots.c.lot == level.c.lot)
    query = (
        select(
            level.c.product_id, level.c.location_id, level.c.lot, level.c.on_hand, level.c.allocated,
            locations.c.code.label("location"), locations.c.purpose, locations.c.warehouse_id,
            cast(lots.c.expires_on, Text).label("expires_on"),
        )
        .join_from(level, locations, locations.c.id == level.c.location_id)
        .join(lots, is_lot, isouter=True)
        .where(level.c.condition == Condition.AVAILABLE)
    )  # fmt: skip
    if chosen_products is not None:
        query = query.join(chosen_products, chosen_products.c.product_id == level.c.product_id)
    places = read_bulk(connection, query)
    places["expires_on"] = pd.to_datetime(places["expires_on"]).dt.as_unit("s")
    places = places.sort_values(["product_id", "location_id", "lot"], ignore_index=True)
    doubtful = pd.MultiIndex.from_frame(read(connection, _uncounted_short_picks()))
    keys = pd.MultiIndex.from_frame(places[["location_id", "product_id"]]) if len(doubtful) else None
    return places.assign(blocked=False if keys is None else keys.isin(doubtful))


def _uncounted_short_picks() -> Select[Any]:
    """Places where a pick was short and no count came after it."""
    is_counted = exists().where(
        count_lines.c.location_id == allocations.c.location_id,
        count_lines.c.product_id == allocations.c.product_id,
        count_lines.c.counted_at > picks.c.picked_at,
        count_lines.c.state.in_(COUNT_SETTLED),
    )
    return (
        select(allocations.c.location_id, allocations.c.product_id)
        .join_from(picks, allocations, allocations.c.id == picks.c.allocation_id)
        .where(picks.c.state == PickState.SHORT, ~is_counted)
        .distinct()
    )


def last_heard(connection: Connection) -> pd.Series:
    """When each warehouse was last heard of, by warehouse_id: its newest stock export or ledger move."""
    is_of_warehouse = locations.c.warehouse_id == warehouses.c.id
    moved = select(stock_moves.c.effective_at).join(locations, locations.c.id == stock_moves.c.location_id)
    last = (
        moved.where(is_of_warehouse).order_by(stock_moves.c.id.desc()).limit(1).correlate(warehouses).scalar_subquery()
    )
    snapshot = select(func.max(stock_snapshots.c.snapshot_at)).join(
        locations, locations.c.id == stock_snapshots.c.location_id
    )
    exported = snapshot.where(is_of_warehouse).correlate(warehouses).scalar_subquery()
    query = select(warehouses.c.id, last.label("moved"), exported.label("exported")).order_by(warehouses.c.id)
    return read(connection, query).set_index("id").max(axis="columns")


def first_received(connection: Connection) -> pd.DataFrame:
    """When units of each lot were first received: product_id, lot, received_at."""
    move = stock_moves.c
    first = select(move.product_id, move.lot, func.min(move.effective_at).label("received_at")).where(move.quantity > 0)
    return read(connection, first.group_by(move.product_id, move.lot).order_by(move.product_id, move.lot))


def unsellable_places(connection: Connection) -> pd.DataFrame:
    """Units on hand that may not be sold, by product and warehouse: product_id, warehouse_id, units."""
    units = func.sum(stock_levels.c.on_hand).label("units")
    query = (
        select(stock_levels.c.product_id, locations.c.warehouse_id, units)
        .join_from(stock_levels, locations, locations.c.id == stock_levels.c.location_id)
        .where(stock_levels.c.condition != Condition.AVAILABLE)
        .group_by(stock_levels.c.product_id, locations.c.warehouse_id)
        .order_by(stock_levels.c.product_id, locations.c.warehouse_id)
    )
    return read(connection, query).astype("int64")


def catalogue(connection: Connection) -> pd.DataFrame:
    """Every product as the warnings and the feed name it.

    Columns: product_id, merchant_id, merchant, sku, name, abc_class, unit_price_minor, currency, reorder_point
    (Int64), country_of_origin, is_kit.
    """
    product = products.c
    query = (
        select(
            product.id.label("product_id"), product.merchant_id, merchants.c.code.label("merchant"), product.sku,
            product.name, product.abc_class, product.unit_price_minor, product.currency, product.reorder_point,
            product.country_of_origin, product.is_kit,
        )
        .join_from(products, merchants, merchants.c.id == product.merchant_id)
        .order_by(merchants.c.code, product.sku)
    )  # fmt: skip
    return read(connection, query)
