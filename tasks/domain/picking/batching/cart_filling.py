"""Carts filled by urgency: what is urgent is batched for distance, and only room it leaves goes to what is less so."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.batching.annealing import Batches, add_order, empty_batches
from tasks.domain.picking.batching.tour_lengths import BatchingProblem, TourCache, changed_tour_m, fits_cart, tour_cache
from tasks.domain.picking.routing.floor import Floor
from tasks.domain.picking.routing.shortest_tour import INFINITE_M

Run = Callable[..., Iterable[Any]]  # as `map`: a function over parts, here or elsewhere, in their order
PART_MAX = 200  # orders searched at once; more of one urgency are cut into parts that lie near one another
ROUNDS_MAX, ORDERS_PER_ROUND = 4, 300  # the more orders, the fewer rounds for each part


@kernel
def top_up(
    problem: BatchingProblem, cache: TourCache, batches: Batches, number: int, is_unassigned: np.ndarray
) -> None:
    """Fill the first `number` batches with free orders, the one that lengthens its tour least first."""
    for batch in range(number):
        best_order = 0
        while best_order >= 0:
            best, best_order, count = INFINITE_M, -1, batches.count[batch]
            if count == batches.orders.shape[1]:
                break
            for order in range(is_unassigned.size):
                if is_unassigned[order] and fits_cart(problem, batches.load[batch], -1, order):
                    metres = changed_tour_m(
                        problem, cache, batches.orders[batch, :count], batches.key[batch], -1, order
                    )
                    if metres < best:
                        best, best_order = metres, order
            if best_order >= 0:
                add_order(problem, cache, batches, batch, best_order)
                is_unassigned[best_order] = False


def fill_carts(
    problem: BatchingProblem, urgency: np.ndarray, near: np.ndarray, seed: int, run: Run = map, part_max: int = PART_MAX
) -> list[tuple[int, ...]]:
    """Batches of orders, the most urgent first, each as the numbers of its orders.

    `urgency` of each order (int64), 0 the most urgent. `near`: orders with numbers close to one another lie so too; it
    decides what is searched together, at most `part_max` orders. No cart is begun for an order while a more urgent one
    is not on a cart. `run` maps a function over the parts of an urgency, one after the other or at the same time, here
    or on other machines: what comes of a part depends on it and the seed alone. Memory: that of the parts at work.
    """
    from tasks.domain.picking.batching.batch_search import batch_orders  # with HiGHS, which only a search needs

    cache, batches, number = tour_cache(problem), empty_batches(problem), 0
    rounds = int(np.clip(ORDERS_PER_ROUND // max(1, len(urgency)), 1, ROUNDS_MAX))
    for level in np.unique(urgency):
        is_unassigned = urgency == level
        top_up(problem, cache, batches, number, is_unassigned)
        remaining = np.flatnonzero(is_unassigned)
        remaining = remaining[np.argsort(near[remaining], kind="stable")]
        parts = np.array_split(remaining, -(-len(remaining) // part_max)) if len(remaining) else []
        search = partial(batch_orders, seed=seed, rounds_max=rounds)
        for part, plan in zip(parts, run(search, [_only(problem, part) for part in parts]), strict=True):
            for batch in sorted(plan.batches, key=lambda one: min(part[list(one)])):
                for order in batch:
                    add_order(problem, cache, batches, number, int(part[order]))
                number += 1
    return [tuple(sorted(batches.orders[batch, : batches.count[batch]].tolist())) for batch in range(number)]


def _only(problem: BatchingProblem, part: np.ndarray) -> BatchingProblem:
    return problem._replace(bits=problem.bits[part], load=problem.load[part], key=problem.key[part])


def sequential_batches(load: np.ndarray, limit: np.ndarray, sequence: np.ndarray) -> list[tuple[int, ...]]:
    """Batches of orders taken one after the other as long as the cart holds them."""
    batches: list[list[int]] = []
    room = np.zeros_like(limit)
    for order in sequence.tolist():
        if not batches or (load[order] > room).any():
            batches.append([])
            room = limit.copy()
        batches[-1].append(order)
        room -= load[order]
    return [tuple(sorted(batch)) for batch in batches]


def floor_ranks(floor: Floor, order: np.ndarray, subaisle: np.ndarray, along_m: np.ndarray) -> np.ndarray:
    """A number for each order: where it lies, by the subaisle furthest across and how far along it that is."""
    rows = np.lexsort((along_m, subaisle, order))
    last = np.flatnonzero(np.diff(order[rows], append=-1))
    at = rows[last]
    odd = (subaisle[at] // floor.blocks) % 2 == 1
    rank = np.lexsort((np.where(odd, -along_m[at], along_m[at]), subaisle[at]))
    numbers = np.empty(len(at), dtype="int64")
    numbers[rank] = np.arange(len(at))
    return numbers
