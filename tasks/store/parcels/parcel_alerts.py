"""Parcels a person should look at: opened while it is so, closed when it is not any more.

What is true follows from the rows alone, so inspect-parcels and track-shipments bring the same alerts up to date.
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
_DETAIL = {
    "held": "held, ",
    "shipped_held": "was shipped though it was held, ",
    "exception": "the carrier reports a problem",
    "lost": "the carrier reports it lost; a refund or a replacement is a person's decision",
    "returned_to_sender": "on its way back; its goods return to stock by a return receipt",
    "no_scan": "no scan of the carrier since ",
    "unrecorded": "left with more than was picked and packed; stock and order were not changed for ",
}


def refresh(connection: Connection, rules: ShipmentRules, as_of: datetime) -> tuple[int, int]:
    """Open and close the alerts of parcels. Gives how many were opened and closed."""
    since = as_of - timedelta(days=rules.followed_days_max)
    told = pd.concat(
        [
            _told(connection, "held", _findings().where(shipments.c.state == ParcelState.HELD)),
            _told(connection, "shipped_held", _findings().where(_shipped_held())),
            _told(connection, "unrecorded", _unrecorded(since)),
            _told(connection, "no_scan", _unscanned(since, as_of - timedelta(days=rules.lost_after_days))),
            *(_told(connection, state, _astray(state, since)) for state in ("exception", "lost", "returned_to_sender")),
        ],
        ignore_index=True,
    )
    others = select(alerts.c.cause).where(alerts.c.kind == AlertKind.PARCEL, alerts.c.cause.not_like("parcel:%"),
                                          alerts.c.state != AlertState.RESOLVED)  # fmt: skip
    still = pd.concat([told["cause"], read(connection, others)["cause"]]).astype("str")
    opened = raise_alerts(connection, told.assign(opened_at=pd.Timestamp(as_of)))
    return opened, resolve_alerts(connection, AlertKind.PARCEL, still, as_of)


def _told(connection: Connection, what: str, parcels: Select[Any]) -> pd.DataFrame:
    """Alerts about `parcels`, as `_parcels` selects them; `more` is a text or a day and ends the detail."""
    rows = read(connection, parcels)
    parcel = rows["merchant"] + ":" + rows["parcel"]
    number = (", " + rows["tracking_number"]).fillna("")
    dated = isinstance(rows["more"].dtype, pd.DatetimeTZDtype)
    more = (rows["more"].dt.strftime("%Y-%m-%d") if dated else rows["more"]).astype("str").fillna("")
    return pd.DataFrame(
        {
            "cause": ("parcel:" + parcel + f":{what}").astype("str"),
            "kind": str(AlertKind.PARCEL),
            "subject": (rows["parcel"] + " of order " + rows["order_number"].fillna("unknown") + number).astype("str"),
            "detail": (_DETAIL[what] + more).astype("str"),
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
    """The worst an inspection found, and how many there are; critical comes before major in the alphabet too."""
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
    held = select(inspections.c.id).where(
        inspections.c.shipment_id == shipments.c.id, inspections.c.verdict == Verdict.HOLD
    )
    return and_(shipments.c.state.in_(_ON_THE_WAY), held.exists())


def _unrecorded(since: datetime) -> Select[Any]:
    """Parcels that left with units their order line does not count as shipped; of a kit, only as a kit."""
    line, parcel, held = order_lines.c, shipments.c, shipment_lines.c
    left = (
        select(held.order_id, held.line_number, held.sku, func.sum(held.quantity).label("units"),
               func.max(parcel.id).label("shipment_id"))
        .join(shipments, parcel.id == held.shipment_id)
        .where(parcel.state.not_in(parcel_contents.WAITING), parcel.shipped_at > since)
        .group_by(held.order_id, held.line_number, held.sku)
        .subquery("left_for")
    )  # fmt: skip
    same = and_(line.order_id == left.c.order_id, line.line_number == left.c.line_number, line.sku == left.c.sku)
    units = left.c.units - line.quantity_shipped
    over = (
        select(left.c.shipment_id, func.sum(units).label("units"))
        .join(order_lines, same)
        .where(units > 0)
        .group_by(left.c.shipment_id)
        .subquery("over")
    )
    return _parcels(cast(over.c.units, String) + literal(" of its units")).join(
        over, over.c.shipment_id == shipments.c.id
    )


def _unscanned(since: datetime, until: datetime) -> Select[Any]:
    """Parcels on the way that no carrier has scanned since `until`."""
    event = tracking_events.c
    last = (
        select(event.shipment_id, func.max(event.occurred_at).label("at"))
        .where(event.shipment_id.is_not(None))
        .group_by(event.shipment_id)
        .subquery("last_scan")
    )
    seen = func.coalesce(last.c.at, shipments.c.shipped_at)
    quiet = and_(shipments.c.state.in_(_ON_THE_WAY), shipments.c.shipped_at > since, seen < until)
    return _parcels(seen).join(last, last.c.shipment_id == shipments.c.id, isouter=True).where(quiet)


def _astray(state: str, since: datetime) -> Select[Any]:
    """Parcels in trouble for which nothing was done yet: no return received, no refund."""
    back = select(returns.c.id).where(
        returns.c.order_id == shipments.c.order_id, returns.c.requested_at >= shipments.c.shipped_at,
        returns.c.state.in_((ReturnState.RECEIVED, ReturnState.CLOSED)),
    )  # fmt: skip
    paid = select(refunds.c.id).where(
        refunds.c.order_id == shipments.c.order_id, refunds.c.created_at >= shipments.c.shipped_at
    )
    done = or_(back.exists(), paid.exists())
    return _parcels(literal("")).where(shipments.c.state == state, shipments.c.shipped_at > since, ~done)
