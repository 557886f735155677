"""Loads supply terms: the supplier, lead time and order quantities of each product."""

import pandas as pd
from sqlalchemy import Connection, Select, Table, literal, select

from tasks.store.database.frames import read
from tasks.store.database.upserts import drop_repeats, drop_rows, insert_new, row_count, update_changed
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import products, supply_terms

TERMS = ("supplier", "supplier_sku", "lead_days", "lead_deviation_days", "service_level", "stock_min", "stock_max",
         "order_min", "order_multiple")  # fmt: skip
_SHEET_FACTS = tuple(name if name != "service_level" else "service_level_percent" for name in TERMS)


def load_supply(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Update the supply terms of products; a term that a later file leaves out stays as it was."""
    total = row_count(connection, rows)
    refused = [drop_repeats(connection, rows, ("merchant_id", "sku"), _SHEET_FACTS), _refuse_faulty(connection, rows)]
    terms = _supply_terms(rows, intake)
    updated = update_changed(connection, supply_terms, terms.subquery("said"), ("product_id",), TERMS)
    new = insert_new(connection, supply_terms, terms)
    refused_rows = pd.concat(refused, ignore_index=True)
    return Loaded(new + updated, total - new - updated - len(refused_rows), refused_rows)


def _supply_terms(rows: Table, intake: Intake) -> Select[tuple[object, ...]]:
    row = rows.c
    level = (row.service_level_percent / literal(100.0)).label("service_level")
    facts = [level if name == "service_level" else row[name] for name in TERMS]
    is_product = (products.c.merchant_id == row.merchant_id) & (products.c.sku == row.sku)
    terms = select(products.c.id.label("product_id"), *facts, literal(intake.import_id).label("import_id"))
    return terms.join_from(rows, products, is_product)


def _refuse_faulty(connection: Connection, rows: Table) -> pd.DataFrame:
    """Rows of unknown SKUs, and rows whose limits contradict each other or the stored ones: row_number and reason."""
    row, terms = rows.c, supply_terms.c
    is_product = (products.c.merchant_id == row.merchant_id) & (products.c.sku == row.sku)
    statement = select(
        row.row_number,
        row.sku,
        products.c.id.label("product_id"),
        row.stock_min,
        row.stock_max,
        terms.stock_min.label("min_now"),
        terms.stock_max.label("max_now"),
    )
    statement = statement.join_from(rows, products, is_product, isouter=True)
    sheet = read(connection, statement.outerjoin(supply_terms, terms.product_id == products.c.id))
    stock_max = sheet["stock_max"].astype("Int64").fillna(sheet["max_now"].astype("Int64"))
    stock_min = sheet["stock_min"].astype("Int64").fillna(sheet["min_now"].astype("Int64"))
    is_reversed = (stock_max < stock_min).fillna(value=False).astype(bool)
    is_unknown = sheet["product_id"].isna()
    sku = "sku: found '" + sheet["sku"] + "', expected a product of the merchant"
    limits = (
        "stock_max: found "
        + stock_max.astype("str")
        + ", expected at least the stock_min of "
        + stock_min.astype("str")
    )
    refused = sheet[is_unknown | is_reversed]
    drop_rows(connection, rows, refused)
    return pd.DataFrame({"row_number": refused["row_number"], "reason": sku.where(is_unknown, limits)[refused.index]})
