"""How fast open orders get their stock, beside the least that reading, dividing and writing back can take."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.databases import empty_database

WAYS = ("bare", "line by line", "whole order", "new lines")
NEW_LINES_SHARE = 0.01


def main(arguments: list[str]) -> int:
    """Measure each way in a process of its own, all on databases filled alike, and print seconds, memory and ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks allocate", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="open order lines (1,000,000)")
    parser.add_argument("--stock", type=int, help="stock rows (a fifth of the lines)")
    parser.add_argument("--database", help="address of a PostgreSQL server to work on; SQLite when left out")
    options = parser.parse_args(arguments)
    stock = options.stock or options.rows // 5
    print(f"{options.rows:,} open order lines, {stock:,} stock rows")
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="allocate-") as folder, empty_database(folder, options.database) as address:
        for way in WAYS:
            way_arguments = [way, address, folder, str(options.rows), str(stock)]
            command = [sys.executable, "-m", "benchmarks.ordering.one_allocation", *way_arguments]
            done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
            for line in done.stdout.splitlines():
                result = json.loads(line)
                results[result["way"]] = result
                cost = f"{result['seconds']:7.2f} s  {result['peak_mb']:6,.0f} MB"
                print(f"  {result['way']:<34} {cost}  {result['done']}", flush=True)
    bare = results["bare"]["seconds"]
    for way in ("line by line", "whole order"):
        print(f"{way:<14} {results[way]['seconds'] / bare:5.2f} x the bare way")
    print(f"new lines      {results['new lines']['seconds'] / results['line by line']['seconds']:5.1%} of the full run")
    return 0
