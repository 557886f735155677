"""Write what is said of products, places, stock, movements and counts, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from benchmarks.sample.catalogue import Product
from benchmarks.sample.export_headers import SHOPIFY_STOCK, WOOCOMMERCE
from benchmarks.sample.inbox_files import Inbox, row_of
from benchmarks.sample.order_exports import Row
from benchmarks.sample.orders import FRIDAY, at
from benchmarks.sample.trouble_list import FoundAs, TroubleList
from benchmarks.sample.warehouse_exports import (
    COUNTS,
    LOCATIONS,
    MOVEMENTS,
    NOON,
    PRODUCTS,
    SNAPSHOT,
    STOCK,
    CountSheet,
    Floor,
    location_rows,
    movement,
    movement_rows,
    product_rows,
    shopify_stock_rows,
    stock_rows,
    utc,
    woocommerce_rows,
)

Cast = Mapping[str, Product]
FOUND_AT = "B-06-20-4"  # a place where the book has nothing
OPENBOXES = (
    "Product code",
    "Product name",
    "Lot number",
    "Expiration date",
    "Bin location",
    "OB QOH",
    "Physical QOH",
    "Comment",
)


def quarantined(file: str, row: int, *fields: str, subject: str | None = None) -> dict[str, object]:
    """How a refused row is found."""
    return {"import": "quarantined", "file": file, "row": row, "fields": list(fields), "subject": subject}


def refused(file: str, says: str) -> dict[str, object]:
    """How a file refused as a whole is found, and a part of the reason."""
    return {"import": "refused", "file": file, "says": says}


# ── products and places ──────────────────────────────────────────────────────────────────────────────────────────
def write_products(inbox: Inbox, manifest: TroubleList, goods: Sequence[Product], cast: Cast) -> None:
    """The shop's own list, and beside it the one with barcodes and costs."""
    pages, book = "01-woocommerce-products.csv", "02-products.csv"
    rows = woocommerce_rows(goods)
    twice = cast["contradicted"].sku
    first = next(row for row in rows if row["SKU"] == twice)
    rows += [first | {"ID": "1990", "Regular price": "3.33"}, rows[10] | {"ID": "1991"}]
    inbox.text(f"products/{pages}", WOOCOMMERCE, rows, encoding="utf-8-sig", end="\r\n")
    manifest.add(
        "contradicting-sku",
        "A SKU is listed twice at two prices; twice at one price does no harm.",
        f"products/{pages}",
        quarantined(pages, row_of(rows, ID="1990"), "sku", subject=twice),
    )
    rows = product_rows(goods)
    wrong, rounded = cast["wrong barcode"], cast["rounded barcode"]
    for row in rows:
        if row["sku"] == wrong.sku:
            row["barcode"] = wrong.barcode[:-1] + str((int(wrong.barcode[-1]) + 3) % 10)
        if row["sku"] == rounded.sku:
            row["barcode"] = "2.00041E+12"
    inbox.text(f"products/{book}", PRODUCTS, rows)
    manifest.add(
        "barcode-check-digit",
        "A barcode's check digit is wrong.",
        f"products/{book}",
        quarantined(book, row_of(rows, sku=wrong.sku), "barcode", subject=wrong.sku),
    )
    manifest.add(
        "barcode-rounded",
        "A spreadsheet has rounded a barcode to scientific notation.",
        f"products/{book}",
        quarantined(book, row_of(rows, sku=rounded.sku), "barcode", subject=rounded.sku),
    )


def write_floor(inbox: Inbox, manifest: TroubleList, floor: Floor) -> None:
    """The places of both warehouses, and one whose metres are a word."""
    rows = location_rows(floor.places)
    rows.append(rows[-1] | {"location": "C-07-01-1", "purpose": "pick", "aisle": "C-07", "x_m": "aisle seven"})
    inbox.text("locations/locations.csv", LOCATIONS, rows)
    manifest.add(
        "place-without-metres",
        "A place's distance from the dock is a word.",
        "locations/locations.csv",
        quarantined("locations.csv", len(rows) + 1, "x_m", subject="C-07-01-1"),
    )


# ── stock ────────────────────────────────────────────────────────────────────────────────────────────────────────
def write_stock(inbox: Inbox, manifest: TroubleList, floor: Floor, cast: Cast) -> None:
    """London from the warehouse system at six, Leeds from the shop; London again at noon, and once more in pieces."""
    _write_morning(inbox, manifest, floor)
    _write_noon(inbox, manifest, floor, cast)
    leeds, rows = "shopify-inventory-leeds.csv", shopify_stock_rows(floor)
    inbox.text(f"stock/{leeds}", SHOPIFY_STOCK, rows, encoding="utf-8-sig", end="\r\n")
    absent = sorted(row["SKU"] for row in rows if row["Available (not editable)"] == "not stocked")
    what = "Leeds does not stock every SKU: 'not stocked' is not a stock of zero."
    found_as: list[FoundAs] = [
        {"import": "ignored", "file": leeds, "rows": len(absent)},
        {"not_stocked": "NORTH", "skus": absent},
    ]
    manifest.add("not-stocked", what, f"stock/{leeds}", found_as)


def _write_morning(inbox: Inbox, manifest: TroubleList, floor: Floor) -> None:
    name = "london-0600.csv"
    rows = stock_rows(floor, "MAIN", SNAPSHOT)
    like = rows[0] | {"sku": floor.products[590].sku}
    rows.insert(200, like | {"location": "A-19-01-1", "on_hand": "4"})
    rows.insert(400, like | {"sku": "HH-VAS-HOSLA", "on_hand": "9"})
    rows.insert(600, like | {"sku": floor.products[591].sku, "on_hand": "7.5"})
    inbox.text(f"stock/{name}", STOCK, rows)
    for key, what, row, field in (
        ("stock-in-no-place", "Stock lies in a bin that is not on the floor plan.", 202, "location"),
        ("stock-of-no-product", "Stock of a SKU that no product list has.", 402, "sku"),
        ("stock-of-half-a-unit", "Seven and a half units on hand.", 602, "on_hand"),
    ):
        found_as = quarantined(name, row, field, subject=rows[row - 2]["sku"])
        manifest.add(key, what, f"stock/{name}", found_as)


def _write_noon(inbox: Inbox, manifest: TroubleList, floor: Floor, cast: Cast) -> None:
    received, plain = floor.products[120], floor.products[305:315]
    adjustments = {received.sku: 24, cast["drifted"].sku: -2, cast["drifted away"].sku: 3}
    skus = {*adjustments, *(one.sku for one in plain)}
    rows = [row for row in stock_rows(floor, "MAIN", NOON) if row["sku"] in skus]
    rows = [row | {"on_hand": str(int(row["on_hand"]) + adjustments.get(row["sku"], 0))} for row in rows]
    inbox.text("stock/london-1200.csv", STOCK, rows)
    found_as = [
        {
            "drift": adjustments[cast[part].sku],
            "warehouse": "MAIN",
            "location": floor.home(cast[part].sku),
            "sku": cast[part].sku,
        }
        for part in ("drifted", "drifted away")
    ]
    manifest.add(
        "drift",
        "The list of noon disagrees with the ledger in two places; a receipt of the morning explains a third.",
        "stock/london-1200.csv",
        found_as,
    )
    broken = stock_rows(floor, "MAIN", NOON + timedelta(hours=1))[:120]
    broken = [row | ({"on_hand": "N/A"} if number % 3 == 0 else {}) for number, row in enumerate(broken)]
    inbox.text("stock/london-1300.csv", STOCK, broken)
    manifest.add(
        "mostly-bad-file",
        "A third of a stock list is not available.",
        "stock/london-1300.csv",
        refused("london-1300.csv", "are bad"),
    )


# ── movements ────────────────────────────────────────────────────────────────────────────────────────────────────
def write_movements(inbox: Inbox, manifest: TroubleList, floor: Floor, cast: Cast) -> None:
    """Friday morning's movements, delivered twice."""
    name, again, sku = "wms-0930.csv", "wms-0930_1.csv", cast["moved"].sku
    moved = movement(5300, floor.home(sku), sku, -6, "adjust", "taken for the shop window", at(FRIDAY, "07:40"))
    rows = [*movement_rows(floor), moved]
    like = movement(5301, floor.home(sku), floor.products[400].sku, 5, "receipt", "delivery", at(FRIDAY, "08:00"))
    bad = [
        ("movement-without-time", "A movement's time cannot be read.", {"occurred_at": "this morning"}, "occurred_at"),
        ("movement-of-nothing", "A movement moves no unit.", {"quantity": "0"}, "quantity"),
        (
            "movement-to-no-place",
            "A receipt was put in a place that is not on the floor plan.",
            {"location": "Z-99-01-1"},
            "location",
        ),
    ]
    for number, (key, what, cells, field) in enumerate(bad):
        rows.append(like | {"movement_id": f"MV-{5301 + number:05}"} | cells)
        found_as = quarantined(name, len(rows) + 1, field, subject=rows[-1]["movement_id"])
        manifest.add(key, what, f"movements/{name}", found_as)
    inbox.text(f"movements/{name}", MOVEMENTS, rows)
    inbox.text(f"movements/{again}", MOVEMENTS, rows)
    manifest.add(
        "delivered-twice",
        "The movements of the morning are delivered twice, under another name.",
        f"movements/{again}",
        {"import": "seen", "file": again},
    )


# ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────
def write_counts(inbox: Inbox, manifest: TroubleList, floor: Floor, cast: Cast) -> None:
    """Two people's sheets of one count, sheets of systems that say less, and orders in the wrong folder."""
    first = CountSheet("LDN-0306", "Dilys", at(FRIDAY, "09:00"))
    second = CountSheet("LDN-0306", "Piers", at(FRIDAY, "10:00"))
    _count_what_is_right(first, floor)
    _count_what_is_not(manifest, first, second, floor, cast)
    _count_what_is_unreadable(manifest, first, floor, cast)
    for sheet, name in ((first, "ldn-0306-dilys.xlsx"), (second, "ldn-0306-piers.xlsx")):
        inbox.workbook(f"counts/{name}", COUNTS, [row | {"quantity": _number(row["quantity"])} for row in sheet.rows])
    _write_lesser_sheets(inbox, manifest, floor)


def _number(cell: str) -> int | str:
    return int(cell) if cell.lstrip("-").isdigit() and cell != "0" else cell


def _count_what_is_right(sheet: CountSheet, floor: Floor) -> None:
    for product in floor.products[320:352]:
        place = floor.home(product.sku)
        sheet.counted(place, product.sku, floor.stock.units["MAIN", place, product.sku])


def _variance(part: str, floor: Floor, cast: Cast, difference: int, decision: str, **more: object) -> dict[str, object]:
    place = more.pop("location", None) or floor.home(cast[part].sku)
    return {
        "variance": difference,
        "count": "LDN-0306",
        "location": place,
        "sku": cast[part].sku,
        "decision": decision,
        **more,
    }


def _count_what_is_not(manifest: TroubleList, first: CountSheet, second: CountSheet, floor: Floor, cast: Cast) -> None:
    seen = {"near": 39, "far": 19, "moved": 18, "agreed": 24, "torn": 23, "dear": 38}
    for part, units in seen.items():
        first.counted(floor.home(cast[part].sku), cast[part].sku, units)
    first.counted(FOUND_AT, cast["found"].sku, 5, "not on my list")
    first.counted(floor.home(cast["far"].sku), "HH-OLD-STOCK", 3, "label unreadable, no such product")
    for part, units in (("agreed", 24), ("torn", 25)):
        second.counted(floor.home(cast[part].sku), cast[part].sku, units)
    file = "counts/ldn-0306-dilys.xlsx"
    for key, what, part, difference, decision in (
        ("variance-inside-tolerance", "One of forty units is missing: within tolerance.", "near", -1, "posted"),
        ("variance-outside-tolerance", "Eleven of thirty units are missing.", "far", -11, "recount"),
        ("variance-agreed", "Two people count the same two units too few.", "agreed", -2, "posted"),
        ("variance-dear", "What is missing is worth more than may be posted without a person.", "dear", -22, "review"),
    ):
        manifest.add(key, what, file, _variance(part, floor, cast, difference, decision))
    manifest.add(
        "variance-torn", "Two people count one place differently.", file, _variance("torn", floor, cast, 0, "recount")
    )
    manifest.add(
        "found-stock",
        "Five units lie where the book says there is nothing.",
        file,
        _variance("found", floor, cast, 5, "recount", location=FOUND_AT),
    )
    manifest.add(
        "movement-explains",
        "Six units left between the snapshot and the count: the count is right.",
        file,
        _variance("moved", floor, cast, 0, "matched"),
    )
    unknown = {
        "variance": 3,
        "count": "LDN-0306",
        "location": floor.home(cast["far"].sku),
        "sku": "HH-OLD-STOCK",
        "decision": "review",
    }
    manifest.add("counted-unknown-sku", "Someone counts a SKU that no product list has.", file, unknown)


def _count_what_is_unreadable(manifest: TroubleList, sheet: CountSheet, floor: Floor, cast: Cast) -> None:
    name = "ldn-0306-dilys.xlsx"
    sheet.counted(floor.home(cast["uncounted"].sku), cast["uncounted"].sku, "", "ladder missing")
    manifest.add(
        "not-counted",
        "A place was not counted, which is not a count of zero.",
        f"counts/{name}",
        {
            "count_line": "ready",
            "count": "LDN-0306",
            "location": floor.home(cast["uncounted"].sku),
            "sku": cast["uncounted"].sku,
        },
    )
    sheet.counted(floor.home(cast["untimed"].sku), cast["untimed"].sku, 14)["counted_at"] = ""
    manifest.add(
        "count-without-time",
        "A count says not when: what moved before it is unknown.",
        f"counts/{name}",
        {
            "count_line": "refused",
            "count": "LDN-0306",
            "location": floor.home(cast["untimed"].sku),
            "sku": cast["untimed"].sku,
        },
    )
    plain = floor.products[360]
    sheet.counted("A-19-01-1", plain.sku, 3)
    manifest.add(
        "count-in-no-place",
        "A count of a bin that is not on the floor plan.",
        f"counts/{name}",
        {"variance": 3, "count": "LDN-0306", "location": "A-19-01-1", "sku": plain.sku, "decision": "review"},
    )
    sheet.counted(floor.home(plain.sku), plain.sku, -4)
    manifest.add(
        "count-below-zero",
        "A count of minus four units.",
        f"counts/{name}",
        quarantined(name, len(sheet.rows) + 1, "quantity", subject=plain.sku),
    )


def _write_lesser_sheets(inbox: Inbox, manifest: TroubleList, floor: Floor) -> None:
    """OpenBoxes prints no warehouse and no time, ERPNext no place and no time."""
    name, listed = "openboxes-bins.xlsx", floor.products[370:374]
    rows: list[dict[str, object]] = [
        {
            "Product code": one.sku,
            "Product name": one.name,
            "Bin location": floor.home(one.sku),
            "OB QOH": floor.stock.units["MAIN", floor.home(one.sku), one.sku],
            "Physical QOH": floor.stock.units["MAIN", floor.home(one.sku), one.sku],
        }
        for one in listed
    ]
    inbox.workbook(f"counts/{name}", OPENBOXES, rows)
    manifest.add(
        "sheet-without-warehouse",
        "A count sheet of a system that prints neither building nor time.",
        f"counts/{name}",
        [quarantined(name, number, "warehouse", subject=one.sku) for number, one in enumerate(listed, start=2)],
    )
    name, listed = "erpnext-stock-reconciliation.csv", floor.products[500:503]
    cells: list[Row] = [
        {"Item Code": one.sku, "Warehouse": "Hearth Leeds", "Quantity": "20", "Valuation Rate": "9.50"}
        for one in listed
    ]
    inbox.text(f"counts/{name}", ("Item Code", "Warehouse", "Quantity", "Valuation Rate"), cells)
    manifest.add(
        "sheet-without-place",
        "A count sheet of a system that knows neither place nor time: the SKU's one place, and nothing compared.",
        f"counts/{name}",
        [
            {
                "count_line": "refused",
                "count": name.partition(".")[0],
                "location": floor.home(one.sku, "NORTH"),
                "sku": one.sku,
            }
            for one in listed
        ],
    )
    stray = "orders-for-the-office.csv"
    header = ("order_number", "line_number", "created_at", "currency", "sku", "quantity")
    line = {
        "order_number": "#20500",
        "line_number": "1",
        "created_at": utc(SNAPSHOT),
        "currency": "GBP",
        "sku": listed[0].sku,
        "quantity": "1",
    }
    inbox.text(f"counts/{stray}", header, [line])
    manifest.add(
        "wrong-folder",
        "Orders lie in the folder of count sheets.",
        f"counts/{stray}",
        refused(stray, "seems meant for the folder orders"),
    )
