"""The documents of allocate-orders: promises, backorders, shortages, and what every channel may sell."""

from datetime import datetime

import pandas as pd
from prefect import task
from sqlalchemy import Connection

from config.read import read
from config.settings import settings
from tasks.configured import warehouses
from tasks.connectors.run_documents import write_changed
from tasks.domain import availability, shortages
from tasks.domain.allocation import AllocationRules
from tasks.list_backorders import Served
from tasks.open_demand import free_places
from tasks.store import allocations
from tasks.store import availability as stock
from tasks.store.engine import reading
from tasks.store.sites import warehouse_ids
from tasks.watch_stock import Short


@task(task_run_name="write allocations, backorders and stock feeds")
def write_documents(served: Served, short: Short, as_of: datetime) -> int:
    """Write what changed since the documents before: nothing at all where nothing did. Says how many files."""
    rules = read("rules/allocation.yaml", AllocationRules)
    with reading().connect() as connection:
        made = allocations.made_at(connection, as_of)
        tables = {
            "backorders.csv": shortages.backorders(served.waiting, as_of, rules.ship_by),
            "oversell.csv": short.oversold[["merchant", "sku", "name", "asked", "free", "short", "orders"]],
            "low-stock.csv": short.low[["merchant", "sku", "name", "available", "reorder_point"]],
            **_feeds(connection, served, rules, as_of),
        }
    of_run = {"allocations.csv": made} if len(made) else {}
    return write_changed(settings().home, "allocate-orders", of_run, tables, as_of)


def _feeds(connection: Connection, served: Served, rules: AllocationRules, as_of: datetime) -> dict[str, pd.DataFrame]:
    products, parts = stock.catalogue(connection), stock.read_parts(connection)
    pool = availability.pools(stock.places(connection), free_places(connection, rules, as_of), rules.purposes)
    ids = warehouse_ids(connection)
    asking = served.waiting[served.waiting["standing"] == ""].dropna(subset="product_id")
    units = asking.astype({"product_id": "int64"}).merge(parts, on="product_id")
    units["units"] = units["missing"] * units["quantity"]
    order = [ids[code] for code in rules.warehouses if code in ids]
    pool = availability.less_waiting(pool, units.groupby("part_id")["units"].sum(), order)
    pool = availability.with_kits(pool, parts)
    sites = warehouses()
    shop_names = pd.Series({ids[one.code]: next(iter(one.aliases), one.name) for one in sites if one.code in ids})
    unsellable = stock.held_back(connection).set_index(["product_id", "warehouse_id"])["units"]
    return {
        "availability/availability.csv": availability.feed(pool, products, pd.Series({v: k for k, v in ids.items()})),
        "availability/shopify-inventory.csv": availability.shopify(pool, products, shop_names, unsellable),
    }


def shortage_rows(served: Served, short: Short) -> list[dict[str, object]]:
    """What an analyst should see, as rows of an artifact: why lines wait, and which SKUs run short."""
    why = served.waiting["reason"].str.split(":", n=1).str[0].value_counts().sort_index()
    rows = [("lines wait: " + str(reason), "", number) for reason, number in why.items()]
    rows += [("oversold", *one) for one in zip(short.oversold["sku"], short.oversold["short"], strict=True)]
    rows += [("low", *one) for one in zip(short.low["sku"].head(100), short.low["available"].head(100), strict=True)]
    return [{"what": what, "subject": subject, "units": int(units)} for what, subject, units in rows]
