"""What steps of allocate-orders look at together: lines that need stock, in their turn, and places that may promise."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, Table

from tasks.domain import allocation, availability
from tasks.domain.allocation import AllocationRules, PlaceOrder
from tasks.store import availability as stock
from tasks.store import demand


def open_lines(
    connection: Connection, rules: AllocationRules, as_of: datetime, of: Table | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Open lines in order of service with their standing, what they take from stock, and what they have already.

    `of`: a table of order_id, where only those are looked at.
    """
    lines = demand.open_lines(connection, of)
    lines = allocation.prioritised(lines.assign(standing=allocation.standing(lines, as_of)), rules)
    had = demand.promised_parts(connection, of)
    return lines, allocation.explode(lines, stock.read_parts(connection), had), had


def silence(connection: Connection, rules: AllocationRules, as_of: datetime) -> pd.Series:
    """Units each warehouse keeps back of every SKU because it was not heard of, by warehouse_id."""
    if not rules.buffer.by_age_h:
        return pd.Series(dtype="int64")
    return availability.widened(stock.heard(connection), rules.buffer, as_of)


def free_places(
    connection: Connection, rules: AllocationRules, as_of: datetime, places: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Places and the units each may still promise, in the order in which they are emptied."""
    places = stock.places(connection) if places is None else places
    if PlaceOrder.RECEIVED in rules.places:
        places = places.merge(stock.first_received(connection), on=["product_id", "lot"], how="left")
    further = silence(connection, rules, as_of)
    buffer = _buffer(connection, rules, places)
    return availability.promisable(places, buffer, rules.purposes, rules.places, as_of, further)


def _buffer(connection: Connection, rules: AllocationRules, places: pd.DataFrame) -> pd.Series:
    if rules.buffer.by_class or rules.buffer.by_sku:
        return availability.buffers(stock.catalogue(connection), rules.buffer)
    return pd.Series(rules.buffer.units, index=places["product_id"].unique(), dtype="int64")
