"""Loads stock exports: snapshots, and the opening stock of goods that are new to a warehouse."""

from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, Table, exists, func, literal, select

from tasks.store.database.frames import read
from tasks.store.database.upserts import differs, drop_repeats, keys_match, merge, row_count
from tasks.store.receiving import lots
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.placed_rows import PlacedRows, placed_rows
from tasks.store.schema import (
    locations,
    merchants,
    stock_moves,
    stock_snapshots,
)
from tasks.store.stock.post_moves import PLACE, post_moves

SNAPSHOT_FACTS = ("on_hand", "snapshot_at")


STOCK_KEY = ("merchant_id", "warehouse", "location", "sku", "condition", "lot")


def load_stock(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Store the snapshot of each place, and post opening stock for goods without moves in their warehouse.

    A row that is older than the stored snapshot of its place changes nothing.
    """
    total = row_count(connection, rows)
    refused = drop_repeats(connection, rows, STOCK_KEY, ("on_hand",))
    placed = placed_rows(connection, rows)
    lots.record_expiry(connection, placed.rows)
    as_of = literal(intake.as_of, stock_snapshots.c.snapshot_at.type)
    row = placed.rows.c
    snapshot_at = func.coalesce(row.snapshot_at, as_of)
    import_id = literal(intake.import_id).label("import_id")
    snapshots = select(*(row[name] for name in PLACE), row.on_hand, snapshot_at.label("snapshot_at"), import_id)
    is_outdated = exists().where(
        *(stock_snapshots.c[name] == row[name] for name in PLACE), stock_snapshots.c.snapshot_at > snapshot_at
    )
    opened = post_moves(connection, _opening_moves(connection, placed, snapshot_at, intake))
    snapshots = snapshots.where(~is_outdated)
    repeated = _repeated_snapshots(connection, snapshots)
    new, updated = merge(connection, stock_snapshots, snapshots, PLACE, (*SNAPSHOT_FACTS, "import_id"))
    refused_rows = pd.concat([refused, placed.refused], ignore_index=True)
    loaded = max(new + updated - repeated, opened)
    return Loaded(loaded, total - loaded - len(refused_rows), refused_rows)


def _repeated_snapshots(connection: Connection, snapshots: Select[Any]) -> int:
    """The number of snapshots that equal the stored ones."""
    repeated = snapshots.subquery("again")
    is_known = keys_match(stock_snapshots, repeated, PLACE)
    return row_count(
        connection,
        select(repeated)
        .where(exists().where(is_known, ~differs(stock_snapshots, repeated, SNAPSHOT_FACTS)))
        .subquery(),
    )


def _opening_moves(
    connection: Connection, placed: PlacedRows, snapshot_at: ColumnElement[Any], intake: Intake
) -> pd.DataFrame:
    """The opening moves of goods that have no moves in their warehouse yet."""
    row = placed.rows.c
    moved = (
        select(1)
        .join(locations, locations.c.id == stock_moves.c.location_id)
        .where(stock_moves.c.product_id == row.product_id, locations.c.warehouse_id == row.warehouse_id)
    )
    places = [row.warehouse, row.location, merchants.c.code.label("merchant"), row.sku, row.condition, row.lot]
    opening = read(
        connection,
        select(
            *(row[name] for name in PLACE[:2]),
            row.on_hand.label("quantity"),
            snapshot_at.label("effective_at"),
            *places,
        )
        .join_from(placed.rows, merchants, merchants.c.id == row.merchant_id)
        .where(~exists(moved), row.on_hand != 0),
    )
    cause = "opening:" + opening["merchant"] + ":" + opening["warehouse"] + ":" + opening["location"]
    cause += ":" + opening["sku"] + ":" + opening["condition"] + ":" + opening["lot"]
    moves = opening[[*PLACE, "quantity", "effective_at"]]
    return moves.assign(
        kind="opening", reason=None, document=intake.file_name, recorded_at=pd.Timestamp(intake.as_of), cause=cause
    )
