"""Locations, and where received rows say goods lie."""

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, literal, select
from sqlalchemy.sql.selectable import Subquery

from tasks.store.database.frames import read
from tasks.store.database.merging import drop
from tasks.store.schema import locations, products, warehouses


@dataclass(frozen=True)
class Placed:
    """Staged rows with their place: every staged column, location_id and product_id; and the rows without one."""

    rows: Subquery
    refused: pd.DataFrame


def placed(connection: Connection, rows: Table) -> Placed:
    """Attach staged rows (warehouse, location, merchant_id, sku) to places and products.

    Rows naming an unknown warehouse, location or SKU are taken out of the staged rows and returned as refused.
    """
    here = and_(locations.c.warehouse_id == warehouses.c.id, locations.c.code == rows.c.location)
    goods = and_(products.c.merchant_id == rows.c.merchant_id, products.c.sku == rows.c.sku)
    named = {"warehouse_id": warehouses, "location_id": locations, "product_id": products}
    ids = tuple(table.c.id.label(name) for name, table in named.items())
    joined = (
        select(*rows.c, *ids)
        .join_from(rows, warehouses, warehouses.c.code == rows.c.warehouse, isouter=True)
        .join(locations, here, isouter=True)
        .join(products, goods, isouter=True)
        .subquery("placed")
    )
    refused = pd.concat([read(connection, faults) for faults in _faults(joined)], ignore_index=True)
    drop(connection, rows, refused)
    return Placed(joined, refused)


def _faults(joined: Subquery) -> list[Select[tuple[int, str]]]:
    c = joined.c
    return [
        select(c.row_number, not_found("warehouse", c.warehouse, "a configured warehouse").label("reason")).where(
            c.warehouse_id.is_(None)
        ),
        select(c.row_number, not_found("location", c.location, "a location of the warehouse").label("reason")).where(
            c.warehouse_id.is_not(None), c.location_id.is_(None)
        ),
        select(c.row_number, not_found("sku", c.sku, "a SKU of the products received").label("reason")).where(
            c.product_id.is_(None)
        ),
    ]


def not_found(field: str, value: ColumnElement[str], expected: str) -> ColumnElement[str]:
    """The reason a row is refused whose `field` names what nobody knows."""
    return literal(f"{field}: found '") + func.coalesce(value, "") + literal(f"', expected {expected}")
