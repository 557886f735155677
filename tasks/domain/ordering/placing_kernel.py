"""From which places served lines are taken: walked line by line, compiled where there are many."""

from typing import Any

import numpy as np

from tasks.domain.compiled import compiled, helper
from tasks.domain.ordering.allocation_arrays import Asked

COMPILED_FROM_LINES = 2_000  # below, compiling would take longer than it saves


def place(asked: Asked, given: np.ndarray, pools_at: np.ndarray, units: np.ndarray) -> tuple[Any, Any, Any]:
    """Take what was given from its places, those of a product and warehouse emptied in their order.

    `pools_at`: where the places of each product (rows) and warehouse (columns) begin. `units`: what each holds.
    Gives part, place and units, in order of service.
    """
    asked = Asked(*(np.array(numbers, dtype=np.int64) for numbers in asked))
    most = len(asked.product) * given.shape[1] + len(units)
    run = compiled(_place_all) if len(asked.need) >= COMPILED_FROM_LINES else _place_all
    taken = np.empty((3, most), dtype=np.int64)
    count = run(asked, given, np.array(pools_at, dtype=np.int64), np.array(units, dtype=np.int64), taken)
    return taken[0, :count], taken[1, :count], taken[2, :count]


@helper
def taken_of(part: int, line: int, units: int, asked: Asked) -> int:
    """What so many units of a line take of a part."""
    return asked.units[part] if units == asked.need[line] else units * asked.per[part]  # type: ignore[no-any-return]


def _place_all(asked: Asked, given: Any, next_place: Any, units: Any, taken: Any) -> int:
    count = 0
    for line in range(len(asked.need)):
        for warehouse in range(given.shape[1]):
            for part in range(asked.parts_at[line], asked.parts_at[line + 1]):
                left = taken_of(part, line, given[line, warehouse], asked) if given[line, warehouse] else 0
                product = asked.product[part]
                while left:
                    here = next_place[product, warehouse]
                    now = min(left, units[here])
                    if now:
                        taken[0, count], taken[1, count], taken[2, count] = part, here, now
                        count += 1
                    units[here] -= now
                    left -= now
                    next_place[product, warehouse] += units[here] == 0
    return count
