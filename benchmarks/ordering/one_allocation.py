"""The ways open lines get their stock, each run in a process of its own by `allocate`.

Prints JSON objects: way, seconds, peak_mb, done. Filling the tables, importing and compiling are not timed.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine, func, insert, literal, select, text, update

from benchmarks.ordering.order_backlog import AS_OF, furnish, sell
from benchmarks.peak_memory import peak_mb, reset_peak
from config.prefect_environment import in_process
from tasks.store import schema
from tasks.store.database.bulk import read_bulk
from tasks.store.database.frames import staged


@dataclass(frozen=True)
class Shop:
    """The database and how large the shop in it is."""

    database: Engine
    lines: int
    stock: int


def bare(shop: Shop) -> dict[str, Any]:
    """Read, divide by a running sum, write back: no priority, no warehouse, no whole orders, no reasons."""
    level, line = schema.stock_levels.c, schema.order_lines.c
    with shop.database.begin() as connection:
        started = time.perf_counter()
        lines = read_bulk(connection, select(line.order_id, line.line_number, line.sku, line.quantity_ordered))
        stock = read_bulk(connection, select(level.product_id, level.location_id, level.on_hand))
        goods = read_bulk(connection, select(schema.products.c.sku, schema.products.c.id))
        lines["product_id"] = goods["id"].to_numpy()[pd.Index(goods["sku"]).get_indexer(lines["sku"])]
        taken = _divide(lines, stock).sort_values(["order_id", "line_number"])  # as the tables are kept: quicker
        _write(connection, taken)
        connection.commit()
        return {"seconds": time.perf_counter() - started, "done": f"{len(taken):,} promises"}


def _divide(lines: pd.DataFrame, stock: pd.DataFrame) -> pd.DataFrame:
    """First come, first served: the intervals of demand laid upon those of stock, product by product."""
    lines = lines.take(np.lexsort((lines["order_id"], lines["product_id"])))
    stock = stock.take(np.argsort(stock["product_id"].to_numpy(), kind="stable"))
    wide = np.int64(1) << 32
    quantities, units = lines["quantity_ordered"].to_numpy(), stock["on_hand"].to_numpy()
    until = _running(lines["product_id"].to_numpy(), quantities) + lines["product_id"].to_numpy() * wide
    there = _running(stock["product_id"].to_numpy(), units) + stock["product_id"].to_numpy() * wide
    place = np.minimum(np.searchsorted(there, until), len(there) - 1)
    fits = stock["product_id"].to_numpy()[place] == lines["product_id"].to_numpy()
    fits &= (there[place] - units[place] <= until - quantities) & (until <= there[place])  # lies in one place, or waits
    fitting_lines = lines[fits][["order_id", "line_number", "product_id"]]
    return pd.DataFrame(
        fitting_lines.assign(
            location_id=stock["location_id"].to_numpy()[place[fits]], quantity=quantities[fits], lot=""
        )
    )


def _running(group: np.ndarray, units: np.ndarray) -> np.ndarray:
    total = np.cumsum(units)
    first = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    before = np.r_[0, total[first[1:] - 1]]
    running: np.ndarray = total - np.repeat(before, np.diff(np.r_[first, len(group)]))
    return running


def _write(connection: Any, taken: pd.DataFrame) -> None:
    """One INSERT and two UPDATEs from one temporary table."""
    names = ["order_id", "line_number", "location_id", "product_id", "lot", "quantity"]
    level, line = schema.stock_levels, schema.order_lines
    with staged(connection, taken[names], like=schema.allocations) as new:
        at = literal(AS_OF, schema.allocations.c.allocated_at.type)
        connection.execute(insert(schema.allocations).from_select([*names, "allocated_at"], select(new, at)))
        place = [new.c.location_id, new.c.product_id]
        sums = select(*place, func.sum(new.c.quantity).label("units")).group_by(*place).subquery()
        is_same_place = (level.c.location_id == sums.c.location_id) & (level.c.product_id == sums.c.product_id)
        connection.execute(update(level).where(is_same_place).values(allocated=level.c.allocated + sums.c.units))
        is_same_line = (line.c.order_id == new.c.order_id) & (line.c.line_number == new.c.line_number)
        connection.execute(update(line).where(is_same_line).values(quantity_allocated=new.c.quantity))


def _ours(*, partial: bool) -> Callable[[Shop], dict[str, Any]]:
    """The step of allocate-orders, with first come first served as its rule."""

    def run(_: Shop) -> dict[str, Any]:
        step = _ready(partial=partial)
        started = time.perf_counter()
        outcome = step.allocate_stock.fn(AS_OF)
        return {
            "seconds": time.perf_counter() - started,
            "done": f"{outcome.promises:,} promises, {outcome.orders:,} orders",
        }

    return run


def _ready(*, partial: bool) -> Any:
    """The steps with their rule; imported, and the kernel compiled."""
    from config.read import read
    from tasks.domain.ordering import placing_kernel, serving_kernel
    from tasks.domain.ordering.allocation import AllocationRules, Precedence
    from tasks.domain.ordering.allocation_arrays import DemandArrays, ServiceTerms
    from tasks.steps.ordering import allocate_orders

    rules = replace(read("rules/allocation.yaml", AllocationRules), partial=partial, split=True,
                    priority=(Precedence.CREATED_AT,))  # fmt: skip
    vars(allocate_orders)["read"] = lambda *_: rules
    n = np.arange(placing_kernel.COMPILED_FROM_LINES + 1)
    demand = DemandArrays(n, np.ones(len(n) - 1, int), n[1:], n, n[:-1] * 0, n[:-1] * 0 + 1, n[:-1] * 0 + 1, n[:-1] * 0)
    served, _ = serving_kernel.serve(demand, np.ones((2, 1), dtype="int64"), ServiceTerms(partial, True, 0))
    placing_kernel.place(demand, served, np.array([[0, 1]]), np.ones(2, dtype="int64"))
    return allocate_orders


def new_lines(shop: Shop) -> dict[str, Any]:
    """A hundredth as many lines more, after everything was served line by line; and what saying why takes."""
    step, more = _ready(partial=True), max(1, shop.lines // 100)
    from tasks.steps.ordering import explain_backorders

    vars(explain_backorders)["read"] = vars(step)["read"]
    full = _ours(partial=True)(shop)
    with shop.database.connect() as connection:
        first = 1 + int(connection.scalar(select(func.max(schema.orders.c.id))) or 0)
    sell(shop.database, more, shop.stock // 2, first=first, seed=3)
    _analyse(shop.database)
    started = time.perf_counter()
    outcome = step.allocate_stock.fn(AS_OF + timedelta(minutes=15))
    figures = {"seconds": time.perf_counter() - started, "done": f"{more:,} lines came, {outcome.promises:,} promises"}
    started = time.perf_counter()
    waits = explain_backorders.explain_backorders.fn(AS_OF + timedelta(minutes=15)).waiting_lines
    why = {"seconds": time.perf_counter() - started, "done": f"{len(waits):,} lines wait, each with a reason"}
    return figures | {"others": {"line by line, before new lines": full, "saying why lines wait": why}}


def _analyse(database: Engine) -> None:
    if database.dialect.name == "postgresql":  # what autovacuum does by itself a minute later
        with database.begin() as connection:
            connection.execute(text("ANALYZE"))


WAYS = {"bare": bare, "line by line": _ours(partial=True), "whole order": _ours(partial=False), "new lines": new_lines}


def main(arguments: list[str]) -> None:
    """Fill the database anew, run one way once and print what it cost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ordering.one_allocation", description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("database", help="address of an empty database")
    parser.add_argument("folder", help="for the files of the run")
    parser.add_argument("lines", type=int)
    parser.add_argument("stock", type=int, help="stocked places")
    options = parser.parse_args(arguments)
    os.environ |= in_process(Path(options.folder))
    os.environ |= {"FULFILMENT_HOME": options.folder, "FULFILMENT_DATABASE_URL": options.database}
    from tasks.store.database.engine import engine

    schema.metadata.drop_all(engine())
    schema.metadata.create_all(engine())
    sell(engine(), options.lines, furnish(engine(), options.stock))
    _analyse(engine())
    start_mb = reset_peak()
    figures = WAYS[options.way](Shop(engine(), options.lines, options.stock))
    others = figures.pop("others", {})
    for name, one in (*others.items(), (options.way, figures)):
        print(json.dumps({"way": name, "peak_mb": peak_mb(), "start_mb": start_mb, **one}))


if __name__ == "__main__":
    main(sys.argv[1:])
