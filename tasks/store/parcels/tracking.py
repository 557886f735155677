"""Parcels on their way: the events carriers report, and the states that follow from them."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, and_, func, or_, select, update

from tasks.domain.states import ParcelState
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import merchants, orders, shipments, tracking_events

_MOVING = (ParcelState.SHIPPED, ParcelState.IN_TRANSIT, ParcelState.EXCEPTION, ParcelState.LOST)
_FACTS = ("parcel", "carrier", "tracking_number", "state", "shipped_at", "delivered_at")


def attach_events(connection: Connection) -> int:
    """Attach events without a parcel to theirs, by carrier and tracking number. Returns the number attached.

    Carriers match regardless of case. A parcel without a carrier is matched by its tracking number alone. Of several
    parcels with the same number the latest one known is taken.
    """
    unattached = tracking_events.c.shipment_id.is_(None)
    same_number = shipments.c.tracking_number == tracking_events.c.parcel
    pair = select(tracking_events.c.id, func.max(shipments.c.id).label("shipment_id"))
    with staged(connection, _carrier_spellings(connection)) as spelling:
        by_carrier = (
            pair.join_from(tracking_events, spelling, spelling.c.spelling == tracking_events.c.carrier)
            .join(shipments, and_(shipments.c.carrier == spelling.c.carrier, same_number))
            .where(unattached)
            .group_by(tracking_events.c.id)
        )
        by_number = (
            pair.join(shipments, and_(shipments.c.carrier.is_(None), same_number))
            .where(unattached)
            .group_by(tracking_events.c.id)
        )
        pairs = pd.concat([read(connection, by_carrier), read(connection, by_number)]).drop_duplicates("id")
    with staged(connection, pairs.astype("int64")) as new:
        statement = update(tracking_events).where(tracking_events.c.id == new.c.id)
        return changed(connection, statement.values(shipment_id=new.c.shipment_id))


def _carrier_spellings(connection: Connection) -> pd.DataFrame:
    """How unattached events spell the carriers of shipments: spelling, carrier."""
    unattached = tracking_events.c.shipment_id.is_(None)
    events = read(connection, select(tracking_events.c.carrier.label("spelling")).where(unattached).distinct())
    carriers = read(connection, select(shipments.c.carrier).where(shipments.c.carrier.is_not(None)).distinct())
    events, carriers = events.astype("str"), carriers.astype("str")
    pairs = events.assign(key=events["spelling"].str.casefold()).merge(
        carriers.assign(key=carriers["carrier"].str.casefold()), on="key"
    )
    return pairs[["spelling", "carrier"]]


def tracked_events(connection: Connection, since: datetime, as_of: datetime) -> pd.DataFrame:
    """Every event up to `as_of` of the parcels that left after `since` and may still move.

    shipment_id, code, occurred_at. A delivered parcel is considered again only when an event says that it came back or
    was delivered earlier. Parcels that left together under one tracking number share its events.
    """
    parcel, twin, event = shipments.c, shipments.alias("twin"), tracking_events.c
    may_move = and_(parcel.shipped_at > since, or_(parcel.state.in_(_MOVING), _late_events().exists()))
    columns: list[Any] = [parcel.id.label("shipment_id"), event.code, event.occurred_at]
    same_number = and_(twin.c.carrier == parcel.carrier, twin.c.tracking_number == parcel.tracking_number,
                       twin.c.shipped_at == parcel.shipped_at, twin.c.id != parcel.id)  # fmt: skip
    own = select(*columns).join_from(shipments, tracking_events, event.shipment_id == parcel.id)
    shared = select(*columns).join_from(shipments, twin, same_number)
    shared = shared.join(tracking_events, event.shipment_id == twin.c.id)
    frames = [read(connection, query.where(may_move, event.occurred_at <= as_of)) for query in (own, shared)]
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)


def _late_events() -> Select[Any]:
    """Events that can still move a delivered parcel."""
    parcel, late = shipments.c, tracking_events.alias("late").c
    earlier = and_(late.code == "delivered",
                   or_(parcel.delivered_at.is_(None), late.occurred_at < parcel.delivered_at))  # fmt: skip
    returned = and_(late.code == "returned_to_sender", parcel.state == ParcelState.DELIVERED)
    return select(late.id).where(late.shipment_id == parcel.id, or_(earlier, returned))


def write_states(connection: Connection, states: pd.DataFrame) -> pd.DataFrame:
    """Write the states of parcels, and return those that changed.

    `states`: shipment_id, state, delivered_at. Returns shipment_id, order_id Int64, state, arrived (bool: newly
    delivered).
    """
    with staged(connection, states[["shipment_id", "state", "delivered_at"]], like=shipments) as new:
        delivered_at, state = shipments.c.delivered_at, shipments.c.state
        same_parcel = shipments.c.id == new.c.shipment_id
        differs = or_(state != new.c.state, delivered_at.is_distinct_from(new.c.delivered_at))
        arrived = and_(delivered_at.is_(None), new.c.delivered_at.is_not(None)).label("arrived")
        columns: list[Any] = [shipments.c.id.label("shipment_id"), shipments.c.order_id, new.c.state, arrived]
        query = select(*columns).join_from(shipments, new, same_parcel).where(differs)
        moved = read(connection, query.order_by(shipments.c.id))
        statement = update(shipments).where(same_parcel, differs)
        connection.execute(statement.values(state=new.c.state, delivered_at=new.c.delivered_at))
    return moved.astype({"arrived": "bool", "order_id": "Int64"})


def shipment_rows(connection: Connection, parcel_ids: pd.Series) -> pd.DataFrame:
    """These parcels for people, by merchant and parcel.

    merchant, order_number, parcel, carrier, tracking_number, state, shipped_at, delivered_at.
    """
    parcel = shipments.c
    columns: list[Any] = [
        merchants.c.code.label("merchant"),
        orders.c.order_number,
        *(parcel[name] for name in _FACTS),
    ]
    with staged(connection, pd.DataFrame({"shipment_id": parcel_ids.astype("int64").drop_duplicates()})) as ids:
        return read(
            connection,
            select(*columns)
            .join_from(shipments, merchants, merchants.c.id == parcel.merchant_id)
            .join(orders, orders.c.id == parcel.order_id, isouter=True)
            .where(parcel.id.in_(select(ids.c.shipment_id)))
            .order_by(merchants.c.code, parcel.parcel),
        )
