"""Carts under way that changed since their list was printed, and their new plans."""

from datetime import datetime

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, case, exists, insert, literal, select, update

from tasks.domain.picking.cart_replanning import CartChanges
from tasks.domain.states import AllocationState, PickState, WaveState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import allocations, carts, picks, products, warehouses, waves


def _is_dropped() -> ColumnElement[bool]:
    """Cancelled since the last list."""
    return and_(picks.c.state == PickState.CANCELLED, picks.c.left_revision.is_(None))


def changed_carts(connection: Connection) -> pd.Series:
    """Ids of carts of open waves that lost a pick since their list, or with an order that has a promise in no wave."""
    is_open_cart = and_(carts.c.id == picks.c.cart_id, waves.c.id == carts.c.wave_id, waves.c.state == WaveState.OPEN)
    lost_picks = select(picks.c.cart_id).where(is_open_cart, _is_dropped())
    other_pick, other_promise = picks.alias("again"), allocations.alias("other")
    is_taken = exists().where(
        other_pick.c.allocation_id == other_promise.c.id, other_pick.c.state != PickState.CANCELLED
    )
    with_new_promise = (
        select(picks.c.cart_id)
        .join_from(picks, allocations, allocations.c.id == picks.c.allocation_id)
        .join(
            other_promise,
            and_(
                other_promise.c.order_id == allocations.c.order_id,
                other_promise.c.state == AllocationState.OPEN,
                ~is_taken,
            ),
        )
        .where(is_open_cart, picks.c.state != PickState.CANCELLED)
    )
    changed = lost_picks.union(with_new_promise).subquery("either")
    rows = read(connection, select(changed.c.cart_id).order_by(changed.c.cart_id))
    return rows["cart_id"].astype("int64")


def cart_picks(connection: Connection, cart_ids: pd.Series) -> pd.DataFrame:
    """Every pick of carts.

    Columns: as in `cart_replanning.replan`, with warehouse, unit_weight_g and unit_volume_ml (Int64) for the
    weights.
    """
    with staged(connection, cart_ids.to_frame("cart_id")) as wanted:
        statement = (
            select(
                carts.c.id.label("cart_id"), warehouses.c.code.label("warehouse"), carts.c.zone,
                picks.c.id.label("pick_id"), picks.c.stop_number, picks.c.state, allocations.c.location_id,
                allocations.c.order_id, picks.c.position, picks.c.quantity, picks.c.picked_at,
                products.c.weight_g.label("unit_weight_g"), products.c.volume_ml.label("unit_volume_ml"),
                case((_is_dropped(), literal(1)), else_=0).label("dropped"),
            )
            .join_from(wanted, carts, carts.c.id == wanted.c.cart_id)
            .join(picks, picks.c.cart_id == carts.c.id)
            .join(waves, waves.c.id == carts.c.wave_id)
            .join(warehouses, warehouses.c.id == waves.c.warehouse_id)
            .join(allocations, allocations.c.id == picks.c.allocation_id)
            .join(products, products.c.id == allocations.c.product_id)
            .order_by(carts.c.id, picks.c.stop_number, picks.c.id)
        )  # fmt: skip
        rows = read(connection, statement)
    return rows.astype({"dropped": bool, "unit_weight_g": "Int64", "unit_volume_ml": "Int64"})


def write_changes(connection: Connection, changes: CartChanges, as_of: datetime) -> int:
    """Write the new plans, each cart as a new revision of its list; returns the number of carts."""
    if changes.carts.empty:
        return 0
    exclusive(connection, "allocations")
    exclusive(connection, "waves")
    with staged(connection, changes.carts, like=carts) as new_rows:
        reset = {"revised_at": as_of, "shortest_m": None, "least_m": None, "walk_s": None}
        revised = update(carts).where(carts.c.id == new_rows.c.cart_id)
        connection.execute(revised.values(walk_m=new_rows.c.walk_m, revision=carts.c.revision + 1, **reset))
        revision = select(carts.c.revision).where(carts.c.id == picks.c.cart_id).scalar_subquery()
        note_revision = update(picks).where(_is_dropped(), picks.c.cart_id.in_(select(new_rows.c.cart_id)))
        connection.execute(note_revision.values(left_revision=revision))
    with staged(connection, changes.stops, like=picks) as moved:
        is_moved = picks.c.id == moved.c.pick_id
        changed(connection, update(picks).where(is_moved).values(stop_number=moved.c.stop_number))
    with staged(connection, changes.added, like=picks) as new_rows:
        names = ["cart_id", "stop_number", "allocation_id", "position", "quantity"]
        rows = select(*(new_rows.c[name] for name in names), carts.c.revision).join(
            carts, carts.c.id == new_rows.c.cart_id
        )
        connection.execute(insert(picks).from_select([*names, "revision"], rows.order_by(new_rows.c.allocation_id)))
    return len(changes.carts)
