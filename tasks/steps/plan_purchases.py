"""Steps of plan-purchases: below which stock each product is bought again, and what to buy now."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from config.settings import settings
from tasks.documents.run_folder import write_changed
from tasks.domain.ordering.allocation import AllocationRules, order_standing
from tasks.domain.ordering.backorders import waiting_units
from tasks.domain.sites.sites import Warehouse
from tasks.domain.stock.availability import stock_pools
from tasks.domain.stock.daily_demand import daily_demand, days_observed
from tasks.domain.stock.replenishment import ReplenishmentRules, coming_in_time, proposal, targets, with_terms
from tasks.runs.step import step
from tasks.store.database.engine import engine, reading
from tasks.store.ordering.open_lines import open_lines
from tasks.store.stock import replenishment
from tasks.store.stock.places import kit_parts, stock_places

LISTED = ("merchant", "supplier", "sku", "quantity", "free", "coming", "reorder_point", "note")


def _rules() -> ReplenishmentRules:
    return read("rules/replenishment.yaml", ReplenishmentRules)


@step(task_run_name="set reorder points from demand")
def set_targets(as_of: datetime) -> int:
    """Set each product's reorder point and the stock it is bought up to. Returns the number of products that changed.

    Demand is that of whole days before today, on the clock of the warehouse that goods are delivered to.
    """
    rules = _rules()
    site = read(f"warehouses/{rules.deliver_to}.yaml", Warehouse)
    today = as_of.astimezone(ZoneInfo(site.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=rules.demand_days)
    with engine().begin() as connection:
        orders = replenishment.daily_orders(connection, since, rules.demand_days)
        stock_changes = replenishment.daily_stock(connection, since, rules.demand_days)
        days = days_observed(stock_changes, orders, rules.demand_days)
        products = replenishment.purchased_products(connection)
        demand = daily_demand(orders, days, rules.outlier_deviations)
        rows = targets(with_terms(products[~products["is_kit"]], rules), demand, rules)
        return replenishment.store_targets(connection, rows, as_of)


@step(task_run_name="propose purchases")
def propose_purchases(as_of: datetime) -> pd.DataFrame:
    """What to buy now (`replenishment.proposal`), written as one file per supplier where it changed."""
    rules = _rules()
    with reading().connect() as connection:
        proposed = proposal(_position(connection, rules, as_of), rules, as_of)
    tables = {f"{document}.csv": rows for document, rows in proposed.groupby("document")}
    files = {_file_name(name): rows for name, rows in tables.items()}
    write_changed(settings().home, "plan-purchases", {}, files, as_of)
    return proposed


def _file_name(document: object) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in str(document))


def _position(connection: Connection, rules: ReplenishmentRules, as_of: datetime) -> pd.DataFrame:
    """Every product with its terms, targets and units: promised to nobody, waited for by orders, on their way."""
    products = with_terms(replenishment.purchased_products(connection), rules)
    rows = products.drop(columns="reorder_point").merge(replenishment.stored_targets(connection), on="product_id")
    places = stock_places(connection)
    purposes = read("rules/allocation.yaml", AllocationRules).purposes
    units = {
        "free": stock_pools(places, places.iloc[:0].assign(units=0), purposes).groupby("product_id")["free"].sum(),
        "waiting": _waiting_units(connection, as_of),
        "coming": coming_in_time(replenishment.ordered_units(connection), rules, as_of),
    }
    by_row = {name: rows["product_id"].map(by_id).fillna(0).astype("int64") for name, by_id in units.items()}
    return rows.assign(**by_row)


def _waiting_units(connection: Connection, as_of: datetime) -> pd.Series:
    lines = open_lines(connection)
    return waiting_units(lines.assign(standing=order_standing(lines, as_of)), kit_parts(connection))
