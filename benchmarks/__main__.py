"""Runs one benchmark by name, or all of them where none is named; benchmarks/RESULTS.md holds what they printed."""

import argparse
import sys
from types import ModuleType

from benchmarks.counting import reconcile
from benchmarks.ordering import allocate, contention, replenish
from benchmarks.picking import order_batching, picker_routing, release, wave_selection
from benchmarks.receiving import receive
from benchmarks.service import arrivals, start

BENCHMARKS: dict[str, ModuleType] = {
    "receive": receive,
    "reconcile": reconcile,
    "allocate": allocate,
    "contention": contention,
    "release": release,
    "replenish": replenish,
    "arrivals": arrivals,
    "start": start,
    "picker-routing": picker_routing,
    "order-batching": order_batching,
    "wave-selection": wave_selection,
}


def main(arguments: list[str]) -> int:
    """Run the benchmark that is named with its own arguments, or every one with its defaults."""
    listed = "\n".join(f"  {name:<16}{str(module.__doc__).splitlines()[0]}" for name, module in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, epilog=f"benchmarks:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, metavar="NAME", help="a benchmark listed below (all)")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of that benchmark: NAME --help shows them")
    options = parser.parse_args(arguments)
    names = [options.name] if options.name else list(BENCHMARKS)
    return max(int(BENCHMARKS[name].main(options.arguments)) for name in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
