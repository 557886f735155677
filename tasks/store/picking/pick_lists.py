"""The pick lists of released waves, as they are printed."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    Connection,
    Select,
    and_,
    select,
)

from tasks.domain.states import PickState, WaveState
from tasks.store.database.frames import read
from tasks.store.schema import (
    allocations,
    carts,
    locations,
    merchants,
    orders,
    picks,
    products,
    wall_positions,
    warehouses,
    waves,
)


def released_at(connection: Connection) -> list[datetime]:
    """The moments at which waves that are not finished were released."""
    statement = select(waves.c.released_at).where(waves.c.state == WaveState.OPEN).distinct()
    return sorted(connection.scalars(statement.order_by(waves.c.released_at)))


def pick_list(connection: Connection, at: datetime) -> pd.DataFrame:
    """Every stop of the waves released at that moment, in walking order, as in `_stops`."""
    statement = _stops().where(waves.c.released_at == at, picks.c.state != PickState.CANCELLED)
    return read(connection, statement)


def revised_lists(connection: Connection) -> pd.DataFrame:
    """Every stop of the carts of open waves whose lists were revised, done, ahead and gone, as in `_stops`."""
    return read(connection, _stops().where(carts.c.revision > 1, waves.c.state == WaveState.OPEN))


def _stops() -> Select[Any]:
    """Every stop: what pickers need to know of wave, cart, place, goods and order, and the state of the pick.

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
