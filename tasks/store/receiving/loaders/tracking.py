"""Loads the tracking events of carriers."""

from sqlalchemy import Connection, Table, select

from tasks.store.database.engine import exclusive
from tasks.store.database.upserts import insert_new, row_count
from tasks.store.parcels.tracking import attach_events
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import tracking_events


def load_tracking(connection: Connection, rows: Table, _intake: Intake) -> Loaded:
    """Store each carrier event once; an event of an unknown parcel waits until the parcel is received."""
    exclusive(connection, "parcels")
    total = row_count(connection, rows)
    row = rows.c
    events = select(
        row.carrier, row.tracking_number.label("parcel"), row.event.label("code"), row.occurred_at, row.description
    )
    new = insert_new(connection, tracking_events, events.order_by(row.row_number))
    attach_events(connection)
    return Loaded(new, total - new)
