"""How fast reorder points are computed: the rule alone on every SKU and day, the step from lines to commit."""

import argparse
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.databases import empty_database
from benchmarks.peak_memory import peak_mb
from config.prefect_environment import in_process
from tasks.domain.stock.daily_demand import daily_demand, days_observed

AS_OF = datetime(2026, 3, 6, 5, tzinfo=UTC)


def main(arguments: list[str]) -> int:
    """Run both once and print what they took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks replenish", description=__doc__)
    parser.add_argument("--skus", type=int, default=100_000, help="products (100,000)")
    parser.add_argument("--days", type=int, default=90, help="days of demand (90)")
    parser.add_argument("--lines", type=int, default=1_000_000, help="order lines of the step (1,000,000)")
    parser.add_argument("--database", help="address of a PostgreSQL server to work on; SQLite when left out")
    options = parser.parse_args(arguments)
    print(
        f"{options.skus:,} SKUs x {options.days} days, every one with demand: {_rule(options.skus, options.days):.2f} s"
    )
    with (
        tempfile.TemporaryDirectory(prefix="replenish-") as folder,
        empty_database(folder, options.database) as address,
    ):
        os.environ |= in_process(Path(folder)) | {"FULFILMENT_HOME": folder, "FULFILMENT_DATABASE_URL": address}
        changed, seconds, again = _step(options.skus, options.days, options.lines)
    print(f"{options.lines:,} order lines: {changed:,} reorder points read, computed and committed in {seconds:.1f} s, "
          f"again in {again:.1f} s; peak {peak_mb():,.0f} MB")  # fmt: skip
    return 0


def _rule(skus: int, days: int) -> float:
    """Seconds of the rule on a demand and a receipt of every product on every day."""
    draw = np.random.default_rng(1)
    product, day = (one.ravel() for one in np.indices((skus, days)))
    demand = pd.DataFrame({"product_id": product, "day": day, "units": draw.integers(1, 9, skus * days)})
    moved = pd.DataFrame({"product_id": np.arange(skus), "day": -1, "units": draw.integers(0, 900, skus)})
    started = time.perf_counter()
    daily_demand(demand, days_observed(moved, demand, days), 3.0)
    return time.perf_counter() - started


def _step(skus: int, days: int, lines: int) -> tuple[int, float, float]:
    from tasks.steps.plan_purchases import set_targets
    from tasks.steps.prepare_database import prepare_database

    prepare_database.fn()
    _fill(skus, days, lines)
    started = time.perf_counter()
    changed = set_targets.fn(AS_OF)
    first = time.perf_counter() - started
    set_targets.fn(AS_OF)
    return changed, first, time.perf_counter() - started - first


def _fill(skus: int, days: int, lines: int) -> None:
    """A merchant's products, one opening of each, and orders of one line: few products sell most (Zipf)."""
    from tasks.store.database.engine import engine
    from tasks.store.database.frames import fill
    from tasks.store.schema import locations, merchants, order_lines, orders, products, stock_moves, warehouses

    draw, number = np.random.default_rng(2), np.arange(1, skus + 1)
    sold = np.minimum(draw.zipf(1.3, lines), skus)
    placed = pd.Series(
        pd.Timestamp(AS_OF.replace(hour=0)) - pd.to_timedelta(draw.integers(1, days * 86400, lines), "s")
    )
    placed = placed.dt.as_unit("s")
    sku = "SKU-" + pd.Series(number).astype("str")
    tables = {
        merchants: pd.DataFrame({"id": [1], "code": ["HEARTH"], "name": ["Hearth"]}),
        warehouses: pd.DataFrame({"id": [1], "code": ["MAIN"], "name": ["London"], "time_zone": ["Europe/London"],
                                  "country": ["GB"]}),
        locations: pd.DataFrame({"id": [1], "warehouse_id": [1], "code": ["A-01"]}),
        products: pd.DataFrame({"id": number, "merchant_id": 1, "sku": sku}),
        stock_moves: pd.DataFrame({"product_id": number, "location_id": 1, "quantity": 500, "kind": "opening",
                                   "effective_at": pd.Timestamp(AS_OF - timedelta(days=days + 1)),
                                   "recorded_at": pd.Timestamp(AS_OF), "cause": "opening:" + sku}),
        orders: pd.DataFrame({"id": np.arange(1, lines + 1), "merchant_id": 1, "currency": "GBP", "created_at": placed,
                              "order_number": pd.Series(np.arange(1, lines + 1)).astype("str"), "paid_at": placed}),
        order_lines: pd.DataFrame({"order_id": np.arange(1, lines + 1), "line_number": 1, "sku": sku[sold - 1].array,
                                   "quantity_ordered": draw.integers(1, 4, lines)}),
    }  # fmt: skip
    with engine().begin() as connection:
        for table, rows in tables.items():
            fill(connection, table, rows)
