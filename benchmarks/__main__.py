"""Runs a benchmark: python -m benchmarks receive --rows 1000000 [--database URL]; without a name, all of them."""

import sys

from benchmarks.counting import reconcile
from benchmarks.ordering import allocate, contention, replenish
from benchmarks.picking import order_batching, picker_routing, release, wave_selection
from benchmarks.receiving import receive
from benchmarks.service import arrivals, start

BENCHMARKS = {
    "receive": receive.main,
    "reconcile": reconcile.main,
    "allocate": allocate.main,
    "contention": contention.main,
    "release": release.main,
    "replenish": replenish.main,
    "arrivals": arrivals.main,
    "start": start.main,
    "picker-routing": picker_routing.main,
    "order-batching": order_batching.main,
    "wave-selection": wave_selection.main,
}


def main(arguments: list[str]) -> int:
    """Run the benchmark that is named, or every one with what it takes by itself."""
    if arguments and arguments[0] not in BENCHMARKS:
        print(f"there is no benchmark {arguments[0]!r}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    chosen = arguments[:1] or list(BENCHMARKS)
    return max(BENCHMARKS[name](arguments[1:]) for name in chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
