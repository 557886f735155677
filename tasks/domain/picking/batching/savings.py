"""A plan to start from: the two batches whose merging saves most are merged, again and again.

Clarke and Wright 1964, "Scheduling of vehicles from a central depot to a number of delivery points", Operations
Research 12(4); for orders de Koster, van der Poort and Wolters 1999, "Efficient orderbatching methods in warehouses",
International Journal of Production Research 37(7), section 2.3, the variant that computes savings anew.
"""

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.batching.annealing import Batches, add_order, remove_order
from tasks.domain.picking.batching.tour_lengths import BatchingProblem, TourCache, changed_tour_m
from tasks.domain.picking.routing.shortest_tour import INFINITE_M


@kernel
def _merge(problem: BatchingProblem, cache: TourCache, batches: Batches, one: int, other: int) -> None:
    while batches.count[other]:
        add_order(problem, cache, batches, one, remove_order(problem, batches, other, batches.count[other] - 1))
    batches.metres[other] = 0.0


@kernel
def fill_by_savings(problem: BatchingProblem, cache: TourCache, batches: Batches, pair_m: np.ndarray) -> None:
    """Fill empty `batches` by merging the two whose merging saves most, again and again.

    `pair_m` (orders x orders) is filled with the metres of two orders together.
    """
    number = problem.key.size
    for order in range(number):
        add_order(problem, cache, batches, order, order)
        pair_m[order, order] = batches.metres[order]
    saving_m = np.full((number, number), -INFINITE_M)
    for one in range(number):
        for other in range(one + 1, number):
            pair_m[one, other] = pair_m[other, one] = (
                batches.metres[one] + batches.metres[other] - _saving_m(problem, cache, batches, one, other)
            )
            saving_m[one, other] = _merge_saving_m(problem, cache, batches, one, other)
    while True:
        best = int(np.argmax(saving_m))
        one, other = best // number, best % number
        if saving_m[one, other] <= 0.0:
            break
        _merge(problem, cache, batches, one, other)
        saving_m[other, :] = saving_m[:, other] = -INFINITE_M
        for batch in range(number):
            if batch != one and batches.count[batch]:
                low, high = min(one, batch), max(one, batch)
                saving_m[low, high] = _merge_saving_m(problem, cache, batches, low, high)


@kernel
def _merge_saving_m(problem: BatchingProblem, cache: TourCache, batches: Batches, one: int, other: int) -> float:
    """What is saved when two batches become one; minus infinity where no cart holds it."""
    if batches.count[one] + batches.count[other] > batches.orders.shape[1]:
        return -INFINITE_M
    for kind in range(problem.limit.size):
        if batches.load[one, kind] + batches.load[other, kind] > problem.limit[kind]:
            return -INFINITE_M
    return _saving_m(problem, cache, batches, one, other)


@kernel
def _saving_m(problem: BatchingProblem, cache: TourCache, batches: Batches, one: int, other: int) -> float:
    first, second = batches.count[one], batches.count[other]
    both = np.empty(first + second, dtype=np.int64)
    both[:first] = batches.orders[one, :first]
    both[first:] = batches.orders[other, :second]
    together = changed_tour_m(problem, cache, both, batches.key[one] ^ batches.key[other], -1, -1)
    saved_m: float = batches.metres[one] + batches.metres[other] - together
    return saved_m
