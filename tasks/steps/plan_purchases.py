"""Steps of plan-purchases: below which stock each product is bought again, and what to buy now."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from config.settings import settings
from tasks.documents.run_folder import write_changed
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.sites.sites import Warehouse
from tasks.domain.stock.availability import stock_pools
from tasks.domain.stock.daily_demand import daily_demand, days_seen
from tasks.domain.stock.replenishment import ReplenishmentRules, coming_in_time, proposal, targets, with_terms
from tasks.runs.step import step
from tasks.store.database.engine import engine, reading
from tasks.store.ordering.unserved import unserved
from tasks.store.stock import replenishment
from tasks.store.stock.places import stock_places

LISTED = ("merchant", "supplier", "sku", "quantity", "free", "coming", "reorder_point", "note")


def _rules() -> ReplenishmentRules:
    return read("rules/replenishment.yaml", ReplenishmentRules)


@step(task_run_name="set reorder points from demand")
def set_targets(as_of: datetime) -> int:
    """Set each product's reorder point and the stock it is bought up to; says for how many they differ from before.

    Demand is looked at over whole days before today on the clock of the warehouse that is delivered to.
    """
    rules = _rules()
    site = read(f"warehouses/{rules.deliver_to}.yaml", Warehouse)
    today = as_of.astimezone(ZoneInfo(site.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=rules.demand_days)
    with engine().begin() as connection:
        asked = replenishment.daily_orders(connection, since, rules.demand_days)
        moved = replenishment.daily_stock(connection, since, rules.demand_days)
        demand = daily_demand(asked, days_seen(moved, asked, rules.demand_days), rules.outlier_deviations)
        goods = replenishment.purchased_products(connection)
        found = targets(with_terms(goods[~goods["is_kit"]], rules), demand, rules)
        return replenishment.set_targets(connection, found, as_of)


@step(task_run_name="propose purchases")
def propose_purchases(as_of: datetime) -> pd.DataFrame:
    """What to buy now (`replenishment.proposal`), written as one file a supplier; nothing where nothing changed."""
    rules = _rules()
    with reading().connect() as connection:
        proposed = proposal(_position(connection, rules, as_of), rules, as_of)
    tables = {f"{document}.csv": rows for document, rows in proposed.groupby("document")}
    write_changed(settings().home, "plan-purchases", {}, {_named(name): rows for name, rows in tables.items()}, as_of)
    return proposed


def _named(document: object) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in str(document))


def _position(connection: Connection, rules: ReplenishmentRules, as_of: datetime) -> pd.DataFrame:
    """Every product with its terms, targets and units: what nobody was promised, what orders wait for, what comes."""
    goods = with_terms(replenishment.purchased_products(connection), rules)
    rows = goods.drop(columns="reorder_point").merge(replenishment.stored_targets(connection), on="product_id")
    places = stock_places(connection)
    purposes = read("rules/allocation.yaml", AllocationRules).purposes
    units = {
        "free": stock_pools(places, places.iloc[:0].assign(units=0), purposes).groupby("product_id")["free"].sum(),
        "waiting": unserved(connection),
        "coming": coming_in_time(replenishment.ordered_units(connection), rules, as_of),
    }
    return rows.assign(**{name: rows["product_id"].map(one).fillna(0).astype("int64") for name, one in units.items()})
