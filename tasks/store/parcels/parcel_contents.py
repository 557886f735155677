"""What parcels hold and what order lines are made of, and the line quantities that follow from it."""

from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, select, update
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.parcels.parcel_contents import LINE, line_units
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

WAITING = (ParcelState.PACKED, ParcelState.HELD, ParcelState.RELEASED)  # not in the carrier's hands yet
ASTRAY = (ParcelState.LOST, ParcelState.RETURNED_TO_SENDER)


def ids(values: pd.Series, name: str = "order_id") -> pd.DataFrame:
    """A frame of the distinct ids in `values`, to be staged."""
    return pd.DataFrame({name: values.dropna().astype("int64").drop_duplicates()})


def parts_of(connection: Connection, of_orders: pd.Series) -> pd.DataFrame:
    """What the lines of these orders (ids) are made of, as `tasks.domain.parcels.parcel_contents` says."""
    with staged(connection, ids(of_orders)) as chosen:
        here = order_lines.c.order_id.in_(select(chosen.c.order_id))
        own = read(connection, _own().where(here)).assign(own=True)
        inside = read(connection, _inside().where(here)).assign(own=False)
    every = pd.concat([own, inside], ignore_index=True)
    return every.astype({"sku": "str", "is_kit": "bool", "own": "bool"})


def _line_facts() -> list[ColumnElement[object]]:
    line = order_lines.c
    ordered = line.quantity_ordered - line.quantity_cancelled
    return [line.order_id, line.line_number, ordered.label("ordered"), line.quantity_picked.label("picked")]


def _goods() -> ColumnElement[bool]:
    return and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == order_lines.c.sku)


def _own() -> Select[Any]:
    kit = select(kit_components.c.kit_id).where(kit_components.c.kit_id == products.c.id).exists().label("is_kit")
    columns: list[Any] = [*_line_facts(), order_lines.c.sku, literal(1).label("per"), kit]
    return select(*columns).join(orders, orders.c.id == order_lines.c.order_id).join(products, _goods(), isouter=True)


def _inside() -> Select[Any]:
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


def contents_of(connection: Connection, of_orders: pd.Series) -> pd.DataFrame:
    """What every parcel of these orders (ids) holds.

    shipment_id, parcel, state, packed_at, shipped_at, delivered_at, order_id, line_number Int64, sku, quantity,
    unit_weight_g Int64.
    """
    parcel = shipments.c
    held = (
        select(parcel.id.label("shipment_id"), parcel.parcel, parcel.state, parcel.packed_at, parcel.shipped_at,
               parcel.delivered_at, parcel.order_id, shipment_lines.c.line_number, shipment_lines.c.sku,
               shipment_lines.c.quantity, products.c.weight_g.label("unit_weight_g"))
        .join_from(shipments, shipment_lines, shipment_lines.c.shipment_id == parcel.id)
        .join(products, and_(products.c.merchant_id == parcel.merchant_id, products.c.sku == shipment_lines.c.sku),
              isouter=True)
    )  # fmt: skip
    with staged(connection, ids(of_orders)) as chosen:
        found = read(
            connection, held.where(parcel.order_id.in_(select(chosen.c.order_id))).order_by(shipment_lines.c.id)
        )
    return found.astype({"line_number": "Int64", "unit_weight_g": "Int64"})


def line_quantities(connection: Connection, of_orders: pd.Series) -> pd.DataFrame:
    """order_id, line_number, sku and every quantity of the lines of these orders (ids)."""
    line = order_lines.c
    names = [column for column in order_lines.columns if column.key.startswith("quantity_")]
    with staged(connection, ids(of_orders)) as chosen:
        wanted = select(line.order_id, line.line_number, line.sku, *names)
        return read(connection, wanted.where(line.order_id.in_(select(chosen.c.order_id))))


def raise_quantity(connection: Connection, name: str, lines: pd.DataFrame) -> int:
    """Write `name` (such as quantity_packed) of each line: order_id, line_number, quantity. Says how many changed."""
    with staged(connection, lines[["order_id", "line_number", "quantity"]]) as new:
        same = and_(order_lines.c.order_id == new.c.order_id, order_lines.c.line_number == new.c.line_number)
        statement = update(order_lines).where(same, order_lines.c[name] != new.c.quantity)
        return changed(connection, statement.values({name: new.c.quantity}))


def raise_packed(connection: Connection, of_orders: pd.Series, leaving: pd.Series | None = None) -> int:
    """Bring quantity_packed of these orders up to what is in their parcels, as far as it was picked.

    A parcel counts once it was scanned or has left, or is `leaving` now (ids). What the shop shipped before we knew the
    order stays packed.
    """
    content = contents_of(connection, of_orders)
    gone = ~content["state"].isin(WAITING) | content["shipment_id"].isin([] if leaving is None else leaving)
    units = line_units(content[content["packed_at"].notna() | gone], parts_of(connection, of_orders))
    lines = line_quantities(connection, of_orders).merge(units, on=LINE)
    most = lines[["units", "quantity_picked"]].min(axis=1)
    lines["quantity"] = pd.concat([most, lines["quantity_shipped"]], axis=1).max(axis=1)
    return raise_quantity(connection, "quantity_packed", lines)


def fulfil(connection: Connection, of_orders: pd.Series) -> int:
    """Orders (ids) of which everything left are fulfilled, as of their last parcel. Says how many are."""
    line = order_lines.c
    waits = select(line.order_id).where(
        line.order_id == orders.c.id, line.requires_shipping,
        line.quantity_shipped < line.quantity_ordered - line.quantity_cancelled,
    )  # fmt: skip
    went = select(line.order_id).where(line.order_id == orders.c.id, line.quantity_shipped > 0)
    last = select(func.max(shipments.c.shipped_at)).where(shipments.c.order_id == orders.c.id).scalar_subquery()
    with staged(connection, ids(of_orders)) as chosen:
        mine = and_(orders.c.id.in_(select(chosen.c.order_id)), orders.c.fulfilled_at.is_(None))
        return changed(connection, update(orders).where(mine, ~waits.exists(), went.exists()).values(fulfilled_at=last))


def warehouses_of(connection: Connection, of_orders: pd.Series) -> pd.Series:
    """The warehouse each order is promised from (Int64), by order id; of several the first known to us."""
    with staged(connection, ids(of_orders)) as chosen:
        where = (
            select(allocations.c.order_id, func.min(locations.c.warehouse_id).label("warehouse_id"))
            .join(locations, locations.c.id == allocations.c.location_id)
            .where(
                allocations.c.order_id.in_(select(chosen.c.order_id)), allocations.c.state != AllocationState.RELEASED
            )
            .group_by(allocations.c.order_id)
        )
        found = read(connection, where)
    return found.set_index("order_id")["warehouse_id"].astype("Int64")


def replace_lines(connection: Connection, content: pd.DataFrame) -> None:
    """The parcels of `content` (shipment_id, order_id, line_number Int64, sku, quantity) hold exactly this."""
    with staged(connection, content, like=shipment_lines) as new:
        gone = shipment_lines.delete().where(shipment_lines.c.shipment_id.in_(select(new.c.shipment_id)))
        connection.execute(gone)
        wanted: Subquery = select(new).subquery("wanted")
        order = (wanted.c.shipment_id, wanted.c.line_number, wanted.c.sku)
        names = [column.key for column in wanted.columns]
        connection.execute(shipment_lines.insert().from_select(names, select(wanted).order_by(*order)))
