"""Parcels to inspect with the wave they belong to; verdicts and findings, written."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, insert, select, update

from tasks.domain.states import ParcelState, PickState, Verdict
from tasks.store.database.frames import read, staged
from tasks.store.parcels import parcel_contents
from tasks.store.schema import allocations, carts, findings, inspections, merchants, orders, picks, shipments, waves

STATE_AFTER_VERDICT = {str(Verdict.RELEASE): str(ParcelState.RELEASED), str(Verdict.HOLD): str(ParcelState.HELD)}


def uninspected_parcels(connection: Connection) -> pd.DataFrame:
    """Scanned parcels without an inspection: columns as in `parcels.inspection.parcel_findings`, and more.

    Also parcel, merchant, order_number, wave_id Int64, wave (code).
    """
    parcel, order = shipments.c, orders.c
    wave = _waves().subquery("wave_of")
    columns: list[Any] = [
        parcel.id.label("shipment_id"), parcel.order_id, parcel.parcel, parcel.packed_at, parcel.weight_g,
        parcel.checks, merchants.c.code.label("merchant"), order.order_number, order.cancelled_at, order.hold_reason,
        order.hold_until, order.total_minor, order.refunded_minor, wave.c.wave_id, waves.c.code.label("wave"),
    ]  # fmt: skip
    inspection = select(inspections.c.id).where(inspections.c.shipment_id == parcel.id)
    parcels = read(
        connection,
        select(*columns)
        .join_from(shipments, merchants, merchants.c.id == parcel.merchant_id)
        .join(orders, order.id == parcel.order_id)
        .join(wave, wave.c.order_id == parcel.order_id, isouter=True)
        .join(waves, waves.c.id == wave.c.wave_id, isouter=True)
        .where(parcel.state == ParcelState.PACKED, parcel.packed_at.is_not(None), ~inspection.exists())
        .order_by(merchants.c.code, parcel.packed_at, parcel.parcel),
    )
    return parcels.astype(dict.fromkeys(("weight_g", "total_minor", "wave_id"), "Int64"))


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
    """The contents of every parcel of the orders of `parcels`, except lost and returned ones."""
    content = parcel_contents.contents_of(connection, parcels["order_id"])
    return content[~content["state"].isin(parcel_contents.ASTRAY)].reset_index(drop=True)


def wave_members(connection: Connection, wave_ids: pd.Series) -> pd.DataFrame:
    """The orders of each wave, packed or not: wave (code), merchant, order_number."""
    with staged(connection, parcel_contents.distinct_ids(wave_ids, "wave_id")) as ids:
        query = (
            select(waves.c.code.label("wave"), merchants.c.code.label("merchant"), orders.c.order_number)
            .join_from(picks, allocations, allocations.c.id == picks.c.allocation_id)
            .join(carts, carts.c.id == picks.c.cart_id)
            .join(waves, waves.c.id == carts.c.wave_id)
            .join(orders, orders.c.id == allocations.c.order_id)
            .join(merchants, merchants.c.id == orders.c.merchant_id)
            .where(waves.c.id.in_(select(ids.c.wave_id)))
            .distinct()
        )
        return read(connection, query)


def write_inspections(connection: Connection, parcels: pd.DataFrame, rows: pd.DataFrame, as_of: datetime) -> None:
    """Write verdicts and findings, and release or hold the parcels.

    `parcels`: shipment_id, wave_id, plan, seed, verdict. `rows`: the findings, columns as in
    `tasks.domain.parcels.inspection.parcel_findings`.
    """
    verdicts = parcels[["shipment_id", "wave_id", "plan", "seed", "verdict"]].assign(inspected_at=pd.Timestamp(as_of))
    with staged(connection, verdicts, like=inspections) as new:
        names = [str(column.key) for column in new.columns]
        connection.execute(insert(inspections).from_select(names, select(new).order_by(new.c.shipment_id)))
        for verdict, state in STATE_AFTER_VERDICT.items():
            parcel_ids = select(new.c.shipment_id).where(new.c.verdict == verdict)
            connection.execute(update(shipments).where(shipments.c.id.in_(parcel_ids)).values(state=state))
    with staged(connection, rows, like=findings) as new:
        facts = [new.c[name] for name in ("code", "severity", "subject", "expected", "found")]
        query = select(inspections.c.id.label("inspection_id"), *facts).join(
            inspections, inspections.c.shipment_id == new.c.shipment_id
        )
        order = (inspections.c.id, new.c.code, new.c.subject)
        names = ["inspection_id", *(fact.key for fact in facts)]
        connection.execute(insert(findings).from_select(names, query.order_by(*order)))
