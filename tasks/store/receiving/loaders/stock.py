"""Loads stock exports: snapshots, and the opening stock of a place nobody knew."""

from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, Table, exists, func, literal, select

from tasks.store.database.frames import read
from tasks.store.database.merging import count, differs, drop_repeats, merge, same_key
from tasks.store.receiving import lots
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.placed_rows import Placed, placed
from tasks.store.schema import (
    locations,
    merchants,
    stock_moves,
    stock_snapshots,
)
from tasks.store.stock.post_moves import PLACE, post_moves

FACTS = ("on_hand", "snapshot_at")


STOCK_KEY = ("merchant_id", "warehouse", "location", "sku", "condition", "lot")


def load_stock(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Keep what the export says of each place; goods a warehouse has no moves of yet open its ledger.

    A row older than what is known of its place changes nothing.
    """
    total = count(connection, rows)
    refused = drop_repeats(connection, rows, STOCK_KEY, ("on_hand",))
    here = placed(connection, rows)
    lots.tell(connection, here.rows)
    as_of = literal(intake.as_of, stock_snapshots.c.snapshot_at.type)
    c = here.rows.c
    at = func.coalesce(c.snapshot_at, as_of)
    which = literal(intake.import_id).label("import_id")
    said = select(*(c[name] for name in PLACE), c.on_hand, at.label("snapshot_at"), which)
    later = exists().where(*(stock_snapshots.c[name] == c[name] for name in PLACE), stock_snapshots.c.snapshot_at > at)
    opened = post_moves(connection, _opening(connection, here, at, intake))
    said = said.where(~later)
    same = _said_already(connection, said)
    new, updated = merge(connection, stock_snapshots, said, PLACE, (*FACTS, "import_id"))
    bad = pd.concat([refused, here.refused], ignore_index=True)
    loaded = max(new + updated - same, opened)
    return Loaded(loaded, total - loaded - len(bad), bad)


def _said_already(connection: Connection, said: Select[Any]) -> int:
    """How many places another file said the very same of."""
    again = said.subquery("again")
    known = same_key(stock_snapshots, again, PLACE)
    return count(
        connection, select(again).where(exists().where(known, ~differs(stock_snapshots, again, FACTS))).subquery()
    )


def _opening(connection: Connection, here: Placed, at: ColumnElement[Any], intake: Intake) -> pd.DataFrame:
    """The moves that bring a warehouse's first word of some goods into the ledger."""
    c = here.rows.c
    moved = (
        select(1)
        .join(locations, locations.c.id == stock_moves.c.location_id)
        .where(stock_moves.c.product_id == c.product_id, locations.c.warehouse_id == c.warehouse_id)
    )
    places = [c.warehouse, c.location, merchants.c.code.label("merchant"), c.sku, c.condition, c.lot]
    found = read(
        connection,
        select(*(c[name] for name in PLACE[:2]), c.on_hand.label("quantity"), at.label("effective_at"), *places)
        .join_from(here.rows, merchants, merchants.c.id == c.merchant_id)
        .where(~exists(moved), c.on_hand != 0),
    )
    cause = "opening:" + found["merchant"] + ":" + found["warehouse"] + ":" + found["location"]
    cause += ":" + found["sku"] + ":" + found["condition"] + ":" + found["lot"]
    moves = found[[*PLACE, "quantity", "effective_at"]]
    return moves.assign(
        kind="opening", reason=None, document=intake.file_name, recorded_at=pd.Timestamp(intake.as_of), cause=cause
    )
