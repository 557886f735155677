"""Adjustments in the layouts other systems import: which columns, and whether quantities are differences or new levels.

Only the canonical file holds differences. The others are absolute: importing one twice changes nothing, importing an
older one undoes what came later. Layouts are called as those in config/exports, by which the same systems are read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tasks.domain.money import in_major_units

CANONICAL = ("warehouse", "location", "merchant", "sku", "condition", "lot", "quantity_delta", "reason", "counted_at",
             "count")  # fmt: skip
ADJUSTED_PLACE_KEY = ["location", "merchant", "sku", "lot"]


@dataclass(frozen=True)
class AdjustmentFile:
    """In which layout a warehouse's own system takes adjustments, and what it calls the warehouse."""

    layout: str = "canonical"
    location: str = ""

    def __post_init__(self) -> None:
        if self.layout not in ("canonical", *LAYOUTS):
            raise ValueError(f"adjustments: layout {self.layout!r} is not one of canonical, {', '.join(LAYOUTS)}")
        if self.layout != "canonical" and not self.location:
            raise ValueError(f"adjustments: layout {self.layout} needs a location: what the system calls the warehouse")


def canonical(adjusted: pd.DataFrame) -> pd.DataFrame:
    """The differences posted, one row per move. An outgoing document: the inbox refuses it or finds no count in it."""
    return adjusted[list(CANONICAL)].reset_index(drop=True)


def adjustment_file(wanted: AdjustmentFile, adjusted: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """What one warehouse's system is to import after these adjustments.

    `adjusted`: its moves: location, merchant, sku, condition, lot, quantity_delta int64, reason, count.
    `levels`: what its ledger then said of the SKUs adjusted, every place and condition: location, merchant, sku, lot,
    on_hand int64, name, unit_cost_minor Int64, currency, expires_on. Rows in the order of location and SKU.
    """
    return LAYOUTS[wanted.layout](wanted.location, adjusted, levels)


def _places(adjusted: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """One row per place and lot adjusted: on_hand, before, name, expires_on, comment; all conditions together."""
    facts = {"on_hand": ("on_hand", "sum"), "name": ("name", "first"), "expires_on": ("expires_on", "first")}
    now = levels.groupby(ADJUSTED_PLACE_KEY, sort=True).agg(**facts).reset_index()
    why = adjusted["reason"].fillna("") + " " + adjusted["count"].fillna("")
    moved = adjusted.assign(comment=why.str.strip()).groupby(ADJUSTED_PLACE_KEY, sort=True)
    both = (
        moved.agg(delta=("quantity_delta", "sum"), comment=("comment", "first"))
        .reset_index()
        .merge(now, on=ADJUSTED_PLACE_KEY)
    )
    return both.assign(before=both["on_hand"] - both["delta"])


def _skus(adjusted: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """One row per SKU adjusted, places and conditions together: on_hand, before, name, unit_cost_minor, currency."""
    key = ["merchant", "sku"]
    facts = {name: (name, "first") for name in ("name", "unit_cost_minor", "currency")}
    now = levels.groupby(key, sort=True).agg(on_hand=("on_hand", "sum"), **facts).reset_index()
    both = adjusted.groupby(key, sort=True)["quantity_delta"].sum().rename("delta").reset_index().merge(now, on=key)
    return both.assign(before=both["on_hand"] - both["delta"])


def _shopify(location: str, adjusted: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """Shopify's inventory import of 2024 and later: it reads `On hand (new)`. Handle and options it alone can fill."""
    rows = _skus(adjusted, levels)
    cells: dict[str, Any] = {"Title": rows["name"].fillna(""), "SKU": rows["sku"], "Location": location,
            "On hand (current)": rows["before"], "On hand (new)": rows["on_hand"]}  # fmt: skip
    return pd.DataFrame("", index=rows.index, columns=list(SHOPIFY_COLUMNS)).assign(**cells)


def _openboxes(_location: str, adjusted: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    rows = _places(adjusted, levels)
    return pd.DataFrame(
        {
            "Product code": rows["sku"], "Product name": rows["name"], "Lot number": rows["lot"],
            "Expiration date": rows["expires_on"], "Bin location": rows["location"], "OB QOH": rows["before"],
            "Physical QOH": rows["on_hand"], "Comment": rows["comment"],
        }
    )  # fmt: skip


def _odoo(location: str, adjusted: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    rows = _places(adjusted, levels).groupby(["location", "merchant", "sku"], sort=True)["on_hand"].sum().reset_index()
    path = location.rstrip("/") + "/" + rows["location"]
    return pd.DataFrame({"product": rows["sku"], "location": path, "inventoried_quantity": rows["on_hand"]})


def _odoo_quants(location: str, adjusted: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    rows = _places(adjusted, levels)
    path = location.rstrip("/") + "/" + rows["location"]
    return pd.DataFrame(
        {"location_id": path, "product_id": rows["sku"], "lot_id": rows["lot"], "inventory_quantity": rows["on_hand"]}
    )


def _erpnext(location: str, adjusted: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    rows = in_major_units(_skus(adjusted, levels))
    return pd.DataFrame(
        {"Item Code": rows["sku"], "Warehouse": location, "Quantity": rows["on_hand"],
         "Valuation Rate": rows["unit_cost"]}
    )  # fmt: skip


LAYOUTS: Mapping[str, Callable[[str, pd.DataFrame, pd.DataFrame], pd.DataFrame]] = {
    "shopify_inventory_2024": _shopify,
    "openboxes_count_sheet": _openboxes,
    "odoo_inventory_quantities": _odoo,
    "odoo_quants": _odoo_quants,
    "erpnext_stock_reconciliation": _erpnext,
}


SHOPIFY_COLUMNS = (
    "Handle", "Title", "Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value", "Option3 Name",
    "Option3 Value", "SKU", "HS Code", "COO", "Location", "Bin name", "Incoming (not editable)",
    "Unavailable (not editable)", "Committed (not editable)", "Available (not editable)", "On hand (current)",
    "On hand (new)",
)  # fmt: skip
