"""What each shop, marketplace and warehouse system says, read from small files in its real header."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from project import SHARED
from real_exports import REAL, Reader, Row, said

from config.read import names, read
from tasks.inbox.layouts import Layout


@pytest.fixture
def reader(home: Path, tmp_path: Path) -> Reader:
    """A reader that knows every layout of the installation."""
    return Reader(tmp_path, [read(f"exports/{name}.yaml", Layout) for name in names("exports")])


# ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────
ORDER = {
    "Name": "#1001",
    "Email": "ada@example.org",
    "Financial Status": "paid",
    "Paid at": "2026-03-02 09:00:00 +0000",
    "Fulfillment Status": "unfulfilled",
    "Currency": "GBP",
    "Total": "25.00",
    "Refunded Amount": "0.00",
    "Shipping Method": "Express",
    "Created at": "2026-03-02 08:59:00 +0000",
    "Lineitem quantity": "2",
    "Lineitem name": "Mug, blue",
    "Lineitem price": "10.00",
    "Lineitem sku": "MUG-BLUE",
    "Lineitem requires shipping": "true",
    "Shipping Name": "Ada Byron",
    "Shipping Address1": "1 St James's Sq",
    "Shipping City": "London",
    "Shipping Zip": "'SW1Y 4JH",
    "Shipping Country": "GB",
    "Shipping Phone": "'+442079460000",
    "Source": "web",
}
SECOND_LINE = {"Name": "#1001", "Lineitem quantity": "1", "Lineitem name": "Spoon", "Lineitem price": "5.00",
               "Lineitem sku": "SPOON", "Lineitem requires shipping": "true"}  # fmt: skip


def test_a_shopify_order_is_said_once_and_holds_for_all_its_lines(reader: Reader) -> None:
    """What stands on the first row is the order's, lines are numbered, spreadsheet apostrophes are gone."""
    rows = reader.good(REAL["shopify_orders"], ORDER, SECOND_LINE, ORDER | {"Name": "#1002", "Source": "pos"})
    assert said(
        rows, "order_number", "line_number", "sku", "quantity", "unit_price_minor", "channel", "total_minor"
    ) == [
        ("#1001", 1, "MUG-BLUE", 2, 1000, "web", 2500),
        ("#1001", 2, "SPOON", 1, 500, "web", 2500),
        ("#1002", 1, "MUG-BLUE", 2, 1000, "pos", 2500),
    ]
    assert set(rows["postal_code"]) == {"SW1Y 4JH"}
    assert set(rows["phone"]) == {"+442079460000"}
    assert rows["paid_at"].notna().all()


def test_shopify_lines_of_an_order_need_not_follow_one_another(reader: Reader) -> None:
    """A sorted file brings the same order."""
    rows = reader.good(REAL["shopify_orders"], ORDER, ORDER | {"Name": "#1002"}, SECOND_LINE)
    assert said(rows, "order_number", "line_number", "email")[2] == ("#1001", 2, "ada@example.org")


@pytest.mark.parametrize(
    ("facts", "hold", "fulfilled"),
    [
        ({"Financial Status": "pending", "Paid at": ""}, "payment", False),
        ({"Financial Status": "authorized", "Paid at": ""}, "payment", False),
        ({"Fulfillment Status": "fulfilled", "Fulfilled at": "2026-03-02 10:00:00 +0000"}, None, True),
        ({"Fulfillment Status": "partial", "Fulfilled at": "2026-03-02 10:00:00 +0000"}, "manual", False),
        ({"Financial Status": "refunded", "Refunded Amount": "25.00"}, None, False),
    ],
)
def test_a_shopify_order_waits_for_its_money(reader: Reader, facts: Row, hold: str, fulfilled: bool) -> None:
    """Unpaid orders are held for payment, those sent in part for a person; only whole fulfilment counts as such."""
    rows = reader.good(REAL["shopify_orders"], ORDER | facts, SECOND_LINE)
    assert said(rows, "hold_reason") == [(hold,), (hold,)]
    assert rows.reindex(columns=["fulfilled_at"])["fulfilled_at"].notna().tolist() == [fulfilled, fulfilled]


def test_a_shopify_line_without_a_sku_is_refused_and_the_rest_stays(reader: Reader) -> None:
    """The rule says what is missing; the other line keeps its number."""
    judged = reader.judged(REAL["shopify_orders"], ORDER | {"Lineitem sku": ""}, SECOND_LINE)
    assert said(judged.faults, "row_number", "field", "check") == [(2, "sku", "required")]
    assert said(judged.typed, "sku", "line_number", "email") == [("SPOON", 2, "ada@example.org")]


def test_a_shopify_export_that_went_through_a_spreadsheet(reader: Reader) -> None:
    """Dates are read day first when the file shows that they are, on the merchant's clock."""
    day = {"Created at": "02/03/2026 08:59", "Paid at": "13/03/2026 09:00"}
    typed = replace(reader, day_first=True).good(REAL["shopify_orders"], ORDER | day)
    assert typed["created_at"].tolist() == [pd.Timestamp("2026-03-02 08:59", tz="UTC")]


AMAZON = {
    "order-id": "026-1", "order-item-id": "12345678901234", "purchase-date": "2026-03-02T08:00:00+00:00",
    "payments-date": "2026-03-02T08:30:00+00:00", "promise-date": "2026-03-04T23:00:00+00:00",
    "buyer-email": "x@marketplace.example", "sku": "MUG-BLUE", "quantity-purchased": "3", "currency": "GBP",
    "item-price": "29.97", "ship-service-level": "Expedited", "recipient-name": "Ada Byron", "ship-address-1": "1 Sq",
    "ship-city": "London", "ship-postal-code": "SW1Y 4JH", "ship-country": "GB",
}  # fmt: skip


def test_amazon_new_orders(reader: Reader) -> None:
    """The item id is the line's number; a line's price becomes a unit's only where it divides without a rest."""
    rows = reader.good(
        REAL["amazon_new_orders"],
        *(AMAZON | more for more in (
            {},
            {"order-item-id": "item-b", "item-price": "10.00"},
            {"order-id": "026-2", "order-item-id": "", "quantity-purchased": "1", "item-price": "7.5"},
        )),
    )  # fmt: skip
    assert said(rows, "order_number", "line_number", "quantity", "unit_price_minor", "channel") == [
        ("026-1", 12345678901234, 3, 999, "amazon"),
        ("026-1", 2, 3, None, "amazon"),
        ("026-2", 1, 1, 750, "amazon"),
    ]


def test_amazon_unshipped_orders(reader: Reader) -> None:
    """No price, a promised date, the marketplace's currency; what was sent in part waits for a person."""
    first = AMAZON | {"quantity-shipped": "0", "quantity-to-ship": "3"}
    rows = reader.good(REAL["amazon_unshipped_orders"], first, first | {"order-id": "026-2", "quantity-shipped": "1"})
    assert said(rows, "order_number", "quantity", "currency", "hold_reason", "ship_by") == [
        ("026-1", 3, "GBP", None, pd.Timestamp("2026-03-04 23:00", tz="UTC")),
        ("026-2", 3, "GBP", "manual", pd.Timestamp("2026-03-04 23:00", tz="UTC")),
    ]
    assert "unit_price_minor" not in rows


def test_amazon_all_orders(reader: Reader) -> None:
    """The order's state says what it has reached; what Amazon's own warehouse sends is not ours."""
    order = {
        "purchase-date": "2026-03-02T08:00:00+00:00",
        "last-updated-date": "2026-03-03T10:00:00+00:00",
        "sku": "MUG",
        "fulfillment-channel": "Merchant",
        "quantity": "1",
        "currency": "GBP",
        "item-price": "9.99",
        "ship-country": "GB",
    }
    states = ["Unshipped", "Shipped", "Cancelled", "Pending"]
    files = [order | {"amazon-order-id": f"026-{number}", "order-status": state} for number, state in enumerate(states)]
    files.append(files[0] | {"fulfillment-channel": "Amazon", "amazon-order-id": "026-9"})
    rows = reader.good(REAL["amazon_all_orders"], *files)
    there = rows[["paid_at", "fulfilled_at", "cancelled_at"]].notna()
    assert there.to_numpy().tolist() == [
        [True, False, False],
        [True, True, False],
        [False, False, True],
        [False, False, False],
    ]
    assert said(rows, "hold_reason") == [(None,), (None,), (None,), ("payment",)]


DETAILS = (
    "Product ID: 1, Product Qty: 2, Product SKU: MUG-BLUE, Product Name: Mug, blue | large, Product Weight: 0.4000, "
    "Product Variation Details: , Product Unit Price: 10.00, Product Total Price: 20.00|Product ID: 2, Product Qty: 1, "
    "Product SKU: , Product Name: Spoon, Product Weight: 0.1000, Product Variation Details: Colour: Red, Product Unit "
    "Price: 5.00, Product Total Price: 5.00"
)
PLACED = {
    "Order ID": "100",
    "Customer Email": "ada@example.org",
    "Order Date": "2026-03-02",
    "Order Status": "Awaiting Shipment",
    "Order Total (inc tax)": "25.00",
    "Order Currency Code": "GBP",
    "Shipping Country": "United Kingdom",
    "Channel Name": "Storefront",
}


def test_bigcommerce_lines_are_unpacked(reader: Reader) -> None:
    """A name may hold commas and bars; the line without a SKU is refused with its whole order's row."""
    good = {"Product Details": DETAILS.replace("SKU: ,", "SKU: SPOON,")}
    rows = reader.good(REAL["bigcommerce_orders"], PLACED | good)
    assert said(rows, "row_number", "line_number", "sku", "name", "quantity", "unit_price_minor") == [
        (2, 1, "MUG-BLUE", "Mug, blue | large", 2, 1000),
        (2, 2, "SPOON", "Spoon", 1, 500),
    ]
    judged = reader.judged(REAL["bigcommerce_orders"], PLACED | {"Product Details": DETAILS}, PLACED | good)
    assert said(judged.faults, "row_number", "field", "check") == [(2, "sku", "required")]
    assert judged.typed["row_number"].tolist() == [3, 3]


@pytest.mark.parametrize("details", ["", "Gift wrapping", "Product ID: 1, Product SKU: A"])
def test_bigcommerce_lines_that_cannot_be_read_are_refused(reader: Reader, details: str) -> None:
    """An order whose lines are not understood is not lost."""
    judged = reader.judged(REAL["bigcommerce_orders"], PLACED | {"Product Details": details})
    assert set(judged.faults["row_number"]) == {2}
    assert "sku" in set(judged.faults["field"])


def test_bigcommerce_states(reader: Reader) -> None:
    """Unpaid, cancelled and shipped orders come in as such."""
    packed = PLACED | {"Product Details": DETAILS.replace("SKU: ,", "SKU: SPOON,"), "Date Shipped": "2026-03-03"}
    states = ["Awaiting Payment", "Cancelled", "Completed", "Manual Verification Required"]
    rows = reader.good(REAL["bigcommerce_orders"], *(packed | {"Order ID": one, "Order Status": one} for one in states))
    rows = rows[rows["line_number"] == 1]
    assert rows[["paid_at", "cancelled_at", "fulfilled_at"]].notna().to_numpy().tolist() == [
        [False, False, False],
        [False, True, False],
        [True, False, True],
        [True, False, False],
    ]
    assert said(rows, "hold_reason") == [("payment",), (None,), (None,), ("fraud",)]


# ── stock ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_shopify_inventory_of_2024(reader: Reader) -> None:
    """Unavailable units are kept apart, so that both together are on hand; where goods are not stocked is no record."""
    nowhere = dict.fromkeys(REAL["shopify_inventory_2024"].header[13:18], "not stocked")
    one = {"SKU": "MUG", "Location": "London", "Bin name": "A-01", "Unavailable (not editable)": "2",
           "Committed (not editable)": "3", "Available (not editable)": "5", "On hand (current)": "10"}  # fmt: skip
    rows = reader.good(
        REAL["shopify_inventory_2024"],
        one,
        one | {"Location": "Leeds"} | nowhere,
        one | {"SKU": "SPOON", "Unavailable (not editable)": "0", "On hand (current)": "0"},
    )
    assert said(rows, "row_number", "warehouse", "location", "sku", "condition", "on_hand") == [
        (2, "London", "A-01", "MUG", "available", 8),
        (2, "London", "A-01", "MUG", "quarantine", 2),
        (4, "London", "A-01", "SPOON", "available", 0),
    ]


def test_shopify_inventory_of_2023(reader: Reader) -> None:
    """Without a number on hand it is available + committed + unavailable; oversold stock is below nothing."""
    one = {"SKU": "MUG", "Location": "London", "Unavailable": "1", "Committed": "2", "Available": "3"}
    rows = reader.good(REAL["shopify_inventory_2023"], one, one | {"Available": "-5", "Unavailable": "0"})
    assert said(rows, "sku", "condition", "on_hand") == [
        ("MUG", "available", 5),
        ("MUG", "quarantine", 1),
        ("MUG", "available", -3),
    ]


def test_shopify_inventory_with_a_column_a_location(reader: Reader) -> None:
    """The columns the shop named are its places; not stocked is not 0, blank is not 0 either."""
    judged = reader.judged(
        REAL["shopify_inventory_legacy"],
        {"SKU": "MUG", "Tartu mnt 50-4": "4", "Warehouse": "not stocked"},
        {"SKU": "SPOON", "Tartu mnt 50-4": "0", "Warehouse": "7"},
        {"SKU": "FORK", "Tartu mnt 50-4": "not stocked", "Warehouse": "not stocked"},
        {"SKU": "KNIFE", "Tartu mnt 50-4": "1", "Warehouse": ""},
        {"SKU": "", "Tartu mnt 50-4": "1", "Warehouse": "1"},
    )  # fmt: skip
    assert said(judged.typed, "row_number", "warehouse", "sku", "on_hand") == [
        (2, "Tartu mnt 50-4", "MUG", 4),
        (3, "Tartu mnt 50-4", "SPOON", 0),
        (3, "Warehouse", "SPOON", 7),
    ]
    assert set(said(judged.faults, "row_number", "field")) == {(5, "on_hand"), (6, "sku")}


def test_amazon_fba_inventory(reader: Reader) -> None:
    """Fulfillable, unsellable and reserved units are three conditions; goods Amazon does not keep are no record."""
    one = {"sku": "MUG", "afn-listing-exists": "Yes", "afn-fulfillable-quantity": "7", "afn-unsellable-quantity": "1",
           "afn-reserved-quantity": "2", "afn-warehouse-quantity": "10"}  # fmt: skip
    rows = reader.good(REAL["amazon_fba_inventory"], one, {"sku": "SPOON", "afn-listing-exists": "No"})
    assert said(rows, "warehouse", "sku", "condition", "on_hand") == [
        ("FBA", "MUG", "available", 7),
        ("FBA", "MUG", "damaged", 1),
        ("FBA", "MUG", "quarantine", 2),
    ]


def test_shiphero_sync_replaces_or_is_refused(reader: Reader) -> None:
    """Only REPLACE says what is on hand."""
    one = {"sku": "MUG", "quantity": "4", "action": "REPLACE"}
    judged = reader.judged(REAL["shiphero_inventory"], one, one | {"action": "ADD"})
    assert said(judged.typed, "warehouse", "sku", "on_hand") == [("MAIN", "MUG", 4)]
    assert said(judged.faults, "row_number", "field", "check") == [(3, "on_hand", "required")]


# ── products ─────────────────────────────────────────────────────────────────────────────────────────────────────
def test_woocommerce_products(reader: Reader) -> None:
    """Kilograms become grams, centimetres millilitres; a frame for variations is not goods."""
    one = {"ID": "1", "Type": "simple", "SKU": "MUG", "Name": "Mug", "Weight (kg)": "0.4", "Length (cm)": "10",
           "Width (cm)": "8", "Height (cm)": "9.5", "Regular price": "10.00", "Categories": "Kitchen",
           "Low stock amount": "5"}  # fmt: skip
    rows = reader.good(
        REAL["woocommerce_products"],
        one,
        one | {"Type": "variable", "SKU": ""},
        one | {"Type": "variation", "SKU": "MUG-L", "Weight (kg)": "0,45", "Height (cm)": ""},
    )
    assert said(rows, "sku", "weight_g", "volume_ml", "unit_price_minor", "reorder_point") == [
        ("MUG", 400, 760, 1000, 5),
        ("MUG-L", 450, None, 1000, 5),
    ]


def test_a_weight_that_is_no_number_is_refused(reader: Reader) -> None:
    """It is quoted as it stands in the file."""
    judged = reader.judged(REAL["woocommerce_products"], {"SKU": "MUG", "Type": "simple", "Weight (kg)": "heavy"})
    (reason,) = judged.faults["reason"]
    assert reason.startswith("weight_g: found 'heavy'")


def test_shopify_products(reader: Reader) -> None:
    """A variant takes the product's title; a row that only holds a picture is no product."""
    one = {"Handle": "mug", "Title": "Mug", "Type": "Kitchen", "Variant SKU": "MUG-B", "Variant Grams": "400.0",
           "Variant Price": "10.00", "Variant Barcode": "'5012345678900", "Cost per item": "4.20"}  # fmt: skip
    rows = reader.good(
        REAL["shopify_products"],
        one,
        {"Handle": "mug", "Image Src": "https://shop.example/2.jpg"},
        {"Handle": "mug", "Variant SKU": "MUG-R", "Variant Grams": "410", "Variant Price": "11"},
    )
    assert said(rows, "row_number", "sku", "name", "category", "weight_g", "barcode", "unit_cost_minor") == [
        (2, "MUG-B", "Mug", "Kitchen", 400, "5012345678900", 420),
        (4, "MUG-R", "Mug", "Kitchen", 410, None, None),
    ]


def test_spree_products(reader: Reader) -> None:
    """Each row says its own units."""
    one = {"slug": "mug", "sku": "MUG", "name": "Mug", "price": "10.00", "currency": "EUR", "weight": "1",
           "weight_unit": "lb", "width": "4", "height": "4", "depth": "4", "dimensions_unit": "in"}  # fmt: skip
    rows = reader.good(
        REAL["spree_products"], one, {"slug": "mug", "sku": "MUG-L", "weight": "500", "weight_unit": "g"}
    )
    assert said(rows, "sku", "name", "weight_g", "volume_ml", "currency") == [
        ("MUG", "Mug", 454, 1049, "EUR"),
        ("MUG-L", "Mug", 500, None, None),
    ]


def test_medusa_products(reader: Reader) -> None:
    """A semicolon file; the barcode is the variant's own or its EAN, the price that of the configured currency."""
    one = {
        "Product Id": "p",
        "Product Handle": "mug",
        "Product Title": "Mug",
        "Variant Id": "v",
        "Variant Sku": "MUG",
        "Variant Ean": "4006381333931",
        "Variant Price EUR": "12.5",
        "Variant Price USD": "14",
        "Variant Weight": "400",
        "Product Origin Country": "de",
    }
    rows = reader.good(REAL["medusa_products"], one)
    assert said(rows, "sku", "name", "barcode", "unit_price_minor", "currency", "weight_g", "country_of_origin") == [
        ("MUG", "Mug", "4006381333931", 1250, "EUR", 400, "DE")
    ]


def test_openboxes_inventory_levels(reader: Reader) -> None:
    """When to order again."""
    rows = reader.good(
        REAL["openboxes_inventory_levels"],
        {"Product code": "MUG", "Product": "Mug", "Min quantity": "5", "Reorder quantity": "20"},
    )
    assert said(rows, "sku", "reorder_point") == [("MUG", 20)]


def test_openboxes_supply(reader: Reader) -> None:
    """Who sells it, how long it takes, and between which stocks it is kept."""
    rows = reader.good(
        REAL["openboxes_supply"],
        {"Product code": "MUG", "Product": "Mug", "Vendor": "Potters", "Vendor code": "P-1", "Package Size": "12",
         "Min quantity": "5", "Reorder quantity": "20", "Max quantity": "90", "Expected Lead Time Days": "14"},
    )  # fmt: skip
    told = said(rows, "sku", "supplier", "supplier_sku", "order_multiple", "stock_min", "stock_max", "lead_days")
    assert told == [("MUG", "Potters", "P-1", 12, 20, 90, 14.0)]


# ── returns, movements, shipments ────────────────────────────────────────────────────────────────────────────────
def test_amazon_fba_returns(reader: Reader) -> None:
    """What Amazon found becomes a grade; a disposition nobody knows is refused."""
    one = {"return-date": "2026-03-05T10:00:00+00:00", "order-id": "026-1", "sku": "MUG", "quantity": "1",
           "detailed-disposition": "SELLABLE", "license-plate-number": "LPN1"}  # fmt: skip
    judged = reader.judged(REAL["amazon_fba_returns"], one, one | {"detailed-disposition": "CUSTOMER_DAMAGED"},
                           one | {"detailed-disposition": "MELTED"})  # fmt: skip
    assert said(judged.typed, "rma", "order_number", "grade") == [
        ("LPN1", "026-1", "as_new"),
        ("LPN1", "026-1", "damaged_by_customer"),
    ]
    assert said(judged.faults, "row_number", "field") == [(4, "grade")]


def test_amazon_seller_returns(reader: Reader) -> None:
    """The request's day is read, the resolution is a refund unless another unit is asked for."""
    one = {"Order ID": "026-1", "Return request date": "05-Mar-2026", "Amazon RMA ID": "R1", "Merchant SKU": "MUG",
           "Return quantity": "1", "Return Reason": "CR-DEFECTIVE", "Resolution": "StandardRefund"}  # fmt: skip
    rows = reader.good(REAL["amazon_seller_returns"], one, one | {"Amazon RMA ID": "R2", "Resolution": "Replacement"})
    assert said(rows, "request_id", "order_number", "resolution", "reason") == [
        ("R1", "026-1", "refund", "CR-DEFECTIVE"),
        ("R2", "026-1", "replacement", "CR-DEFECTIVE"),
    ]
    assert set(rows["requested_at"]) == {pd.Timestamp("2026-03-05", tz="UTC")}


def test_amazon_fba_adjustments(reader: Reader) -> None:
    """Signed units of a condition, once for each transaction item."""
    one = {"adjusted-date": "2026-03-05T10:00:00+00:00", "transaction-item-id": "T1", "sku": "MUG", "quantity": "-1",
           "fulfillment-center-id": "LTN1", "reason": "M", "disposition": "SELLABLE"}  # fmt: skip
    rows = reader.good(REAL["amazon_fba_adjustments"], one,
                       one | {"transaction-item-id": "T2", "disposition": "WAREHOUSE_DAMAGED"})  # fmt: skip
    assert said(rows, "movement_id", "warehouse", "sku", "condition", "quantity", "kind", "document") == [
        ("T1", "FBA", "MUG", "available", -1, "adjust", "LTN1"),
        ("T2", "FBA", "MUG", "damaged", -1, "adjust", "LTN1"),
    ]


def test_shipstation_shipped_items(reader: Reader) -> None:
    """Dates are American; a carrier is taken when the shop chose the column."""
    one = {
        "Order - Number": "#1001",
        "Date - Shipped Date": "3/2/2026 4:05:00 PM",
        "Item - SKU": "MUG",
        "Item - Qty": "2",
        "Shipment - Tracking Number": "1Z999",
    }
    real = REAL["shipstation_shipped_items"]
    wider = real._replace(header=(*real.header, "Shipment - Tracking Number"))
    rows = reader.good(wider, one)
    assert said(rows, "order_number", "sku", "quantity", "tracking_number", "shipped_at") == [
        ("#1001", "MUG", 2, "1Z999", pd.Timestamp("2026-03-02 16:05", tz="UTC"))
    ]


# ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_count_sheets_say_what_was_found_where(reader: Reader) -> None:
    """Each system's sheet, with a place that was not counted, which is not a place with nothing in it."""
    sheet = {"Product code": "MUG", "Lot number": "L1", "Expiration date": "31/Dec/2026", "Bin location": "A-01",
             "OB QOH": "5", "Physical QOH": "4"}  # fmt: skip
    rows = reader.good(REAL["openboxes_count_sheet"], sheet, sheet | {"Bin location": "A-02", "Physical QOH": ""})
    assert said(rows, "count_id", "location", "sku", "lot", "expires_on", "quantity") == [
        ("export", "A-01", "MUG", "L1", "2026-12-31", 4),
        ("export", "A-02", "MUG", "L1", "2026-12-31", None),
    ]
    cycle = {"cycleCountId": "CC7", "productCode": "MUG", "lotNumber": "L1", "binLocation": "A-01",
             "quantityCounted": "0", "assignee": "Bea", "dateCounted": "2026-03-05"}  # fmt: skip
    rows = reader.good(REAL["openboxes_cycle_count"], cycle)
    assert said(rows, "count_id", "location", "quantity", "counter") == [("CC7", "A-01", 0, "Bea")]
    rows = reader.good(
        REAL["erpnext_stock_reconciliation"], {"Item Code": "MUG", "Warehouse": "Stores - H", "Quantity": "4.0"}
    )
    assert said(rows, "warehouse", "sku", "quantity") == [("Stores - H", "MUG", 4)]
    found = {"bin_name": "A-01", "goods_code": "MUG", "goods_qty": "5", "physical_inventory": "4", "difference": "-1",
             "creater": "bea", "update_time": "2026-03-05 10:00:00"}  # fmt: skip
    rows = reader.good(REAL["greaterwms_cycle_count"], found)
    assert said(rows, "location", "sku", "quantity", "counter") == [("A-01", "MUG", 4, "bea")]


def test_odoo_places_are_paths(reader: Reader) -> None:
    """The first step is the warehouse, the last the place, and the SKU stands before the name in brackets."""
    rows = reader.good(
        REAL["odoo_inventory_quantities"],
        {"product": "[MUG-B] Mug, blue", "location": "WH/Stock/Shelf A/A-01", "inventoried_quantity": "4"},
        {"product": "MUG-R", "location": "WH/Stock", "inventoried_quantity": "3"},
    )
    assert said(rows, "warehouse", "location", "sku", "quantity") == [
        ("WH", "A-01", "MUG-B", 4),
        ("WH", None, "MUG-R", 3),
    ]
    quant = {"location_id": "WH/Stock/A-01", "product_id": "MUG", "lot_id": "L1", "inventory_quantity": "2"}
    rows = reader.good(REAL["odoo_quants"], quant)
    assert said(rows, "warehouse", "location", "sku", "lot", "quantity") == [("WH", "A-01", "MUG", "L1", 2)]


# ── Online Retail ────────────────────────────────────────────────────────────────────────────────────────────────
INVOICE = {"InvoiceNo": "536365", "StockCode": "85123A", "Description": "HEART", "Quantity": "6",
           "InvoiceDate": "2010-12-01 08:26:00", "UnitPrice": "2.55", "CustomerID": "17850.0",
           "Country": "United Kingdom"}  # fmt: skip
DAY = [
    INVOICE,
    INVOICE | {"StockCode": "POST", "Quantity": "1", "UnitPrice": "18.00"},
    INVOICE | {"StockCode": "22752", "Quantity": "2", "UnitPrice": "7.65", "Country": "EIRE"},
    INVOICE | {"InvoiceNo": "C536379", "Quantity": "-1"},
    INVOICE | {"InvoiceNo": "C536379", "Quantity": "-2"},
    INVOICE | {"InvoiceNo": "C536379", "StockCode": "D", "Quantity": "-1", "UnitPrice": "27.50"},
    INVOICE
    | {"InvoiceNo": "536589", "Quantity": "-10", "UnitPrice": "0.0", "CustomerID": "", "Description": "damages"},
    INVOICE | {"InvoiceNo": "536414", "Quantity": "56", "UnitPrice": "0.0", "CustomerID": "", "Description": ""},
    INVOICE | {"InvoiceNo": "536544", "StockCode": "gift_0001_40", "Quantity": "1"},
]


def test_online_retail_invoices_are_orders(reader: Reader) -> None:
    """Goods only; postage counts in the total, a line keeps its position, a customer number loses its decimals."""
    rows = reader.good(REAL["online_retail_orders"], *DAY)
    assert said(rows, "row_number", "order_number", "line_number", "sku", "quantity", "total_minor", "country") == [
        (2, "536365", 1, "85123A", 6, 4860, "GB"),
        (4, "536365", 3, "22752", 2, 4860, "IE"),
    ]
    assert set(rows["customer_reference"]) == {"17850"}
    assert (rows["paid_at"] == rows["created_at"]).all()


def test_online_retail_credit_notes_are_returns(reader: Reader) -> None:
    """Units become positive, the same goods twice in a note are one request, a discount is none."""
    rows = reader.good(REAL["online_retail_returns"], *DAY)
    assert said(rows, "row_number", "request_id", "sku", "quantity", "customer_reference") == [
        (5, "C536379", "85123A", 3, "17850")
    ]


def test_online_retail_adjustments_are_movements(reader: Reader) -> None:
    """Free invoices to nobody correct the stock, up as well as down."""
    rows = reader.good(REAL["online_retail_movements"], *DAY)
    assert said(rows, "row_number", "movement_id", "sku", "quantity", "kind") == [
        (8, "536589-1", "85123A", -10, "adjust"),
        (9, "536414-1", "85123A", 56, "adjust"),
    ]


@pytest.mark.skipif(not (SHARED / "data" / "online_retail").is_dir(), reason="the Online Retail days are not here")
def test_every_row_of_the_real_days_is_taken_once_or_is_no_goods(reader: Reader) -> None:
    """Orders, returns and movements of a real day share no row; what none of them takes is a charge or a summed row."""
    kinds = ("orders", "return_requests", "movements")
    for path in sorted((SHARED / "data" / "online_retail").glob("*.csv")):
        cells = pd.read_csv(path, dtype="str", keep_default_na=False)
        cells.index = pd.RangeIndex(2, 2 + len(cells))
        parts = [reader.translated(kind, path).rows["row_number"] for kind in kinds]
        taken = pd.concat(parts)
        assert taken.is_unique
        left = cells.drop(index=taken)
        goods = left[left["StockCode"].str.match(r"\d|DCGS")]
        assert goods["InvoiceNo"].str.startswith("C").all()
        assert goods.set_index(["InvoiceNo", "StockCode"]).index.isin(
            cells.loc[parts[1]].set_index(["InvoiceNo", "StockCode"]).index
        ).all()  # fmt: skip
