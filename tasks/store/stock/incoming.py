"""Goods on their way: each line of a purchase order or advance shipping notice once, kept up to date by later files."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, select

from tasks.store.database.frames import read
from tasks.store.schema import incoming_lines


def still_to_come(connection: Connection, until: datetime | None = None) -> pd.DataFrame:
    """What is to come of each line: product_id, warehouse_id, document, units (int64, > 0), expected_at.

    `until`: only what is expected by then.
    """
    one = incoming_lines.c
    units = one.quantity - one.quantity_received - one.quantity_cancelled
    found = select(one.product_id, one.warehouse_id, one.document, units.label("units"), one.expected_at)
    found = found.where(units > 0).order_by(one.product_id, one.expected_at, one.document, one.warehouse_id)
    return read(connection, found if until is None else found.where(one.expected_at <= until))
