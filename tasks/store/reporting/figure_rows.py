"""Rows for the figures of the operations report, except orders; by natural keys, without names or addresses.

Every query is limited to the period of the report.
"""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, case, func, or_, select

from tasks.domain.counting.count_states import NO_EVIDENCE
from tasks.domain.notices import TO_STAFF
from tasks.store.database import frames
from tasks.store.messaging.enqueue import was_due
from tasks.store.schema import (
    allocations,
    carts,
    count_lines,
    counts,
    findings,
    imports,
    inspections,
    locations,
    merchants,
    messages,
    orders,
    picks,
    products,
    refunds,
    return_lines,
    returns,
    shipments,
    variances,
    warehouses,
    waves,
)

ORDER_KEYS = (merchants.c.code.label("merchant"), orders.c.order_number)


def packed_parcels(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """Parcels that left or arrived: merchant, order_number, parcel, carrier, state, shipped_at, delivered_at."""
    parcel = shipments.c
    within = or_(parcel.shipped_at.between(since, until), parcel.delivered_at.between(since, until))
    return frames.read(
        connection,
        select(*ORDER_KEYS, parcel.parcel, parcel.carrier, parcel.state, parcel.shipped_at, parcel.delivered_at)
        .join_from(shipments, merchants, merchants.c.id == parcel.merchant_id)
        .outerjoin(orders, orders.c.id == parcel.order_id)
        .where(within)
        .order_by(merchants.c.code, parcel.parcel),
    )


def counted_places(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """Count findings that stand: columns as in `reporting.floor_figures.record_accuracy`, and more.

    Unknown places and SKUs are included: there are goods that no record has.
    """
    line, variance = count_lines.c, variances.c
    location, sku = func.coalesce(locations.c.code, line.location_code), func.coalesce(products.c.sku, line.sku)
    return frames.read(
        connection,
        select(
            warehouses.c.code.label("warehouse"), counts.c.code.label("count"), location.label("location"),
            merchants.c.code.label("merchant"), sku.label("sku"), line.condition, line.lot, products.c.abc_class,
            line.counted_at, variance.book, variance.expected, variance.counted.label("counted_units"),
            variance.difference, variance.value_minor, variance.currency, products.c.unit_cost_minor,
            variance.within_tolerance, variance.decision,
            (line.state == "posted").label("posted"),
        )
        .join_from(variances, count_lines, line.id == variance.count_line_id)
        .join(counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(locations, locations.c.id == line.location_id, isouter=True)
        .join(products, products.c.id == line.product_id, isouter=True)
        .join(merchants, merchants.c.id == products.c.merchant_id, isouter=True)
        .where(line.counted_at.between(since, until), variance.decision.not_in(NO_EVIDENCE))
        .order_by(warehouses.c.code, location, merchants.c.code, sku, line.condition, line.lot,
                  line.counted_at, counts.c.code, counts.c.round),
    )  # fmt: skip


def picked_stops(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """Picked stops: warehouse, wave, merchant, order_number, sku, location, quantities, state, reason."""
    stop = picks.c
    return frames.read(
        connection,
        select(
            warehouses.c.code.label("warehouse"), waves.c.code.label("wave"), *ORDER_KEYS, products.c.sku,
            locations.c.code.label("location"), stop.quantity, stop.quantity_picked, stop.state, stop.short_reason,
            stop.picked_at,
        )
        .join_from(picks, carts, carts.c.id == stop.cart_id)
        .join(waves, waves.c.id == carts.c.wave_id)
        .join(warehouses, warehouses.c.id == waves.c.warehouse_id)
        .join(allocations, allocations.c.id == stop.allocation_id)
        .join(locations, locations.c.id == allocations.c.location_id)
        .join(products, products.c.id == allocations.c.product_id)
        .join(orders, orders.c.id == allocations.c.order_id)
        .join(merchants, merchants.c.id == orders.c.merchant_id)
        .where(stop.state.in_(("picked", "short")), stop.picked_at.between(since, until))
        .order_by(waves.c.code, carts.c.number, stop.stop_number, merchants.c.code,
                  orders.c.order_number, products.c.sku),
    )  # fmt: skip


def inspected_parcels(connection: Connection, since: datetime, until: datetime, content: Sequence[str]) -> pd.DataFrame:
    """Inspections: merchant, order_number, parcel, plan, inspected_at, verdict, findings, wrong_content int64.

    `content`: the finding codes of wrong contents.
    """
    inspection = inspections.c
    wrong = func.coalesce(func.sum(case((findings.c.code.in_(content), 1), else_=0)), 0)
    return frames.read(
        connection,
        select(
            *ORDER_KEYS, shipments.c.parcel, inspection.plan, inspection.inspected_at, inspection.verdict,
            func.count(findings.c.id).label("findings"), wrong.label("wrong_content"),
        )
        .join_from(inspections, shipments, shipments.c.id == inspection.shipment_id)
        .join(merchants, merchants.c.id == shipments.c.merchant_id)
        .outerjoin(orders, orders.c.id == shipments.c.order_id)
        .outerjoin(findings, findings.c.inspection_id == inspection.id)
        .where(inspection.inspected_at.between(since, until))
        .group_by(merchants.c.code, orders.c.order_number, shipments.c.parcel, inspection.plan, inspection.inspected_at,
                  inspection.verdict, inspection.id)
        .order_by(merchants.c.code, shipments.c.parcel),
    )  # fmt: skip


def inspection_faults(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """Findings of inspections by code and severity, most frequent first: code, severity, found int64 (the number)."""
    often = func.count().label("found")
    return frames.read(
        connection,
        select(findings.c.code, findings.c.severity, often)
        .join_from(findings, inspections, inspections.c.id == findings.c.inspection_id)
        .where(inspections.c.inspected_at.between(since, until))
        .group_by(findings.c.code, findings.c.severity)
        .order_by(often.desc(), findings.c.code, findings.c.severity),
    )


def received_files(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """Files received: kind, source, file_name, layout, state, reason, received_at and the counts of rows."""
    one = imports.c
    return frames.read(
        connection,
        select(one.kind, one.source, one.file_name, one.layout, one.state, one.reason, one.received_at, one.rows_in,
               one.rows_loaded, one.rows_unchanged, one.rows_quarantined)
        .where(one.received_at.between(since, until))
        .order_by(one.received_at, one.kind, one.source, one.file_name, one.sha256),
    )  # fmt: skip


def sent_notices(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """Messages due to customers: merchant, order_number, kind, state, created_at, sent_at; no recipient, no text."""
    one = messages.c
    return frames.read(
        connection,
        select(*ORDER_KEYS, one.kind, one.state, one.created_at, one.sent_at)
        .join_from(messages, merchants, merchants.c.id == one.merchant_id)
        .outerjoin(orders, orders.c.id == one.order_id)
        .where(one.created_at.between(since, until), was_due(), one.kind.not_in(TO_STAFF))
        .order_by(merchants.c.code, one.dedupe_key),
    )


def returned_units(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """Return lines requested or received: columns as in `reporting.service_figures.returns`, and more."""
    line = return_lines.c
    return frames.read(
        connection,
        select(
            merchants.c.code.label("merchant"), returns.c.order_number, returns.c.rma, line.sku, line.reason,
            line.grade, line.disposition, line.quantity, line.quantity_received, returns.c.state, returns.c.rule,
            returns.c.requested_at, line.received_at, returns.c.closed_at,
        )
        .join_from(return_lines, returns, returns.c.id == line.return_id)
        .join(merchants, merchants.c.id == returns.c.merchant_id)
        .where(or_(returns.c.requested_at.between(since, until), line.received_at.between(since, until)))
        .order_by(merchants.c.code, returns.c.rma, line.sku),
    )  # fmt: skip


def refund_rows(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """Refunds: merchant, order_number, rma, rule, amount_minor, currency, state, received_at, created_at."""
    one = refunds.c
    received = (
        select(return_lines.c.return_id, func.max(return_lines.c.received_at).label("received_at"))
        .group_by(return_lines.c.return_id)
        .subquery("received")
    )
    return frames.read(
        connection,
        select(*ORDER_KEYS, returns.c.rma, one.rule, one.amount_minor, one.currency, one.state,
               received.c.received_at, one.created_at)
        .join_from(refunds, orders, orders.c.id == one.order_id)
        .join(merchants, merchants.c.id == orders.c.merchant_id)
        .outerjoin(returns, returns.c.id == one.return_id)
        .outerjoin(received, received.c.return_id == one.return_id)
        .where(one.created_at.between(since, until))
        .order_by(merchants.c.code, orders.c.order_number, one.refund_key),
    )  # fmt: skip
