"""Waves, carts and picks: what is released to the floor, and what the pickers took."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from tasks.domain.picking.pick_reports import settle
from tasks.domain.states import AllocationState, Condition, PickState, WaveState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.merging import count, drop, drop_repeats
from tasks.store.ordering.allocations import release, settle_lines
from tasks.store.receiving.loader import Intake, Loaded
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
from tasks.store.stock.post_moves import correct_counts


def _in_wave() -> ColumnElement[bool]:
    return exists().where(picks.c.allocation_id == allocations.c.id, picks.c.state != PickState.CANCELLED)


def unreleased(connection: Connection) -> pd.DataFrame:
    """Open promises no wave holds, with all that decides about their release, in the order of their ids.

    Columns: allocation_id, order_id, quantity, product_id, location_id, location, purpose, aisle, x_m, y_m, warehouse,
    merchant, order_number, service_level, ship_by, hold_reason, hold_until, cancelled_at, refunded_minor, total_minor,
    unit_weight_g, unit_volume_ml, missing (units of the order not promised yet, int64).
    """
    line, o, place = order_lines.c, orders.c, locations.c
    waiting = exists().where(allocations.c.order_id == line.order_id, allocations.c.state == AllocationState.OPEN)
    need = func.sum(line.quantity_ordered - line.quantity_cancelled - line.quantity_allocated)
    lacks = select(line.order_id, cast(need, BigInteger).label("missing")).where(line.requires_shipping, waiting)
    lacks_ = lacks.group_by(line.order_id).subquery("lacks")
    statement = (
        select(
            allocations.c.id.label("allocation_id"), allocations.c.order_id, allocations.c.quantity,
            allocations.c.product_id, allocations.c.location_id, place.code.label("location"), place.purpose,
            place.aisle, place.x_m, place.y_m, warehouses.c.code.label("warehouse"), merchants.c.code.label("merchant"),
            o.order_number, o.service_level, o.ship_by, o.hold_reason, o.hold_until, o.cancelled_at, o.refunded_minor,
            o.total_minor, products.c.weight_g.label("unit_weight_g"), products.c.volume_ml.label("unit_volume_ml"),
            func.coalesce(lacks_.c.missing, 0).label("missing"),
        )
        .join_from(allocations, orders, o.id == allocations.c.order_id)
        .join(merchants, merchants.c.id == o.merchant_id)
        .join(locations, place.id == allocations.c.location_id)
        .join(warehouses, warehouses.c.id == place.warehouse_id)
        .join(products, products.c.id == allocations.c.product_id)
        .join(lacks_, lacks_.c.order_id == o.id, isouter=True)
        .where(allocations.c.state == AllocationState.OPEN, ~_in_wave())
        .order_by(allocations.c.id)
    )  # fmt: skip
    found = read(connection, statement)
    return found.astype({"unit_weight_g": "Int64", "unit_volume_ml": "Int64", "total_minor": "Int64"})


def pick_places(connection: Connection) -> pd.DataFrame:
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


OF_CARTS = ("number", "zone", "walk_m", "shortest_m", "least_m", "walk_s")


def lines_in_hand(connection: Connection) -> dict[str, int]:
    """How many picks are open in each warehouse, by its code."""
    counted = (
        select(warehouses.c.code, func.count())
        .join_from(picks, carts, carts.c.id == picks.c.cart_id)
        .join(waves, waves.c.id == carts.c.wave_id)
        .join(warehouses, warehouses.c.id == waves.c.warehouse_id)
        .where(picks.c.state == PickState.OPEN, waves.c.state == WaveState.OPEN)
    )
    return {str(row[0]): int(row[1]) for row in connection.execute(counted.group_by(warehouses.c.code))}


def numbers_taken(connection: Connection, stem: str) -> int:
    """The highest number a wave's code has after `stem`; 0 when there is none."""
    codes = connection.scalars(select(waves.c.code).where(waves.c.code.startswith(stem, autoescape=True)))
    return max((int(code.removeprefix(stem)) for code in codes), default=0)


def release_wave(
    connection: Connection, wave: dict[str, Any], of_carts: pd.DataFrame, stops: pd.DataFrame, wall: pd.DataFrame
) -> None:
    """Write one wave, its carts and their picks; a promise that is in a wave already is refused (I5).

    `wave`: columns of its row. `of_carts`: as of `OF_CARTS`. `stops`: cart, stop, allocation_id, position, quantity.
    `wall`: order_id, position.
    """
    exclusive(connection, "allocations")
    exclusive(connection, "waves")
    connection.execute(insert(waves).values(**wave))
    wave_id = connection.execute(select(waves.c.id).where(waves.c.code == wave["code"])).scalar_one()
    with staged(connection, of_carts[list(OF_CARTS)].assign(wave_id=wave_id), like=carts) as new:
        names = ["wave_id", *OF_CARTS]
        rows = select(*(new.c[name] for name in names)).order_by(new.c.number)
        connection.execute(insert(carts).from_select(names, rows))
    with staged(connection, wall.assign(wave_id=wave_id), like=wall_positions) as new:
        names = ["wave_id", "order_id", "position"]
        connection.execute(insert(wall_positions).from_select(names, select(*(new.c[name] for name in names))))
    with staged(connection, stops[["cart", "stop", "allocation_id", "position", "quantity"]]) as new:
        same = and_(carts.c.wave_id == wave_id, carts.c.number == new.c.cart)
        taken = select(carts.c.id, new.c.stop, new.c.allocation_id, new.c.position, new.c.quantity).join(carts, same)
        names = ["cart_id", "stop_number", "allocation_id", "position", "quantity"]
        ordered = taken.order_by(carts.c.number, new.c.stop, new.c.position, new.c.allocation_id)
        connection.execute(insert(picks).from_select(names, ordered))


def close_finished(connection: Connection) -> int:
    """Close every open wave none of whose picks is open; says how many."""
    open_pick = exists().where(
        carts.c.wave_id == waves.c.id, picks.c.cart_id == carts.c.id, picks.c.state == PickState.OPEN
    )
    finished = update(waves).where(waves.c.state == WaveState.OPEN, ~open_pick)
    return changed(connection, finished.values(state=WaveState.CLOSED))


def released_at(connection: Connection) -> list[datetime]:
    """The moments at which waves that are not finished were released."""
    statement = select(waves.c.released_at).where(waves.c.state == WaveState.OPEN).distinct()
    return sorted(connection.scalars(statement.order_by(waves.c.released_at)))


def pick_list(connection: Connection, at: datetime) -> pd.DataFrame:
    """Every stop of the waves released at that moment, in walking order, as of `_stops`."""
    statement = _stops().where(waves.c.released_at == at, picks.c.state != PickState.CANCELLED)
    return read(connection, statement)


def revised_lists(connection: Connection) -> pd.DataFrame:
    """Every stop of the carts of open waves whose lists were revised, done, ahead and gone, as of `_stops`."""
    return read(connection, _stops().where(carts.c.revision > 1, waves.c.state == WaveState.OPEN))


def _stops() -> Select[Any]:
    """Every stop: of wave, cart, place, goods and order what pickers are told, and where the stop stands.

    Columns: wave, kind, warehouse, time_zone, carrier, cut_off_at, cart, zone, walk_m, shortest_m, least_m, walk_s,
    revised_at, list_revision, stop, state, picked_at, revision, left_revision, location_id, location, sku, name,
    barcode, planned, position, wall_position, merchant, order_number, lot.
    """
    at_wall = and_(wall_positions.c.wave_id == waves.c.id, wall_positions.c.order_id == allocations.c.order_id)
    return (
        select(
            waves.c.code.label("wave"), waves.c.kind, warehouses.c.code.label("warehouse"), warehouses.c.time_zone,
            waves.c.carrier, waves.c.cut_off_at, carts.c.number.label("cart"), carts.c.zone, carts.c.walk_m,
            carts.c.shortest_m, carts.c.least_m, carts.c.walk_s, carts.c.revised_at,
            carts.c.revision.label("list_revision"), picks.c.stop_number.label("stop"), picks.c.state,
            picks.c.picked_at, picks.c.revision, picks.c.left_revision, locations.c.id.label("location_id"),
            locations.c.code.label("location"), products.c.sku, products.c.name, products.c.barcode,
            picks.c.quantity.label("planned"), picks.c.position, wall_positions.c.position.label("wall_position"),
            merchants.c.code.label("merchant"), orders.c.order_number, allocations.c.lot,
        )
        .join_from(picks, carts, carts.c.id == picks.c.cart_id)
        .join(waves, waves.c.id == carts.c.wave_id)
        .join(warehouses, warehouses.c.id == waves.c.warehouse_id)
        .join(allocations, allocations.c.id == picks.c.allocation_id)
        .join(orders, orders.c.id == allocations.c.order_id)
        .join(merchants, merchants.c.id == orders.c.merchant_id)
        .join(products, products.c.id == allocations.c.product_id)
        .join(locations, locations.c.id == allocations.c.location_id)
        .join(wall_positions, at_wall, isouter=True)
        .order_by(waves.c.code, carts.c.number, picks.c.stop_number, picks.c.position, picks.c.id)
    )  # fmt: skip


REPORTED = ("quantity", "short_reason", "picker", "picked_at")


def load_picks(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Settle planned picks by what the pickers report; what they could not take is free again at once.

    A report means the planned picks of its order and SKU (a kit's component under its own SKU), at its location where
    it names one. What was not found there is given up: allocate-orders promises other units, and doubts the place.
    """
    total = count(connection, rows)
    exclusive(connection, "allocations")
    exclusive(connection, "waves")
    refused = [drop_repeats(connection, rows, ("merchant_id", "order_number", "location", "sku"), REPORTED)]
    refused.append(_strangers(connection, rows))
    claims = read(connection, _claims(rows))
    settled, contradicted = settle(claims)
    _write_picks(connection, settled)
    short = claims.merge(settled[["pick_id", "row_number", "taken"]], on=["pick_id", "row_number"])
    release(connection, short.assign(quantity=short["planned"] - short["taken"]), "short_pick", intake.as_of)
    settle_lines(connection, short)
    correct_counts(connection, _emptied(connection, settled), pd.Timestamp(intake.as_of))
    close_finished(connection)
    bad = pd.concat([*refused, contradicted], ignore_index=True)
    loaded = settled["row_number"].nunique()
    return Loaded(loaded, total - loaded - len(bad), bad)


def _emptied(connection: Connection, settled: pd.DataFrame) -> pd.DataFrame:
    """The places picks took from, and since when: location_id, product_id, condition, lot, since."""
    condition = literal(Condition.AVAILABLE.value).label("condition")
    place = [allocations.c.location_id, allocations.c.product_id, condition, allocations.c.lot]
    with staged(connection, settled[["pick_id"]]) as taken:
        found = select(*place, func.min(picks.c.picked_at).label("since")).join_from(
            taken, picks, picks.c.id == taken.c.pick_id
        )
        found = found.join(allocations, allocations.c.id == picks.c.allocation_id).where(picks.c.quantity_picked > 0)
        return read(connection, found.group_by(allocations.c.location_id, allocations.c.product_id, allocations.c.lot))


def _strangers(connection: Connection, rows: Table) -> pd.DataFrame:
    """Reports about orders, SKUs or places nobody planned a pick for."""
    planned, said = _planned().subquery("planned"), rows.c
    of_order = and_(planned.c.merchant_id == said.merchant_id, planned.c.order_number == said.order_number)
    of_sku = and_(of_order, planned.c.sku == said.sku)
    here = and_(of_sku, or_(said.location.is_(None), planned.c.location == said.location))
    known = exists().where(orders.c.merchant_id == said.merchant_id, orders.c.order_number == said.order_number)
    reason = case(
        (~known, literal("order_number: found '") + said.order_number + "', expected an order of the merchant"),
        (~exists().where(of_order), literal("order_number: found '") + said.order_number
         + "', expected an order a wave was planned for"),
        (~exists().where(of_sku), literal("sku: found '") + said.sku + "', expected a SKU planned for the order"),
        else_=literal("location: found '") + func.coalesce(said.location, "")
        + "', expected the place planned for the SKU",
    )  # fmt: skip
    found = read(connection, select(said.row_number, reason.label("reason")).where(~exists().where(here)))
    drop(connection, rows, found)
    return found.astype({"row_number": "int64", "reason": "str"})


def _planned() -> Select[Any]:
    """Every pick as a report names it."""
    return (
        select(
            picks.c.id.label("pick_id"), orders.c.merchant_id, orders.c.order_number, products.c.sku,
            locations.c.code.label("location"), picks.c.quantity.label("planned"), picks.c.state,
            picks.c.quantity_picked, picks.c.picked_at.label("told_at"), picks.c.allocation_id, picks.c.cart_id,
            picks.c.stop_number, allocations.c.order_id, allocations.c.line_number,
        )
        .join_from(picks, allocations, allocations.c.id == picks.c.allocation_id)
        .join(orders, orders.c.id == allocations.c.order_id)
        .join(products, products.c.id == allocations.c.product_id)
        .join(locations, locations.c.id == allocations.c.location_id)
    )  # fmt: skip


def _claims(rows: Table) -> Select[Any]:
    planned, said = _planned().subquery("planned"), rows.c
    meant = and_(
        planned.c.merchant_id == said.merchant_id,
        planned.c.order_number == said.order_number,
        planned.c.sku == said.sku,
        or_(said.location.is_(None), said.location == planned.c.location),
    )
    names = ("pick_id", "planned", "state", "quantity_picked", "told_at", "allocation_id", "order_id", "line_number")
    told = select(said.row_number, *(said[name] for name in REPORTED), *(planned.c[name] for name in names))
    order = (said.row_number, planned.c.cart_id, planned.c.stop_number, planned.c.pick_id)
    return told.join_from(rows, planned, meant).order_by(*order)


def _write_picks(connection: Connection, settled: pd.DataFrame) -> None:
    if settled.empty:
        return
    with staged(connection, settled, like=picks) as new:
        told = {name: new.c[name] for name in ("state", "short_reason", "picker", "picked_at")}
        same = and_(picks.c.id == new.c.pick_id, picks.c.state == PickState.OPEN)
        connection.execute(update(picks).where(same).values(quantity_picked=new.c.taken, **told))
