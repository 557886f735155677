"""One reconciliation of a counted floor, once, in a process of its own: what it cost, and what its parts cost."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pandas as pd
from sqlalchemy import Engine, select

from benchmarks.counting.counted_floor import AS_OF, Size, build
from benchmarks.receiving.pipelines import peak_mb
from config.read import read
from tasks.domain.counting.count_decisions import decide
from tasks.domain.counting.count_postings import adjustments, first_at_each_place, impossible_promises
from tasks.domain.counting.count_rules import CountRules
from tasks.domain.counting.expected_units import out_of_bin, picked_units
from tasks.steps.counting.reconcile_counts import reconcile
from tasks.steps.counting.settle_counts import with_book
from tasks.store.counting import count_cases
from tasks.store.database import frames
from tasks.store.database.engine import engine_of
from tasks.store.ledger import PLACE
from tasks.store.schema import metadata, stock_moves

REPEATS = 5


def main(arguments: list[str]) -> None:
    """Build the floor, time the whole step from its first read to its commit, and print it as JSON."""
    address, *numbers = arguments
    os.environ["FULFILMENT_DATABASE_URL"] = address
    store, size = engine_of(address), Size(*(int(number) for number in numbers))
    metadata.create_all(store)
    with store.begin() as connection:
        build(connection, size)
    if store.dialect.name == "postgresql":
        with store.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    started = time.perf_counter()
    decided = reconcile.fn(None, AS_OF)
    told: dict[str, float] = {"seconds": time.perf_counter() - started, "peak_mb": peak_mb()}
    told |= {one: decided.lines(one) for one in ("matched", "posted", "recount", "review")}
    print(json.dumps(told))


def rule(arguments: list[str]) -> None:
    """Time the rule and the bare join on the same frames, and print both as JSON."""
    address, *numbers = arguments
    os.environ["FULFILMENT_DATABASE_URL"] = address
    store = engine_of(address)
    metadata.create_all(store)
    with store.begin() as connection:
        build(connection, Size(*(int(number) for number in numbers)))
    print(json.dumps(_parts(store)))


def _parts(store: Engine) -> dict[str, float]:
    rules = read("rules/counts.yaml", CountRules)
    move = stock_moves.c
    with store.begin() as connection:
        lines = count_cases.open_lines(connection, None, AS_OF)
        compared = with_book(connection, first_at_each_place(lines))
        picked = count_cases.picks_at(connection, lines)
        moves = frames.read(connection, select(*(move[name] for name in PLACE), move.quantity, move.effective_at))
    return {
        "rule": _seconds(lambda: _rule(lines, compared, picked, rules)),
        "join": _seconds(lambda: _bare_join(lines, moves)),
    }


def _rule(lines: pd.DataFrame, compared: pd.DataFrame, picked: tuple[pd.DataFrame, pd.DataFrame],
          rules: CountRules) -> None:  # fmt: skip
    """Everything reconcile decides in memory."""
    first_at_each_place(lines)
    out_of_bin(lines, picked_units(*picked))
    told = decide(compared, rules)
    adjustments(told, AS_OF)
    impossible_promises(told)


def _bare_join(lines: pd.DataFrame, moves: pd.DataFrame) -> pd.Series:
    """What everybody writes first: join on the place, keep what was effective by then, sum, subtract."""
    both = lines[["line_id", *PLACE, "counted_at"]].merge(moves, on=list(PLACE))
    sums = both[both["effective_at"] <= both["counted_at"]].groupby("line_id")["quantity"].sum()
    return lines["quantity"] - lines["line_id"].map(sums).fillna(0)


def _seconds(action: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return median(times)


if __name__ == "__main__":
    os.environ.setdefault("FULFILMENT_CONFIG", str(Path(__file__).parents[2] / "config"))
    (rule if sys.argv[1] == "rule" else main)(sys.argv[2:])
