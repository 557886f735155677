"""How fast counts are reconciled, read to commit; beside it the rule and a bare join, and a tenth of the floor."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.counting.counted_floor import Size
from benchmarks.databases import empty_database

TENTH = 0.1


def main(arguments: list[str]) -> int:
    """Reconcile a tenth of the floor and all of it, `--repeat` times each, and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks reconcile", description=__doc__)
    parser.add_argument("--places", type=int, default=200_000, help="stock places (200,000)")
    parser.add_argument("--lines", type=int, default=100_000, help="counted lines (100,000)")
    parser.add_argument("--moves", type=int, default=300_000, help="movements beside the opening stock (300,000)")
    parser.add_argument("--database", help="address of a PostgreSQL server to work on; SQLite when left out")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each (1)")
    options = parser.parse_args(arguments)
    whole = Size(options.places, options.lines, options.moves)
    print(f"{whole.places:,} stock places, {whole.lines:,} counted lines, {whole.moves:,} movements")
    runs = {
        name: [_run(name, "whole", size, options.database) for _ in range(options.repeat)]
        for name, size in (("10 %", whole.scaled(TENTH)), ("100 %", whole))
    }
    rule = _run("rule", "rule", whole, options.database)
    _tell(runs, rule, whole)
    return 0


def _run(name: str, part: str, size: Size, server: str | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="reconcile-") as folder, empty_database(folder, server) as address:
        numbers = [str(number) for number in (size.places, size.lines, size.moves)]
        command = [sys.executable, "-m", "benchmarks.counting.one_reconciliation", part, address, *numbers]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {name:<6} " + "  ".join(f"{key} {value:,.3f}".rstrip("0").rstrip(".") for key, value in figures.items()),
          flush=True)  # fmt: skip
    return figures


def _tell(runs: dict[str, list[dict[str, Any]]], rule: dict[str, Any], whole: Size) -> None:
    seconds = {name: median(one["seconds"] for one in several) for name, several in runs.items()}
    peak = max(one["peak_mb"] for several in runs.values() for one in several)
    print(f"read, decided and committed: {seconds['100 %']:.1f} s, {whole.lines / seconds['100 %']:,.0f} lines/s, "
          f"peak {peak:,.0f} MB")  # fmt: skip
    print(f"ten times the lines: {seconds['100 %'] / seconds['10 %']:.1f} times the time")
    print(f"the rule: {rule['rule']:.2f} s, a bare join: {rule['join']:.2f} s: {rule['rule'] / rule['join']:.1f} times")
