"""Batches that would better a plan, found from what each order is worth in it: the pricing of column generation.

A batch is of use when its tour is shorter than its orders are worth together (Gademann and van de Velde 2005, "Order
batching to minimize total travel time in a parallel-aisle warehouse", IIE Transactions 37(1), section 3). It is looked
for by local search: an order is added, dropped or exchanged as long as that gains; a tour through more orders is never
shorter, which spares most of the routing.
"""

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.batching.tour_lengths import Memory, Picking, changed_m, fits

LEAST = 1e-6  # metres: a smaller gain is none
NOBODY = -1


@kernel
def price(
    picking: Picking, memory: Memory, pair_m: np.ndarray, starts: np.ndarray, worth: np.ndarray, found: np.ndarray,
) -> int:  # fmt: skip
    """Fill `found` (rows x most orders, -1 where empty) with batches worth more than their tour; gives how many.

    `starts`: batches to start from, in the same form. `pair_m` (orders x orders): of two orders together. `worth` of
    each order (metres).
    """
    rows = 0
    batch = np.empty(starts.shape[1], dtype=np.int64)
    inside = np.zeros(worth.size, dtype=np.bool_)
    load = np.zeros(picking.limit.size, dtype=np.int64)
    for start in range(starts.shape[0]):
        inside[:] = False
        load[:] = 0
        count, key = 0, np.uint64(0)
        while count < starts.shape[1] and starts[start, count] >= 0:
            order = starts[start, count]
            batch[count] = order
            inside[order] = True
            load += picking.load[order]
            key ^= picking.key[order]
            count += 1
        cost = changed_m(picking, memory, batch[:count], key, NOBODY, NOBODY) - worth[batch[:count]].sum()
        while rows < found.shape[0]:
            better, out, into = _best_move(picking, memory, pair_m, batch[:count], key, inside, load, worth, cost)
            if better > cost - LEAST:
                break
            cost = better
            if out >= 0:
                gone = batch[out]
                count -= 1
                batch[out] = batch[count]
                inside[gone] = False
                load -= picking.load[gone]
                key ^= picking.key[gone]
            if into >= 0:
                batch[count] = into
                count += 1
                inside[into] = True
                load += picking.load[into]
                key ^= picking.key[into]
            if cost < -LEAST:
                found[rows] = -1
                found[rows, :count] = np.sort(batch[:count])
                rows += 1
    return rows


@kernel
def _best_move(
    picking: Picking, memory: Memory, pair_m: np.ndarray, batch: np.ndarray, key: np.uint64, inside: np.ndarray,
    load: np.ndarray, worth: np.ndarray, cost: float,
) -> tuple[float, int, int]:  # fmt: skip
    """The cheapest batch one move away: its tour less its worth, the position that leaves and the order that joins."""
    best, best_out, best_into = cost, NOBODY, NOBODY
    value = worth[batch].sum()
    for out in range(-1, batch.size):
        gone = NOBODY if out < 0 else batch[out]
        left = value if out < 0 else value - worth[gone]
        least = changed_m(picking, memory, batch, key, out, NOBODY) if batch.size > 1 or out < 0 else 0.0
        if batch.size > 1 and out >= 0 and least - left < best:
            best, best_out, best_into = least - left, out, NOBODY
        for into in range(worth.size):
            if inside[into] or least - left - worth[into] > best - LEAST or not fits(picking, load, gone, into):
                continue
            bound = best + left + worth[into] - LEAST
            if _shorter(pair_m, batch, out, into, bound):
                continue
            metres = changed_m(picking, memory, batch, key, out, into) - left - worth[into]
            if metres < best:
                best, best_out, best_into = metres, out, into
    return best, best_out, best_into


@kernel
def _shorter(pair_m: np.ndarray, batch: np.ndarray, out: int, into: int, bound: float) -> bool:
    """Whether the tour with `into` is longer than `bound` already with one other order."""
    for position in range(batch.size):  # noqa: SIM110  # the compiler knows no generator
        if position != out and pair_m[batch[position], into] > bound:
            return True
    return False
