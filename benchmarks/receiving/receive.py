"""How fast order lines are received, beside the machine's limit and beside what is usually done, in one run."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.databases import empty_database
from benchmarks.receiving.order_lines import write_order_lines

WAYS = ("limit", "typical", "ours")


def main(arguments: list[str]) -> int:
    """Measure the three ways in turn, `--repeat` times each, and print the medians and their ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks receive", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="order lines in the file (1,000,000)")
    parser.add_argument("--database", help="address of a PostgreSQL server to work on; SQLite when left out")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each way, interleaved (1)")
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS), help="which ways to run (all)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="receive-") as folder:
        file = Path(folder) / "orders.csv"
        bad = write_order_lines(file, options.rows)
        size = file.stat().st_size
        print(f"{options.rows:,} order lines, {size / 1e6:.0f} MB, {bad:,} of them bad")
        runs = [_run(way, file, options.database) for _ in range(options.repeat) for way in options.ways]
    _tell(runs, options.rows)
    return 0


def _run(way: str, file: Path, server: str | None) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix=f"{way}-", dir=file.parent) as folder,
        empty_database(folder, server) as address,
    ):
        own = Path(folder) / "orders.csv"
        os.link(file, own)
        command = [sys.executable, "-m", "benchmarks.receiving.one_load", way, str(own), address]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {way:<8} {figures['seconds']:7.1f} s  {figures['peak_mb']:6,.0f} MB  {figures['done']}", flush=True)
    return figures


def _tell(runs: list[dict[str, Any]], rows: int) -> None:
    seconds = {way: median(one["seconds"] for one in runs if one["way"] == way) for way in {one["way"] for one in runs}}
    peaks = {way: max(one["peak_mb"] for one in runs if one["way"] == way) for way in seconds}
    for way in (way for way in WAYS if way in seconds):
        ratio = f"  {seconds[way] / seconds['limit']:5.2f} x the limit" if "limit" in seconds else ""
        habit = f"  {seconds[way] / seconds['typical']:5.2f} x the typical way" if "typical" in seconds else ""
        print(f"{way:<8} {rows / seconds[way]:10,.0f} rows/s  peak {peaks[way]:6,.0f} MB{ratio}{habit}")
