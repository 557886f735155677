"""Batches improved by moving and exchanging single orders: simulated annealing, in compiled code.

Over the neighbourhoods shift and swap of Henn and Waescher 2012, "Tabu search heuristics for the order batching problem
in manual order picking systems", European Journal of Operational Research 222(3), section 4. Objective: metres of all
tours, each routed exactly.
"""

from typing import NamedTuple

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.batching.tour_lengths import Memory, Picking, changed_m, fits

NEAR = 30  # an order is moved to a batch with one of so many others that lie best with it
STRAY, SHIFT, MEET = 0.1, 0.3, 0.25  # how often: to any batch; a shift and no swap; with the very order it was led to
SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11))
MIXES = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class Batches(NamedTuple):
    """Orders by batch: `orders` (batches x most orders a cart takes) and `count`; `load`, `key` and `metres` of each.

    As many rows as orders; the last ones may be empty.
    """

    orders: np.ndarray
    count: np.ndarray  # type: ignore[assignment]  # a column called count, not the tuple's method
    load: np.ndarray
    key: np.ndarray
    metres: np.ndarray


def orders_most(picking: Picking) -> int:
    """The most orders any cart can take."""
    filled = np.sort(picking.load, axis=0).cumsum(axis=0) <= picking.limit
    return max(1, int(filled.sum(axis=0).min()))


def no_batches(picking: Picking) -> Batches:
    """As many empty batches as there are orders."""
    orders, kinds = picking.load.shape
    return Batches(
        np.zeros((orders, orders_most(picking)), dtype="int64"), np.zeros(orders, dtype="int64"),
        np.zeros((orders, kinds), dtype="int64"), np.zeros(orders, dtype="uint64"), np.zeros(orders),
    )  # fmt: skip


@kernel
def draw(state: np.ndarray) -> float:
    """A number from 0 to 1, without 1, from a state of one uint64 (SplitMix64, Steele, Lea and Flood 2014)."""
    state[0] += MIXES[0]
    mixed = state[0]
    mixed = (mixed ^ (mixed >> SHIFTS[0])) * MIXES[1]
    mixed = (mixed ^ (mixed >> SHIFTS[1])) * MIXES[2]
    drawn: float = ((mixed ^ (mixed >> SHIFTS[2])) >> SHIFTS[3]) / 9007199254740992.0
    return drawn


@kernel
def put(picking: Picking, memory: Memory, batches: Batches, batch: int, order: int) -> None:
    """Add an order to a batch."""
    count = batches.count[batch]
    batches.metres[batch] = changed_m(picking, memory, batches.orders[batch, :count], batches.key[batch], -1, order)
    batches.orders[batch, count] = order
    batches.count[batch] += 1
    batches.load[batch] += picking.load[order]
    batches.key[batch] ^= picking.key[order]


@kernel
def take(picking: Picking, batches: Batches, batch: int, position: int) -> int:
    """Remove the order at a position; `metres` is left as it was."""
    order: int = batches.orders[batch, position]
    last = batches.count[batch] - 1
    batches.orders[batch, position] = batches.orders[batch, last]
    batches.count[batch] = last
    batches.load[batch] -= picking.load[order]
    batches.key[batch] ^= picking.key[order]
    return order


@kernel
def anneal(
    picking: Picking, memory: Memory, now: Batches, best: Batches, near: np.ndarray, state: np.ndarray, tries: int,
    heat: float, cooling: float,
) -> None:  # fmt: skip
    """Change `now` for so many tries; whenever it is shorter than `best`, that becomes a copy of it.

    `near` (orders x others): for each order the others, those that lie best with it first. `state`: of `draw`. `heat`:
    the temperature to start from, in metres; after each try it is multiplied by `cooling`.
    """
    where = _places(now)
    value, best_m = now.metres.sum(), best.metres.sum()
    for _ in range(tries):
        heat *= cooling
        order, other, back = _proposed(now, where, near, state)
        source, target = where[order, 0], where[other, 0]
        if source == target or (back < 0 and now.count[target] == now.orders.shape[1]):
            continue
        if not fits(picking, now.load[target], back, order):
            continue
        if back >= 0 and not fits(picking, now.load[source], order, back):
            continue
        accepted = now.metres[source] + now.metres[target] - heat * np.log(1.0 - draw(state))
        left_m, joined_m = _weighed(picking, memory, now, where, order, target, back, accepted)
        if left_m + joined_m < accepted:
            value += left_m + joined_m - now.metres[source] - now.metres[target]
            _exchanged(picking, now, where, order, target, back)
            now.metres[source], now.metres[target] = left_m, joined_m
            if value < best_m - 1e-6:
                best_m = value
                _keep(now, best)


@kernel
def _proposed(now: Batches, where: np.ndarray, near: np.ndarray, state: np.ndarray) -> tuple[int, int, int]:
    """An order to move, one whose batch it is to join, and one of that batch to come back for it (-1: none)."""
    order = int(draw(state) * where.shape[0])
    other = int(draw(state) * where.shape[0])
    if draw(state) >= STRAY and near.shape[1]:
        other = near[order, int(draw(state) ** 2 * min(NEAR, near.shape[1]))]
    kind = draw(state)
    if kind < SHIFT:
        return order, other, -1
    if kind < SHIFT + MEET:
        return order, other, other
    target = where[other, 0]
    return order, other, now.orders[target, int(draw(state) * now.count[target])]


@kernel
def _weighed(
    picking: Picking, memory: Memory, now: Batches, where: np.ndarray, order: int, target: int, back: int, most: float
) -> tuple[float, float]:
    """The metres of the batch that is left and of the one that is joined; not worked out past `most`."""
    source = where[order, 0]
    left_m, joined_m = 0.0, 0.0
    if back >= 0 or now.count[source] > 1:
        orders = now.orders[source, : now.count[source]]
        left_m = changed_m(picking, memory, orders, now.key[source], where[order, 1], back)
    if left_m < most:
        orders = now.orders[target, : now.count[target]]
        joined_m = changed_m(picking, memory, orders, now.key[target], where[back, 1] if back >= 0 else -1, order)
    return left_m, joined_m


@kernel
def _exchanged(picking: Picking, now: Batches, where: np.ndarray, order: int, target: int, back: int) -> None:
    source, position = where[order, 0], where[order, 1]
    take(picking, now, source, position)
    if position < now.count[source]:
        where[now.orders[source, position], 1] = position
    if back >= 0:
        position = where[back, 1]
        take(picking, now, target, position)
        if position < now.count[target]:
            where[now.orders[target, position], 1] = position
        _join(picking, now, where, source, back)
    _join(picking, now, where, target, order)


@kernel
def _join(picking: Picking, now: Batches, where: np.ndarray, batch: int, order: int) -> None:
    count = now.count[batch]
    now.orders[batch, count] = order
    now.count[batch] = count + 1
    now.load[batch] += picking.load[order]
    now.key[batch] ^= picking.key[order]
    where[order, 0], where[order, 1] = batch, count


@kernel
def _places(now: Batches) -> np.ndarray:
    """The batch of each order and its position there."""
    where = np.zeros((now.count.size, 2), dtype=np.int64)
    for batch in range(now.count.size):
        for position in range(now.count[batch]):
            where[now.orders[batch, position], 0] = batch
            where[now.orders[batch, position], 1] = position
    return where


@kernel
def copied(batches: Batches) -> Batches:
    """The same batches, to be changed."""
    return Batches(
        batches.orders.copy(), batches.count.copy(), batches.load.copy(), batches.key.copy(), batches.metres.copy()
    )


@kernel
def _keep(source: Batches, target: Batches) -> None:
    for batch in range(source.count.size):
        if source.key[batch] != target.key[batch] or source.count[batch] != target.count[batch]:
            target.orders[batch] = source.orders[batch]
            target.count[batch] = source.count[batch]
            target.load[batch] = source.load[batch]
            target.key[batch] = source.key[batch]
            target.metres[batch] = source.metres[batch]
