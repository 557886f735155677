"""Loads incoming goods: purchase orders and advance shipping notices."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Table, func, literal, select

from tasks.store.database.frames import read
from tasks.store.database.upserts import drop_repeats, drop_rows, insert_new, row_count, update_changed
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import incoming_lines, products, warehouses

INCOMING_KEY = ("product_id", "warehouse_id", "document")


INCOMING_FACTS = ("quantity", "quantity_received", "quantity_cancelled", "expected_at")


FILE_KEY = ("merchant_id", "document", "warehouse", "sku")


FILE_FACTS = ("quantity", "received", "cancelled", "expected_at")


def load_incoming(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Merge staged document lines; a later file updates how many units are still to arrive."""
    total = row_count(connection, rows)
    refused = [drop_repeats(connection, rows, FILE_KEY, FILE_FACTS), _refuse_unknown(connection, rows)]
    statement = _incoming_lines(rows, intake)
    lines = statement.subquery("said")
    updated = update_changed(connection, incoming_lines, lines, INCOMING_KEY, INCOMING_FACTS)
    new = insert_new(connection, incoming_lines, statement)
    refused_rows = pd.concat(refused, ignore_index=True)
    return Loaded(new + updated, total - new - updated - len(refused_rows), refused_rows)


def _incoming_lines(rows: Table, intake: Intake) -> Select[Any]:
    row = rows.c
    return (
        select(
            products.c.id.label("product_id"),
            warehouses.c.id.label("warehouse_id"),
            row.document,
            row.quantity,
            func.coalesce(row.received, 0).label("quantity_received"),
            func.coalesce(row.cancelled, 0).label("quantity_cancelled"),
            row.expected_at,
            literal(intake.import_id).label("import_id"),
        )
        .join_from(rows, products, (products.c.merchant_id == row.merchant_id) & (products.c.sku == row.sku))
        .join(warehouses, warehouses.c.code == row.warehouse)
    )


def _refuse_unknown(connection: Connection, rows: Table) -> pd.DataFrame:
    row = rows.c
    unknown = read(
        connection,
        select(row.row_number, row.sku, row.warehouse, products.c.id.label("product_id"), warehouses.c.id.label("site"))
        .join_from(
            rows, products, (products.c.merchant_id == row.merchant_id) & (products.c.sku == row.sku), isouter=True
        )
        .join(warehouses, warehouses.c.code == row.warehouse, isouter=True)
        .where(products.c.id.is_(None) | warehouses.c.id.is_(None)),
    )
    sku = "sku: found '" + unknown["sku"] + "', expected a product of the merchant"
    site = "warehouse: found '" + unknown["warehouse"] + "', expected a known warehouse"
    drop_rows(connection, rows, unknown)
    return pd.DataFrame({"row_number": unknown["row_number"], "reason": sku.where(unknown["product_id"].isna(), site)})
