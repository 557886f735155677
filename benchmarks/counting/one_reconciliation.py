"""One reconciliation of a counted floor, once, in a process of its own: what it cost, and what its parts cost."""

import argparse
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
from benchmarks.peak_memory import peak_mb
from config.read import read
from tasks.domain.counting.count_decisions import decide
from tasks.domain.counting.count_postings import adjustments, first_at_each_place, impossible_promises
from tasks.domain.counting.count_rules import CountRules
from tasks.domain.counting.count_states import CountDecision
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
    """Build the floor, run one part of the benchmark, and print what it cost as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counting.one_reconciliation", description=__doc__)
    parser.add_argument("part", choices=PARTS, help="the whole step, or the rule and a bare join in memory")
    parser.add_argument("database", help="address of an empty database")
    for name in ("places", "lines", "moves"):
        parser.add_argument(name, type=int)
    options = parser.parse_args(arguments)
    os.environ["FULFILMENT_DATABASE_URL"] = options.database
    store = engine_of(options.database)
    metadata.create_all(store)
    with store.begin() as connection:
        build(connection, Size(options.places, options.lines, options.moves))
    print(json.dumps(PARTS[options.part](store)))


def _whole(store: Engine) -> dict[str, float]:
    """The step from its first read to its commit."""
    if store.dialect.name == "postgresql":
        with store.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    started = time.perf_counter()
    decided = reconcile.fn(None, AS_OF)
    figures: dict[str, float] = {"seconds": time.perf_counter() - started, "peak_mb": peak_mb()}
    return figures | {
        state: decided.number_of(CountDecision(state)) for state in ("matched", "posted", "recount", "review")
    }


def _rule_and_join(store: Engine) -> dict[str, float]:
    """The rule and the bare join on the same frames, in seconds."""
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
    decisions = decide(compared, rules)
    adjustments(decisions, AS_OF)
    impossible_promises(decisions)


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


PARTS: dict[str, Callable[[Engine], dict[str, float]]] = {"whole": _whole, "rule": _rule_and_join}

if __name__ == "__main__":
    os.environ.setdefault("FULFILMENT_CONFIG", str(Path(__file__).parents[2] / "config"))
    main(sys.argv[1:])
