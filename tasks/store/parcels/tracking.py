"""Parcels on their way: what carriers say of them, and where that leaves each."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, and_, func, or_, select, update

from tasks.domain.states import ParcelState
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import merchants, orders, shipments, tracking_events

_MOVING = (ParcelState.SHIPPED, ParcelState.IN_TRANSIT, ParcelState.EXCEPTION, ParcelState.LOST)
PARCEL = ("merchant", "order_number", "parcel", "carrier", "tracking_number", "state", "shipped_at", "delivered_at")


def attach_events(connection: Connection) -> int:
    """Tie events that wait for their parcel to it, by carrier and tracking number. Says how many were tied.

    A carrier is the same however its name is capitalised; a parcel whose carrier was not told is known by its number
    alone. Of several parcels with one number the latest known is it.
    """
    wait = tracking_events.c.shipment_id.is_(None)
    with staged(connection, _carriers(connection)) as same:
        named = (
            select(tracking_events.c.id, func.max(shipments.c.id).label("shipment_id"))
            .join_from(tracking_events, same, same.c.told == tracking_events.c.carrier)
            .join(shipments, and_(shipments.c.carrier == same.c.carrier,
                                  shipments.c.tracking_number == tracking_events.c.parcel))
            .where(wait)
            .group_by(tracking_events.c.id)
        )  # fmt: skip
        nameless = (
            select(tracking_events.c.id, func.max(shipments.c.id).label("shipment_id"))
            .join(shipments, and_(shipments.c.carrier.is_(None),
                                  shipments.c.tracking_number == tracking_events.c.parcel))
            .where(wait)
            .group_by(tracking_events.c.id)
        )  # fmt: skip
        found = pd.concat([read(connection, named), read(connection, nameless)]).drop_duplicates("id")
    with staged(connection, found.astype("int64")) as new:
        mine = update(tracking_events).where(tracking_events.c.id == new.c.id)
        return changed(connection, mine.values(shipment_id=new.c.shipment_id))


def _carriers(connection: Connection) -> pd.DataFrame:
    """What events call the carriers of shipments: told, carrier."""
    wait = tracking_events.c.shipment_id.is_(None)
    told = read(connection, select(tracking_events.c.carrier.label("told")).where(wait).distinct())
    ours = read(connection, select(shipments.c.carrier).where(shipments.c.carrier.is_not(None)).distinct())
    told, ours = (each.astype("str") for each in (told, ours))
    pairs = told.assign(key=told["told"].str.casefold()).merge(
        ours.assign(key=ours["carrier"].str.casefold()), on="key"
    )
    return pairs[["told", "carrier"]]


def followed(connection: Connection, since: datetime, as_of: datetime) -> pd.DataFrame:
    """Every event up to `as_of` of the parcels that left after `since` and may still move.

    shipment_id, code, occurred_at. A parcel that arrived is looked at again only when an event says it came back, or
    arrived earlier. Parcels that left together under one number share its events.
    """
    parcel, twin, event = shipments.c, shipments.alias("twin"), tracking_events.c
    moving = and_(parcel.shipped_at > since, or_(parcel.state.in_(_MOVING), _told_late().exists()))
    columns: list[Any] = [parcel.id.label("shipment_id"), event.code, event.occurred_at]
    same = and_(twin.c.carrier == parcel.carrier, twin.c.tracking_number == parcel.tracking_number,
                twin.c.shipped_at == parcel.shipped_at, twin.c.id != parcel.id)  # fmt: skip
    own = select(*columns).join_from(shipments, tracking_events, event.shipment_id == parcel.id)
    shared = (
        select(*columns).join_from(shipments, twin, same).join(tracking_events, event.shipment_id == twin.c.id)
    )  # fmt: skip
    told = [read(connection, each.where(moving, event.occurred_at <= as_of)) for each in (own, shared)]
    return pd.concat([each for each in told if len(each)] or told[:1], ignore_index=True)


def _told_late() -> Select[Any]:
    """Events that could still move a parcel that arrived."""
    parcel, late = shipments.c, tracking_events.alias("late").c
    earlier = and_(late.code == "delivered",
                   or_(parcel.delivered_at.is_(None), late.occurred_at < parcel.delivered_at))  # fmt: skip
    back = and_(late.code == "returned_to_sender", parcel.state == ParcelState.DELIVERED)
    return select(late.id).where(late.shipment_id == parcel.id, or_(earlier, back))


def write_states(connection: Connection, states: pd.DataFrame) -> pd.DataFrame:
    """Bring parcels where their events say they are; only what changed is written and given back.

    `states`: shipment_id, state, delivered_at. Gives shipment_id, state, arrived (bool: newly delivered) and the order.
    """
    with staged(connection, states[["shipment_id", "state", "delivered_at"]], like=shipments) as new:
        at, state = shipments.c.delivered_at, shipments.c.state
        mine = shipments.c.id == new.c.shipment_id
        moved = or_(state != new.c.state, at.is_distinct_from(new.c.delivered_at))
        arrived = and_(at.is_(None), new.c.delivered_at.is_not(None)).label("arrived")
        columns: list[Any] = [shipments.c.id.label("shipment_id"), shipments.c.order_id, new.c.state, arrived]
        found = read(connection, select(*columns).join_from(shipments, new, mine).where(moved).order_by(shipments.c.id))
        written = update(shipments).where(mine, moved)
        connection.execute(written.values(state=new.c.state, delivered_at=new.c.delivered_at))
    return found.astype({"arrived": "bool", "order_id": "Int64"})


def listed(connection: Connection, of_parcels: pd.Series) -> pd.DataFrame:
    """These parcels (ids) as people read of them: the columns of PARCEL, by merchant and parcel."""
    parcel = shipments.c
    columns: list[Any] = [
        merchants.c.code.label("merchant"),
        orders.c.order_number,
        *(parcel[name] for name in PARCEL[2:]),
    ]
    with staged(connection, pd.DataFrame({"shipment_id": of_parcels.astype("int64").drop_duplicates()})) as chosen:
        return read(
            connection,
            select(*columns)
            .join_from(shipments, merchants, merchants.c.id == parcel.merchant_id)
            .join(orders, orders.c.id == parcel.order_id, isouter=True)
            .where(parcel.id.in_(select(chosen.c.shipment_id)))
            .order_by(merchants.c.code, parcel.parcel),
        )
