"""Steps of allocate-orders that tell people: customers what became of their orders, the shop what runs short."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.domain import availability, shortages
from tasks.domain.allocation import AllocationRules
from tasks.domain.notices import NoticeKind
from tasks.domain.states import AlertKind
from tasks.list_backorders import Served
from tasks.open_demand import free_places
from tasks.steps import step
from tasks.store import availability as stock
from tasks.store import demand
from tasks.store.alerts import raise_alerts, resolve_alerts
from tasks.store.engine import engine
from tasks.tell_customers import tell


@dataclass(frozen=True)
class Short:
    """What runs short, for the documents; and how many warnings were opened and closed."""

    oversold: pd.DataFrame
    low: pd.DataFrame
    opened: int
    closed: int


@step(task_run_name="confirm orders to customers")
def confirm_orders(as_of: datetime) -> int:
    """Thank for every paid open order once; what is old news is kept unsent. Returns how many notices are new."""
    with engine().begin() as connection:
        orders = demand.unconfirmed(connection)
        told = orders.assign(happened_at=orders["paid_at"], items=_items(connection, orders))
        return tell(connection, NoticeKind.ORDER_CONFIRMED, told, as_of)


@step(task_run_name="tell customers of delays")
def tell_of_delays(served: Served, as_of: datetime) -> int:
    """Tell customers once whose paid order lacks stock and is, or is about to be, late; how many were told."""
    rules = read("rules/allocation.yaml", AllocationRules)
    late = shortages.delayed(served.waiting, as_of, rules.ship_by)
    if late.empty:
        return 0
    with engine().begin() as connection:
        orders = demand.told_of(connection, late)
        told = orders.assign(happened_at=orders["ship_by"], items=_items(connection, orders))
        return tell(connection, NoticeKind.ORDER_DELAYED, told, as_of)


def _items(connection: Connection, orders: pd.DataFrame) -> pd.Series:
    return orders["order_id"].map(demand.contents(connection, orders["order_id"]))


@step(task_run_name="warn of shortages")
def warn_of_shortages(served: Served, as_of: datetime) -> Short:
    """Open a warning for each oversold, unknown or low SKU, and close those whose cause is gone."""
    rules = read("rules/allocation.yaml", AllocationRules)
    with engine().begin() as connection:
        products, parts = stock.catalogue(connection), stock.read_parts(connection)
        pool = availability.pools(stock.places(connection), free_places(connection, rules, as_of), rules.purposes)
        oversold = shortages.oversold(served.waiting, parts, pool, products)
        since = as_of - timedelta(days=rules.replenishment.demand_days)
        asked = demand.demand_since(connection, since, as_of)
        low = shortages.low_stock(products, pool, asked, stock.warned_of(connection), rules.replenishment)
        found = {
            AlertKind.OVERSELL: shortages.oversell_alerts(oversold, as_of),
            AlertKind.UNKNOWN_SKU: shortages.unknown_sku_alerts(served.waiting, as_of),
            AlertKind.LOW_STOCK: shortages.low_stock_alerts(low, as_of),
        }
        opened = sum(raise_alerts(connection, rows) for rows in found.values())
        closed = sum(resolve_alerts(connection, kind, rows["cause"], as_of) for kind, rows in found.items())
    return Short(oversold, low, opened, closed)
