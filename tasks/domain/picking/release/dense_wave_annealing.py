"""Denser waves by simulated annealing over the visited aisles, the orders following greedily; compiled.

A move leaves an aisle, visits one, or both, or visits all that one more order needs. Orders that lose their stock are
put back, orders that find theirs are picked. The value is Dinkelbach's (1967): units - density * aisles, at the best
density known; a wave of a positive value is denser. Units below the least are a loss once more. Annealing as of
Kirkpatrick, Gelatt and Vecchi (1983), heats in multiples of the density.
"""

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.release.dense_wave_arrays import AISLES_A_MOVE, State, Tables
from tasks.domain.picking.release.dense_wave_moves import fill, leave, turn_aisle, turn_order, visit

VISIT, LEAVE, SWAP = 0.25, 0.5, 0.8  # the kinds of moves, cumulated; the rest visits all that an order needs
PUT_BACK = 0.5  # of swaps: the aisle is sought for an order the other aisle lost
SAMPLE = 4  # orders looked at to find one worth an aisle
REFILLED = 0.2  # of the units lost with an aisle, so many may come back by other orders


@kernel
def anneal(
    tables: Tables, state: State, moves: int, hot: float, cold: float, density: float, rng: np.random.Generator
) -> None:
    """Make `moves` moves from `state` while the heat falls from `hot` to `cold`; the best wave is kept in `state`."""
    value = _value(tables, state, density)
    for move in range(moves):
        heat = density * hot * (cold / hot) ** (move / moves)
        threshold = value + heat * np.log(1.0 - rng.random())
        new_value = _move(tables, state, density, threshold, rng)
        if new_value < threshold:
            _undo(tables, state)
            continue
        value = new_value
        if _is_better(tables, state):
            _keep_best(state)
            density = max(density, state.totals[0] / state.totals[1])
            value = _value(tables, state, density)


@kernel
def _value(tables: Tables, state: State, density: float) -> float:
    short = max(0, tables.units_min - state.totals[0])
    return float(state.totals[0] - density * state.totals[1] - short)


@kernel
def _is_better(tables: Tables, state: State) -> bool:
    units, aisles = state.totals
    best_units, best_aisles = state.best_totals
    return bool(aisles > 0 and units >= tables.units_min and units * max(best_aisles, 1) > best_units * aisles)


@kernel
def _keep_best(state: State) -> None:
    state.best_picked[:] = state.picked
    state.best_visited[:] = state.place >= 0
    state.best_totals[:] = state.totals


@kernel
def _move(tables: Tables, state: State, density: float, threshold: float, rng: np.random.Generator) -> float:
    state.changes[:] = 0
    kind = rng.random() if state.totals[1] else 0.0
    left_aisle, units_lost = -1, state.totals[0]
    if VISIT <= kind < SWAP:
        left_aisle = state.visited[rng.integers(0, state.totals[1])]
        leave(tables, state, left_aisle, rng)
    units_lost -= state.totals[0]
    if not VISIT <= kind < LEAVE:
        _visit_for(
            tables,
            state,
            _promising_order(tables, state, rng),
            left_aisle,
            AISLES_A_MOVE - 4 if kind >= SWAP else 1,
            rng,
        )
    value = _value(tables, state, density)
    if state.changes[2] and value + REFILLED * units_lost >= threshold:
        for freed in range(state.changes[2]):
            fill(tables, state, state.items_freed[freed], rng)
        value = _value(tables, state, density)
    return value


@kernel
def _undo(tables: Tables, state: State) -> None:
    for change in range(state.changes[0] - 1, -1, -1):
        turn_order(tables, state, state.orders_changed[change])
    for change in range(state.changes[1] - 1, -1, -1):
        turn_aisle(tables, state, state.aisles_changed[change])


@kernel
def _promising_order(tables: Tables, state: State, rng: np.random.Generator) -> int:
    """An order for which an aisle may be worth a visit: many units, few lines without stock; -1 when none is seen."""
    if state.changes[0] and rng.random() < PUT_BACK:
        return int(state.orders_changed[rng.integers(0, state.changes[0])])
    best_order, best_score = -1, 0.0
    for _ in range(SAMPLE):
        order = int(rng.integers(0, len(state.picked)))
        missing = 0 if state.picked[order] else _missing(tables, state, order)
        if missing and tables.order_units[order] / missing**2 > best_score:
            best_order, best_score = order, tables.order_units[order] / missing**2
    return best_order


@kernel
def _missing(tables: Tables, state: State, order: int) -> int:
    missing = 0
    for line in range(tables.order_starts[order], tables.order_starts[order + 1]):
        missing += state.left[tables.order_items[line]] < tables.order_quantities[line]
    return missing


@kernel
def _visit_for(
    tables: Tables, state: State, order: int, left_aisle: int, aisles_max: int, rng: np.random.Generator
) -> None:
    """Visit aisles at random that hold what `order` lacks, until it is picked; not the one just `left_aisle`."""
    for _ in range(aisles_max if order >= 0 else 0):
        if state.picked[order]:
            return
        aisle = _holder(tables, state, _lacking(tables, state, order, rng), left_aisle, rng)
        if aisle < 0:
            return
        visit(tables, state, aisle, rng)


@kernel
def _lacking(tables: Tables, state: State, order: int, rng: np.random.Generator) -> int:
    """An item of which too little is left for `order`, at random; -1 when there is none."""
    item, seen = -1, 0
    for line in range(tables.order_starts[order], tables.order_starts[order + 1]):
        if state.left[tables.order_items[line]] < tables.order_quantities[line]:
            seen += 1
            if rng.integers(0, seen) == 0:
                item = tables.order_items[line]
    return item


@kernel
def _holder(tables: Tables, state: State, item: int, left_aisle: int, rng: np.random.Generator) -> int:
    """An aisle that holds `item` and is not visited, at random; -1 when there is none."""
    aisle, seen = -1, 0
    if item < 0:
        return aisle
    for at in range(tables.holder_starts[item], tables.holder_starts[item + 1]):
        holder = tables.holders[at]
        if state.place[holder] < 0 and holder != left_aisle:
            seen += 1
            if rng.integers(0, seen) == 0:
                aisle = holder
    return aisle
