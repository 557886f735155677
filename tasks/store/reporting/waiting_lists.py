"""Rows that wait for a person now, by natural keys: no recipients, no quoted cells, no customer texts."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, and_, case, func, or_, select

from tasks.domain.states import (
    AlertKind,
    AlertState,
    CountLineState,
    ImportState,
    MessageState,
    ParcelState,
    QuarantineState,
    RefundState,
    ReturnState,
)
from tasks.store.database import frames
from tasks.store.messaging.enqueue import was_due
from tasks.store.reporting.figure_rows import ORDER_KEYS
from tasks.store.schema import (
    alerts,
    count_lines,
    counts,
    findings,
    imports,
    inspections,
    locations,
    merchants,
    messages,
    order_holds,
    order_lines,
    orders,
    quarantined_rows,
    refunds,
    returns,
    shipments,
    variances,
    warehouses,
)

_LISTED = (AlertKind.REFUSED_FILE, AlertKind.QUARANTINED_ROWS)  # in `refused_files` and `quarantine`
_UNSENT = (MessageState.BOUNCED, MessageState.FAILED, MessageState.SUPPRESSED, MessageState.IN_DOUBT)


def open_alerts(connection: Connection) -> pd.DataFrame:
    """Alerts on no other list: kind, subject, detail, merchant, warehouse, opened_at, value_minor, currency."""
    one = alerts.c
    return frames.read(
        connection,
        select(one.kind, one.subject, one.detail, merchants.c.code.label("merchant"),
               warehouses.c.code.label("warehouse"), one.opened_at, one.value_minor, one.currency)
        .outerjoin_from(alerts, merchants, merchants.c.id == one.merchant_id)
        .outerjoin(warehouses, warehouses.c.id == one.warehouse_id)
        .where(one.state == AlertState.OPEN, one.kind.not_in([str(kind) for kind in _LISTED]))
        .order_by(one.opened_at, one.kind, one.subject, one.cause),
    )  # fmt: skip


def parcels_on_hold(connection: Connection) -> pd.DataFrame:
    """Parcels on hold: merchant, order_number, parcel, packed_at, findings int64 (the number)."""
    parcel = shipments.c
    return frames.read(
        connection,
        select(*ORDER_KEYS, parcel.parcel, parcel.packed_at, func.count(findings.c.id).label("findings"))
        .join_from(shipments, merchants, merchants.c.id == parcel.merchant_id)
        .outerjoin(orders, orders.c.id == parcel.order_id)
        .outerjoin(inspections, inspections.c.shipment_id == parcel.id)
        .outerjoin(findings, findings.c.inspection_id == inspections.c.id)
        .where(parcel.state == ParcelState.HELD)
        .group_by(merchants.c.code, orders.c.order_number, parcel.parcel, parcel.packed_at)
        .order_by(parcel.packed_at, merchants.c.code, parcel.parcel),
    )  # fmt: skip


def orders_on_hold(connection: Connection) -> pd.DataFrame:
    """Orders on hold that are still to be shipped.

    Columns: merchant, order_number, hold_reason, hold_until, detail (the reason, if one was given), created_at.
    """
    line = order_lines.c
    waiting = select(line.order_id).where(
        line.quantity_shipped < line.quantity_ordered,
        line.quantity_shipped < line.quantity_ordered - line.quantity_cancelled,
    )
    return frames.read(
        connection,
        select(*ORDER_KEYS, orders.c.hold_reason, orders.c.hold_until, order_holds.c.detail, orders.c.created_at)
        .join_from(orders, merchants, merchants.c.id == orders.c.merchant_id)
        .outerjoin(order_holds, and_(order_holds.c.order_id == orders.c.id, order_holds.c.ended_at.is_(None)))
        .where(orders.c.hold_reason.is_not(None), orders.c.cancelled_at.is_(None), orders.c.id.in_(waiting))
        .order_by(orders.c.created_at, merchants.c.code, orders.c.order_number),
    )


def quarantine(connection: Connection) -> pd.DataFrame:
    """Quarantined rows to be corrected, one row per file: kind, source, file_name, received_at, rows int64."""
    one = imports.c
    return frames.read(
        connection,
        select(one.kind, one.source, one.file_name, one.received_at, func.count().label("rows"))
        .join_from(quarantined_rows, imports, one.id == quarantined_rows.c.import_id)
        .where(quarantined_rows.c.state == QuarantineState.OPEN)
        .group_by(one.kind, one.source, one.file_name, one.received_at)
        .order_by(one.received_at, one.kind, one.source, one.file_name),
    )


def refused_files(connection: Connection, since: datetime) -> pd.DataFrame:
    """Files refused as a whole since then: kind, source, file_name, received_at; the reason is beside the file."""
    one = imports.c
    return frames.read(
        connection,
        select(one.kind, one.source, one.file_name, one.received_at)
        .where(one.state == ImportState.REFUSED, one.received_at >= since)
        .order_by(one.received_at, one.kind, one.source, one.file_name, one.sha256),
    )


def counts_in_review(connection: Connection) -> pd.DataFrame:
    """Counted places that wait for an answer or a recount.

    warehouse, count, location, sku, condition, lot, state, difference, value_minor, currency, counted_at.
    """
    line = count_lines.c
    return frames.read(
        connection,
        select(warehouses.c.code.label("warehouse"), counts.c.code.label("count"),
               func.coalesce(locations.c.code, line.location_code).label("location"), line.sku, line.condition,
               line.lot, line.state, variances.c.difference, variances.c.value_minor, variances.c.currency,
               line.counted_at)
        .join_from(count_lines, counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .outerjoin(locations, locations.c.id == line.location_id)
        .outerjoin(variances, variances.c.count_line_id == line.id)
        .where(line.state.in_((CountLineState.REVIEW, CountLineState.RECOUNT)))
        .order_by(line.state.desc(), line.counted_at, warehouses.c.code, locations.c.code, line.sku, counts.c.code,
                  counts.c.round),
    )  # fmt: skip


def returns_by_hand(connection: Connection) -> pd.DataFrame:
    """Returns that no rule decides: merchant, order_number, rma, state, rule, requested_at."""
    one = returns.c
    return frames.read(
        connection,
        select(merchants.c.code.label("merchant"), one.order_number, one.rma, one.state, one.rule, one.requested_at)
        .join_from(returns, merchants, merchants.c.id == one.merchant_id)
        .where(one.state == ReturnState.MANUAL)
        .order_by(one.requested_at, merchants.c.code, one.rma),
    )


def customers_not_reached(connection: Connection) -> pd.DataFrame:
    """Messages that did not arrive though they were due: merchant, order_number, kind, state, reason, created_at."""
    one = messages.c
    return frames.read(
        connection,
        select(*ORDER_KEYS, one.kind, one.state, one.reason, one.created_at)
        .join_from(messages, merchants, merchants.c.id == one.merchant_id)
        .outerjoin(orders, orders.c.id == one.order_id)
        .where(one.state.in_(_UNSENT), was_due())
        .order_by(one.created_at, merchants.c.code, one.dedupe_key),
    )


def refunds_to_pay(connection: Connection) -> pd.DataFrame:
    """Refunds to pay: merchant, order_number, amount_minor, currency, rule, created_at."""
    one = refunds.c
    return frames.read(
        connection,
        select(*ORDER_KEYS, one.amount_minor, one.currency, one.rule, one.created_at)
        .join_from(refunds, orders, orders.c.id == one.order_id)
        .join(merchants, merchants.c.id == orders.c.merchant_id)
        .where(one.state == RefundState.PROPOSED)
        .order_by(one.created_at, merchants.c.code, orders.c.order_number, one.refund_key),
    )


def parcels_in_trouble(connection: Connection) -> pd.DataFrame:
    """Lost parcels and those with a problem at the carrier.

    merchant, order_number, parcel, carrier, tracking_number, state, shipped_at.
    """
    parcel = shipments.c
    worst = case((parcel.state == ParcelState.LOST, 0), else_=1)
    return frames.read(
        connection,
        select(*ORDER_KEYS, parcel.parcel, parcel.carrier, parcel.tracking_number, parcel.state, parcel.shipped_at)
        .join_from(shipments, merchants, merchants.c.id == parcel.merchant_id)
        .outerjoin(orders, orders.c.id == parcel.order_id)
        .where(or_(parcel.state == ParcelState.LOST, parcel.state == ParcelState.EXCEPTION))
        .order_by(worst, parcel.shipped_at, merchants.c.code, parcel.parcel),
    )
