"""The contents of parcels, the parts of order lines, and the line quantities that follow from them."""

from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, select, update
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.parcels.parcel_contents import ORDER_LINE_KEY, line_units
from tasks.domain.states import AllocationState, ParcelState
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import (
    allocations,
    kit_components,
    locations,
    order_lines,
    orders,
    products,
    shipment_lines,
    shipments,
)

NOT_DEPARTED = (ParcelState.PACKED, ParcelState.HELD, ParcelState.RELEASED)  # still in the warehouse
ASTRAY = (ParcelState.LOST, ParcelState.RETURNED_TO_SENDER)


def distinct_ids(values: pd.Series, name: str = "order_id") -> pd.DataFrame:
    """The distinct ids in `values` as a frame to stage."""
    return pd.DataFrame({name: values.dropna().astype("int64").drop_duplicates()})


def parts_of(connection: Connection, order_ids: pd.Series) -> pd.DataFrame:
    """The parts of these orders' lines, columns as in `tasks.domain.parcels.parcel_contents`."""
    with staged(connection, distinct_ids(order_ids)) as ids:
        of_orders = order_lines.c.order_id.in_(select(ids.c.order_id))
        own = read(connection, _own_skus().where(of_orders)).assign(own=True)
        components = read(connection, _components().where(of_orders)).assign(own=False)
    parts = pd.concat([own, components], ignore_index=True)
    return parts.astype({"sku": "str", "is_kit": "bool", "own": "bool"})


def _line_facts() -> list[ColumnElement[object]]:
    line = order_lines.c
    ordered = line.quantity_ordered - line.quantity_cancelled
    return [line.order_id, line.line_number, ordered.label("ordered"), line.quantity_picked.label("picked")]


def _goods() -> ColumnElement[bool]:
    return and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == order_lines.c.sku)


def _own_skus() -> Select[Any]:
    kit = select(kit_components.c.kit_id).where(kit_components.c.kit_id == products.c.id).exists().label("is_kit")
    columns: list[Any] = [*_line_facts(), order_lines.c.sku, literal(1).label("per"), kit]
    return select(*columns).join(orders, orders.c.id == order_lines.c.order_id).join(products, _goods(), isouter=True)


def _components() -> Select[Any]:
    part = products.alias("part")
    kit = literal(value=True).label("is_kit")
    columns: list[Any] = [*_line_facts(), part.c.sku, kit_components.c.quantity.label("per"), kit]
    return (
        select(*columns)
        .join_from(order_lines, orders, orders.c.id == order_lines.c.order_id)
        .join(products, _goods())
        .join(kit_components, kit_components.c.kit_id == products.c.id)
        .join(part, part.c.id == kit_components.c.component_id)
    )


def contents_of(connection: Connection, order_ids: pd.Series) -> pd.DataFrame:
    """The contents of every parcel of these orders, one row per parcel line.

    shipment_id, parcel, state, packed_at, shipped_at, delivered_at, order_id, line_number Int64, sku, quantity,
    unit_weight_g Int64.
    """
    parcel = shipments.c
    query = (
        select(parcel.id.label("shipment_id"), parcel.parcel, parcel.state, parcel.packed_at, parcel.shipped_at,
               parcel.delivered_at, parcel.order_id, shipment_lines.c.line_number, shipment_lines.c.sku,
               shipment_lines.c.quantity, products.c.weight_g.label("unit_weight_g"))
        .join_from(shipments, shipment_lines, shipment_lines.c.shipment_id == parcel.id)
        .join(products, and_(products.c.merchant_id == parcel.merchant_id, products.c.sku == shipment_lines.c.sku),
              isouter=True)
    )  # fmt: skip
    with staged(connection, distinct_ids(order_ids)) as ids:
        query = query.where(parcel.order_id.in_(select(ids.c.order_id))).order_by(shipment_lines.c.id)
        return read(connection, query).astype({"line_number": "Int64", "unit_weight_g": "Int64"})


def line_quantities(connection: Connection, order_ids: pd.Series) -> pd.DataFrame:
    """The lines of these orders: order_id, line_number, sku and every quantity_… column."""
    line = order_lines.c
    names = [column for column in order_lines.columns if column.key.startswith("quantity_")]
    with staged(connection, distinct_ids(order_ids)) as ids:
        query = select(line.order_id, line.line_number, line.sku, *names)
        return read(connection, query.where(line.order_id.in_(select(ids.c.order_id))))


def raise_quantity(connection: Connection, name: str, lines: pd.DataFrame) -> int:
    """Write `name` (such as quantity_packed) of each of `lines`: order_id, line_number, quantity.

    Returns the number of lines changed.
    """
    with staged(connection, lines[["order_id", "line_number", "quantity"]]) as new:
        same_line = and_(order_lines.c.order_id == new.c.order_id, order_lines.c.line_number == new.c.line_number)
        statement = update(order_lines).where(same_line, order_lines.c[name] != new.c.quantity)
        return changed(connection, statement.values({name: new.c.quantity}))


def raise_packed(connection: Connection, order_ids: pd.Series, departing: pd.Series | None = None) -> int:
    """Raise quantity_packed of these orders to the contents of their parcels, up to what was picked.

    A parcel counts once it is scanned, has left or is departing now (`departing`: shipment ids). Units the shop shipped
    before the order was received stay packed. Returns the number of lines changed.
    """
    content = contents_of(connection, order_ids)
    departing = pd.Series(dtype="int64") if departing is None else departing
    departed = ~content["state"].isin(NOT_DEPARTED) | content["shipment_id"].isin(departing)
    units = line_units(content[content["packed_at"].notna() | departed], parts_of(connection, order_ids))
    lines = line_quantities(connection, order_ids).merge(units, on=ORDER_LINE_KEY)
    most = lines[["units", "quantity_picked"]].min(axis=1)
    lines["quantity"] = pd.concat([most, lines["quantity_shipped"]], axis=1).max(axis=1)
    return raise_quantity(connection, "quantity_packed", lines)


def mark_fulfilled(connection: Connection, order_ids: pd.Series) -> int:
    """Mark those of these orders fulfilled that left in full, at the departure of their last parcel.

    Returns the number of orders marked.
    """
    line = order_lines.c
    unshipped = select(line.order_id).where(
        line.order_id == orders.c.id, line.requires_shipping,
        line.quantity_shipped < line.quantity_ordered - line.quantity_cancelled,
    )  # fmt: skip
    shipped = select(line.order_id).where(line.order_id == orders.c.id, line.quantity_shipped > 0)
    departures = select(func.max(shipments.c.shipped_at)).where(shipments.c.order_id == orders.c.id)
    with staged(connection, distinct_ids(order_ids)) as ids:
        is_open = and_(orders.c.id.in_(select(ids.c.order_id)), orders.c.fulfilled_at.is_(None))
        statement = update(orders).where(is_open, ~unshipped.exists(), shipped.exists())
        return changed(connection, statement.values(fulfilled_at=departures.scalar_subquery()))


def warehouses_of(connection: Connection, order_ids: pd.Series) -> pd.Series:
    """The id of the warehouse each order is promised from (Int64, by order id); of several the lowest id."""
    with staged(connection, distinct_ids(order_ids)) as ids:
        query = (
            select(allocations.c.order_id, func.min(locations.c.warehouse_id).label("warehouse_id"))
            .join(locations, locations.c.id == allocations.c.location_id)
            .where(allocations.c.order_id.in_(select(ids.c.order_id)), allocations.c.state != AllocationState.RELEASED)
            .group_by(allocations.c.order_id)
        )
        rows = read(connection, query)
    return rows.set_index("order_id")["warehouse_id"].astype("Int64")


def replace_lines(connection: Connection, content: pd.DataFrame) -> None:
    """Replace the contents of the parcels of `content`: shipment_id, order_id, line_number Int64, sku, quantity."""
    with staged(connection, content, like=shipment_lines) as new:
        former = shipment_lines.c.shipment_id.in_(select(new.c.shipment_id))
        connection.execute(shipment_lines.delete().where(former))
        rows: Subquery = select(new).subquery("rows_of_parcels")
        order = (rows.c.shipment_id, rows.c.line_number, rows.c.sku)
        names = [column.key for column in rows.columns]
        connection.execute(shipment_lines.insert().from_select(names, select(rows).order_by(*order)))
