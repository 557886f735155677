"""Step of allocate-orders that warns staff of what runs short: oversold, unknown and low SKUs."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.backorders import servable_lines
from tasks.domain.states import AlertKind, AlertState
from tasks.domain.stock import shortages
from tasks.domain.stock.availability import stock_pools
from tasks.domain.stock.replenishment import ReplenishmentRules, coming_in_time
from tasks.domain.stock.stock_alerts import ACTIVE
from tasks.runs.step import step
from tasks.steps.ordering.explain_backorders import AllocationView
from tasks.store.database.engine import engine
from tasks.store.stock import replenishment
from tasks.store.stock.alerts import alerts_of_kind, raise_alerts, resolve_alerts, set_alert_states, wake


@dataclass(frozen=True)
class Shortages:
    """What runs short, for the documents; and how many warnings were opened and closed.

    `oversold`: as in `shortages.oversold`. `low`: as in `shortages.low_stock`, without alerts that are resolved.
    """

    oversold: pd.DataFrame
    low: pd.DataFrame
    opened: int
    closed: int


@step(task_run_name="warn of shortages")
def warn_of_shortages(view: AllocationView, as_of: datetime) -> Shortages:
    """Open a warning for each oversold, unknown or low SKU, and close those whose cause is gone.

    Orders and stock are those of `view`; alerts and reorder points are read in the transaction that writes alerts.
    """
    rules = read("rules/allocation.yaml", AllocationRules)
    pools = stock_pools(view.places, view.free_places, rules.purposes)
    oversold = shortages.oversold(servable_lines(view.waiting_lines), view.parts, pools, view.products)
    alerts = {
        AlertKind.OVERSELL: shortages.oversell_alerts(oversold, as_of),
        AlertKind.UNKNOWN_SKU: shortages.unknown_sku_alerts(view.waiting_lines, as_of),
    }
    with engine().begin() as connection:
        wake(connection, as_of)
        opened = sum(raise_alerts(connection, rows) for rows in alerts.values())
        closed = sum(resolve_alerts(connection, kind, rows["cause"], as_of) for kind, rows in alerts.items())
        low = _low_stock(connection, view, pools, as_of)
    is_new, is_over = ~low["was"].isin([str(state) for state in ACTIVE]), low["state"] == AlertState.RESOLVED
    return Shortages(oversold, low[~is_over], opened + int(is_new.sum()), closed + int(is_over.sum()))


def _low_stock(connection: Connection, view: AllocationView, pools: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Products that run low, with the state their alert has from now on; the alerts are written."""
    rules = read("rules/replenishment.yaml", ReplenishmentRules)
    levels = shortages.StockLevels(
        free=pools.groupby("product_id")["free"].sum(),
        waiting=view.waiting_units,
        coming=coming_in_time(replenishment.ordered_units(connection), rules, as_of),
        reorder_points=replenishment.stored_targets(connection).set_index("product_id")["reorder_point"],
    )
    alerts = alerts_of_kind(connection, AlertKind.LOW_STOCK)
    low = shortages.low_stock(view.products, levels, alerts, rules.alerts, as_of)
    set_alert_states(connection, shortages.low_stock_alerts(low, as_of), as_of)
    return low
