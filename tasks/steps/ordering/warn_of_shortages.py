"""Steps of allocate-orders that tell people: customers what became of their orders, the shop what runs short."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.states import AlertKind, AlertState
from tasks.domain.stock import availability, shortages
from tasks.domain.stock.replenishment import ReplenishmentRules, coming_in_time
from tasks.domain.stock.stock_alerts import ACTIVE
from tasks.runs.step import step
from tasks.steps.ordering.explain_backorders import Served
from tasks.steps.ordering.open_demand import free_places
from tasks.store.database.engine import engine
from tasks.store.stock import places, replenishment
from tasks.store.stock.alerts import move, of_kind, raise_alerts, resolve_alerts, wake


@dataclass(frozen=True)
class Short:
    """What runs short, for the documents; and how many warnings were opened and closed."""

    oversold: pd.DataFrame
    low: pd.DataFrame
    opened: int
    closed: int


@step(task_run_name="warn of shortages")
def warn_of_shortages(served: Served, as_of: datetime) -> Short:
    """Open a warning for each oversold, unknown or low SKU, and close those whose cause is gone."""
    rules = read("rules/allocation.yaml", AllocationRules)
    with engine().begin() as connection:
        wake(connection, as_of)
        products, parts = places.catalogue(connection), places.kit_parts(connection)
        here, free = places.stock_places(connection), free_places(connection, rules, as_of)
        pool = availability.stock_pools(here, free, rules.purposes)
        oversold = shortages.oversold(served.waiting, parts, pool, products)
        found = {
            AlertKind.OVERSELL: shortages.oversell_alerts(oversold, as_of),
            AlertKind.UNKNOWN_SKU: shortages.unknown_sku_alerts(served.waiting, as_of),
        }
        opened = sum(raise_alerts(connection, rows) for rows in found.values())
        closed = sum(resolve_alerts(connection, kind, rows["cause"], as_of) for kind, rows in found.items())
        low = _low_stock(connection, products, pool, shortages.waiting_units(served.waiting, parts), as_of)
    begun, over = ~low["was"].isin([str(one) for one in ACTIVE]), low["state"] == AlertState.RESOLVED
    return Short(oversold, low[~over], opened + int(begun.sum()), closed + int(over.sum()))


def _low_stock(connection: Connection, products: pd.DataFrame, pool: pd.DataFrame, waiting: pd.Series, as_of: datetime
               ) -> pd.DataFrame:  # fmt: skip
    rules = read("rules/replenishment.yaml", ReplenishmentRules)
    free = pool.groupby("product_id")["free"].sum()
    coming = coming_in_time(replenishment.ordered_units(connection), rules, as_of)
    points = replenishment.stored_targets(connection).set_index("product_id")["reorder_point"]
    levels = shortages.Levels(free, waiting, coming, points)
    low = shortages.low_stock(products, levels, of_kind(connection, AlertKind.LOW_STOCK), rules.alerts, as_of)
    move(connection, shortages.low_stock_alerts(low, as_of), as_of)
    return low
