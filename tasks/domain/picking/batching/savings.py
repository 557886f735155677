"""A plan to start from: the two batches whose merging saves most are merged, again and again.

Clarke and Wright 1964, "Scheduling of vehicles from a central depot to a number of delivery points", Operations
Research 12(4); for orders de Koster, van der Poort and Wolters 1999, "Efficient orderbatching methods in warehouses",
International Journal of Production Research 37(7), section 2.3, the variant that computes savings anew.
"""

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.batching.annealing import Batches, put, take
from tasks.domain.picking.batching.tour_lengths import Memory, Picking, changed_m
from tasks.domain.picking.routing.shortest_tour import INFINITE


@kernel
def _merge_into(picking: Picking, memory: Memory, batches: Batches, one: int, other: int) -> None:
    while batches.count[other]:
        put(picking, memory, batches, one, take(picking, batches, other, batches.count[other] - 1))
    batches.metres[other] = 0.0


@kernel
def savings(picking: Picking, memory: Memory, batches: Batches, pair_m: np.ndarray) -> None:
    """Fill empty `batches` by merging the two whose merging saves most, again and again.

    `pair_m` (orders x orders) is filled with the metres of two orders together.
    """
    number = picking.key.size
    for order in range(number):
        put(picking, memory, batches, order, order)
        pair_m[order, order] = batches.metres[order]
    saved = np.full((number, number), -INFINITE)
    for one in range(number):
        for other in range(one + 1, number):
            pair_m[one, other] = pair_m[other, one] = (
                batches.metres[one] + batches.metres[other] - _saved(picking, memory, batches, one, other)
            )
            saved[one, other] = _merged(picking, memory, batches, one, other)
    while True:
        at = int(np.argmax(saved))
        one, other = at // number, at % number
        if saved[one, other] <= 0.0:
            break
        _merge_into(picking, memory, batches, one, other)
        saved[other, :] = saved[:, other] = -INFINITE
        for batch in range(number):
            if batch != one and batches.count[batch]:
                low, high = min(one, batch), max(one, batch)
                saved[low, high] = _merged(picking, memory, batches, low, high)


@kernel
def _merged(picking: Picking, memory: Memory, batches: Batches, one: int, other: int) -> float:
    """What is saved when two batches become one; minus infinity where no cart holds it."""
    if batches.count[one] + batches.count[other] > batches.orders.shape[1]:
        return -INFINITE
    for kind in range(picking.limit.size):
        if batches.load[one, kind] + batches.load[other, kind] > picking.limit[kind]:
            return -INFINITE
    return _saved(picking, memory, batches, one, other)


@kernel
def _saved(picking: Picking, memory: Memory, batches: Batches, one: int, other: int) -> float:
    first, second = batches.count[one], batches.count[other]
    both = np.empty(first + second, dtype=np.int64)
    both[:first] = batches.orders[one, :first]
    both[first:] = batches.orders[other, :second]
    together = changed_m(picking, memory, both, batches.key[one] ^ batches.key[other], -1, -1)
    saved_m: float = batches.metres[one] + batches.metres[other] - together
    return saved_m
