"""Terms of buying: who each product is bought from, how long it takes, and in which quantities."""

import pandas as pd
from sqlalchemy import Connection, Select, Table, literal, select

from tasks.store.database.frames import read
from tasks.store.database.merging import count, drop, drop_repeats, insert_new, update_changed
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import products, supply_terms

FACTS = ("supplier", "supplier_sku", "lead_days", "lead_deviation_days", "service_level", "stock_min", "stock_max",
         "order_min", "order_multiple")  # fmt: skip
_SAID = tuple(name if name != "service_level" else "service_level_percent" for name in FACTS)


def load_supply(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Bring the terms of products up to date; what a later file leaves out stays as it was."""
    total = count(connection, rows)
    refused = [drop_repeats(connection, rows, ("merchant_id", "sku"), _SAID), _refuse(connection, rows)]
    told = _told(rows, intake)
    updated = update_changed(connection, supply_terms, told.subquery("said"), ("product_id",), FACTS)
    new = insert_new(connection, supply_terms, told)
    bad = pd.concat(refused, ignore_index=True)
    return Loaded(new + updated, total - new - updated - len(bad), bad)


def _told(rows: Table, intake: Intake) -> Select[tuple[object, ...]]:
    c = rows.c
    level = (c.service_level_percent / literal(100.0)).label("service_level")
    said = [level if name == "service_level" else c[name] for name in FACTS]
    goods = (products.c.merchant_id == c.merchant_id) & (products.c.sku == c.sku)
    made = select(products.c.id.label("product_id"), *said, literal(intake.import_id).label("import_id"))
    return made.join_from(rows, products, goods)


def _refuse(connection: Connection, rows: Table) -> pd.DataFrame:
    """Rows of SKUs nobody knows, and those whose limits contradict each other, or what was said before."""
    c, known = rows.c, supply_terms.c
    goods = (products.c.merchant_id == c.merchant_id) & (products.c.sku == c.sku)
    told = select(c.row_number, c.sku, products.c.id.label("product_id"), c.stock_min, c.stock_max,
                  known.stock_min.label("min_now"), known.stock_max.label("max_now"))  # fmt: skip
    told = told.join_from(rows, products, goods, isouter=True)
    found = read(connection, told.outerjoin(supply_terms, known.product_id == products.c.id))
    most = found["stock_max"].astype("Int64").fillna(found["max_now"].astype("Int64"))
    least = found["stock_min"].astype("Int64").fillna(found["min_now"].astype("Int64"))
    turned = (most < least).fillna(value=False).astype(bool)
    stranger = found["product_id"].isna()
    sku = "sku: found '" + found["sku"] + "', expected a product of the merchant"
    limits = "stock_max: found " + most.astype("str") + ", expected at least the stock_min of " + least.astype("str")
    bad = found[stranger | turned]
    drop(connection, rows, bad)
    return pd.DataFrame({"row_number": bad["row_number"], "reason": sku.where(stranger, limits)[bad.index]})
