"""Step of allocate-orders: read once what the reporting steps need, and say of every waiting line why it waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from prefect import task

from config.read import read
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.backorders import BackorderReason, waiting_lines, waiting_units
from tasks.domain.ordering.order_states import Standing
from tasks.domain.ordering.promised_days import arrivals, promised_days
from tasks.steps.ordering.open_demand import OpenDemand, free_places, open_demand
from tasks.store.database.engine import reading
from tasks.store.sites import warehouse_ids
from tasks.store.stock import incoming
from tasks.store.stock.places import catalogue, stock_places, unsellable_places


@dataclass(frozen=True)
class AllocationView:
    """Orders and stock after allocation, all read in one transaction, for the steps that only report.

    `waiting_lines`: as in `backorders.waiting_lines`, with promised_at; without lines of refunded orders, which wait
    for nothing. `waiting_units`: as in `backorders.waiting_units`. `products`: as in `catalogue`. `parts`: as in
    `kit_parts`. `places`: as in `stock_places`. `free_places`: as in `availability.promisable_places`. `unsellable`: as
    in `unsellable_places`. `arrivals`: as in `promised_days.arrivals`. `warehouse_ids`: by the warehouse's code.
    """

    waiting_lines: pd.DataFrame
    waiting_units: pd.Series
    products: pd.DataFrame
    parts: pd.DataFrame
    places: pd.DataFrame
    free_places: pd.DataFrame
    unsellable: pd.DataFrame
    arrivals: pd.DataFrame
    warehouse_ids: Mapping[str, int]


@task(task_run_name="say why orders wait, and until when")
def explain_backorders(as_of: datetime) -> AllocationView:
    """Read orders and stock as they are now; say why each line waits, and when stock on its way covers it."""
    rules = read("rules/allocation.yaml", AllocationRules)
    with reading().connect() as connection:
        demand, places = open_demand(connection, rules, as_of), stock_places(connection)
        free = free_places(connection, rules, as_of, places)
        expected = arrivals(incoming.incoming_units(connection), as_of, rules.incoming)
        lines = _waiting_lines(demand, free, expected, rules, as_of)
        return AllocationView(
            waiting_lines=lines,
            waiting_units=waiting_units(lines, demand.parts),
            products=catalogue(connection),
            parts=demand.parts,
            places=places,
            free_places=free,
            unsellable=unsellable_places(connection),
            arrivals=expected,
            warehouse_ids=warehouse_ids(connection),
        )


def _waiting_lines(
    demand: OpenDemand, free: pd.DataFrame, expected: pd.DataFrame, rules: AllocationRules, as_of: datetime
) -> pd.DataFrame:
    free_units = free.groupby("product_id")["units"].sum()
    lines = waiting_lines(demand.lines, demand.wants, free_units, rules)
    is_servable = (lines["standing"] == Standing.SERVABLE) & (lines["reason_kind"] != BackorderReason.UNKNOWN_SKU)
    days = promised_days(lines[is_servable], demand.wants, free_units, expected, as_of, partial=rules.partial)
    lines = lines.assign(promised_at=days.reindex(lines.index))
    return lines[lines["standing"] != Standing.REFUNDED]
