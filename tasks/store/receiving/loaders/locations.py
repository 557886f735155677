"""Loads the locations of warehouses."""

import pandas as pd
from sqlalchemy import Connection, Table, exists, select

from tasks.store.database.frames import read
from tasks.store.database.upserts import drop_repeats, drop_rows, merge, row_count
from tasks.store.ordering.allocation_notes import note_everything
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.placed_rows import not_found
from tasks.store.schema import locations, warehouses

LOCATION_FACTS = ("purpose", "zone", "aisle", "bay", "level", "x_m", "y_m")


def load_locations(connection: Connection, rows: Table, _intake: Intake) -> Loaded:
    """Merge staged locations; those of warehouses that are not configured are refused."""
    total = row_count(connection, rows)
    refused = [_unknown_warehouses(connection, rows)]
    refused.append(drop_repeats(connection, rows, ("warehouse", "location"), LOCATION_FACTS))
    facts = [rows.c[name] for name in LOCATION_FACTS]
    source = select(warehouses.c.id.label("warehouse_id"), rows.c.location.label("code"), *facts).join_from(
        rows, warehouses, warehouses.c.code == rows.c.warehouse
    )
    new, changed = merge(connection, locations, source, ("warehouse_id", "code"), LOCATION_FACTS)
    if changed:
        note_everything(connection)
    refused_rows = pd.concat(refused, ignore_index=True)
    return Loaded(new + changed, total - new - changed - len(refused_rows), refused_rows)


def _unknown_warehouses(connection: Connection, rows: Table) -> pd.DataFrame:
    refusals = select(
        rows.c.row_number, not_found("warehouse", rows.c.warehouse, "a configured warehouse").label("reason")
    )
    is_configured = exists().where(warehouses.c.code == rows.c.warehouse)
    unknown = read(connection, refusals.where(~is_configured))
    drop_rows(connection, rows, unknown)
    return unknown
