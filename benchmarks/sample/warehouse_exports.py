"""What lies where on Friday morning, what moved since six, what was counted: the warehouse systems' own exports."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from benchmarks.sample.catalogue import A_CLASS, Place, Product, Stock
from benchmarks.sample.order_exports import Row, pounds
from benchmarks.sample.orders import FRIDAY, LEEDS_ONLY, ORDINARY, at
from benchmarks.sample.planted_products import CAST

SNAPSHOT = at(FRIDAY, "06:00")
NOON = at(FRIDAY, "12:00")
STOCK = ("merchant", "warehouse", "location", "sku", "condition", "lot", "on_hand", "snapshot_at")
MOVEMENTS = ("movement_id", "merchant", "warehouse", "location", "sku", "condition", "lot", "quantity", "kind",
             "reason", "document", "occurred_at")  # fmt: skip
LOCATIONS = ("warehouse", "location", "purpose", "zone", "aisle", "bay", "level", "x_m", "y_m")
PRODUCTS = ("sku", "name", "barcode", "weight_g", "volume_ml", "abc_class", "unit_cost", "unit_price", "currency",
            "category", "country_of_origin", "is_final_sale", "reorder_point", "components")  # fmt: skip
COUNTS = ("count_id", "merchant", "warehouse", "location", "sku", "condition", "lot", "expires_on", "quantity",
          "counter", "counted_at", "comment")  # fmt: skip


def utc(moment: datetime) -> str:
    """As canonical exports write a moment."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class Floor:
    """The two warehouses on Friday at six."""

    products: Sequence[Product]
    places: Sequence[Place]
    stock: Stock = field(default_factory=Stock)
    free: dict[str, list[str]] = field(default_factory=dict)  # empty pick places by warehouse

    def home(self, sku: str, warehouse: str = "MAIN") -> str:
        """The first place of a SKU."""
        return self.stock.places(warehouse, sku)[0]

    def put(self, warehouse: str, sku: str, units: int) -> str:
        """Lay units in the next empty pick place."""
        place = self.free[warehouse].pop(0)
        self.stock.units[warehouse, place, sku] = units
        return place


def floor(random: np.random.Generator, products: Sequence[Product], places: Sequence[Place]) -> Floor:
    """Lay the ordinary products out: the most wanted in two places of London and one of Leeds, with a reserve."""
    warehouse_floor = Floor(products, places)
    for warehouse in ("MAIN", "NORTH"):
        empty = [place.code for place in places if place.warehouse == warehouse and place.purpose == "pick"]
        warehouse_floor.free[warehouse] = [empty[int(one)] for one in random.permutation(len(empty))]
    reserve = iter([place.code for place in places if place.purpose == "reserve" and place.warehouse == "MAIN"])
    for rank, product in enumerate(products[:ORDINARY]):
        _lay(random, warehouse_floor, rank, product)
        if rank < 40:
            warehouse_floor.stock.units["MAIN", next(reserve), product.sku] = 48
    parts = dict(CAST.values())
    for rank in range(ORDINARY, len(products)):
        warehouse_floor.put("MAIN", products[rank].sku, parts.get(rank, 6))
    return warehouse_floor


def _lay(random: np.random.Generator, warehouse_floor: Floor, rank: int, product: Product) -> None:
    if rank in LEEDS_ONLY:
        warehouse_floor.put("NORTH", product.sku, int(random.integers(20, 40)))
    elif product.abc_class == "A":
        for _ in range(2):
            warehouse_floor.put("MAIN", product.sku, int(random.integers(60, 140)))
        warehouse_floor.put("NORTH", product.sku, int(random.integers(70, 120)))
    elif product.abc_class == "B":
        warehouse_floor.put("MAIN", product.sku, int(random.integers(24, 60)))
        warehouse_floor.put("NORTH", product.sku, int(random.integers(16, 30)))
    else:
        warehouse_floor.put("MAIN", product.sku, int(random.integers(12, 30)))


# ── products and places ──────────────────────────────────────────────────────────────────────────────────────────
def location_rows(places: Sequence[Place]) -> list[Row]:
    """Every place of both warehouses."""
    return [
        {
            "warehouse": one.warehouse, "location": one.code, "purpose": one.purpose, "zone": one.zone,
            "aisle": one.aisle, "bay": one.bay, "level": one.level, "x_m": f"{one.x_m:.1f}", "y_m": f"{one.y_m:.1f}",
        }
        for one in places
    ]  # fmt: skip


def product_rows(products: Sequence[Product]) -> list[Row]:
    """What the shop's system does not say: barcodes, costs, classes."""
    return [
        {
            "sku": one.sku, "name": one.name, "barcode": one.barcode, "weight_g": str(one.weight_g),
            "volume_ml": str(one.volume_ml), "abc_class": one.abc_class, "unit_cost": pounds(one.unit_cost),
            "unit_price": pounds(one.unit_price), "currency": "GBP", "category": one.category,
            "country_of_origin": "GB", "is_final_sale": "yes" if one.is_final_sale else "no",
            "reorder_point": "" if one.reorder_point is None else str(one.reorder_point),
        }
        for one in products
    ]  # fmt: skip


def woocommerce_rows(products: Sequence[Product]) -> list[Row]:
    """The products as the shop's web pages show them, by name."""
    listed = sorted(products, key=lambda one: one.sku)
    return [
        {
            "ID": str(1_000 + number), "Type": "simple", "SKU": one.sku, "Name": one.name, "Published": "1",
            "Is featured?": "0", "Visibility in catalog": "visible", "Tax status": "taxable", "In stock?": "1",
            "Backorders allowed?": "0", "Sold individually?": "0", "Weight (kg)": f"{one.weight_g / 1000:.3f}",
            "Allow customer reviews?": "1", "Regular price": pounds(one.unit_price), "Categories": one.category,
            "Position": "0",
        }
        for number, one in enumerate(listed)
    ]  # fmt: skip


# ── stock ────────────────────────────────────────────────────────────────────────────────────────────────────────
def stock_rows(warehouse_floor: Floor, warehouse: str, snapshot: datetime) -> list[Row]:
    """The warehouse system's own list of what lies where."""
    return [
        {
            "merchant": "HEARTH", "warehouse": house, "location": place, "sku": sku, "condition": "available",
            "on_hand": str(units), "snapshot_at": utc(snapshot),
        }
        for (house, place, sku), units in sorted(warehouse_floor.stock.units.items())
        if house == warehouse
    ]  # fmt: skip


def shopify_stock_rows(warehouse_floor: Floor) -> list[Row]:
    """Leeds as the shop's inventory page exports it: every SKU has a row, also those the location does not stock."""
    rows = []
    for product in sorted(warehouse_floor.products, key=lambda one: one.name):
        stocked_places = warehouse_floor.stock.places("NORTH", product.sku)
        for place in stocked_places or [""]:
            units = str(warehouse_floor.stock.units["NORTH", place, product.sku]) if stocked_places else "not stocked"
            rows.append(_shopify_stock_row(product, place, units))
    return rows


def _shopify_stock_row(product: Product, place: str, units: str) -> Row:
    stocked = units != "not stocked"
    return {
        "Handle": product.name.lower().replace(",", "").replace(" ", "-"),
        "Title": product.name,
        "Option1 Name": "Title",
        "Option1 Value": "Default Title",
        "SKU": product.sku,
        "COO": "GB",
        "Location": "Hearth Leeds",
        "Bin name": place,
        "Incoming (not editable)": "0" if stocked else units,
        "Unavailable (not editable)": "0" if stocked else units,
        "Committed (not editable)": "0" if stocked else units,
        "Available (not editable)": units,
        "On hand (current)": units,
    }


# ── movements ────────────────────────────────────────────────────────────────────────────────────────────────────
def movement(number: int, place: str, sku: str, units: int, kind: str, reason: str, when: datetime) -> Row:
    """One signed movement in London."""
    return {
        "movement_id": f"MV-{number:05}", "merchant": "HEARTH", "warehouse": "London", "location": place, "sku": sku,
        "condition": "available", "quantity": str(units), "kind": kind, "reason": reason,
        "document": f"GRN-{number // 10}" if kind == "receipt" else "", "occurred_at": utc(when),
    }  # fmt: skip


def movement_rows(warehouse_floor: Floor) -> list[Row]:
    """Friday morning's receipts, transfers from the reserve, and two broken units."""
    rows, when = [], at(FRIDAY, "07:10")
    for number, product in enumerate(warehouse_floor.products[A_CLASS : A_CLASS + 22]):
        when += timedelta(minutes=3)
        rows.append(
            movement(5000 + number, warehouse_floor.home(product.sku), product.sku, 24, "receipt", "delivery", when)
        )
    for number, product in enumerate(warehouse_floor.products[:6]):
        first, *_, reserve = warehouse_floor.stock.places("MAIN", product.sku)
        when += timedelta(minutes=4)
        for place, units in ((reserve, -12), (first, 12)):
            moved = movement(5100 + 2 * number + (units > 0), place, product.sku, units, "transfer", "refill", when)
            rows.append(moved)
    for number, product in enumerate(warehouse_floor.products[60:62]):
        rows.append(
            movement(5200 + number, warehouse_floor.home(product.sku), product.sku, -1, "scrap", "broken", when)
        )
    return rows


# ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass
class CountSheet:
    """A sheet being filled."""

    count_id: str
    counter: str
    when: datetime
    rows: list[Row] = field(default_factory=list)

    def counted(self, place: str, sku: str, units: int | str, comment: str = "") -> Row:
        """Write down one place, a minute and a half after the one before."""
        self.when += timedelta(seconds=90)
        row = {
            "count_id": self.count_id, "merchant": "HEARTH", "warehouse": "MAIN", "location": place, "sku": sku,
            "condition": "available", "quantity": str(units), "counter": self.counter, "counted_at": utc(self.when),
            "comment": comment,
        }  # fmt: skip
        self.rows.append(row)
        return row
