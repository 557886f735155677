"""Who is served with how much from which warehouse: order by order, greedily, in whole numbers.

The functions run as they stand, or compiled where there are many lines. Each takes what it is about (an order, a line,
a warehouse) and the `ServiceState` all of them work on. Arrays are int64.
"""

from typing import Any

import numpy as np

from tasks.domain.compiled import compiled, helper
from tasks.domain.ordering.allocation_arrays import DemandArrays, ServiceState, ServiceTerms, as_int64
from tasks.domain.ordering.placing_kernel import COMPILED_FROM_LINES, units_of_part

WAREHOUSES_MAX = 62  # the warehouses of an order are the bits of a number


def serve(demand: DemandArrays, free: np.ndarray, terms: ServiceTerms) -> tuple[np.ndarray, np.ndarray]:
    """Units of each line (rows) from each warehouse (columns), and which orders may get more though no stock comes.

    `free`: units by warehouse, the preferred first, and product; what is served is taken off.

    An order is served whole from the first warehouse that has all of it; one that has promised to it before comes
    first. Otherwise, with `split`, its lines may come from several; a further warehouse must send goods worth at
    least `split_cost`. With `partial`, lines are served as far as there is stock. Orders that could not be served are
    tried again until nothing changes, so that a second run finds nothing to do.
    """
    if free.shape[0] > WAREHOUSES_MAX:
        raise ValueError(f"{free.shape[0]} warehouses serve orders, expected at most {WAREHOUSES_MAX}")
    served = np.zeros((len(demand.need), free.shape[0]), dtype=np.int64)
    may_get_more = np.ones(len(demand.used_warehouses), dtype=np.bool_)
    run = compiled(_serve_all) if len(demand.need) >= COMPILED_FROM_LINES else _serve_all
    run(ServiceState(as_int64(demand), terms, free, served), may_get_more)
    return served, may_get_more


def _serve_all(state: ServiceState, may_get_more: Any) -> None:
    """Serve every order for which `may_get_more` holds, again and again until a round serves none."""
    sequence = np.zeros(state.free.shape[0], dtype=np.int64)
    has_served = True
    while has_served:
        has_served = False
        for order in range(len(may_get_more)):
            if may_get_more[order]:
                count = _warehouse_sequence(_used_warehouses(order, state), state.terms.split, sequence)
                has_served |= _serve_order(order, sequence[:count], state)
                may_get_more[order] = _may_get_more(order, state)


@helper
def _warehouse_sequence(used: int, split: bool, sequence: Any) -> int:  # noqa: FBT001 - compiled code takes it by position
    """Fill `sequence` with the warehouses an order is served from, those `used` (bits) first; returns their number.

    Without `split`, an order that has been promised something is served from `used` warehouses only.
    """
    count = 0
    for is_used in range(1, -1, -1):
        for warehouse in range(len(sequence)):
            if (used >> warehouse) & 1 == is_used and (is_used or split or not used):
                sequence[count] = warehouse
                count += 1
    return count


@helper
def _serve_order(order: int, sequence: Any, state: ServiceState) -> bool:
    """Serve an order as its terms allow; whether it got anything."""
    demand, terms = state.demand, state.terms
    if not (terms.split_cost and _used_warehouses(order, state)):
        for warehouse in sequence:
            if _serve_whole(order, warehouse, state):
                return True
    if not _may_get_more(order, state):
        return False
    before = state.served[demand.first_line[order] : demand.first_line[order + 1]].copy()
    _serve_apart(order, sequence, state)
    if terms.split_cost:
        _drop_costly_parcels(order, before, state)
    if not terms.partial and _waits(order, state):
        _restore(order, before, state)
    return _served_units(order, state) > before.sum()  # type: ignore[no-any-return]


@helper
def _serve_apart(order: int, sequence: Any, state: ServiceState) -> None:
    """Serve what there is of an order that no warehouse has all of, as far as the terms allow."""
    for warehouse in sequence:
        if _serve_whole(order, warehouse, state):
            return
    if state.terms.split:
        _serve_lines(order, sequence, state)
    elif state.terms.partial:
        _serve_from_fullest(order, sequence, state)


@helper
def _serve_whole(order: int, warehouse: int, state: ServiceState) -> bool:
    """Serve all that is missing of an order from one warehouse, or nothing; whether it did."""
    first, end = state.demand.first_line[order], state.demand.first_line[order + 1]
    moved = np.zeros(end - first, dtype=np.int64)
    for line in range(first, end):
        missing = _missing(line, state)
        if _units_max(line, missing, warehouse, state) < missing:
            for earlier in range(first, line):
                _move(earlier, -moved[earlier - first], warehouse, state)
            return False
        _move(line, missing, warehouse, state)
        moved[line - first] = missing
    return True


@helper
def _serve_lines(order: int, sequence: Any, state: ServiceState) -> None:
    """Serve each line from one warehouse where one has all of it, otherwise from each what it has."""
    for line in range(state.demand.first_line[order], state.demand.first_line[order + 1]):
        for whole_only in (True, False):
            for warehouse in sequence:
                missing = _missing(line, state)
                units = _units_max(line, missing, warehouse, state)
                if units and (units == missing or not whole_only):
                    _move(line, units, warehouse, state)


@helper
def _serve_from_fullest(order: int, sequence: Any, state: ServiceState) -> None:
    """Serve as much of an order as there is, all of it from the warehouse that has the most of it."""
    first, end = state.demand.first_line[order], state.demand.first_line[order + 1]
    before = state.served[first:end].copy()
    fullest, units_of_fullest = -1, 0
    for warehouse in sequence:
        units = _serve_available(order, warehouse, state)
        _restore(order, before, state)
        if units > units_of_fullest:
            fullest, units_of_fullest = warehouse, units
    if fullest >= 0:
        _serve_available(order, fullest, state)


@helper
def _serve_available(order: int, warehouse: int, state: ServiceState) -> int:
    """Serve what a warehouse has of each line; returns the units served."""
    total = 0
    for line in range(state.demand.first_line[order], state.demand.first_line[order + 1]):
        units = _units_max(line, _missing(line, state), warehouse, state)
        _move(line, units, warehouse, state)
        total += units
    return total


@helper
def _drop_costly_parcels(order: int, before: Any, state: ServiceState) -> None:
    """Take back what further warehouses would send where it is worth less than a parcel costs.

    `before`: what the lines were served with before. Warehouses that have sent something already stay; where there are
    none, the one whose goods are worth the most does.
    """
    first, end = state.demand.first_line[order], state.demand.first_line[order + 1]
    used = state.demand.used_warehouses[order]
    for line in range(first, end):
        for warehouse in range(state.free.shape[0]):
            used |= (before[line - first, warehouse] > 0) << warehouse
    dearest, value_of_dearest = -1, -1
    for warehouse in range(state.free.shape[0]):
        value = _new_value(order, warehouse, before, state)
        if value > value_of_dearest:
            dearest, value_of_dearest = warehouse, value
    for warehouse in range(state.free.shape[0]):
        stays = (used >> warehouse) & 1 or (not used and warehouse == dearest)
        if not stays and _new_value(order, warehouse, before, state) < state.terms.split_cost:
            for line in range(first, end):
                _move(line, before[line - first, warehouse] - state.served[line, warehouse], warehouse, state)


@helper
def _new_value(order: int, warehouse: int, before: Any, state: ServiceState) -> int:
    """The value of what an order gets from a warehouse beyond `before`; -1 where it gets nothing more."""
    first, value, has_more = state.demand.first_line[order], 0, False
    for line in range(first, state.demand.first_line[order + 1]):
        units = state.served[line, warehouse] - before[line - first, warehouse]
        value += units * state.demand.price[line]
        has_more = has_more or units > 0
    return value if has_more else -1


@helper
def _served_units(order: int, state: ServiceState) -> int:
    """Units of all lines of an order, from all warehouses."""
    units = 0
    for line in range(state.demand.first_line[order], state.demand.first_line[order + 1]):
        for warehouse in range(state.served.shape[1]):
            units += state.served[line, warehouse]
    return units


@helper
def _may_get_more(order: int, state: ServiceState) -> bool:
    """Whether an order that waits might be served though no stock comes.

    It cannot be where all warehouses together lack a part of it: of one line, or, with `partial`, of every line.
    """
    demand, partial = state.demand, state.terms.partial
    may_line = False
    for line in range(demand.first_line[order], demand.first_line[order + 1]):
        missing = _missing(line, state)
        enough = missing > 0
        for part in range(demand.first_part[line], demand.first_part[line + 1]):
            all_units = units_of_part(part, line, missing, demand)
            least_units = demand.per_unit[part] if partial else all_units
            enough = enough and _free_everywhere(demand.product[part], state) >= min(least_units, all_units)
        if missing and not enough and not partial:
            return False
        may_line = may_line or enough
    return may_line


@helper
def _used_warehouses(order: int, state: ServiceState) -> int:
    """The warehouses (bits) that have promised something to an order, now or before."""
    used = state.demand.used_warehouses[order]
    for line in range(state.demand.first_line[order], state.demand.first_line[order + 1]):
        for warehouse in range(state.served.shape[1]):
            used |= (state.served[line, warehouse] > 0) << warehouse
    return used  # type: ignore[no-any-return]


@helper
def _free_everywhere(product: int, state: ServiceState) -> int:
    """Free units of a product in all warehouses."""
    units = 0
    for warehouse in range(state.free.shape[0]):
        units += state.free[warehouse, product]
    return units


@helper
def _missing(line: int, state: ServiceState) -> int:
    """Units of a line that are not served yet."""
    units = state.demand.need[line]
    for warehouse in range(state.served.shape[1]):
        units -= state.served[line, warehouse]
    return units  # type: ignore[no-any-return]


@helper
def _waits(order: int, state: ServiceState) -> bool:
    """Whether units of an order are missing."""
    units = 0
    for line in range(state.demand.first_line[order], state.demand.first_line[order + 1]):
        units += _missing(line, state)
    return units > 0


@helper
def _units_max(line: int, missing: int, warehouse: int, state: ServiceState) -> int:
    """The units of a line, at most `missing`, that a warehouse has; of a kit promised in part already, all or none."""
    demand = state.demand
    units, has_all, is_begun = missing, True, False
    for part in range(demand.first_part[line], demand.first_part[line + 1]):
        free = state.free[warehouse, demand.product[part]]
        has_all = has_all and free >= units_of_part(part, line, missing, demand)
        is_begun = is_begun or demand.whole[part] != demand.need[line] * demand.per_unit[part]
        units = min(units, free // demand.per_unit[part])
    return missing if has_all else 0 if is_begun else units


@helper
def _move(line: int, units: int, warehouse: int, state: ServiceState) -> None:
    """Serve `units` of a line from a warehouse; a negative number gives them back."""
    demand = state.demand
    for part in range(demand.first_part[line], demand.first_part[line + 1]):
        taken = units_of_part(part, line, abs(units), demand)
        state.free[warehouse, demand.product[part]] -= taken if units > 0 else -taken
    state.served[line, warehouse] += units


@helper
def _restore(order: int, before: Any, state: ServiceState) -> None:
    """Serve the lines of an order as they were `before`."""
    first = state.demand.first_line[order]
    for line in range(first, state.demand.first_line[order + 1]):
        for warehouse in range(state.free.shape[0]):
            _move(line, before[line - first, warehouse] - state.served[line, warehouse], warehouse, state)
