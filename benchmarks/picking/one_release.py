"""One release, once, in a process of its own: built, planned and written by plan-waves' own step, checked, compared."""

import argparse
import json
import sys
import time

import pandas as pd

from benchmarks.peak_memory import peak_mb
from benchmarks.picking import release_baselines, release_check
from benchmarks.picking.release_backlog import AS_OF, BacklogSize, build
from config.read import read
from tasks.configured import warehouses
from tasks.domain.picking.release import release_rules
from tasks.domain.picking.release.release_rules import WaveRules
from tasks.steps.picking.draft_waves import Backlog, read_backlog
from tasks.steps.picking.plan_waves import release_waves
from tasks.store.database.engine import engine, reading
from tasks.store.schema import metadata

COMPARED_MAX = 10_000  # orders; savings take the square of them


def main(arguments: list[str]) -> None:
    """Build a backlog, release it, and print what it took and how far pickers walk, as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.picking.one_release", description=__doc__)
    for name in ("orders", "lines", "places", "seed"):
        parser.add_argument(name, type=int)
    options = parser.parse_args(arguments)
    size = BacklogSize(options.orders, options.lines, options.places)
    metadata.create_all(engine())
    with engine().begin() as connection:
        build(connection, size, options.seed)
    if engine().dialect.name == "postgresql":
        with engine().begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    with reading().connect() as connection:
        before = _backlog(connection)
    started, worked = time.perf_counter(), time.process_time()
    planned = release_waves.fn(None, None, AS_OF)
    figures: dict[str, object] = {
        "seconds": time.perf_counter() - started, "processor_s": time.process_time() - worked, "peak_mb": peak_mb(),
        "orders": int(planned.waves["orders"].sum()), "carts": int(planned.waves["carts"].sum()),
        "walk_m": float(planned.waves["walk_m"].sum()), "left_out": len(planned.left_out),
    }  # fmt: skip
    print(
        json.dumps(
            figures
            | _checked(before, planned.left_out)
            | (_compared(before) if planned.left_out.empty and size.orders <= COMPARED_MAX else {})
        )
    )


def _backlog(connection: object) -> Backlog:
    sites = {site.code: site for site in warehouses()}
    return read_backlog(connection, sites, read("rules/waves.yaml", WaveRules), AS_OF)  # type: ignore[arg-type]


def _orders(before: Backlog) -> tuple[pd.DataFrame, pd.DataFrame]:
    good = before.rows[before.rows["reason"] == ""]
    return release_rules.prioritised_orders(good, read("rules/waves.yaml", WaveRules)), good


def _checked(before: Backlog, left_out: pd.DataFrame) -> dict[str, object]:
    site = next(one for one in warehouses() if one.code == "MAIN")
    rows = before.rows[~before.rows["order_number"].isin(left_out["order_number"])]
    with reading().connect() as connection:
        stops = release_check.stops_of(connection)
    expected = set(rows["allocation_id"])
    wrong = release_check.problems(stops, before.floors["MAIN"].places, expected, site.carts)
    single = stops.groupby("cart").agg(
        lines=("order_id", lambda one: one.value_counts().max()), metres=("walk_m", "first")
    )
    alone = single["metres"][single["lines"] == 1]
    return {"problems": wrong, "single_carts": len(alone), "single_m": float(alone.sum()),
            "lines": len(stops)}  # fmt: skip


def _compared(before: Backlog) -> dict[str, object]:
    site = next(one for one in warehouses() if one.code == "MAIN")
    orders, good = _orders(before)
    facts = (orders, good[["order_id", "location_id"]], before.floors["MAIN"].places, site.carts)
    return {"first_come_m": release_baselines.first_come_m(*facts), "savings_m": release_baselines.savings_m(*facts)}


if __name__ == "__main__":
    main(sys.argv[1:])
