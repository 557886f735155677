"""Steps of track-shipments: book what left, follow what is on its way, warn of what went astray."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from config.settings import settings
from tasks.documents.run_folder import add_rows
from tasks.domain.notices import NoticeKind
from tasks.domain.parcels.parcel_contents import ShipmentRules
from tasks.domain.parcels.parcel_states import parcel_states
from tasks.domain.states import ParcelState
from tasks.runs.artifact_tables import records
from tasks.runs.step import step
from tasks.steps.messaging.notify_customers import tell
from tasks.store.database.engine import engine, exclusive
from tasks.store.parcels import departures, parcel_alerts, tracking
from tasks.store.parcels.parcel_notices import notice_rows

TROUBLE = (ParcelState.EXCEPTION, ParcelState.LOST, ParcelState.RETURNED_TO_SENDER)

KEY = ["merchant", "parcel"]  # names a parcel in the documents


@dataclass(frozen=True)
class Left:
    """Parcels (ids) that left with their carrier."""

    parcels: pd.Series
    stock_moves: int
    notices: int


@dataclass(frozen=True)
class Moved:
    """Parcels that left or moved, as people read of them."""

    parcels: pd.DataFrame
    notices: int
    delivered: int
    in_trouble: int


@step(task_run_name="ship parcels")
def ship_parcels(as_of: datetime) -> Left:
    """Book every parcel a carrier took: stock, promises, lines, the parcel itself and the customer's notice."""
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        exclusive(connection, "parcels")
        parcels = departures.leaving(connection, as_of)
        if parcels.empty:
            return Left(parcels["shipment_id"], 0, 0)
        posted = departures.book(connection, parcels, as_of)
        rows = notice_rows(connection, parcels["shipment_id"])
        told = _tell(connection, NoticeKind.PARCEL_SHIPPED, rows.assign(happened_at=rows["shipped_at"]), as_of)
        _write(tracking.listed(connection, parcels["shipment_id"]), as_of)
    return Left(parcels["shipment_id"], posted, told)


@step(task_run_name="follow parcels")
def follow_parcels(left: Left, as_of: datetime) -> Moved:
    """Bring every parcel on its way where its events say it is; tell customers of arrivals and troubles."""
    rules = read("rules/shipments.yaml", ShipmentRules)
    with engine().begin() as connection:
        exclusive(connection, "parcels")
        tracking.attach_events(connection)
        events = tracking.followed(connection, as_of - timedelta(days=rules.followed_days_max), as_of)
        states = parcel_states(events)
        moved = tracking.write_states(connection, states)
        departures.raise_delivered(connection, moved.loc[moved["arrived"], "order_id"])
        told = _tell_of(connection, moved, states, as_of)
        listed = tracking.listed(connection, pd.concat([left.parcels, moved["shipment_id"]]))
        _write(listed, as_of)
    return Moved(listed, told, int(moved["arrived"].sum()), int(moved["state"].isin(TROUBLE).sum()))


@step(task_run_name="warn of late and lost parcels")
def warn_of_parcels(as_of: datetime) -> tuple[int, int]:
    """Open alerts for parcels that are lost, come back, left on hold or were not scanned for too long; close others."""
    rules = read("rules/shipments.yaml", ShipmentRules)
    with engine().begin() as connection:
        exclusive(connection, "parcels")
        return parcel_alerts.refresh(connection, rules, as_of)


def moved_parcels_table(moved: Moved) -> list[dict[str, str]]:
    """What moved as rows of an artifact, troubles first."""
    late = ~moved.parcels["state"].isin(TROUBLE)
    listed = moved.parcels.assign(late=late).sort_values(["late", "merchant", "parcel"]).drop(columns="late")
    return records(listed)


def _tell_of(connection: Connection, moved: pd.DataFrame, states: pd.DataFrame, as_of: datetime) -> int:
    trouble = moved[moved["state"].isin(TROUBLE)]
    rows = notice_rows(connection, pd.concat([moved.loc[moved["arrived"], "shipment_id"], trouble["shipment_id"]]))
    rows = rows.merge(states[["shipment_id", "state", "event", "happened_at"]], on="shipment_id")
    told = _tell(connection, NoticeKind.PARCEL_DELIVERED, rows[rows["state"] == ParcelState.DELIVERED], as_of)
    return told + _tell(connection, NoticeKind.PARCEL_EXCEPTION, rows[rows["state"].isin(TROUBLE)], as_of)


def _tell(connection: Connection, kind: NoticeKind, rows: pd.DataFrame, as_of: datetime) -> int:
    facts = rows.drop(columns=[name for name in ("shipment_id", "shipped_at", "delivered_at", "state") if name in rows])
    return tell(connection, kind, facts, as_of)


def _write(listed: pd.DataFrame, as_of: datetime) -> None:
    """Write before the commit, so that nothing moves that is in no document; nothing when nothing moved."""
    folder = settings().documents("track-shipments", as_of)
    plain, trouble = listed.rename(columns={"order_number": "order"}), listed["state"].isin(TROUBLE)
    add_rows(folder / "shipments.csv", plain, KEY)
    add_rows(folder / "exceptions.csv", plain[trouble], KEY)
