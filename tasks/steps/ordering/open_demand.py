"""What steps of allocate-orders look at together: lines that need stock, in their turn, and places that may promise."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from tasks.domain.ordering import allocation
from tasks.domain.ordering.allocation import AllocationRules, PlaceOrder
from tasks.domain.stock import availability
from tasks.store.database.frames import id_table
from tasks.store.ordering import open_lines
from tasks.store.stock.places import catalogue, first_received, kit_parts, last_heard, stock_places


@dataclass(frozen=True)
class Demand:
    """What open orders ask for.

    `lines`: in order of service, with their standing. `wants`: what each takes from stock. `had`: what orders were
    promised already. `taken_up`: the promises of it that cannot grow.
    """

    lines: pd.DataFrame
    wants: pd.DataFrame
    had: pd.DataFrame
    taken_up: pd.DataFrame


def open_demand(
    connection: Connection, rules: AllocationRules, as_of: datetime, order_ids: pd.Series | None = None
) -> Demand:
    """What every open order asks for, or those of `order_ids`."""
    with id_table(connection, "order_id", order_ids) as of:
        lines, had = open_lines.open_lines(connection, of), open_lines.promised_parts(connection, of)
        taken_up = open_lines.places_in_waves(connection, of)
    lines = allocation.prioritised(lines.assign(standing=allocation.standing(lines, as_of)), rules)
    asked = None if order_ids is None else lines["product_id"].dropna()
    with id_table(connection, "product_id", asked) as of:
        parts = kit_parts(connection, of)
    return Demand(lines, allocation.explode(lines, parts, had), had, taken_up)


def silence(connection: Connection, rules: AllocationRules, as_of: datetime) -> pd.Series:
    """Units each warehouse keeps back of every SKU because it was not heard of, by warehouse_id."""
    if not rules.buffer.by_age_h:
        return pd.Series(dtype="int64")
    return availability.silence_units(last_heard(connection), rules.buffer, as_of)


def free_places(
    connection: Connection, rules: AllocationRules, as_of: datetime, places: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Places and the units each may still promise, in the order in which they are emptied."""
    places = stock_places(connection) if places is None else places
    if PlaceOrder.RECEIVED in rules.places:
        places = places.merge(first_received(connection), on=["product_id", "lot"], how="left")
    further = silence(connection, rules, as_of)
    buffer = _buffer(connection, rules, places)
    return availability.promisable_places(places, buffer, rules.purposes, rules.places, as_of, further)


def _buffer(connection: Connection, rules: AllocationRules, places: pd.DataFrame) -> pd.Series:
    if rules.buffer.by_class or rules.buffer.by_sku:
        return availability.buffer_units(catalogue(connection), rules.buffer)
    return pd.Series(rules.buffer.units, index=places["product_id"].unique(), dtype="int64")
