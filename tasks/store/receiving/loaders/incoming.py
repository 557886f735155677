"""Loads purchase orders on their way."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Table, func, literal, select

from tasks.store.database.frames import read
from tasks.store.database.merging import count, drop, drop_repeats, insert_new, update_changed
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import incoming_lines, products, warehouses

KEY = ("product_id", "warehouse_id", "document")


FACTS = ("quantity", "quantity_received", "quantity_cancelled", "expected_at")


FILE_KEY = ("merchant_id", "document", "warehouse", "sku")


FILE_FACTS = ("quantity", "received", "cancelled", "expected_at")


def load_incoming(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Merge staged lines of documents; a later file says what of them is still to come."""
    total = count(connection, rows)
    refused = [drop_repeats(connection, rows, FILE_KEY, FILE_FACTS), _refuse_unknown(connection, rows)]
    told = _told(rows, intake)
    said = told.subquery("said")
    updated = update_changed(connection, incoming_lines, said, KEY, FACTS)
    new = insert_new(connection, incoming_lines, told)
    bad = pd.concat(refused, ignore_index=True)
    return Loaded(new + updated, total - new - updated - len(bad), bad)


def _told(rows: Table, intake: Intake) -> Select[Any]:
    c = rows.c
    return (
        select(
            products.c.id.label("product_id"), warehouses.c.id.label("warehouse_id"), c.document, c.quantity,
            func.coalesce(c.received, 0).label("quantity_received"),
            func.coalesce(c.cancelled, 0).label("quantity_cancelled"), c.expected_at,
            literal(intake.import_id).label("import_id"),
        )
        .join_from(rows, products, (products.c.merchant_id == c.merchant_id) & (products.c.sku == c.sku))
        .join(warehouses, warehouses.c.code == c.warehouse)
    )  # fmt: skip


def _refuse_unknown(connection: Connection, rows: Table) -> pd.DataFrame:
    c = rows.c
    found = read(
        connection,
        select(c.row_number, c.sku, c.warehouse, products.c.id.label("product_id"), warehouses.c.id.label("site"))
        .join_from(rows, products, (products.c.merchant_id == c.merchant_id) & (products.c.sku == c.sku), isouter=True)
        .join(warehouses, warehouses.c.code == c.warehouse, isouter=True)
        .where(products.c.id.is_(None) | warehouses.c.id.is_(None)),
    )
    sku = "sku: found '" + found["sku"] + "', expected a product of the merchant"
    site = "warehouse: found '" + found["warehouse"] + "', expected a known warehouse"
    drop(connection, rows, found)
    return pd.DataFrame({"row_number": found["row_number"], "reason": sku.where(found["product_id"].isna(), site)})
