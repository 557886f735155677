"""Count sheets as they come back: planned places filled, others added, nothing twice."""

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
from tasks.store.database.merging import count, drop, drop_repeats, insert_new
from tasks.store.receiving import lots
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import count_lines, counts, locations, products, stock_levels, warehouses

KEY = ("count_id", "merchant_id", "warehouse", "location", "condition", "lot", "counter", "sku")
FILLED = ("expires_on", "quantity", "counter", "counted_at", "counted_on", "comment", "state", "reason", "import_id",
          "row_number")  # fmt: skip
NEW = ("count_id", "location_id", "location_code", "merchant_id", "product_id", "sku", "condition", "lot", *FILLED)
SAID = ("location_id", "location_code", "merchant_id", "product_id", "sku", "condition", "lot", "expires_on",
        "quantity", "counter", "counted_at", "counted_on", "comment")  # fmt: skip
SHEET_ID = counts.c.code + case((counts.c.round > 1, literal("-R") + cast(counts.c.round, String)), else_="")


def load_counts(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Bring counted places into their count documents.

    A row belongs to the planned count (or recount) whose sheet it names; otherwise a new document is opened. A row
    without a place means the one place its SKU lies at; where there are several it is refused. An unknown place or
    SKU is kept for a person to look at; a counted quantity without a time is kept as refused until the sheet comes
    again with the time. An empty quantity counts nothing.
    """
    total = count(connection, rows)
    bad = drop_repeats(connection, rows, KEY, ("quantity", "counted_at", "counted_on"))
    here = _placed(rows)
    bad = pd.concat([bad, _refuse(connection, rows, here), _place(connection, rows, here)], ignore_index=True)
    lots.tell(connection, here, by_count=True)
    _open_documents(connection, here)
    document = _documents(here)
    found = read(connection, document)
    matched = match_rows(found, read(connection, _lines_of(document)), intake.import_id)
    written = _write(connection, matched)
    return Loaded(written, total - written - len(bad), bad)


def _placed(rows: Table) -> Subquery:
    """The staged rows with the ids of what they name; a barcode stands for the one product that has it."""
    one = select(products.c.merchant_id, products.c.barcode, func.min(products.c.id).label("id"))
    barcodes = one.group_by(products.c.merchant_id, products.c.barcode).having(func.count() == 1).subquery("barcodes")
    goods, scanned = products.alias("goods"), products.alias("scanned")
    product_id = func.coalesce(goods.c.id, scanned.c.id).label("product_id")
    sku = func.coalesce(goods.c.sku, scanned.c.sku, rows.c.sku).label("sku")
    said = [column for column in rows.c if column.key != "sku"]
    code = case((locations.c.id.is_(None), rows.c.location)).label("location_code")
    named = and_(locations.c.warehouse_id == warehouses.c.id, locations.c.code == rows.c.location)
    scan = and_(barcodes.c.merchant_id == rows.c.merchant_id, barcodes.c.barcode == rows.c.sku)
    return (
        select(*said, sku, product_id, warehouses.c.id.label("warehouse_id"), locations.c.id.label("location_id"), code)
        .join_from(rows, warehouses, warehouses.c.code == rows.c.warehouse, isouter=True)
        .join(locations, named, isouter=True)
        .join(goods, and_(goods.c.merchant_id == rows.c.merchant_id, goods.c.sku == rows.c.sku), isouter=True)
        .join(barcodes, scan, isouter=True)
        .join(scanned, scanned.c.id == barcodes.c.id, isouter=True)
        .subquery("placed")
    )


def _refuse(connection: Connection, rows: Table, here: Subquery) -> pd.DataFrame:
    c = here.c
    reason = literal("warehouse: found '") + func.coalesce(c.warehouse, "") + "', expected a configured warehouse"
    faults = read(connection, select(c.row_number, reason.label("reason")).where(c.warehouse_id.is_(None)))
    drop(connection, rows, faults)
    return faults


def _place(connection: Connection, rows: Table, here: Subquery) -> pd.DataFrame:
    """Give rows without a place the one their SKU lies at; the others are refused: row_number and reason."""
    lost = read(connection, _lying(here))
    one = lost[lost["places"] == 1]
    with staged(connection, one[["row_number", "location", "lot"]]) as found:
        mine = rows.c.row_number == found.c.row_number
        connection.execute(update(rows).where(mine).values(location=found.c.location, lot=found.c.lot))
    many = lost[lost["places"] != 1]
    reason = "location: found '', expected the place: the SKU lies at " + many["places"].astype("str") + " of them"
    faults = pd.DataFrame({"row_number": many["row_number"], "reason": reason.astype("str")})
    drop(connection, rows, faults)
    return faults


def _lying(here: Subquery) -> Select[Any]:
    """Rows without a place: row_number, places (how many hold the SKU), location and lot (of the first)."""
    c, level = here.c, stock_levels.c
    held = select(level.product_id, level.condition, level.lot, level.on_hand, locations.c.warehouse_id,
                  locations.c.code).join_from(stock_levels, locations, locations.c.id == level.location_id)  # fmt: skip
    stock = held.subquery("stock")
    lies = and_(stock.c.product_id == c.product_id, stock.c.condition == c.condition, stock.c.on_hand != 0,
                stock.c.warehouse_id == c.warehouse_id, or_(c.lot == "", stock.c.lot == c.lot))  # fmt: skip
    return (
        select(c.row_number, func.count(stock.c.code).label("places"), func.min(stock.c.code).label("location"),
               func.coalesce(func.min(stock.c.lot), c.lot).label("lot"))
        .join_from(here, stock, lies, isouter=True)
        .where(c.location.is_(None))
        .group_by(c.row_number, c.lot)
    )  # fmt: skip


def _open_documents(connection: Connection, here: Subquery) -> None:
    """A document for every sheet nobody planned."""
    c = here.c
    known = select(counts.c.id).where(counts.c.warehouse_id == c.warehouse_id, c.count_id == SHEET_ID).exists()
    new = select(
        c.warehouse_id, c.count_id.label("code"), literal(1).label("round"), literal("sheet").label("reason"),
        literal(CountState.COUNTED.value).label("state"),
    )  # fmt: skip
    insert_new(connection, counts, new.distinct().where(~known))


def _documents(here: Subquery) -> Select[Any]:
    """The staged rows with their document, as `match_rows` takes them."""
    c = here.c
    belongs = and_(counts.c.warehouse_id == c.warehouse_id, c.count_id == SHEET_ID)
    return select(c.row_number, counts.c.id.label("count_id"), *(c[name] for name in SAID)).join_from(
        here, counts, belongs
    )


def _lines_of(documents: Select[Any]) -> Select[Any]:
    line = count_lines.c
    of_file = line.count_id.in_(select(documents.subquery("documents").c.count_id))
    names = ("id", "count_id", "location_id", "location_code", "product_id", "sku", "condition", "lot", "quantity",
             "counter", "counted_at", "counted_on", "state")  # fmt: skip
    return select(*(line[name] for name in names)).where(of_file)


def _write(connection: Connection, matched: Matched) -> int:
    """Fill planned lines, add the others, and say of their documents that they were counted."""
    with staged(connection, matched.filled[["id", *FILLED]], like=count_lines) as filled:
        values = {name: filled.c[name] for name in FILLED}
        written = changed(connection, update(count_lines).where(count_lines.c.id == filled.c.id).values(values))
    with staged(connection, matched.new[list(NEW)], like=count_lines) as new:
        lines = select(*(new.c[name] for name in NEW)).order_by(new.c.row_number)
        written += insert_new(connection, count_lines, lines)  # a place waits on one sheet only
    both = pd.concat([matched.filled, matched.new], ignore_index=True)
    both = both[both["quantity"].notna()].drop_duplicates("count_id")
    with staged(connection, both[["count_id"]]) as touched:
        reached = counts.c.id.in_(select(touched.c.count_id))
        connection.execute(update(counts).where(reached).values(state=CountState.COUNTED))
    return written
