"""One release, once, in a process of its own: built, planned and written by plan-waves' own step, checked, compared."""

import json
import sys
import time

import pandas as pd

from benchmarks.picking import release_check, release_habits
from benchmarks.picking.release_floor import AS_OF, Backlog, build
from benchmarks.receiving.pipelines import peak_mb
from config.read import read
from tasks.configured import warehouses
from tasks.domain.picking.release import release_rules
from tasks.domain.picking.release.release_rules import WaveRules
from tasks.steps.picking.draft_waves import Backlog as Read
from tasks.steps.picking.draft_waves import read_backlog
from tasks.steps.picking.plan_waves import release_waves
from tasks.store.database.engine import engine, reading
from tasks.store.schema import metadata

COMPARED_MAX = 10_000  # orders; savings take the square of them


def main(arguments: list[str]) -> None:
    """Build a backlog, release it, and print what it took and how far pickers walk, as JSON."""
    size, seed = Backlog(*(int(one) for one in arguments[:3])), int(arguments[3])
    metadata.create_all(engine())
    with engine().begin() as connection:
        build(connection, size, seed)
    if engine().dialect.name == "postgresql":
        with engine().begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    with reading().connect() as connection:
        before = _backlog(connection)
    started, worked = time.perf_counter(), time.process_time()
    planned = release_waves.fn(None, None, AS_OF)
    told: dict[str, object] = {
        "seconds": time.perf_counter() - started, "processor_s": time.process_time() - worked, "peak_mb": peak_mb(),
        "orders": int(planned.waves["orders"].sum()), "carts": int(planned.waves["carts"].sum()),
        "walk_m": float(planned.waves["walk_m"].sum()), "left_out": len(planned.left_out),
    }  # fmt: skip
    print(
        json.dumps(
            told
            | _checked(before, planned.left_out)
            | (_compared(before) if planned.left_out.empty and size.orders <= COMPARED_MAX else {})
        )
    )


def _backlog(connection: object) -> Read:
    sites = {site.code: site for site in warehouses()}
    return read_backlog(connection, sites, read("rules/waves.yaml", WaveRules), AS_OF)  # type: ignore[arg-type]


def _orders(before: Read) -> tuple[pd.DataFrame, pd.DataFrame]:
    good = before.rows[before.rows["reason"] == ""]
    return release_rules.orders_of(good, read("rules/waves.yaml", WaveRules)), good


def _checked(before: Read, left_out: pd.DataFrame) -> dict[str, object]:
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


def _compared(before: Read) -> dict[str, object]:
    site = next(one for one in warehouses() if one.code == "MAIN")
    orders, good = _orders(before)
    facts = (orders, good[["order_id", "location_id"]], before.floors["MAIN"].places, site.carts)
    return {"first_come_m": release_habits.first_come_m(*facts), "savings_m": release_habits.savings_m(*facts)}


if __name__ == "__main__":
    main(sys.argv[1:])
