"""Alerts about parcels: opened while a parcel needs attention, closed when it no longer does.

They follow from the rows alone, so inspect-parcels and track-shipments both keep the same alerts up to date.
"""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, String, and_, cast, func, literal, or_, select

from tasks.domain.parcels.parcel_contents import ShipmentRules
from tasks.domain.states import AlertKind, AlertState, ParcelState, ReturnState, Severity, Verdict
from tasks.store.database.frames import read
from tasks.store.parcels import parcel_contents
from tasks.store.schema import (
    alerts,
    findings,
    inspections,
    merchants,
    order_lines,
    orders,
    refunds,
    returns,
    shipment_lines,
    shipments,
    tracking_events,
)
from tasks.store.stock.alerts import raise_alerts, resolve_alerts

_ON_THE_WAY = (ParcelState.SHIPPED, ParcelState.IN_TRANSIT)
_TROUBLE = (ParcelState.EXCEPTION, ParcelState.LOST, ParcelState.RETURNED_TO_SENDER)
_DETAILS = {
    "held": "held, ",
    "shipped_held": "was shipped though it was held, ",
    "exception": "the carrier reports a problem",
    "lost": "the carrier reports it lost; a refund or a replacement is a person's decision",
    "returned_to_sender": "on its way back; its goods return to stock by a return receipt",
    "no_scan": "no scan of the carrier since ",
    "unrecorded": "left with more than was picked and packed; stock and order were not changed for ",
}


def refresh_parcel_alerts(connection: Connection, rules: ShipmentRules, as_of: datetime) -> tuple[int, int]:
    """Open and close the alerts about parcels. Returns the numbers of those opened and closed."""
    since = as_of - timedelta(days=rules.followed_days_max)
    rows = pd.concat(
        [
            _alert_rows(connection, "held", _findings().where(shipments.c.state == ParcelState.HELD)),
            _alert_rows(connection, "shipped_held", _findings().where(_shipped_held())),
            _alert_rows(connection, "unrecorded", _unrecorded(since)),
            _alert_rows(connection, "no_scan", _unscanned(since, as_of - timedelta(days=rules.lost_after_days))),
            *(_alert_rows(connection, state, _astray(state, since)) for state in _TROUBLE),
        ],
        ignore_index=True,
    )
    others = select(alerts.c.cause).where(alerts.c.kind == AlertKind.PARCEL, alerts.c.cause.not_like("parcel:%"),
                                          alerts.c.state != AlertState.RESOLVED)  # fmt: skip
    causes = pd.concat([rows["cause"], read(connection, others)["cause"]]).astype("str")
    opened = raise_alerts(connection, rows.assign(opened_at=pd.Timestamp(as_of)))
    return opened, resolve_alerts(connection, AlertKind.PARCEL, causes, as_of)


def _alert_rows(connection: Connection, trouble: str, parcels: Select[Any]) -> pd.DataFrame:
    """One alert per row of `parcels` (of `_parcels`); its `more`, a text or a day, ends the detail."""
    rows = read(connection, parcels)
    parcel = rows["merchant"] + ":" + rows["parcel"]
    number = (", " + rows["tracking_number"]).fillna("")
    dated = isinstance(rows["more"].dtype, pd.DatetimeTZDtype)
    more = (rows["more"].dt.strftime("%Y-%m-%d") if dated else rows["more"]).astype("str").fillna("")
    return pd.DataFrame(
        {
            "cause": ("parcel:" + parcel + f":{trouble}").astype("str"),
            "kind": str(AlertKind.PARCEL),
            "subject": (rows["parcel"] + " of order " + rows["order_number"].fillna("unknown") + number).astype("str"),
            "detail": (_DETAILS[trouble] + more).astype("str"),
            "warehouse_id": rows["warehouse_id"].astype("Int64"),
            "merchant_id": rows["merchant_id"].astype("Int64"),
        }
    )


def _parcels(more: ColumnElement[Any]) -> Select[Any]:
    parcel = shipments.c
    columns: list[Any] = [parcel.merchant_id, parcel.warehouse_id, merchants.c.code.label("merchant"), parcel.parcel,
                          parcel.tracking_number, orders.c.order_number, more.label("more")]  # fmt: skip
    return (
        select(*columns)
        .join_from(shipments, merchants, merchants.c.id == shipments.c.merchant_id)
        .join(orders, orders.c.id == shipments.c.order_id, isouter=True)
        .order_by(merchants.c.code, shipments.c.parcel)
    )


def _findings() -> Select[Any]:
    """Parcels with their worst finding and the number of findings; critical sorts before major alphabetically too."""
    word = (findings.c.severity + ": " + findings.c.code + " " + findings.c.subject).label("word")
    first = (
        select(inspections.c.shipment_id, func.min(word).label("word"), func.count(findings.c.id).label("many"))
        .join(findings, findings.c.inspection_id == inspections.c.id)
        .where(findings.c.severity != Severity.MINOR)
        .group_by(inspections.c.shipment_id)
        .subquery("first_finding")
    )
    more = first.c.word + ", " + cast(first.c.many, String) + literal(" in all")
    return _parcels(more).join(first, first.c.shipment_id == shipments.c.id)


def _shipped_held() -> ColumnElement[bool]:
    hold = select(inspections.c.id).where(
        inspections.c.shipment_id == shipments.c.id, inspections.c.verdict == Verdict.HOLD
    )
    return and_(shipments.c.state.in_(_ON_THE_WAY), hold.exists())


def _unrecorded(since: datetime) -> Select[Any]:
    """Parcels that left with units their order line does not count as shipped; a kit only where it left as a kit."""
    line, parcel, packed = order_lines.c, shipments.c, shipment_lines.c
    departed = (
        select(packed.order_id, packed.line_number, packed.sku, func.sum(packed.quantity).label("units"),
               func.max(parcel.id).label("shipment_id"))
        .join(shipments, parcel.id == packed.shipment_id)
        .where(parcel.state.not_in(parcel_contents.NOT_DEPARTED), parcel.shipped_at > since)
        .group_by(packed.order_id, packed.line_number, packed.sku)
        .subquery("left_for")
    )  # fmt: skip
    same_line = and_(line.order_id == departed.c.order_id, line.line_number == departed.c.line_number,
                     line.sku == departed.c.sku)  # fmt: skip
    units = departed.c.units - line.quantity_shipped
    over = (
        select(departed.c.shipment_id, func.sum(units).label("units"))
        .join(order_lines, same_line)
        .where(units > 0)
        .group_by(departed.c.shipment_id)
        .subquery("over")
    )
    return _parcels(cast(over.c.units, String) + literal(" of its units")).join(
        over, over.c.shipment_id == shipments.c.id
    )


def _unscanned(since: datetime, until: datetime) -> Select[Any]:
    """Parcels on the way without a carrier scan since `until`."""
    event = tracking_events.c
    last = (
        select(event.shipment_id, func.max(event.occurred_at).label("at"))
        .where(event.shipment_id.is_not(None))
        .group_by(event.shipment_id)
        .subquery("last_scan")
    )
    last_scan = func.coalesce(last.c.at, shipments.c.shipped_at)
    quiet = and_(shipments.c.state.in_(_ON_THE_WAY), shipments.c.shipped_at > since, last_scan < until)
    return _parcels(last_scan).join(last, last.c.shipment_id == shipments.c.id, isouter=True).where(quiet)


def _astray(state: str, since: datetime) -> Select[Any]:
    """Parcels in this state that nobody has dealt with: no return received, no refund."""
    received = select(returns.c.id).where(
        returns.c.order_id == shipments.c.order_id, returns.c.requested_at >= shipments.c.shipped_at,
        returns.c.state.in_((ReturnState.RECEIVED, ReturnState.CLOSED)),
    )  # fmt: skip
    refund = select(refunds.c.id).where(
        refunds.c.order_id == shipments.c.order_id, refunds.c.created_at >= shipments.c.shipped_at
    )
    dealt_with = or_(received.exists(), refund.exists())
    return _parcels(literal("")).where(shipments.c.state == state, shipments.c.shipped_at > since, ~dealt_with)
