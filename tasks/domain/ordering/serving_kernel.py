"""First come, first served: order by order against what is still free, in whole numbers.

The functions run as they stand, or compiled where there are many lines. Arrays are int64.
"""

from typing import Any

import numpy as np

from tasks.domain.compiled import compiled, helper
from tasks.domain.ordering.allocation_arrays import Asked, Terms
from tasks.domain.ordering.placing_kernel import COMPILED_FROM_LINES, taken_of

WAREHOUSES_MAX = 62  # the warehouses of an order are the bits of a number


def serve(asked: Asked, free: np.ndarray, terms: Terms) -> tuple[np.ndarray, np.ndarray]:
    """Units of each line (rows) from each warehouse (columns), and which orders may get more though nothing grows.

    `free`: units by warehouse, the preferred first, and product; what is taken is taken off.

    An order is served whole from the first warehouse that has all of it; one that has promised to it before comes
    first. Otherwise, with `split`, its lines may come from several; a further warehouse must send goods worth at
    least `split_cost`. With `partial`, lines are served as far as there is stock. Whoever could not be served is
    asked again until nothing changes, so that a second run finds nothing to do.
    """
    if free.shape[0] > WAREHOUSES_MAX:
        raise ValueError(f"{free.shape[0]} warehouses serve orders, expected at most {WAREHOUSES_MAX}")
    asked = Asked(*(np.array(numbers, dtype=np.int64) for numbers in asked))  # one type of array: compiled once
    given = np.zeros((len(asked.need), free.shape[0]), dtype=np.int64)
    waits = np.ones(len(asked.used), dtype=np.bool_)
    run = compiled(_serve_all) if len(asked.need) >= COMPILED_FROM_LINES else _serve_all
    run(asked, free, terms, given, waits)
    return given, waits


def _serve_all(asked: Asked, free: Any, terms: Terms, given: Any, waits: Any) -> None:
    sequence = np.zeros(free.shape[0], dtype=np.int64)
    more = True
    while more:
        more = False
        for order in range(len(waits)):
            if waits[order]:
                count = _sequence(_used(order, asked, given), terms.split, sequence)
                more |= _serve_order(order, asked, free, terms, given, sequence[:count])
                waits[order] = _may_get_more(order, asked, free, terms, given)


@helper
def _sequence(used: int, split: bool, sequence: Any) -> int:  # noqa: FBT001 - compiled code takes it by position
    """The warehouses an order asks one after the other; says how many."""
    count = 0
    for turn in range(1, -1, -1):
        for warehouse in range(len(sequence)):
            if (used >> warehouse) & 1 == turn and (turn or split or not used):
                sequence[count] = warehouse
                count += 1
    return count


@helper
def _serve_order(order: int, asked: Asked, free: Any, terms: Terms, given: Any, sequence: Any) -> bool:
    """Give an order what its terms allow; whether it got anything."""
    first, end = asked.lines_at[order], asked.lines_at[order + 1]
    if not (terms.split_cost and _used(order, asked, given)):
        for warehouse in sequence:
            if _give_whole(first, end, asked, free, given, warehouse):
                return True
    if not _may_get_more(order, asked, free, terms, given):
        return False
    before = given[first:end].copy()
    _give_apart(first, end, asked, free, terms, given, sequence)
    if terms.split_cost:
        _spare_parcels(order, asked, free, terms, given, before)
    if not terms.partial and _waits(first, end, asked, given):
        _take_back(first, end, asked, free, given, before)
    return _given_of(first, end, given) > _given_of(0, end - first, before)


@helper
def _give_apart(first: int, end: int, asked: Asked, free: Any, terms: Terms, given: Any, sequence: Any) -> None:
    """What there is of lines no warehouse has all of, as far as the terms allow."""
    for warehouse in sequence:
        if _give_whole(first, end, asked, free, given, warehouse):
            return
    if terms.split:
        _give_lines(first, end, asked, free, given, sequence)
    elif terms.partial:
        _give_most(first, end, asked, free, given, sequence)


@helper
def _give_whole(first: int, end: int, asked: Asked, free: Any, given: Any, warehouse: int) -> bool:
    """All that is left of the lines from one warehouse, or nothing."""
    moved = np.zeros(end - first, dtype=np.int64)
    for line in range(first, end):
        left = _left(line, asked, given)
        if _most(line, left, asked, free, warehouse) < left:
            for done in range(first, line):
                _move(done, -moved[done - first], asked, free, given, warehouse)
            return False
        _move(line, left, asked, free, given, warehouse)
        moved[line - first] = left
    return True


@helper
def _give_lines(first: int, end: int, asked: Asked, free: Any, given: Any, sequence: Any) -> None:
    """Each line from one warehouse where one has all of it, otherwise from each what it has."""
    for line in range(first, end):
        for whole in (True, False):
            for warehouse in sequence:
                left = _left(line, asked, given)
                units = _most(line, left, asked, free, warehouse)
                if units and (units == left or not whole):
                    _move(line, units, asked, free, given, warehouse)


@helper
def _give_most(first: int, end: int, asked: Asked, free: Any, given: Any, sequence: Any) -> None:
    """As much of the lines as there is, all of it from the warehouse that gives the most."""
    best, most = -1, 0
    before = given[first:end].copy()
    for trial in range(len(sequence) + 1):
        warehouse = sequence[trial] if trial < len(sequence) else best
        if warehouse < 0:
            return
        units = 0
        for line in range(first, end):
            here = _most(line, _left(line, asked, given), asked, free, warehouse)
            _move(line, here, asked, free, given, warehouse)
            units += here
        if trial < len(sequence):
            _take_back(first, end, asked, free, given, before)
            best, most = (warehouse, units) if units > most else (best, most)


@helper
def _spare_parcels(order: int, asked: Asked, free: Any, terms: Terms, given: Any, before: Any) -> None:
    """Take back what further warehouses would send where it is worth less than a parcel costs."""
    first, end = asked.lines_at[order], asked.lines_at[order + 1]
    used = asked.used[order]
    for line in range(first, end):
        for warehouse in range(free.shape[0]):
            used |= (before[line - first, warehouse] > 0) << warehouse
    dearest, best = -1, -1
    for warehouse in range(free.shape[0]):
        worth = _worth(first, end, asked, given, before, warehouse)
        dearest, best = (warehouse, worth) if worth > best else (dearest, best)
    for warehouse in range(free.shape[0]):
        own = (used >> warehouse) & 1 or (not used and warehouse == dearest)
        if not own and _worth(first, end, asked, given, before, warehouse) < terms.split_cost:
            for line in range(first, end):
                _move(line, before[line - first, warehouse] - given[line, warehouse], asked, free, given, warehouse)


@helper
def _worth(first: int, end: int, asked: Asked, given: Any, before: Any, warehouse: int) -> int:
    """What the goods a warehouse was asked for now are worth; less than nothing where it was asked for none."""
    worth, some = 0, False
    for line in range(first, end):
        units = given[line, warehouse] - before[line - first, warehouse]
        worth += units * asked.price[line]
        some = some or units > 0
    return worth if some else -1


@helper
def _given_of(first: int, end: int, given: Any) -> int:
    units = 0
    for line in range(first, end):
        for warehouse in range(given.shape[1]):
            units += given[line, warehouse]
    return units


@helper
def _may_get_more(order: int, asked: Asked, free: Any, terms: Terms, given: Any) -> bool:
    """Whether an order that waits might be served though nothing grows.

    It cannot be where all warehouses together lack a part of it: of one line, or, with `partial`, of every line.
    """
    some = False
    for line in range(asked.lines_at[order], asked.lines_at[order + 1]):
        left = _left(line, asked, given)
        enough = left > 0
        for part in range(asked.parts_at[line], asked.parts_at[line + 1]):
            least = asked.per[part] if terms.partial else taken_of(part, line, left, asked)
            enough = enough and _there(asked.product[part], free) >= min(least, taken_of(part, line, left, asked))
        if left and not enough and not terms.partial:
            return False
        some = some or enough
    return some


@helper
def _used(order: int, asked: Asked, given: Any) -> int:
    """The warehouses (bits) that have promised something to an order."""
    used = asked.used[order]
    for line in range(asked.lines_at[order], asked.lines_at[order + 1]):
        for warehouse in range(given.shape[1]):
            used |= (given[line, warehouse] > 0) << warehouse
    return used  # type: ignore[no-any-return]


@helper
def _there(product: int, free: Any) -> int:
    units = 0
    for warehouse in range(free.shape[0]):
        units += free[warehouse, product]
    return units


@helper
def _left(line: int, asked: Asked, given: Any) -> int:
    units = asked.need[line]
    for warehouse in range(given.shape[1]):
        units -= given[line, warehouse]
    return units  # type: ignore[no-any-return]


@helper
def _waits(first: int, end: int, asked: Asked, given: Any) -> bool:
    units = 0
    for line in range(first, end):
        units += _left(line, asked, given)
    return units > 0


@helper
def _most(line: int, left: int, asked: Asked, free: Any, warehouse: int) -> int:
    """How many units of a line a warehouse can give; of a kit promised in part already, all or none."""
    most, whole, spare = left, True, False
    for part in range(asked.parts_at[line], asked.parts_at[line + 1]):
        have = free[warehouse, asked.product[part]]
        whole = whole and have >= taken_of(part, line, left, asked)
        spare = spare or asked.units[part] != asked.need[line] * asked.per[part]
        most = min(most, have // asked.per[part])
    return left if whole else 0 if spare else most


@helper
def _move(line: int, units: int, asked: Asked, free: Any, given: Any, warehouse: int) -> None:
    """Give so many units of a line from a warehouse; fewer than none give them back."""
    for part in range(asked.parts_at[line], asked.parts_at[line + 1]):
        taken = taken_of(part, line, abs(units), asked)
        free[warehouse, asked.product[part]] -= taken if units > 0 else -taken
    given[line, warehouse] += units


@helper
def _take_back(first: int, end: int, asked: Asked, free: Any, given: Any, before: Any) -> None:
    for line in range(first, end):
        for warehouse in range(free.shape[0]):
            _move(line, before[line - first, warehouse] - given[line, warehouse], asked, free, given, warehouse)
