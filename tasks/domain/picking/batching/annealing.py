"""Batches improved by moving and exchanging single orders: simulated annealing, in compiled code.

Over the neighbourhoods shift and swap of Henn and Waescher 2012, "Tabu search heuristics for the order batching problem
in manual order picking systems", European Journal of Operational Research 222(3), section 4. Objective: metres of all
tours, each routed exactly.
"""

from typing import NamedTuple

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.batching.tour_lengths import BatchingProblem, TourCache, changed_tour_m, fits_cart

NEIGHBOURS_MAX = 30  # an order is moved to a batch with one of so many others that lie best with it
RANDOM_TARGET_SHARE, SHIFT_SHARE, NEIGHBOUR_SWAP_SHARE = (
    0.1,
    0.3,
    0.25,
)  # how often: to any batch; a shift and no swap; with the very order it was led to
SPLITMIX_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11))
SPLITMIX_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class Batches(NamedTuple):
    """Orders by batch: `orders` (batches x most orders a cart takes) and `count`; `load`, `key` and `metres` of each.

    As many rows as orders; the last ones may be empty.
    """

    orders: np.ndarray
    count: np.ndarray  # type: ignore[assignment]  # a column called count, not the tuple's method
    load: np.ndarray
    key: np.ndarray
    metres: np.ndarray


def orders_per_batch_max(problem: BatchingProblem) -> int:
    """The most orders any cart can take."""
    fits_beside = np.sort(problem.load, axis=0).cumsum(axis=0) <= problem.limit
    return max(1, int(fits_beside.sum(axis=0).min()))


def empty_batches(problem: BatchingProblem) -> Batches:
    """As many empty batches as there are orders."""
    orders, kinds = problem.load.shape
    return Batches(
        np.zeros((orders, orders_per_batch_max(problem)), dtype="int64"), np.zeros(orders, dtype="int64"),
        np.zeros((orders, kinds), dtype="int64"), np.zeros(orders, dtype="uint64"), np.zeros(orders),
    )  # fmt: skip


@kernel
def random_number(random_state: np.ndarray) -> float:
    """A number from 0 to 1, without 1, from a state of one uint64 (SplitMix64, Steele, Lea and Flood 2014)."""
    random_state[0] += SPLITMIX_FACTORS[0]
    mixed = random_state[0]
    mixed = (mixed ^ (mixed >> SPLITMIX_SHIFTS[0])) * SPLITMIX_FACTORS[1]
    mixed = (mixed ^ (mixed >> SPLITMIX_SHIFTS[1])) * SPLITMIX_FACTORS[2]
    number: float = ((mixed ^ (mixed >> SPLITMIX_SHIFTS[2])) >> SPLITMIX_SHIFTS[3]) / 9007199254740992.0
    return number


@kernel
def add_order(problem: BatchingProblem, cache: TourCache, batches: Batches, batch: int, order: int) -> None:
    """Add an order to a batch."""
    count = batches.count[batch]
    batches.metres[batch] = changed_tour_m(problem, cache, batches.orders[batch, :count], batches.key[batch], -1, order)
    batches.orders[batch, count] = order
    batches.count[batch] += 1
    batches.load[batch] += problem.load[order]
    batches.key[batch] ^= problem.key[order]


@kernel
def remove_order(problem: BatchingProblem, batches: Batches, batch: int, position: int) -> int:
    """Remove the order at a position; `metres` is left as it was."""
    order: int = batches.orders[batch, position]
    last = batches.count[batch] - 1
    batches.orders[batch, position] = batches.orders[batch, last]
    batches.count[batch] = last
    batches.load[batch] -= problem.load[order]
    batches.key[batch] ^= problem.key[order]
    return order


@kernel
def anneal(
    problem: BatchingProblem,
    cache: TourCache,
    current: Batches,
    best: Batches,
    neighbours: np.ndarray,
    random_state: np.ndarray,
    tries: int,
    temperature_m: float,
    cooling: float,
) -> None:
    """Change `current` for `tries` moves; whenever it is shorter than `best`, `best` becomes a copy of it.

    `neighbours` (orders x others): for each order the others, those that lie best with it first. `random_state`: of
    `random_number`. `temperature_m`: the temperature to start from, in metres; after each try it is multiplied by
    `cooling`.
    """
    positions = _order_positions(current)
    current_m, best_m = current.metres.sum(), best.metres.sum()
    for _ in range(tries):
        temperature_m *= cooling
        order, other, returning = _propose_move(current, positions, neighbours, random_state)
        source, target = positions[order, 0], positions[other, 0]
        if source == target or (returning < 0 and current.count[target] == current.orders.shape[1]):
            continue
        if not fits_cart(problem, current.load[target], returning, order):
            continue
        if returning >= 0 and not fits_cart(problem, current.load[source], order, returning):
            continue
        limit_m = (
            current.metres[source] + current.metres[target] - temperature_m * np.log(1.0 - random_number(random_state))
        )
        source_m, target_m = _move_cost_m(problem, cache, current, positions, order, target, returning, limit_m)
        if source_m + target_m < limit_m:
            current_m += source_m + target_m - current.metres[source] - current.metres[target]
            _apply_move(problem, current, positions, order, target, returning)
            current.metres[source], current.metres[target] = source_m, target_m
            if current_m < best_m - 1e-6:
                best_m = current_m
                _copy_into(current, best)


@kernel
def _propose_move(
    current: Batches, positions: np.ndarray, neighbours: np.ndarray, random_state: np.ndarray
) -> tuple[int, int, int]:
    """An order to move, one whose batch it is to join, and one of that batch to come back for it (-1: none)."""
    order = int(random_number(random_state) * positions.shape[0])
    other = int(random_number(random_state) * positions.shape[0])
    if random_number(random_state) >= RANDOM_TARGET_SHARE and neighbours.shape[1]:
        other = neighbours[order, int(random_number(random_state) ** 2 * min(NEIGHBOURS_MAX, neighbours.shape[1]))]
    kind = random_number(random_state)
    if kind < SHIFT_SHARE:
        return order, other, -1
    if kind < SHIFT_SHARE + NEIGHBOUR_SWAP_SHARE:
        return order, other, other
    target = positions[other, 0]
    return order, other, current.orders[target, int(random_number(random_state) * current.count[target])]


@kernel
def _move_cost_m(
    problem: BatchingProblem,
    cache: TourCache,
    current: Batches,
    positions: np.ndarray,
    order: int,
    target: int,
    returning: int,
    limit_m: float,
) -> tuple[float, float]:
    """The metres of the batch that is left and of the one that is joined; not worked out past `limit_m`."""
    source = positions[order, 0]
    source_m, target_m = 0.0, 0.0
    if returning >= 0 or current.count[source] > 1:
        orders = current.orders[source, : current.count[source]]
        source_m = changed_tour_m(problem, cache, orders, current.key[source], positions[order, 1], returning)
    if source_m < limit_m:
        orders = current.orders[target, : current.count[target]]
        target_m = changed_tour_m(
            problem, cache, orders, current.key[target], positions[returning, 1] if returning >= 0 else -1, order
        )
    return source_m, target_m


@kernel
def _apply_move(
    problem: BatchingProblem, current: Batches, positions: np.ndarray, order: int, target: int, returning: int
) -> None:
    source, position = positions[order, 0], positions[order, 1]
    remove_order(problem, current, source, position)
    if position < current.count[source]:
        positions[current.orders[source, position], 1] = position
    if returning >= 0:
        position = positions[returning, 1]
        remove_order(problem, current, target, position)
        if position < current.count[target]:
            positions[current.orders[target, position], 1] = position
        _append_order(problem, current, positions, source, returning)
    _append_order(problem, current, positions, target, order)


@kernel
def _append_order(problem: BatchingProblem, current: Batches, positions: np.ndarray, batch: int, order: int) -> None:
    count = current.count[batch]
    current.orders[batch, count] = order
    current.count[batch] = count + 1
    current.load[batch] += problem.load[order]
    current.key[batch] ^= problem.key[order]
    positions[order, 0], positions[order, 1] = batch, count


@kernel
def _order_positions(current: Batches) -> np.ndarray:
    """The batch of each order and its position there."""
    positions = np.zeros((current.count.size, 2), dtype=np.int64)
    for batch in range(current.count.size):
        for position in range(current.count[batch]):
            positions[current.orders[batch, position], 0] = batch
            positions[current.orders[batch, position], 1] = position
    return positions


@kernel
def copy_of(batches: Batches) -> Batches:
    """The same batches, to be changed."""
    return Batches(
        batches.orders.copy(), batches.count.copy(), batches.load.copy(), batches.key.copy(), batches.metres.copy()
    )


@kernel
def _copy_into(source: Batches, target: Batches) -> None:
    for batch in range(source.count.size):
        if source.key[batch] != target.key[batch] or source.count[batch] != target.count[batch]:
            target.orders[batch] = source.orders[batch]
            target.count[batch] = source.count[batch]
            target.load[batch] = source.load[batch]
            target.key[batch] = source.key[batch]
            target.metres[batch] = source.metres[batch]
