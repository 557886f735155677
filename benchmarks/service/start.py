"""What a day from a shell costs: the sample, first in a new data folder and then again with nothing new."""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]


def main(arguments: list[str]) -> int:
    """Run both a few times, each pair in a folder of its own, and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks start", description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="pairs of runs (5)")
    options = parser.parse_args(arguments)
    pairs = [_pair() for _ in range(options.repeat)]
    for name, runs in zip(("first", "again"), zip(*pairs, strict=True), strict=True):
        processor, wall = (median(figures) for figures in zip(*runs, strict=True))
        print(f"{name}: {processor:.1f} s of processor, {wall:.1f} s")
    return 0


def _pair() -> tuple[tuple[float, float], tuple[float, float]]:
    with tempfile.TemporaryDirectory(prefix="start-") as folder:
        return _day(folder), _day(folder)


def _day(folder: str) -> tuple[float, float]:
    """Seconds of processor, of the command and all it started, and seconds on the wall."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    before, started = _processor_s(), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "flows", "run-day", "--source", "data/sample"],
        cwd=ROOT, env=kept | {"FULFILMENT_HOME": folder}, stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return _processor_s() - before, time.perf_counter() - started


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
