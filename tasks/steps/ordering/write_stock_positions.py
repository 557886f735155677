"""The step of allocate-orders that says where every SKU stands, and what may be promised of it from when on."""

from datetime import datetime

import pandas as pd
from prefect import task
from sqlalchemy import Connection

from config.read import read
from config.settings import settings
from tasks.documents.run_folder import write_changed
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.promised_days import arrivals
from tasks.domain.stock import positions
from tasks.steps.ordering.explain_backorders import Served
from tasks.steps.ordering.open_demand import free_places
from tasks.store.database.engine import reading
from tasks.store.sites import warehouse_ids
from tasks.store.stock import incoming
from tasks.store.stock.places import catalogue, kit_parts, stock_places, unsellable_places

NAMED = ["merchant", "sku", "name"]


@task(task_run_name="say where goods stand")
def write_positions(served: Served, as_of: datetime) -> int:
    """Write stock-positions.csv and available-to-promise.csv where they say something new; says how many files."""
    rules = read("rules/allocation.yaml", AllocationRules)
    with reading().connect() as connection:
        tables = _tables(connection, served, rules, as_of)
    return write_changed(settings().home, "allocate-orders", {}, tables, as_of)


def _tables(connection: Connection, served: Served, rules: AllocationRules, as_of: datetime) -> dict[str, pd.DataFrame]:
    coming = arrivals(incoming.still_to_come(connection), as_of, rules.incoming)
    places, parts = stock_places(connection), kit_parts(connection)
    free, others = free_places(connection, rules, as_of, places), unsellable_places(connection)
    position = positions.positions(places, free, others, coming, rules.purposes, as_of)
    supply = positions.promisable_from(position, _waiting(served, parts), coming)
    names, codes = catalogue(connection), {number: code for code, number in warehouse_ids(connection).items()}
    where = pd.concat([position, positions.of_kits(position, parts)]).reset_index()
    where = where.assign(warehouse=where["warehouse_id"].map(codes)).merge(names, on="product_id")
    when = pd.concat([supply, positions.kits_from(supply, parts)]).merge(names, on="product_id")
    when = when.assign(promisable_from=when["at"].mask(when["at"] == positions.NOW))
    return {
        "stock-positions.csv": where.sort_values(["merchant", "sku", "warehouse"])[
            [*NAMED, "warehouse", *positions.UNITS, "next_arrival"]
        ].astype(dict.fromkeys(positions.UNITS, "Int64")),
        "available-to-promise.csv": when.sort_values(["merchant", "sku", "at"])[[*NAMED, "promisable_from", "units"]],
    }


def _waiting(served: Served, parts: pd.DataFrame) -> pd.Series:
    """Units that orders wait for which may be served, by product_id."""
    asking = served.waiting[served.waiting["standing"] == ""].dropna(subset="product_id")
    rows = asking.astype({"product_id": "int64"}).merge(parts, on="product_id")
    return (rows["missing"] * rows["quantity"]).groupby(rows["part_id"]).sum()
