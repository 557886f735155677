"""A release planned and written by plan-waves' own step: how long it takes, how far pickers walk, beside habit.

Thirty carts at work is read as thirty pickers, each with a cart that is walked again and again until the pickup.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.databases import empty_database

ROOT = Path(__file__).parents[2]
ORDERS, LINES_AN_ORDER, PLACES, CARTS = 5_000, 2.4, 8_000, 30
WARM_UP = 300  # orders
PALLET_TRUCK = "  - {name: pallet truck, positions: 6, weight_g_max: 600000, volume_ml_max: 2000000, lines_max: 60}\n"
TOTE = ("  - {name: tote, positions: 60, weight_g_max: 60000, volume_ml_max: 240000, lines_max: 60, "
        "single_line_only: true, sort_while_picking: false}\n")  # fmt: skip


def main(arguments: list[str]) -> int:
    """Release each number of orders and print what it took; the exit code tells whether every check held."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks release", description=__doc__)
    parser.add_argument("--orders", type=int, nargs="*", default=[ORDERS, 10 * ORDERS], help="of each release (5,000 "
                        "and 50,000); 2.4 lines an order")  # fmt: skip
    parser.add_argument("--places", type=int, default=PLACES, help="of the floor, a product each (8,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the orders (1)")
    parser.add_argument("--pickers", type=int, help="at work (as many as carts): fewer leave orders for the next wave")
    parser.add_argument(
        "--totes", action="store_true", help="single-line orders into totes, 60 to a cart, sorted later"
    )
    parser.add_argument("--dask", help="a scheduler's address, or local; the cores of this machine when left out")
    parser.add_argument("--database", help="address of a PostgreSQL server to work on; SQLite when left out")
    options = parser.parse_args(arguments)
    warm = _run(WARM_UP, argparse.Namespace(**{**vars(options), "pickers": None}))
    print(f"{WARM_UP} orders in {warm['seconds']:.1f} s: kernels are compiled, or read from disk")
    results = [_run(orders, options) for orders in options.orders]
    for orders, figures in zip(options.orders, results, strict=True):
        _tell(orders, figures)
    return int(any(figures["problems"] for figures in results))


def _run(orders: int, options: argparse.Namespace) -> dict[str, Any]:
    """One release in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="release-") as folder, empty_database(folder, options.database) as address:
        config = _config(Path(folder), orders, options)
        settings = {"FULFILMENT_DATABASE_URL": address, "FULFILMENT_CONFIG": str(config), "FULFILMENT_HOME": folder}
        environment = os.environ | settings | ({"FULFILMENT_DASK": options.dask} if options.dask else {})
        numbers = [str(number) for number in (orders, round(orders * LINES_AN_ORDER), options.places, options.seed)]
        command = [sys.executable, "-m", "benchmarks.picking.one_release", *numbers]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _config(folder: Path, orders: int, options: argparse.Namespace) -> Path:
    """The project's own configuration, with a cart for bulky goods, pickers for the orders and waves as large."""
    config = folder / "config"
    shutil.copytree(ROOT / "config", config)
    _edit(config / "rules" / "waves.yaml", r"orders_max: \d+", f"orders_max: {orders}")
    pickers = options.pickers or -(-orders * CARTS // ORDERS)
    _edit(config / "warehouses" / "MAIN.yaml", r"(carts:\n(?:  - .*\n)+)", rf"\1{PALLET_TRUCK}pickers: {pickers}\n")
    if options.totes:
        _edit(config / "warehouses" / "MAIN.yaml", r"carts:\n", f"carts:\n{TOTE}")
    return config


def _edit(file: Path, pattern: str, text: str) -> None:
    changed, number = re.subn(pattern, text, file.read_text(encoding="utf-8"))
    if number != 1:
        raise ValueError(f"{file}: {pattern} found {number} times, expected once")
    file.write_text(changed, encoding="utf-8")


def _tell(orders: int, figures: dict[str, Any]) -> None:
    walks, a_line = figures["carts"] / (CARTS * orders / ORDERS), figures["walk_m"] / max(1, figures["lines"])
    multi, multi_m = figures["carts"] - figures["single_carts"], figures["walk_m"] - figures["single_m"]
    print(
        f"{orders:,} orders: planned, read and written in {figures['seconds']:.1f} s "
        f"({figures['processor_s']:.1f} s of processors), peak {figures['peak_mb']:,.0f} MB"
    )
    print(f"  {figures['carts']:,} tours, {walks:.1f} a cart, {figures['walk_m'] / 1000:,.1f} km; "
          f"of single-line orders {figures['single_carts']:,} of "
          f"{figures['single_m'] / max(1, figures['single_carts']):,.0f} m, of the others "
          f"{multi:,} of {multi_m / max(1, multi):,.0f} m; {figures['lines']:,} lines, {a_line:.2f} m each; "
          f"{figures['left_out']:,} orders left out")  # fmt: skip
    for name, key in (("first come, S-shape", "first_come_m"), ("savings, shortest tours", "savings_m")):
        if key in figures:
            print(f"  {figures['walk_m'] / figures[key]:.3f} of {name} ({figures[key] / 1000:,.1f} km)")
    print(f"  checked: {len(figures['problems'])} problems", *figures["problems"][:20], sep="\n  ")
