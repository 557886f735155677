"""What a search for the densest wave does to where it stands: visit an aisle, leave one, pick what fits; compiled.

Changes are recorded, so that they can be undone.
"""

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.release.dense_wave_arrays import State, Tables

SKIPPED = 0.3  # of the orders that could be put back first, so many are passed by


@kernel
def turn_order(tables: Tables, state: State, order: int) -> None:
    """Pick an order that is not picked, put one back that is."""
    sign = -1 if state.picked[order] else 1
    for line in range(tables.order_starts[order], tables.order_starts[order + 1]):
        state.left[tables.order_items[line]] -= sign * tables.order_quantities[line]
    state.picked[order] = sign > 0
    state.totals[0] += sign * tables.order_units[order]


@kernel
def turn_aisle(tables: Tables, state: State, aisle: int) -> None:
    """Visit an aisle that is not visited, leave one that is; orders stay as they are."""
    at = state.place[aisle]
    sign = 1 if at < 0 else -1
    for line in range(tables.aisle_starts[aisle], tables.aisle_starts[aisle + 1]):
        state.left[tables.aisle_items[line]] += sign * tables.aisle_quantities[line]
    if at < 0:
        state.place[aisle] = state.totals[1]
        state.visited[state.totals[1]] = aisle
    else:
        last = state.visited[state.totals[1] - 1]
        state.visited[at], state.place[last] = last, at
        state.place[aisle] = -1
    state.totals[1] += sign


@kernel
def _change_order(tables: Tables, state: State, order: int) -> None:
    turn_order(tables, state, order)
    state.orders_changed[state.changes[0]] = order
    state.changes[0] += 1


@kernel
def _change_aisle(tables: Tables, state: State, aisle: int) -> None:
    turn_aisle(tables, state, aisle)
    state.aisles_changed[state.changes[1]] = aisle
    state.changes[1] += 1


@kernel
def _free(state: State, item: int) -> None:
    state.items_freed[state.changes[2]] = item
    state.changes[2] += 1


@kernel
def _fits(tables: Tables, state: State, order: int) -> bool:
    if state.totals[0] + tables.order_units[order] > tables.units_max:
        return False
    for line in range(tables.order_starts[order], tables.order_starts[order + 1]):
        if state.left[tables.order_items[line]] < tables.order_quantities[line]:
            return False
    return True


@kernel
def fill(tables: Tables, state: State, item: int, rng: np.random.Generator) -> None:
    """Pick what fits of the orders that ask for `item`, beginning anywhere."""
    start, end = tables.item_starts[item], tables.item_starts[item + 1]
    if end == start or state.left[item] < tables.least[item]:
        return
    shift = rng.integers(0, end - start)
    for step in range(end - start):
        at = start + shift + step
        order = tables.item_orders[at if at < end else at - (end - start)]
        if not state.picked[order] and _fits(tables, state, order):
            _change_order(tables, state, order)
            if state.left[item] < tables.least[item]:
                return


@kernel
def visit(tables: Tables, state: State, aisle: int, rng: np.random.Generator) -> None:
    """Visit an aisle and pick what its stock makes possible."""
    _change_aisle(tables, state, aisle)
    start, lines = tables.aisle_starts[aisle], tables.aisle_starts[aisle + 1] - tables.aisle_starts[aisle]
    shift = rng.integers(0, lines)
    for step in range(lines):
        line = start + (shift + step) % lines
        item = tables.aisle_items[line]
        if state.left[item] - tables.aisle_quantities[line] < tables.most[item]:  # it may have kept orders waiting
            fill(tables, state, item, rng)


@kernel
def leave(tables: Tables, state: State, aisle: int, rng: np.random.Generator) -> None:
    """Leave an aisle and put back what only its stock made possible; what may be picked instead is noted as freed."""
    _change_aisle(tables, state, aisle)
    for line in range(tables.aisle_starts[aisle], tables.aisle_starts[aisle + 1]):
        item = tables.aisle_items[line]
        if state.left[item] < 0:
            _put_back(tables, state, item, SKIPPED, rng)
            _put_back(tables, state, item, 0.0, rng)
            _free(state, item)


@kernel
def _put_back(tables: Tables, state: State, item: int, skipped: float, rng: np.random.Generator) -> None:
    """Put orders back, small ones first, until none of `item` is picked that no visited aisle holds."""
    for at in range(tables.item_starts[item + 1] - 1, tables.item_starts[item] - 1, -1):
        if state.left[item] >= 0:
            return
        order = tables.item_orders[at]
        if state.picked[order] and rng.random() >= skipped:
            for line in range(tables.order_starts[order], tables.order_starts[order + 1]):
                other = tables.order_items[line]
                if 0 <= state.left[other] < tables.most[other]:
                    _free(state, other)
            _change_order(tables, state, order)
