"""Parcels to be inspected, what was found, and which wave they belong to."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, insert, select, update

from tasks.domain.states import ParcelState, PickState, Verdict
from tasks.store.database.frames import read, staged
from tasks.store.parcels import parcel_contents
from tasks.store.schema import allocations, carts, findings, inspections, merchants, orders, picks, shipments, waves

STATES = {str(Verdict.RELEASE): str(ParcelState.RELEASED), str(Verdict.HOLD): str(ParcelState.HELD)}


def uninspected(connection: Connection) -> pd.DataFrame:
    """Scanned parcels nobody has judged, as `parcels.inspection.inspect` takes them; with merchant and wave."""
    parcel, order = shipments.c, orders.c
    wave = _waves().subquery("wave_of")
    columns: list[Any] = [
        parcel.id.label("shipment_id"), parcel.order_id, parcel.parcel, parcel.packed_at, parcel.weight_g,
        parcel.checks, merchants.c.code.label("merchant"), order.order_number, order.cancelled_at, order.hold_reason,
        order.hold_until, order.total_minor, order.refunded_minor, wave.c.wave_id, waves.c.code.label("wave"),
    ]  # fmt: skip
    judged = select(inspections.c.id).where(inspections.c.shipment_id == parcel.id)
    found = read(
        connection,
        select(*columns)
        .join_from(shipments, merchants, merchants.c.id == parcel.merchant_id)
        .join(orders, order.id == parcel.order_id)
        .join(wave, wave.c.order_id == parcel.order_id, isouter=True)
        .join(waves, waves.c.id == wave.c.wave_id, isouter=True)
        .where(parcel.state == ParcelState.PACKED, parcel.packed_at.is_not(None), ~judged.exists())
        .order_by(merchants.c.code, parcel.packed_at, parcel.parcel),
    )
    return found.astype(dict.fromkeys(("weight_g", "total_minor", "wave_id"), "Int64"))


def _waves() -> Any:
    """The last wave each order was picked in."""
    return (
        select(allocations.c.order_id, func.max(carts.c.wave_id).label("wave_id"))
        .join_from(picks, allocations, allocations.c.id == picks.c.allocation_id)
        .join(carts, carts.c.id == picks.c.cart_id)
        .where(picks.c.state != PickState.CANCELLED)
        .group_by(allocations.c.order_id)
    )


def content_of(connection: Connection, parcels: pd.DataFrame) -> pd.DataFrame:
    """What the orders of `parcels` were packed into, all their parcels but those that went astray."""
    content = parcel_contents.contents_of(connection, parcels["order_id"])
    return content[~content["state"].isin(parcel_contents.ASTRAY)].reset_index(drop=True)


def wave_members(connection: Connection, of_waves: pd.Series) -> pd.DataFrame:
    """The orders of each wave, packed or not: wave (code), merchant, order_number."""
    with staged(connection, parcel_contents.ids(of_waves, "wave_id")) as chosen:
        wanted = (
            select(waves.c.code.label("wave"), merchants.c.code.label("merchant"), orders.c.order_number)
            .join_from(picks, allocations, allocations.c.id == picks.c.allocation_id)
            .join(carts, carts.c.id == picks.c.cart_id)
            .join(waves, waves.c.id == carts.c.wave_id)
            .join(orders, orders.c.id == allocations.c.order_id)
            .join(merchants, merchants.c.id == orders.c.merchant_id)
            .where(waves.c.id.in_(select(chosen.c.wave_id)))
            .distinct()
        )
        return read(connection, wanted)


def write_inspections(connection: Connection, judged: pd.DataFrame, found: pd.DataFrame, as_of: datetime) -> None:
    """Write verdicts (shipment_id, wave_id, plan, seed, verdict) and findings, and release or hold the parcels."""
    rows = judged[["shipment_id", "wave_id", "plan", "seed", "verdict"]].assign(inspected_at=pd.Timestamp(as_of))
    with staged(connection, rows, like=inspections) as new:
        names = [str(column.key) for column in new.columns]
        connection.execute(insert(inspections).from_select(names, select(new).order_by(new.c.shipment_id)))
        for verdict, state in STATES.items():
            mine = select(new.c.shipment_id).where(new.c.verdict == verdict)
            connection.execute(update(shipments).where(shipments.c.id.in_(mine)).values(state=state))
    with staged(connection, found, like=findings) as new:
        facts = [new.c[name] for name in ("code", "severity", "subject", "expected", "found")]
        rows_of = select(inspections.c.id.label("inspection_id"), *facts).join(
            inspections, inspections.c.shipment_id == new.c.shipment_id
        )
        order = (inspections.c.id, new.c.code, new.c.subject)
        names = ["inspection_id", *(fact.key for fact in facts)]
        connection.execute(insert(findings).from_select(names, rows_of.order_by(*order)))
