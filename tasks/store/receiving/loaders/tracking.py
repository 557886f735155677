"""Loads what carriers report of parcels."""

from sqlalchemy import Connection, Table, select

from tasks.store.database.engine import exclusive
from tasks.store.database.merging import count, insert_new
from tasks.store.parcels.tracking import attach_events
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import tracking_events


def load_tracking(connection: Connection, rows: Table, _intake: Intake) -> Loaded:
    """Keep every event a carrier tells, once; an event of a parcel nobody knows yet waits for it."""
    exclusive(connection, "parcels")
    total = count(connection, rows)
    c = rows.c
    told = select(c.carrier, c.tracking_number.label("parcel"), c.event.label("code"), c.occurred_at, c.description)
    new = insert_new(connection, tracking_events, told.order_by(c.row_number))
    attach_events(connection)
    return Loaded(new, total - new)
