"""First come, first served: orders one by one against what is still free, in plain numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Line = tuple[int, int, list[tuple[int, int, int]]]  # line, need, and (product, per, units) of each component
Taken = tuple[int, int, int]  # line, warehouse, units of the line


@dataclass
class Shelves:
    """What is still free: one list of units by product for each warehouse, the preferred first."""

    free: list[list[int]]

    def take(self, warehouse: int, wanted: list[tuple[int, int]]) -> bool:
        """Take all that is wanted (product, units) from one warehouse, or nothing."""
        shelf = self.free[warehouse]
        for number, (product, units) in enumerate(wanted):
            if shelf[product] < units:
                self.give_back(warehouse, wanted[:number])
                return False
            shelf[product] -= units
        return True

    def give_back(self, warehouse: int, wanted: list[tuple[int, int]]) -> None:
        """Undo a `take`."""
        for product, units in wanted:
            self.free[warehouse][product] += units


def serve(orders: Iterable[list[Line]], shelves: Shelves, *, partial: bool, split: bool) -> list[Taken]:
    """Serve one order after the other, as far as the shelves go.

    An order is served whole from the first warehouse that has all of it. Otherwise, with `split`, its lines may come
    from several warehouses; with `partial`, lines are served as far as there is stock while the rest waits.
    """
    taken: list[Taken] = []
    for order in orders:
        whole = _whole(order, shelves)
        if whole is None and (partial or split):
            each = _line_by_line(order, shelves, split=split)
            if partial or _units(each) == sum(need for _, need, _ in order):
                whole = each
            else:
                _undo(order, each, shelves)
        taken += whole or []
    return taken


def _whole(order: list[Line], shelves: Shelves) -> list[Taken] | None:
    """The whole order from the first warehouse that has all of it."""
    wanted = [(product, units) for _, _, parts in order for product, _, units in parts]
    for warehouse in range(len(shelves.free)):
        if shelves.take(warehouse, wanted):
            return [(line, warehouse, need) for line, need, _ in order]
    return None


def _line_by_line(order: list[Line], shelves: Shelves, *, split: bool) -> list[Taken]:
    """As much of each line as there is; without splitting, all from the warehouse that gives the most."""
    every = range(len(shelves.free))
    if split:
        return [one for line in order for one in _spread(line, shelves, every)]
    best: list[Taken] = []
    for warehouse in every:
        trial = [one for line in order for one in _spread(line, shelves, [warehouse])]
        _undo(order, trial, shelves)
        best = trial if _units(trial) > _units(best) else best
    for line, warehouse, units in best:
        _take_units(next(one for one in order if one[0] == line), warehouse, units, shelves)
    return best


def _spread(line: Line, shelves: Shelves, warehouses: Sequence[int]) -> list[Taken]:
    """One line from one warehouse where one has all of it, otherwise from each what it has."""
    number, need, parts = line
    for warehouse in warehouses:
        if shelves.take(warehouse, [(product, units) for product, _, units in parts]):
            return [(number, warehouse, need)]
    if any(units != need * per for _, per, units in parts):
        return []  # some components of the kit are promised already: the rest comes together
    taken, left = [], need
    for warehouse in warehouses:
        units = min([left, *(shelves.free[warehouse][product] // per for product, per, _ in parts)])
        if units > 0:
            _take_units(line, warehouse, units, shelves)
            taken.append((number, warehouse, units))
            left -= units
    return taken


def _wanted(line: Line, units: int) -> list[tuple[int, int]]:
    _, need, parts = line
    return [(product, all_units if units == need else units * per) for product, per, all_units in parts]


def _take_units(line: Line, warehouse: int, units: int, shelves: Shelves) -> None:
    shelves.take(warehouse, _wanted(line, units))


def _undo(order: list[Line], taken: list[Taken], shelves: Shelves) -> None:
    lines = {line[0]: line for line in order}
    for line, warehouse, units in taken:
        shelves.give_back(warehouse, _wanted(lines[line], units))


def _units(taken: list[Taken]) -> int:
    return sum(units for _, _, units in taken)
