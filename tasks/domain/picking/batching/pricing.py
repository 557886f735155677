"""Batches that would better a plan, found from the dual value of each order: the pricing of column generation.

A batch is of use when its tour is shorter than its orders are worth together (Gademann and van de Velde 2005, "Order
batching to minimize total travel time in a parallel-aisle warehouse", IIE Transactions 37(1), section 3). It is looked
for by local search: an order is added, dropped or exchanged as long as that gains; a tour through more orders is never
shorter, which spares most of the routing.
"""

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.batching.tour_lengths import BatchingProblem, TourCache, changed_tour_m, fits_cart

GAIN_MIN_M = 1e-6  # metres: a smaller gain is none
NO_ORDER = -1


@kernel
def price(
    problem: BatchingProblem,
    cache: TourCache,
    pair_m: np.ndarray,
    starts: np.ndarray,
    dual_m: np.ndarray,
    priced_rows: np.ndarray,
) -> int:
    """Fill `priced_rows` (rows x most orders, -1 where empty) with batches of negative reduced cost, and count them.

    `starts`: batches to start from, in the same form. `pair_m` (orders x orders): of two orders together. `dual_m` of
    each order (metres).
    """
    row_count = 0
    batch = np.empty(starts.shape[1], dtype=np.int64)
    inside = np.zeros(dual_m.size, dtype=np.bool_)
    load = np.zeros(problem.limit.size, dtype=np.int64)
    for start in range(starts.shape[0]):
        inside[:] = False
        load[:] = 0
        count, key = 0, np.uint64(0)
        while count < starts.shape[1] and starts[start, count] >= 0:
            order = starts[start, count]
            batch[count] = order
            inside[order] = True
            load += problem.load[order]
            key ^= problem.key[order]
            count += 1
        reduced_cost_m = (
            changed_tour_m(problem, cache, batch[:count], key, NO_ORDER, NO_ORDER) - dual_m[batch[:count]].sum()
        )
        while row_count < priced_rows.shape[0]:
            better_m, out, into = _best_move(
                problem, cache, pair_m, batch[:count], key, inside, load, dual_m, reduced_cost_m
            )
            if better_m > reduced_cost_m - GAIN_MIN_M:
                break
            reduced_cost_m = better_m
            if out >= 0:
                removed = batch[out]
                count -= 1
                batch[out] = batch[count]
                inside[removed] = False
                load -= problem.load[removed]
                key ^= problem.key[removed]
            if into >= 0:
                batch[count] = into
                count += 1
                inside[into] = True
                load += problem.load[into]
                key ^= problem.key[into]
            if reduced_cost_m < -GAIN_MIN_M:
                priced_rows[row_count] = -1
                priced_rows[row_count, :count] = np.sort(batch[:count])
                row_count += 1
    return row_count


@kernel
def _best_move(
    problem: BatchingProblem,
    cache: TourCache,
    pair_m: np.ndarray,
    batch: np.ndarray,
    key: np.uint64,
    inside: np.ndarray,
    load: np.ndarray,
    dual_m: np.ndarray,
    cost_m: float,
) -> tuple[float, int, int]:
    """The best batch one move away: its reduced cost (metres), the position that leaves and the order that joins."""
    best_cost_m, best_out, best_into = cost_m, NO_ORDER, NO_ORDER
    dual_sum_m = dual_m[batch].sum()
    for out in range(-1, batch.size):
        removed = NO_ORDER if out < 0 else batch[out]
        kept_dual_m = dual_sum_m if out < 0 else dual_sum_m - dual_m[removed]
        without_m = changed_tour_m(problem, cache, batch, key, out, NO_ORDER) if batch.size > 1 or out < 0 else 0.0
        if batch.size > 1 and out >= 0 and without_m - kept_dual_m < best_cost_m:
            best_cost_m, best_out, best_into = without_m - kept_dual_m, out, NO_ORDER
        for into in range(dual_m.size):
            if (
                inside[into]
                or without_m - kept_dual_m - dual_m[into] > best_cost_m - GAIN_MIN_M
                or not fits_cart(problem, load, removed, into)
            ):
                continue
            bound = best_cost_m + kept_dual_m + dual_m[into] - GAIN_MIN_M
            if _is_too_long_with_one(pair_m, batch, out, into, bound):
                continue
            moved_cost_m = changed_tour_m(problem, cache, batch, key, out, into) - kept_dual_m - dual_m[into]
            if moved_cost_m < best_cost_m:
                best_cost_m, best_out, best_into = moved_cost_m, out, into
    return best_cost_m, best_out, best_into


@kernel
def _is_too_long_with_one(pair_m: np.ndarray, batch: np.ndarray, out: int, into: int, bound: float) -> bool:
    """Whether `into` and one other order alone take a tour longer than `bound`."""
    for position in range(batch.size):  # noqa: SIM110  # the compiler knows no generator
        if position != out and pair_m[batch[position], into] > bound:
            return True
    return False
