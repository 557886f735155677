"""Step of allocate-orders: write where every SKU stands, and how much of it may be promised from when on."""

from datetime import datetime

import pandas as pd
from prefect import task

from config.read import read
from config.settings import settings
from tasks.documents.run_folder import write_changed
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.stock import positions
from tasks.steps.ordering.explain_backorders import AllocationView

PRODUCT_NAMES = ["merchant", "sku", "name"]


@task(task_run_name="say where goods stand")
def write_stock_positions(view: AllocationView, as_of: datetime) -> int:
    """Write stock-positions.csv and available-to-promise.csv where they changed. Returns the number of files."""
    rules = read("rules/allocation.yaml", AllocationRules)
    position = positions.positions(view.places, view.free_places, view.unsellable, view.arrivals, rules.purposes, as_of)
    tables = {
        "stock-positions.csv": _stock_positions(view, position),
        "available-to-promise.csv": _available_to_promise(view, position),
    }
    return write_changed(settings().home, "allocate-orders", {}, tables, as_of)


def _stock_positions(view: AllocationView, position: pd.DataFrame) -> pd.DataFrame:
    codes = {number: code for code, number in view.warehouse_ids.items()}
    rows = pd.concat([position, positions.kit_positions(position, view.parts)]).reset_index()
    rows = rows.assign(warehouse=rows["warehouse_id"].map(codes)).merge(view.products, on="product_id")
    columns = [*PRODUCT_NAMES, "warehouse", *positions.UNITS, "next_arrival"]
    rows = rows.sort_values(["merchant", "sku", "warehouse"])[columns]
    return rows.astype(dict.fromkeys(positions.UNITS, "Int64"))


def _available_to_promise(view: AllocationView, position: pd.DataFrame) -> pd.DataFrame:
    supply = positions.available_to_promise(position, view.waiting_units, view.arrivals)
    rows = pd.concat([supply, positions.kits_available_to_promise(supply, view.parts)])
    rows = rows.merge(view.products, on="product_id").sort_values(["merchant", "sku", "at"])
    rows = rows.assign(promisable_from=rows["at"].mask(rows["at"] == positions.NOW))
    return rows[[*PRODUCT_NAMES, "promisable_from", "units"]]
