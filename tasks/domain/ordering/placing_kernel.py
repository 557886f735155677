"""From which places served lines are taken: walked line by line, compiled where there are many."""

from typing import Any

import numpy as np

from tasks.domain.compiled import compiled, helper
from tasks.domain.ordering.allocation_arrays import DemandArrays, as_int64

COMPILED_FROM_LINES = 2_000  # below, compiling would take longer than it saves


def place(demand: DemandArrays, served: np.ndarray, first_place: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Take what lines were served with from places; those of a product and warehouse are emptied one after the other.

    `served`: units by line (rows) and warehouse (columns). `first_place`: where the places of each product (rows) and
    warehouse (columns) begin; `units`: what each place holds. Returns three rows: part, place and units of each
    taking, in order of service.
    """
    demand = as_int64(demand)
    takings_max = len(demand.product) * served.shape[1] + len(units)
    run = compiled(_place_all) if len(demand.need) >= COMPILED_FROM_LINES else _place_all
    takings = np.empty((3, takings_max), dtype=np.int64)
    count = run(demand, served, np.array(first_place, dtype=np.int64), np.array(units, dtype=np.int64), takings)
    return takings[:, :count]


@helper
def units_of_part(part: int, line: int, units: int, demand: DemandArrays) -> int:
    """The units of a part that `units` of its line take."""
    if units == demand.need[line]:
        return demand.whole[part]  # type: ignore[no-any-return]
    return units * demand.per_unit[part]  # type: ignore[no-any-return]


def _place_all(demand: DemandArrays, served: Any, next_place: Any, units: Any, takings: Any) -> int:
    """Fill `takings`; returns their number. `next_place` moves on as places are emptied, `units` falls."""
    count = 0
    for line in range(len(demand.need)):
        for warehouse in range(served.shape[1]):
            if not served[line, warehouse]:
                continue
            for part in range(demand.first_part[line], demand.first_part[line + 1]):
                missing = units_of_part(part, line, served[line, warehouse], demand)
                product = demand.product[part]
                while missing:
                    place_number = next_place[product, warehouse]
                    taken = min(missing, units[place_number])
                    if taken:
                        takings[0, count], takings[1, count], takings[2, count] = part, place_number, taken
                        count += 1
                    units[place_number] -= taken
                    missing -= taken
                    next_place[product, warehouse] += units[place_number] == 0
    return count
