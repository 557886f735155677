"""Loads filled count sheets: planned lines are filled, other places added, nothing is counted twice."""

from typing import Any

import pandas as pd
from sqlalchemy import (
    Connection,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.counting.count_sheets import Matched, match_rows
from tasks.domain.states import CountState
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.upserts import drop_repeats, drop_rows, insert_new, row_count
from tasks.store.receiving import lots
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import count_lines, counts, locations, products, stock_levels, warehouses

SHEET_KEY = ("count_id", "merchant_id", "warehouse", "location", "condition", "lot", "counter", "sku")
FILLED_COLUMNS = ("expires_on", "quantity", "counter", "counted_at", "counted_on", "comment", "state", "reason",
                  "import_id", "row_number")  # fmt: skip
NEW_COLUMNS = (
    "count_id",
    "location_id",
    "location_code",
    "merchant_id",
    "product_id",
    "sku",
    "condition",
    "lot",
    *FILLED_COLUMNS,
)
ROW_COLUMNS = ("location_id", "location_code", "merchant_id", "product_id", "sku", "condition", "lot", "expires_on",
        "quantity", "counter", "counted_at", "counted_on", "comment")  # fmt: skip
SHEET_ID = counts.c.code + case((counts.c.round > 1, literal("-R") + cast(counts.c.round, String)), else_="")


def load_counts(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Write counted places to their count documents.

    A row belongs to the planned count (or recount) whose sheet it names; otherwise a new document is opened. A row
    without a location means the one location where its SKU is stocked; if there are several, the row is refused. A row
    of an unknown location or SKU is kept for a person to look at. A quantity without a time is kept as refused until
    the sheet is delivered again with the time. An empty quantity means that the place was not counted.
    """
    total = row_count(connection, rows)
    repeats = drop_repeats(connection, rows, SHEET_KEY, ("quantity", "counted_at", "counted_on"))
    placed = _placed(rows)
    refused = pd.concat(
        [repeats, _refuse_unknown_warehouses(connection, rows, placed), _fill_locations(connection, rows, placed)],
        ignore_index=True,
    )
    lots.record_expiry(connection, placed, by_count=True)
    _open_documents(connection, placed)
    document = _rows_with_document(placed)
    sheet_rows = read(connection, document)
    matched = match_rows(sheet_rows, read(connection, _lines_of(document)), intake.import_id)
    written = _write(connection, matched)
    return Loaded(written, total - written - len(refused), refused)


def _placed(rows: Table) -> Subquery:
    """The staged rows with the ids they name; a barcode means the one product that has it."""
    product_ids = select(products.c.merchant_id, products.c.barcode, func.min(products.c.id).label("id"))
    barcodes = (
        product_ids.group_by(products.c.merchant_id, products.c.barcode).having(func.count() == 1).subquery("barcodes")
    )
    goods, scanned = products.alias("goods"), products.alias("scanned")
    product_id = func.coalesce(goods.c.id, scanned.c.id).label("product_id")
    sku = func.coalesce(goods.c.sku, scanned.c.sku, rows.c.sku).label("sku")
    columns = [column for column in rows.c if column.key != "sku"]
    code = case((locations.c.id.is_(None), rows.c.location)).label("location_code")
    named = and_(locations.c.warehouse_id == warehouses.c.id, locations.c.code == rows.c.location)
    scan = and_(barcodes.c.merchant_id == rows.c.merchant_id, barcodes.c.barcode == rows.c.sku)
    return (
        select(
            *columns, sku, product_id, warehouses.c.id.label("warehouse_id"), locations.c.id.label("location_id"), code
        )
        .join_from(rows, warehouses, warehouses.c.code == rows.c.warehouse, isouter=True)
        .join(locations, named, isouter=True)
        .join(goods, and_(goods.c.merchant_id == rows.c.merchant_id, goods.c.sku == rows.c.sku), isouter=True)
        .join(barcodes, scan, isouter=True)
        .join(scanned, scanned.c.id == barcodes.c.id, isouter=True)
        .subquery("placed")
    )


def _refuse_unknown_warehouses(connection: Connection, rows: Table, placed: Subquery) -> pd.DataFrame:
    row = placed.c
    reason = literal("warehouse: found '") + func.coalesce(row.warehouse, "") + "', expected a configured warehouse"
    faults = read(connection, select(row.row_number, reason.label("reason")).where(row.warehouse_id.is_(None)))
    drop_rows(connection, rows, faults)
    return faults


def _fill_locations(connection: Connection, rows: Table, placed: Subquery) -> pd.DataFrame:
    """Fill in the location of rows without one, where their SKU is stocked at one location only.

    Returns the other rows as refused: row_number and reason.
    """
    unplaced = read(connection, _stocked_locations(placed))
    single = unplaced[unplaced["places"] == 1]
    with staged(connection, single[["row_number", "location", "lot"]]) as places:
        is_row = rows.c.row_number == places.c.row_number
        connection.execute(update(rows).where(is_row).values(location=places.c.location, lot=places.c.lot))
    ambiguous = unplaced[unplaced["places"] != 1]
    reason = (
        "location: found '', expected the location: the SKU is stocked at "
        + ambiguous["places"].astype("str")
        + " of them"
    )
    faults = pd.DataFrame({"row_number": ambiguous["row_number"], "reason": reason.astype("str")})
    drop_rows(connection, rows, faults)
    return faults


def _stocked_locations(placed: Subquery) -> Select[Any]:
    """Rows without a location: row_number, places (the number that stock the SKU), location and lot of the first."""
    row, level = placed.c, stock_levels.c
    stocked = select(
        level.product_id, level.condition, level.lot, level.on_hand, locations.c.warehouse_id, locations.c.code
    ).join_from(stock_levels, locations, locations.c.id == level.location_id)
    stock = stocked.subquery("stock")
    holds_stock = and_(
        stock.c.product_id == row.product_id,
        stock.c.condition == row.condition,
        stock.c.on_hand != 0,
        stock.c.warehouse_id == row.warehouse_id,
        or_(row.lot == "", stock.c.lot == row.lot),
    )
    return (
        select(
            row.row_number,
            func.count(stock.c.code).label("places"),
            func.min(stock.c.code).label("location"),
            func.coalesce(func.min(stock.c.lot), row.lot).label("lot"),
        )
        .join_from(placed, stock, holds_stock, isouter=True)
        .where(row.location.is_(None))
        .group_by(row.row_number, row.lot)
    )


def _open_documents(connection: Connection, placed: Subquery) -> None:
    """Open a document for every sheet that was not planned."""
    row = placed.c
    is_known = select(counts.c.id).where(counts.c.warehouse_id == row.warehouse_id, row.count_id == SHEET_ID).exists()
    new = select(
        row.warehouse_id,
        row.count_id.label("code"),
        literal(1).label("round"),
        literal("sheet").label("reason"),
        literal(CountState.COUNTED.value).label("state"),
    )
    insert_new(connection, counts, new.distinct().where(~is_known))


def _rows_with_document(placed: Subquery) -> Select[Any]:
    """The staged rows with the id of their document; columns as in `match_rows`."""
    row = placed.c
    belongs = and_(counts.c.warehouse_id == row.warehouse_id, row.count_id == SHEET_ID)
    return select(row.row_number, counts.c.id.label("count_id"), *(row[name] for name in ROW_COLUMNS)).join_from(
        placed, counts, belongs
    )


def _lines_of(documents: Select[Any]) -> Select[Any]:
    line = count_lines.c
    of_file = line.count_id.in_(select(documents.subquery("documents").c.count_id))
    names = (
        "id",
        "count_id",
        "location_id",
        "location_code",
        "product_id",
        "sku",
        "condition",
        "lot",
        "quantity",
        "counter",
        "counted_at",
        "counted_on",
        "state",
    )
    return select(*(line[name] for name in names)).where(of_file)


def _write(connection: Connection, matched: Matched) -> int:
    """Fill planned lines, add the other lines, and mark their documents as counted. Returns the number of lines."""
    with staged(connection, matched.filled[["id", *FILLED_COLUMNS]], like=count_lines) as filled:
        values = {name: filled.c[name] for name in FILLED_COLUMNS}
        written = changed(connection, update(count_lines).where(count_lines.c.id == filled.c.id).values(values))
    with staged(connection, matched.new[list(NEW_COLUMNS)], like=count_lines) as new:
        lines = select(*(new.c[name] for name in NEW_COLUMNS)).order_by(new.c.row_number)
        written += insert_new(connection, count_lines, lines)  # a place waits on one sheet only
    counted = pd.concat([matched.filled, matched.new], ignore_index=True)
    counted = counted[counted["quantity"].notna()].drop_duplicates("count_id")
    with staged(connection, counted[["count_id"]]) as documents:
        is_counted = counts.c.id.in_(select(documents.c.count_id))
        connection.execute(update(counts).where(is_counted).values(state=CountState.COUNTED))
    return written
