"""Orders for the figures of the operations report, by natural keys, without names or addresses.

Lines, parcels and messages are summed in the database, for the orders of the report only.
"""

from datetime import datetime

import pandas as pd
from sqlalchemy import CTE, ColumnElement, Connection, Subquery, and_, case, func, or_, select

from tasks.domain.states import AlertKind, HoldReason, ParcelState
from tasks.store.database import frames
from tasks.store.messaging.enqueue import was_due
from tasks.store.schema import alerts, merchants, messages, order_lines, orders, return_lines, shipment_lines, shipments

_TROUBLE = (ParcelState.EXCEPTION, ParcelState.LOST, ParcelState.RETURNED_TO_SENDER)
_OUR_CAUSE = ("damaged_in_transit", "defective", "wrong_item")
_SENT = ("sent", "delivered")


def order_rows(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """One row per order placed, due or shipped from `since` on, and per open order; placed by `until`.

    merchant, order_number, channel, hold_reason str; created_at, paid_at, cancelled_at, fulfilled_at, ship_by,
    first_shipped_at, last_shipped_at UTC; refunded_minor, total_minor; lines_wanted, units_wanted (ordered less
    cancelled), units_allocated, units_shipped, units_returned, lines_first, units_first (with the first pickup) int64;
    short_of_stock, no_parcel_trouble, no_return_for_cause, told_ok bool, notices int64.
    """
    chosen = _chosen(since, until)
    line, sent = _line_sums(chosen), _parcel_sums(chosen)
    first, message = _first_pickup(chosen, sent), _message_sums(chosen)
    coalesce, cause = func.coalesce, _returns_for_cause(chosen)
    statement = (
        select(
            merchants.c.code.label("merchant"),
            *(orders.c[name] for name in (
                "order_number", "channel", "hold_reason", "created_at", "paid_at", "cancelled_at", "fulfilled_at",
                "ship_by", "refunded_minor", "total_minor")),
            sent.c.first_shipped_at, sent.c.last_shipped_at,
            *(line.c[name] for name in (
                "lines_wanted", "units_wanted", "units_allocated", "units_shipped", "units_returned")),
            coalesce(first.c.lines_first, 0).label("lines_first"),
            coalesce(first.c.units_first, 0).label("units_first"),
            or_(orders.c.hold_reason.is_not_distinct_from(HoldReason.STOCK), _oversold()).label("short_of_stock"),
            (coalesce(sent.c.parcels_in_trouble, 0) == 0).label("no_parcel_trouble"),
            cause.c.order_id.is_(None).label("no_return_for_cause"),
            coalesce(message.c.notices, 0).label("notices"),
            (coalesce(message.c.unsent, 0) == 0).label("told_ok"),
        )
        .join_from(chosen, orders, orders.c.id == chosen.c.order_id)
        .join(merchants, merchants.c.id == orders.c.merchant_id)
        .join(line, line.c.order_id == orders.c.id)
        .outerjoin(sent, sent.c.order_id == orders.c.id)
        .outerjoin(first, first.c.order_id == orders.c.id)
        .outerjoin(message, message.c.order_id == orders.c.id)
        .outerjoin(cause, cause.c.order_id == orders.c.id)
        .order_by(merchants.c.code, orders.c.order_number)
    )  # fmt: skip
    return frames.read(connection, statement)


def _chosen(since: datetime, until: datetime) -> CTE:
    shipped = select(shipments.c.order_id).where(shipments.c.shipped_at >= since, shipments.c.order_id.is_not(None))
    waiting = select(order_lines.c.order_id).where(
        order_lines.c.quantity_shipped < order_lines.c.quantity_ordered,
        order_lines.c.quantity_shipped < order_lines.c.quantity_ordered - order_lines.c.quantity_cancelled,
    )
    recent = or_(orders.c.created_at >= since, orders.c.ship_by >= since, orders.c.paid_at >= since)
    open_one = and_(orders.c.cancelled_at.is_(None), orders.c.id.in_(waiting))
    return (
        select(orders.c.id.label("order_id"))
        .where(orders.c.created_at <= until, or_(recent, orders.c.id.in_(shipped), open_one))
        .cte("chosen")
    )


def _line_sums(chosen: CTE) -> Subquery:
    line = order_lines.c
    wanted = line.quantity_ordered - line.quantity_cancelled
    return (
        select(
            line.order_id,
            func.sum(case((wanted > 0, 1), else_=0)).label("lines_wanted"),
            func.sum(wanted).label("units_wanted"),
            *(func.sum(line[f"quantity_{name}"]).label(f"units_{name}") for name in (
                "allocated", "shipped", "returned")),
        )
        .join_from(chosen, order_lines, line.order_id == chosen.c.order_id)
        .where(line.requires_shipping)
        .group_by(line.order_id)
        .subquery("line")
    )  # fmt: skip


def _parcel_sums(chosen: CTE) -> Subquery:
    parcel = shipments.c
    return (
        select(
            parcel.order_id,
            func.min(parcel.shipped_at).label("first_shipped_at"),
            func.max(parcel.shipped_at).label("last_shipped_at"),
            func.sum(case((parcel.state.in_(_TROUBLE), 1), else_=0)).label("parcels_in_trouble"),
        )
        .join_from(chosen, shipments, parcel.order_id == chosen.c.order_id)
        .group_by(parcel.order_id)
        .subquery("sent")
    )


def _first_pickup(chosen: CTE, sent: Subquery) -> Subquery:
    """Lines and units that left with the first pickup of each order; a line counts if it left in full."""
    line = order_lines.c
    units = func.sum(shipment_lines.c.quantity)
    of_line = (
        select(line.order_id, units.label("units"), (line.quantity_ordered - line.quantity_cancelled).label("wanted"))
        .join_from(chosen, sent, sent.c.order_id == chosen.c.order_id)
        .join(shipments, and_(shipments.c.order_id == sent.c.order_id,
                              shipments.c.shipped_at == sent.c.first_shipped_at))
        .join(shipment_lines, shipment_lines.c.shipment_id == shipments.c.id)
        .join(order_lines, and_(line.order_id == shipment_lines.c.order_id,
                                line.line_number == shipment_lines.c.line_number))
        .where(line.requires_shipping)
        .group_by(line.order_id, line.line_number, line.quantity_ordered, line.quantity_cancelled)
        .subquery("of_line")
    )  # fmt: skip
    full = case((of_line.c.units >= of_line.c.wanted, 1), else_=0)
    no_more = case((of_line.c.units < of_line.c.wanted, of_line.c.units), else_=of_line.c.wanted)
    return (
        select(of_line.c.order_id, func.sum(full).label("lines_first"), func.sum(no_more).label("units_first"))
        .where(of_line.c.wanted > 0)
        .group_by(of_line.c.order_id)
        .subquery("first_pickup")
    )


def _message_sums(chosen: CTE) -> Subquery:
    unsent = case((messages.c.state.in_(_SENT), 0), (was_due(), 1), else_=0)
    return (
        select(messages.c.order_id, func.count().label("notices"), func.sum(unsent).label("unsent"))
        .join_from(chosen, messages, messages.c.order_id == chosen.c.order_id)
        .group_by(messages.c.order_id)
        .subquery("message")
    )


def _returns_for_cause(chosen: CTE) -> Subquery:
    return (
        select(return_lines.c.order_id)
        .join_from(chosen, return_lines, return_lines.c.order_id == chosen.c.order_id)
        .where(return_lines.c.grade.in_(_OUR_CAUSE))
        .distinct()
        .subquery("cause")
    )


def _oversold() -> ColumnElement[bool]:
    return (
        select(alerts.c.id)
        .where(
            alerts.c.kind == AlertKind.OVERSELL,
            alerts.c.merchant_id == orders.c.merchant_id,
            alerts.c.subject == orders.c.order_number,
        )
        .exists()
    )
