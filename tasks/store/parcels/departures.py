"""Parcels that left the warehouse: the stock they took, the promises they close, the quantities of their lines."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Table, and_, case, func, insert, literal, select, update

from tasks.domain.parcels.parcel_contents import ORDER_LINE_KEY, explode_kits, line_units
from tasks.domain.sharing import share_out
from tasks.domain.states import AllocationState, Condition, MoveKind, ParcelState, PickState
from tasks.store.database.frames import read, staged
from tasks.store.parcels import parcel_contents
from tasks.store.schema import (
    allocations,
    locations,
    merchants,
    picks,
    products,
    shipments,
    stock_levels,
    warehouses,
)
from tasks.store.stock.post_moves import post_moves


def departing_parcels(connection: Connection, as_of: datetime) -> pd.DataFrame:
    """Parcels a carrier took that are not booked as shipped: shipment_id, order_id, merchant_id, parcel, shipped_at."""
    parcel = shipments.c
    columns = (parcel.id.label("shipment_id"), parcel.order_id, parcel.merchant_id, parcel.parcel, parcel.shipped_at)
    query = select(*columns).where(parcel.state.in_(parcel_contents.NOT_DEPARTED), parcel.shipped_at <= as_of)
    return read(connection, query.order_by(parcel.shipped_at, parcel.id))


def book_departures(connection: Connection, parcels: pd.DataFrame, as_of: datetime) -> int:
    """Take the contents of `parcels` out of stock, close their promises and mark them shipped.

    `parcels`: columns as in `departing_parcels`. A line counts as shipped as far as it was packed. No more than that
    leaves the ledger, from the promises of the line, picked ones first. A parcel that nobody scanned counts as packed
    when a carrier took it, as far as stock was promised to it. An order that is fulfilled elsewhere has no promises
    here, so its parcels move no stock. Returns the number of stock moves posted.
    """
    parts = parcel_contents.parts_of(connection, parcels["order_id"])
    content = parcel_contents.contents_of(connection, parcels["order_id"])
    _raise_picked(connection, content, parts, parcels)
    parcel_contents.raise_packed(connection, parcels["order_id"], parcels["shipment_id"])
    departs = content["shipment_id"].isin(parcels["shipment_id"])
    units = line_units(content[departs | ~content["state"].isin(parcel_contents.NOT_DEPARTED)], parts)
    lines = parcel_contents.line_quantities(connection, parcels["order_id"]).merge(units, on=ORDER_LINE_KEY)
    most = lines[["units", "quantity_packed"]].min(axis=1)
    lines["quantity"] = pd.concat([most, lines["quantity_shipped"]], axis=1).max(axis=1)
    lines["newly"] = lines["quantity"] - lines["quantity_shipped"]
    parts = parts.merge(lines[[*ORDER_LINE_KEY, "newly"]], on=ORDER_LINE_KEY)
    shipped = _shipped_promises(connection, parcels, explode_kits(content[departs], parts), parts)
    posted = _post_shipped(connection, shipped, as_of)
    parcel_contents.raise_quantity(connection, "quantity_shipped", lines)
    _mark_shipped(connection, parcels)
    return posted


def _raise_picked(connection: Connection, content: pd.DataFrame, parts: pd.DataFrame, parcels: pd.DataFrame) -> None:
    """The contents of a parcel that left without scans count as picked, even if no pick was reported."""
    departs = content["shipment_id"].isin(parcels["shipment_id"])
    unscanned = content[departs & content["packed_at"].isna() & content["line_number"].notna()]
    has_left = ~content["state"].isin(parcel_contents.NOT_DEPARTED)
    units = line_units(content[departs | content["packed_at"].notna() | has_left], parts)
    lines = parcel_contents.line_quantities(connection, unscanned["order_id"]).merge(units, on=ORDER_LINE_KEY)
    lines = lines.merge(unscanned[ORDER_LINE_KEY].astype("int64").drop_duplicates(), on=ORDER_LINE_KEY)
    most = lines[["units", "quantity_allocated"]].min(axis=1)
    lines["quantity"] = pd.concat([most, lines["quantity_picked"]], axis=1).max(axis=1)
    parcel_contents.raise_quantity(connection, "quantity_picked", lines)


def _shipped_promises(
    connection: Connection, parcels: pd.DataFrame, content: pd.DataFrame, parts: pd.DataFrame
) -> pd.DataFrame:
    """The units each parcel takes from each open promise: shipment_id, sku, allocation_id, quantity."""
    key = [*ORDER_LINE_KEY, "sku"]
    rank = pd.Series(range(len(parcels)), index=parcels["shipment_id"])
    packed = content[content["line_number"].notna()].astype({"line_number": "int64"})
    packed = packed.assign(rank=packed["shipment_id"].map(rank)).sort_values(["rank", *key])
    packed = packed[["shipment_id", *key, "quantity"]]
    allowed = parts.assign(quantity=parts["newly"] * parts["per"]).groupby(key, as_index=False)[["quantity"]].sum()
    promised = _open_promises(connection, parcels["order_id"])
    return share_out(share_out(packed, allowed, key), promised, key)


def _open_promises(connection: Connection, order_ids: pd.Series) -> pd.DataFrame:
    """Open promises, picked ones first, then by age: allocation_id, order_id, line_number, sku, quantity."""
    pick = and_(picks.c.allocation_id == allocations.c.id, picks.c.state.in_((PickState.PICKED, PickState.SHORT)))
    picked_first = case((select(picks.c.id).where(pick).exists(), 0), else_=1)
    columns: list[Any] = [allocations.c.id.label("allocation_id"), allocations.c.order_id, allocations.c.line_number,
                          products.c.sku, allocations.c.quantity]  # fmt: skip
    with staged(connection, parcel_contents.distinct_ids(order_ids)) as ids:
        of_orders = allocations.c.order_id.in_(select(ids.c.order_id))
        query = select(*columns).join(products, products.c.id == allocations.c.product_id)
        query = query.where(of_orders, allocations.c.state == AllocationState.OPEN)
        return read(connection, query.order_by(picked_first, allocations.c.id))


def _post_shipped(connection: Connection, shipped: pd.DataFrame, as_of: datetime) -> int:
    """Close the promises, then free their places, then move the stock: allocated never exceeds on hand."""
    with staged(connection, shipped[["shipment_id", "allocation_id", "quantity"]].astype("int64")) as new:
        moves = read(connection, _stock_moves(new))
        _close_promises(connection, new, as_of)
        place = [allocations.c.location_id, allocations.c.product_id, allocations.c.lot]
        freed = (
            select(*place, func.sum(new.c.quantity).label("quantity"))
            .join(allocations, allocations.c.id == new.c.allocation_id)
            .group_by(*place)
            .subquery("freed")
        )
        level = and_(*(stock_levels.c[name.key] == freed.c[name.key] for name in place),
                     stock_levels.c.condition == Condition.AVAILABLE)  # fmt: skip
        connection.execute(
            update(stock_levels).where(level).values(allocated=stock_levels.c.allocated - freed.c.quantity)
        )
    return post_moves(connection, moves.assign(recorded_at=pd.Timestamp(as_of)))


def _stock_moves(shipped: Table) -> Select[Any]:
    """One stock move per parcel, product and place."""
    cause = (
        literal("ship:") + merchants.c.code + ":" + shipments.c.parcel + ":" + products.c.sku + ":"
        + warehouses.c.code + "/" + locations.c.code + ":" + allocations.c.lot
    )  # fmt: skip
    place = [allocations.c.product_id, allocations.c.location_id, allocations.c.lot]
    facts = [shipments.c.parcel.label("document"), shipments.c.shipped_at.label("effective_at"), cause.label("cause")]
    constants = [literal(str(Condition.AVAILABLE)).label("condition"), literal(str(MoveKind.SHIP)).label("kind")]
    return (
        select(*place, *constants, (-func.sum(shipped.c.quantity)).label("quantity"), *facts)
        .join_from(shipped, allocations, allocations.c.id == shipped.c.allocation_id)
        .join(shipments, shipments.c.id == shipped.c.shipment_id)
        .join(merchants, merchants.c.id == shipments.c.merchant_id)
        .join(products, products.c.id == allocations.c.product_id)
        .join(locations, locations.c.id == allocations.c.location_id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
        .group_by(*place, *facts[:2], cause)
    )


def _close_promises(connection: Connection, shipped: Table, as_of: datetime) -> None:
    """Close each promise that shipped in full; of one that shipped in part keep the rest open, beside a closed row.

    An open pick of a promise that shipped in full is cancelled.
    """
    sums = select(shipped.c.allocation_id, func.sum(shipped.c.quantity).label("quantity"))
    sums = sums.group_by(shipped.c.allocation_id)
    departed = sums.subquery("departed")
    is_shipped = allocations.c.id == departed.c.allocation_id
    is_part = departed.c.quantity < allocations.c.quantity
    closed: dict[str, Any] = {"state": str(AllocationState.CONSUMED), "closed_at": as_of, "closed_reason": "shipped"}
    names = ("order_id", "line_number", "location_id", "product_id", "lot", "allocated_at")
    constants = [literal(value, allocations.c[name].type).label(name) for name, value in closed.items()]
    columns = [*(allocations.c[name] for name in names), departed.c.quantity, *constants]
    query = select(*columns).join(departed, is_shipped).where(is_part)
    closed_parts = read(connection, query.order_by(allocations.c.id))
    connection.execute(update(allocations).where(is_shipped, ~is_part).values(closed))
    rest = update(allocations).where(is_shipped, is_part, allocations.c.state == AllocationState.OPEN)
    connection.execute(rest.values(quantity=allocations.c.quantity - departed.c.quantity))
    _cancel_picks(connection, shipped)
    with staged(connection, closed_parts, like=allocations) as new:
        connection.execute(insert(allocations).from_select([column.key for column in new.columns], select(new)))


def _cancel_picks(connection: Connection, shipped: Table) -> None:
    """Nobody needs to walk to a pick whose goods have left."""
    consumed = select(allocations.c.id).where(
        allocations.c.state == AllocationState.CONSUMED,
        allocations.c.id.in_(select(shipped.c.allocation_id)),
    )
    statement = update(picks).where(picks.c.state == PickState.OPEN, picks.c.allocation_id.in_(consumed))
    connection.execute(statement.values(state=str(PickState.CANCELLED)))


def _mark_shipped(connection: Connection, parcels: pd.DataFrame) -> None:
    """The carrier has the parcels; an order that left in full is fulfilled."""
    with staged(connection, parcels[["shipment_id"]]) as departed:
        statement = update(shipments).where(shipments.c.id.in_(select(departed.c.shipment_id)))
        connection.execute(statement.values(state=str(ParcelState.SHIPPED)))
    parcel_contents.mark_fulfilled(connection, parcels["order_id"])


def raise_delivered(connection: Connection, order_ids: pd.Series) -> int:
    """Raise quantity_delivered of these orders to the contents of their delivered parcels, up to what was shipped.

    Returns the number of lines changed.
    """
    content = parcel_contents.contents_of(connection, order_ids)
    parts = parcel_contents.parts_of(connection, order_ids)
    units = line_units(content[content["delivered_at"].notna()], parts)
    lines = parcel_contents.line_quantities(connection, order_ids).merge(units, on=ORDER_LINE_KEY)
    lines["quantity"] = lines[["units", "quantity_shipped"]].min(axis=1)
    return parcel_contents.raise_quantity(connection, "quantity_delivered", lines)
