"""Steps of track-shipments: book departed parcels, follow those on their way, warn of those in trouble."""

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
from tasks.steps.messaging.notify_customers import notify_customers
from tasks.store.database.engine import engine, exclusive
from tasks.store.parcels import departures, parcel_alerts, tracking
from tasks.store.parcels.parcel_notices import notice_rows

TROUBLE = (ParcelState.EXCEPTION, ParcelState.LOST, ParcelState.RETURNED_TO_SENDER)

PARCEL_KEY = ["merchant", "parcel"]  # names a parcel in the documents


@dataclass(frozen=True)
class DepartedParcels:
    """The ids of the parcels that left with a carrier, and the numbers of stock moves and notices."""

    parcels: pd.Series
    stock_moves: int
    notices: int


@dataclass(frozen=True)
class MovedParcels:
    """The parcels that left or moved, one row each; how many were delivered or got into trouble, and the notices."""

    parcels: pd.DataFrame
    notices: int
    delivered: int
    in_trouble: int


@step(task_run_name="ship parcels")
def ship_parcels(as_of: datetime) -> DepartedParcels:
    """Book every parcel a carrier took: stock, promises, order lines, the parcel and the notice to the customer."""
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        exclusive(connection, "parcels")
        parcels = departures.departing_parcels(connection, as_of)
        if parcels.empty:
            return DepartedParcels(parcels["shipment_id"], 0, 0)
        posted = departures.book_departures(connection, parcels, as_of)
        rows = notice_rows(connection, parcels["shipment_id"])
        notices = _notify(connection, NoticeKind.PARCEL_SHIPPED, rows.assign(happened_at=rows["shipped_at"]), as_of)
        _write_documents(tracking.shipment_rows(connection, parcels["shipment_id"]), as_of)
    return DepartedParcels(parcels["shipment_id"], posted, notices)


@step(task_run_name="follow parcels")
def follow_parcels(departed: DepartedParcels, as_of: datetime) -> MovedParcels:
    """Bring every parcel on its way to the state its events say; notify customers of deliveries and trouble."""
    rules = read("rules/shipments.yaml", ShipmentRules)
    with engine().begin() as connection:
        exclusive(connection, "parcels")
        tracking.attach_events(connection)
        events = tracking.tracked_events(connection, as_of - timedelta(days=rules.followed_days_max), as_of)
        states = parcel_states(events)
        moved = tracking.write_states(connection, states)
        departures.raise_delivered(connection, moved.loc[moved["arrived"], "order_id"])
        notices = _notify_of_moves(connection, moved, states, as_of)
        rows = tracking.shipment_rows(connection, pd.concat([departed.parcels, moved["shipment_id"]]))
        _write_documents(rows, as_of)
    return MovedParcels(rows, notices, int(moved["arrived"].sum()), int(moved["state"].isin(TROUBLE).sum()))


@step(task_run_name="warn of late and lost parcels")
def warn_of_parcels(as_of: datetime) -> tuple[int, int]:
    """Open alerts for parcels that are lost, returned, unscanned for too long or left while held; close the others."""
    rules = read("rules/shipments.yaml", ShipmentRules)
    with engine().begin() as connection:
        exclusive(connection, "parcels")
        return parcel_alerts.refresh_parcel_alerts(connection, rules, as_of)


def moved_parcels_table(moved: MovedParcels) -> list[dict[str, str]]:
    """The parcels that moved as rows of an artifact, those in trouble first."""
    is_well = ~moved.parcels["state"].isin(TROUBLE)
    rows = moved.parcels.assign(well=is_well).sort_values(["well", "merchant", "parcel"])
    return records(rows.drop(columns="well"))


def _notify_of_moves(connection: Connection, moved: pd.DataFrame, states: pd.DataFrame, as_of: datetime) -> int:
    trouble = moved[moved["state"].isin(TROUBLE)]
    rows = notice_rows(connection, pd.concat([moved.loc[moved["arrived"], "shipment_id"], trouble["shipment_id"]]))
    rows = rows.merge(states[["shipment_id", "state", "event", "happened_at"]], on="shipment_id")
    delivered, in_trouble = rows[rows["state"] == ParcelState.DELIVERED], rows[rows["state"].isin(TROUBLE)]
    notices = _notify(connection, NoticeKind.PARCEL_DELIVERED, delivered, as_of)
    return notices + _notify(connection, NoticeKind.PARCEL_EXCEPTION, in_trouble, as_of)


def _notify(connection: Connection, kind: NoticeKind, rows: pd.DataFrame, as_of: datetime) -> int:
    facts = rows.drop(columns=[name for name in ("shipment_id", "shipped_at", "delivered_at", "state") if name in rows])
    return notify_customers(connection, kind, facts, as_of)


def _write_documents(rows: pd.DataFrame, as_of: datetime) -> None:
    """Written before the commit, so that every parcel that moved is in a document; no document when none moved."""
    folder = settings().documents("track-shipments", as_of)
    moved, in_trouble = rows.rename(columns={"order_number": "order"}), rows["state"].isin(TROUBLE)
    add_rows(folder / "shipments.csv", moved, PARCEL_KEY)
    add_rows(folder / "exceptions.csv", moved[in_trouble], PARCEL_KEY)
