"""What allocation looks at: order lines that need stock, in order of service, and places that may be promised from."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from tasks.domain.ordering.allocation import AllocationRules, PlaceOrder, explode, order_standing, prioritised
from tasks.domain.stock.availability import buffer_units, promisable_places, silence_units
from tasks.store.database.frames import id_table
from tasks.store.ordering.open_lines import open_lines
from tasks.store.ordering.promised_parts import promised_parts
from tasks.store.stock.places import catalogue, first_received, kit_parts, last_heard


@dataclass(frozen=True)
class OpenDemand:
    """What open orders ask for.

    `lines`: order lines in order of service, with the standing of their order. `wants`: what each line takes from
    stock, as in `allocation.explode`. `promised`: what the orders were promised already, as in `promised_parts`.
    `parts`: what the products of the lines are made of, as in `kit_parts`.
    """

    lines: pd.DataFrame
    wants: pd.DataFrame
    promised: pd.DataFrame
    parts: pd.DataFrame


def open_demand(
    connection: Connection, rules: AllocationRules, as_of: datetime, order_ids: pd.Series | None = None
) -> OpenDemand:
    """What every open order asks for, or only those of `order_ids`."""
    with id_table(connection, "order_id", order_ids) as chosen_orders:
        lines, promised = open_lines(connection, chosen_orders), promised_parts(connection, chosen_orders)
    lines = prioritised(lines.assign(standing=order_standing(lines, as_of)), rules)
    product_ids = None if order_ids is None else lines["product_id"].dropna()
    with id_table(connection, "product_id", product_ids) as chosen_products:
        parts = kit_parts(connection, chosen_products)
    return OpenDemand(lines, explode(lines, parts, promised), promised, parts)


def silence(connection: Connection, rules: AllocationRules, as_of: datetime) -> pd.Series:
    """Units of every SKU that each warehouse keeps back because nothing was heard of it, by warehouse_id (int64)."""
    if not rules.buffer.by_age_h:
        return pd.Series(dtype="int64")
    return silence_units(last_heard(connection), rules.buffer, as_of)


def free_places(connection: Connection, rules: AllocationRules, as_of: datetime, places: pd.DataFrame) -> pd.DataFrame:
    """The units each of `places` may still promise, in the order in which places are emptied."""
    if PlaceOrder.RECEIVED in rules.places:
        places = places.merge(first_received(connection), on=["product_id", "lot"], how="left")
    silent_units = silence(connection, rules, as_of)
    buffer = _buffer(connection, rules, places)
    return promisable_places(places, buffer, rules.purposes, rules.places, as_of, silent_units)


def _buffer(connection: Connection, rules: AllocationRules, places: pd.DataFrame) -> pd.Series:
    if rules.buffer.by_class or rules.buffer.by_sku:
        return buffer_units(catalogue(connection), rules.buffer)
    return pd.Series(rules.buffer.units, index=places["product_id"].unique(), dtype="int64")
