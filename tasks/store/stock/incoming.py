"""Goods on their way: each line of a purchase order or advance shipping notice once, as the latest file has it."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, select

from tasks.store.database.frames import read
from tasks.store.schema import incoming_lines


def incoming_units(connection: Connection, until: datetime | None = None) -> pd.DataFrame:
    """Units still to arrive, one row per line: product_id, warehouse_id, document, units (int64, > 0), expected_at.

    `until`: only what is expected by then.
    """
    line = incoming_lines.c
    units = line.quantity - line.quantity_received - line.quantity_cancelled
    query = select(line.product_id, line.warehouse_id, line.document, units.label("units"), line.expected_at)
    query = query.where(units > 0).order_by(line.product_id, line.expected_at, line.document, line.warehouse_id)
    return read(connection, query if until is None else query.where(line.expected_at <= until))
