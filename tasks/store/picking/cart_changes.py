"""Carts under way to which something happened since their list was printed, and what is planned again of them."""

from datetime import datetime

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, case, exists, insert, literal, select, update

from tasks.domain.picking.cart_replanning import Replanned
from tasks.domain.states import AllocationState, PickState, WaveState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import allocations, carts, picks, products, warehouses, waves


def _dropped() -> ColumnElement[bool]:
    """Gone since the last list."""
    return and_(picks.c.state == PickState.CANCELLED, picks.c.left_revision.is_(None))


def changed_carts(connection: Connection) -> pd.Series:
    """Ids of carts of open waves that lost a pick since their list, or with an order that has a promise in no wave."""
    mine = and_(carts.c.id == picks.c.cart_id, waves.c.id == carts.c.wave_id, waves.c.state == WaveState.OPEN)
    gone = select(picks.c.cart_id).where(mine, _dropped())
    again, other = picks.alias("again"), allocations.alias("other")
    taken = exists().where(again.c.allocation_id == other.c.id, again.c.state != PickState.CANCELLED)
    anew = (
        select(picks.c.cart_id)
        .join_from(picks, allocations, allocations.c.id == picks.c.allocation_id)
        .join(other, and_(other.c.order_id == allocations.c.order_id, other.c.state == AllocationState.OPEN, ~taken))
        .where(mine, picks.c.state != PickState.CANCELLED)
    )
    either = gone.union(anew).subquery("either")
    found = read(connection, select(either.c.cart_id).order_by(either.c.cart_id))
    return found["cart_id"].astype("int64")


def picks_of(connection: Connection, cart_ids: pd.Series) -> pd.DataFrame:
    """Every pick of carts.

    Columns: as `replanning.replanned` takes them, with warehouse, unit_weight_g and unit_volume_ml (Int64) for the
    weights.
    """
    with staged(connection, cart_ids.to_frame("cart_id")) as those:
        statement = (
            select(
                carts.c.id.label("cart_id"), warehouses.c.code.label("warehouse"), carts.c.zone,
                picks.c.id.label("pick_id"), picks.c.stop_number, picks.c.state, allocations.c.location_id,
                allocations.c.order_id, picks.c.position, picks.c.quantity, picks.c.picked_at,
                products.c.weight_g.label("unit_weight_g"), products.c.volume_ml.label("unit_volume_ml"),
                case((_dropped(), literal(1)), else_=0).label("dropped"),
            )
            .join_from(those, carts, carts.c.id == those.c.cart_id)
            .join(picks, picks.c.cart_id == carts.c.id)
            .join(waves, waves.c.id == carts.c.wave_id)
            .join(warehouses, warehouses.c.id == waves.c.warehouse_id)
            .join(allocations, allocations.c.id == picks.c.allocation_id)
            .join(products, products.c.id == allocations.c.product_id)
            .order_by(carts.c.id, picks.c.stop_number, picks.c.id)
        )  # fmt: skip
        found = read(connection, statement)
    return found.astype({"dropped": bool, "unit_weight_g": "Int64", "unit_volume_ml": "Int64"})


def write_changes(connection: Connection, made: Replanned, as_of: datetime) -> int:
    """Write what was planned again, each cart as a new revision of its list; says how many carts that were."""
    if made.carts.empty:
        return 0
    exclusive(connection, "allocations")
    exclusive(connection, "waves")
    with staged(connection, made.carts, like=carts) as new:
        told = {"revised_at": as_of, "shortest_m": None, "least_m": None, "walk_s": None}
        revised = update(carts).where(carts.c.id == new.c.cart_id)
        connection.execute(revised.values(walk_m=new.c.walk_m, revision=carts.c.revision + 1, **told))
        revision = select(carts.c.revision).where(carts.c.id == picks.c.cart_id).scalar_subquery()
        left = update(picks).where(_dropped(), picks.c.cart_id.in_(select(new.c.cart_id)))
        connection.execute(left.values(left_revision=revision))
    with staged(connection, made.stops, like=picks) as moved:
        same = picks.c.id == moved.c.pick_id
        changed(connection, update(picks).where(same).values(stop_number=moved.c.stop_number))
    with staged(connection, made.added, like=picks) as new:
        names = ["cart_id", "stop_number", "allocation_id", "position", "quantity"]
        rows = select(*(new.c[name] for name in names), carts.c.revision).join(carts, carts.c.id == new.c.cart_id)
        connection.execute(insert(picks).from_select([*names, "revision"], rows.order_by(new.c.allocation_id)))
    return len(made.carts)
