"""The lines of count sheets that are to be written, and which planned sheets have no documents yet."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, ScalarSelect, and_, func, select

from tasks.store.database.frames import read
from tasks.store.run_log import undocumented
from tasks.store.schema import count_lines, counts, locations, merchants, products, warehouses


def undocumented_plans(connection: Connection) -> pd.DataFrame:
    """Moments at which sheets were planned that have no documents yet: moment, fingerprint str, rows int64 (sheets).

    Sheets are counted, not lines: goods found beside the planned ones do not cause a day's sheets to be written again.
    """
    moment = counts.c.planned_at
    sheets = select(moment.label("moment"), func.count().label("rows"), func.max(counts.c.id).label("last"))
    sheets = sheets.where(moment.is_not(None), counts.c.round == 1).group_by(moment)
    plans = read(connection, sheets)
    plans["fingerprint"] = plans["rows"].astype("str") + "-" + plans["last"].astype("str")
    return undocumented(connection, "plan-counts", plans)


def sheet_lines(connection: Connection, planned_at: datetime, *, recount: bool) -> pd.DataFrame:
    """The places put on sheets at that moment, one row per place.

    code, round, counter (to whom the sheet is addressed), counted_before (who counted the place in earlier rounds),
    merchant, warehouse, location, zone, aisle, bay, level, sku, barcode, name, condition, lot.
    """
    line, place = count_lines.c, locations.c
    return read(
        connection,
        select(counts.c.code, counts.c.round, counts.c.counter, _counted_before().label("counted_before"),
               merchants.c.code.label("merchant"), warehouses.c.code.label("warehouse"), place.code.label("location"),
               place.zone, place.aisle, place.bay, place.level, line.sku, products.c.barcode, products.c.name,
               line.condition, line.lot)
        .join_from(count_lines, counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(locations, place.id == line.location_id)
        .join(products, products.c.id == line.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id)
        .where(counts.c.planned_at == planned_at, (counts.c.round > 1) if recount else (counts.c.round == 1))
        .order_by(counts.c.code, counts.c.round, place.code, line.sku, line.condition, line.lot),
    )  # fmt: skip


def _counted_before() -> ScalarSelect[Any]:
    """The last person to have counted the place in an earlier round of the document."""
    earlier, document = count_lines.alias("earlier"), counts.alias("document")
    is_same_place = and_(earlier.c.location_id == count_lines.c.location_id, earlier.c.sku == count_lines.c.sku)
    return (
        select(func.max(earlier.c.counter))
        .join_from(earlier, document, document.c.id == earlier.c.count_id)
        .where(
            is_same_place,
            document.c.code == counts.c.code,
            document.c.warehouse_id == counts.c.warehouse_id,
            document.c.round < counts.c.round,
        )
        .scalar_subquery()
    )
