"""Attaches staged rows to the warehouses, locations and products they name."""

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, literal, select
from sqlalchemy.sql.selectable import Subquery

from tasks.store.database.frames import read
from tasks.store.database.upserts import drop_rows
from tasks.store.schema import locations, products, warehouses


@dataclass(frozen=True)
class PlacedRows:
    """Staged rows with the ids they name, and the refused rows.

    `rows`: every staged column, warehouse_id, location_id and product_id. `refused`: row_number, reason.
    """

    rows: Subquery
    refused: pd.DataFrame


def placed_rows(connection: Connection, rows: Table) -> PlacedRows:
    """Attach staged rows (warehouse, location, merchant_id, sku) to locations and products.

    Rows with an unknown warehouse, location or SKU are deleted from the staged rows and returned as refused.
    """
    is_location = and_(locations.c.warehouse_id == warehouses.c.id, locations.c.code == rows.c.location)
    is_product = and_(products.c.merchant_id == rows.c.merchant_id, products.c.sku == rows.c.sku)
    named = {"warehouse_id": warehouses, "location_id": locations, "product_id": products}
    ids = tuple(table.c.id.label(name) for name, table in named.items())
    joined = (
        select(*rows.c, *ids)
        .join_from(rows, warehouses, warehouses.c.code == rows.c.warehouse, isouter=True)
        .join(locations, is_location, isouter=True)
        .join(products, is_product, isouter=True)
        .subquery("placed")
    )
    refused = pd.concat([read(connection, faults) for faults in _faults(joined)], ignore_index=True)
    drop_rows(connection, rows, refused)
    return PlacedRows(joined, refused)


def _faults(joined: Subquery) -> list[Select[tuple[int, str]]]:
    row = joined.c
    unknown = [
        ("warehouse", "a configured warehouse", row.warehouse_id.is_(None)),
        ("location", "a location of the warehouse", row.warehouse_id.is_not(None) & row.location_id.is_(None)),
        ("sku", "a SKU of the products received", row.product_id.is_(None)),
    ]
    return [
        select(row.row_number, not_found(field, row[field], expected).label("reason")).where(is_unknown)
        for field, expected, is_unknown in unknown
    ]


def not_found(field: str, value: ColumnElement[str], expected: str) -> ColumnElement[str]:
    """The reason for refusing a row whose `field` names something unknown."""
    return literal(f"{field}: found '") + func.coalesce(value, "") + literal(f"', expected {expected}")
