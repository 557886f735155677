"""Parcels that left the building: the stock they took, the promises they kept, the lines they brought forward."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, and_, case, func, insert, literal, select, update

from tasks.domain.parcels.parcel_contents import LINE, explode, line_units
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


def leaving(connection: Connection, as_of: datetime) -> pd.DataFrame:
    """Parcels a carrier took that are still counted as ours: shipment_id, order_id, merchant_id, parcel, shipped_at."""
    parcel = shipments.c
    wanted = select(
        parcel.id.label("shipment_id"), parcel.order_id, parcel.merchant_id, parcel.parcel, parcel.shipped_at
    )
    gone = wanted.where(parcel.state.in_(parcel_contents.WAITING), parcel.shipped_at <= as_of)
    return read(connection, gone.order_by(parcel.shipped_at, parcel.id))


def book(connection: Connection, parcels: pd.DataFrame, as_of: datetime) -> int:
    """Take what `parcels` (of `leaving`) hold out of stock and off the promises, and mark them shipped.

    A line counts as shipped as far as it was packed; no more than that leaves the ledger, from the promises of the
    line, picked ones first. A parcel nobody scanned was packed all the same when a carrier took it, as far as it was
    promised. What an order fulfilled elsewhere holds was never promised here and moves no stock.
    Gives how many stock moves were posted.
    """
    parts = parcel_contents.parts_of(connection, parcels["order_id"])
    content = parcel_contents.contents_of(connection, parcels["order_id"])
    _raise_picked(connection, content, parts, parcels)
    parcel_contents.raise_packed(connection, parcels["order_id"], parcels["shipment_id"])
    gone = content["shipment_id"].isin(parcels["shipment_id"])
    units = line_units(content[gone | ~content["state"].isin(parcel_contents.WAITING)], parts)
    lines = parcel_contents.line_quantities(connection, parcels["order_id"]).merge(units, on=LINE)
    most = lines[["units", "quantity_packed"]].min(axis=1)
    lines["quantity"] = pd.concat([most, lines["quantity_shipped"]], axis=1).max(axis=1)
    lines["newly"] = lines["quantity"] - lines["quantity_shipped"]
    taken = _taken(connection, parcels, explode(content[gone], parts), parts.merge(lines[[*LINE, "newly"]], on=LINE))
    posted = _keep_promises(connection, taken, as_of)
    parcel_contents.raise_quantity(connection, "quantity_shipped", lines)
    _mark_shipped(connection, parcels)
    return posted


def _raise_picked(connection: Connection, content: pd.DataFrame, parts: pd.DataFrame, parcels: pd.DataFrame) -> None:
    """What left in a parcel nobody scanned was picked, whether a pick was reported or not."""
    leaving = content["shipment_id"].isin(parcels["shipment_id"])
    unscanned = content[leaving & content["packed_at"].isna() & content["line_number"].notna()]
    counted = content[leaving | content["packed_at"].notna() | ~content["state"].isin(parcel_contents.WAITING)]
    lines = parcel_contents.line_quantities(connection, unscanned["order_id"]).merge(
        line_units(counted, parts), on=LINE
    )
    lines = lines.merge(unscanned[LINE].astype("int64").drop_duplicates(), on=LINE)
    left = lines[["units", "quantity_allocated"]].min(axis=1)
    lines["quantity"] = pd.concat([left, lines["quantity_picked"]], axis=1).max(axis=1)
    parcel_contents.raise_quantity(connection, "quantity_picked", lines)


def _taken(connection: Connection, parcels: pd.DataFrame, content: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """What each parcel takes from which open promise: shipment_id, sku, allocation_id, quantity."""
    key = [*LINE, "sku"]
    rank = pd.Series(range(len(parcels)), index=parcels["shipment_id"])
    asked = content[content["line_number"].notna()].astype({"line_number": "int64"})
    asked = asked.assign(rank=asked["shipment_id"].map(rank)).sort_values(["rank", *key])[
        ["shipment_id", *key, "quantity"]
    ]
    allowed = parts.assign(quantity=parts["newly"] * parts["per"]).groupby(key, as_index=False)[["quantity"]].sum()
    promised = _open_promises(connection, parcels["order_id"])
    return share_out(share_out(asked, allowed, key), promised, key)


def _open_promises(connection: Connection, of_orders: pd.Series) -> pd.DataFrame:
    """allocation_id, order_id, line_number, sku, quantity: picked ones first, then by age."""
    mine = and_(picks.c.allocation_id == allocations.c.id, picks.c.state.in_((PickState.PICKED, PickState.SHORT)))
    picked = case((select(picks.c.id).where(mine).exists(), 0), else_=1)
    columns: list[Any] = [allocations.c.id.label("allocation_id"), allocations.c.order_id, allocations.c.line_number,
                          products.c.sku, allocations.c.quantity]  # fmt: skip
    with staged(connection, parcel_contents.ids(of_orders)) as chosen:
        here = and_(allocations.c.order_id.in_(select(chosen.c.order_id)), allocations.c.state == AllocationState.OPEN)
        wanted = select(*columns).join(products, products.c.id == allocations.c.product_id).where(here)
        return read(connection, wanted.order_by(picked, allocations.c.id))


def _keep_promises(connection: Connection, taken: pd.DataFrame, as_of: datetime) -> int:
    """Close what was promised, give the places back, and only then move the stock: promised is never above on hand."""
    with staged(connection, taken[["shipment_id", "allocation_id", "quantity"]].astype("int64")) as new:
        moves = read(connection, _moves(new))
        _consume(connection, new, as_of)
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


def _moves(taken: Any) -> Any:
    """One move a parcel, product and place."""
    cause = (
        literal("ship:") + merchants.c.code + ":" + shipments.c.parcel + ":" + products.c.sku + ":"
        + warehouses.c.code + "/" + locations.c.code + ":" + allocations.c.lot
    )  # fmt: skip
    place = [allocations.c.product_id, allocations.c.location_id, allocations.c.lot]
    facts = [shipments.c.parcel.label("document"), shipments.c.shipped_at.label("effective_at"), cause.label("cause")]
    constant = [literal(str(Condition.AVAILABLE)).label("condition"), literal(str(MoveKind.SHIP)).label("kind")]
    return (
        select(*place, *constant, (-func.sum(taken.c.quantity)).label("quantity"), *facts)
        .join_from(taken, allocations, allocations.c.id == taken.c.allocation_id)
        .join(shipments, shipments.c.id == taken.c.shipment_id)
        .join(merchants, merchants.c.id == shipments.c.merchant_id)
        .join(products, products.c.id == allocations.c.product_id)
        .join(locations, locations.c.id == allocations.c.location_id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
        .group_by(*place, *facts[:2], cause)
    )


def _consume(connection: Connection, taken: Any, as_of: datetime) -> None:
    """A promise kept in full is closed; one kept in part keeps its rest open, beside a closed row for what left.

    Nobody needs to walk any more for a pick of what has left.
    """
    sums = select(taken.c.allocation_id, func.sum(taken.c.quantity).label("quantity")).group_by(taken.c.allocation_id)
    left = sums.subquery("left_now")
    mine = allocations.c.id == left.c.allocation_id
    closed: dict[str, Any] = {"state": str(AllocationState.CONSUMED), "closed_at": as_of, "closed_reason": "shipped"}
    names = ("order_id", "line_number", "location_id", "product_id", "lot", "allocated_at")
    same = [allocations.c[name] for name in names]
    values = [literal(value, allocations.c[name].type).label(name) for name, value in closed.items()]
    part = select(*same, left.c.quantity, *values).join(left, mine).where(left.c.quantity < allocations.c.quantity)
    parts = read(connection, part.order_by(allocations.c.id))
    whole = and_(mine, left.c.quantity >= allocations.c.quantity)
    connection.execute(update(allocations).where(whole).values(closed))
    rest = and_(mine, left.c.quantity < allocations.c.quantity, allocations.c.state == AllocationState.OPEN)
    connection.execute(update(allocations).where(rest).values(quantity=allocations.c.quantity - left.c.quantity))
    gone = select(allocations.c.id).where(allocations.c.state == AllocationState.CONSUMED, allocations.c.id.in_(
        select(taken.c.allocation_id)))  # fmt: skip
    idle = and_(picks.c.state == PickState.OPEN, picks.c.allocation_id.in_(gone))
    connection.execute(update(picks).where(idle).values(state=str(PickState.CANCELLED)))
    with staged(connection, parts, like=allocations) as new:
        connection.execute(insert(allocations).from_select([column.key for column in new.columns], select(new)))


def _mark_shipped(connection: Connection, parcels: pd.DataFrame) -> None:
    """The parcels are the carrier's; an order of which everything left is fulfilled."""
    with staged(connection, parcels[["shipment_id"]]) as gone:
        here = shipments.c.id.in_(select(gone.c.shipment_id))
        connection.execute(update(shipments).where(here).values(state=str(ParcelState.SHIPPED)))
    parcel_contents.fulfil(connection, parcels["order_id"])


def raise_delivered(connection: Connection, of_orders: pd.Series) -> int:
    """Bring quantity_delivered of these orders up to what their delivered parcels hold, as far as it shipped."""
    content = parcel_contents.contents_of(connection, of_orders)
    units = line_units(content[content["delivered_at"].notna()], parcel_contents.parts_of(connection, of_orders))
    lines = parcel_contents.line_quantities(connection, of_orders).merge(units, on=LINE)
    lines["quantity"] = lines[["units", "quantity_shipped"]].min(axis=1)
    return parcel_contents.raise_quantity(connection, "quantity_delivered", lines)
