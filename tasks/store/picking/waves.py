"""Waves, carts and picks: what is released to the floor, and what the pickers took."""

from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    cast,
    exists,
    func,
    insert,
    select,
    update,
)

from tasks.domain.states import AllocationState, PickState, WaveState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import (
    allocations,
    carts,
    locations,
    merchants,
    order_lines,
    orders,
    picks,
    products,
    wall_positions,
    warehouses,
    waves,
)


def _is_in_wave() -> ColumnElement[bool]:
    return exists().where(picks.c.allocation_id == allocations.c.id, picks.c.state != PickState.CANCELLED)


def unreleased_promises(connection: Connection) -> pd.DataFrame:
    """Open promises in no wave, with all that decides about their release, in the order of their ids.

    Columns: allocation_id, order_id, quantity, product_id, location_id, location, purpose, aisle, x_m, y_m, warehouse,
    merchant, order_number, service_level, ship_by, hold_reason, hold_until, cancelled_at, refunded_minor, total_minor,
    unit_weight_g, unit_volume_ml, missing (units of the order not promised yet, int64).
    """
    line, order, place = order_lines.c, orders.c, locations.c
    has_open_promise = exists().where(
        allocations.c.order_id == line.order_id, allocations.c.state == AllocationState.OPEN
    )
    need = func.sum(line.quantity_ordered - line.quantity_cancelled - line.quantity_allocated)
    lacking = select(line.order_id, cast(need, BigInteger).label("missing")).where(
        line.requires_shipping, has_open_promise
    )
    missing_units = lacking.group_by(line.order_id).subquery("lacks")
    statement = (
        select(
            allocations.c.id.label("allocation_id"),
            allocations.c.order_id,
            allocations.c.quantity,
            allocations.c.product_id,
            allocations.c.location_id,
            place.code.label("location"),
            place.purpose,
            place.aisle,
            place.x_m,
            place.y_m,
            warehouses.c.code.label("warehouse"),
            merchants.c.code.label("merchant"),
            order.order_number,
            order.service_level,
            order.ship_by,
            order.hold_reason,
            order.hold_until,
            order.cancelled_at,
            order.refunded_minor,
            order.total_minor,
            products.c.weight_g.label("unit_weight_g"),
            products.c.volume_ml.label("unit_volume_ml"),
            func.coalesce(missing_units.c.missing, 0).label("missing"),
        )
        .join_from(allocations, orders, order.id == allocations.c.order_id)
        .join(merchants, merchants.c.id == order.merchant_id)
        .join(locations, place.id == allocations.c.location_id)
        .join(warehouses, warehouses.c.id == place.warehouse_id)
        .join(products, products.c.id == allocations.c.product_id)
        .join(missing_units, missing_units.c.order_id == order.id, isouter=True)
        .where(allocations.c.state == AllocationState.OPEN, ~_is_in_wave())
        .order_by(allocations.c.id)
    )
    rows = read(connection, statement)
    return rows.astype({"unit_weight_g": "Int64", "unit_volume_ml": "Int64", "total_minor": "Int64"})


def pick_locations(connection: Connection) -> pd.DataFrame:
    """Every pick place: warehouse, location_id, location, zone, aisle, bay, level, x_m, y_m (some may be missing)."""
    place = locations.c
    names = (place.zone, place.aisle, place.bay, place.level, place.x_m, place.y_m)
    statement = (
        select(
            warehouses.c.code.label("warehouse"), place.id.label("location_id"), place.code.label("location"), *names
        )
        .join_from(locations, warehouses, warehouses.c.id == place.warehouse_id)
        .where(place.purpose == "pick")
        .order_by(place.id)
    )
    return read(connection, statement)


CART_COLUMNS = ("number", "zone", "walk_m", "shortest_m", "least_m", "walk_s")


def open_pick_counts(connection: Connection) -> dict[str, int]:
    """The number of open picks in each warehouse, by its code."""
    counted = (
        select(warehouses.c.code, func.count())
        .join_from(picks, carts, carts.c.id == picks.c.cart_id)
        .join(waves, waves.c.id == carts.c.wave_id)
        .join(warehouses, warehouses.c.id == waves.c.warehouse_id)
        .where(picks.c.state == PickState.OPEN, waves.c.state == WaveState.OPEN)
    )
    return {str(row[0]): int(row[1]) for row in connection.execute(counted.group_by(warehouses.c.code))}


def highest_wave_number(connection: Connection, stem: str) -> int:
    """The highest number a wave's code has after `stem`; 0 when there is none."""
    codes = connection.scalars(select(waves.c.code).where(waves.c.code.startswith(stem, autoescape=True)))
    return max((int(code.removeprefix(stem)) for code in codes), default=0)


def release_wave(
    connection: Connection, wave: dict[str, Any], carts_of_wave: pd.DataFrame, stops: pd.DataFrame, wall: pd.DataFrame
) -> None:
    """Write one wave, its carts and their picks; a promise that is in a wave already is refused (I5).

    `wave`: columns of its row. `carts_of_wave`: as in `CART_COLUMNS`. `stops`: cart, stop, allocation_id, position,
    quantity. `wall`: order_id, position.
    """
    exclusive(connection, "allocations")
    exclusive(connection, "waves")
    connection.execute(insert(waves).values(**wave))
    wave_id = connection.execute(select(waves.c.id).where(waves.c.code == wave["code"])).scalar_one()
    with staged(connection, carts_of_wave[list(CART_COLUMNS)].assign(wave_id=wave_id), like=carts) as new:
        names = ["wave_id", *CART_COLUMNS]
        rows = select(*(new.c[name] for name in names)).order_by(new.c.number)
        connection.execute(insert(carts).from_select(names, rows))
    with staged(connection, wall.assign(wave_id=wave_id), like=wall_positions) as new:
        names = ["wave_id", "order_id", "position"]
        connection.execute(insert(wall_positions).from_select(names, select(*(new.c[name] for name in names))))
    with staged(connection, stops[["cart", "stop", "allocation_id", "position", "quantity"]]) as new:
        is_same_cart = and_(carts.c.wave_id == wave_id, carts.c.number == new.c.cart)
        new_picks = select(carts.c.id, new.c.stop, new.c.allocation_id, new.c.position, new.c.quantity).join(
            carts, is_same_cart
        )
        names = ["cart_id", "stop_number", "allocation_id", "position", "quantity"]
        ordered = new_picks.order_by(carts.c.number, new.c.stop, new.c.position, new.c.allocation_id)
        connection.execute(insert(picks).from_select(names, ordered))


def close_finished(connection: Connection) -> int:
    """Close every open wave without an open pick; returns their number."""
    open_pick = exists().where(
        carts.c.wave_id == waves.c.id, picks.c.cart_id == carts.c.id, picks.c.state == PickState.OPEN
    )
    finished = update(waves).where(waves.c.state == WaveState.OPEN, ~open_pick)
    return changed(connection, finished.values(state=WaveState.CLOSED))
