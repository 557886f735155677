"""Plans made of priced batches: column generation, dives into it, and again where a plan is to be improved.

A dive fixes, one after the other, the batches the relaxed plan is surest of, and prices new ones for what is left
(Sadykov and others 2019, "Primal heuristics for branch and price: the assets of diving methods", INFORMS Journal on
Computing 31(2), section 3). Most dives keep a part of the best plan: only batches that lie near one another are made
anew.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tasks.domain.picking.batching.annealing import Batches, add_order, empty_batches
from tasks.domain.picking.batching.covering import Cover
from tasks.domain.picking.batching.pricing import price
from tasks.domain.picking.batching.tour_lengths import BatchingProblem, TourCache, changed_tour_m

PRICED_MAX = 4000  # batches a pricing may find
GENERATIONS, GENERATIONS_DIVING = 60, 4  # pricings at most, at the root and after each fixing
COLUMNS_MAX, COLUMNS_KEPT = 9000, 3000
NODES_MAX, WHOLE_MAX = 400, 1500  # of the integer programme: its search tree, and the columns it is tried with
SURE, NOISE = 0.999, 0.15
KEPT_SHARE = 0.4  # of the best plan's batches, by most dives
SKIP = 0.3


class ColumnPool(NamedTuple):
    """The problem, one worker's cache, the tours of pairs, neighbours by distance, and the columns generated so far."""

    problem: BatchingProblem
    cache: TourCache
    pair_m: np.ndarray
    neighbours: np.ndarray
    cover: Cover


def batch_rows(batches: Batches) -> np.ndarray:
    """Batches as rows of sorted orders, -1 behind them."""
    occupied = np.flatnonzero(batches.count)
    rows = np.full((len(occupied), batches.orders.shape[1]), -1)
    for row, batch in zip(rows, occupied, strict=True):
        row[: batches.count[batch]] = np.sort(batches.orders[batch, : batches.count[batch]])
    return rows


def batches_from_rows(pool: ColumnPool, rows: np.ndarray) -> Batches:
    """Rows as batches; an order that several cover stays in the first."""
    batches, assigned = empty_batches(pool.problem), set[int]()
    for batch, row in enumerate(rows):
        for order in row[row >= 0].tolist():
            if order not in assigned:
                add_order(pool.problem, pool.cache, batches, batch, order)
                assigned.add(order)
    return batches


def add_columns(pool: ColumnPool, rows: np.ndarray) -> int:
    """Take batches into the cover, those that are new; returns their number."""
    new_rows = pool.cover.fresh(rows)
    keys = pool.problem.key
    metres = [
        changed_tour_m(pool.problem, pool.cache, row[row >= 0], np.bitwise_xor.reduce(keys[row[row >= 0]]), -1, -1)
        for row in new_rows
    ]
    pool.cover.add(new_rows, np.array(metres))
    return len(new_rows)


def generate_columns(pool: ColumnPool, generations: int, left_s: Callable[[], float]) -> tuple[float, bool]:
    """Price batches until none betters the relaxed plan, or so many times; gives its metres and whether that is all."""
    orders, most = pool.problem.key.size, pool.cover.members.shape[1]
    priced_rows = np.empty((PRICED_MAX, most), dtype="int64")
    single_rows = np.full((orders, most), -1)
    single_rows[:, 0] = np.arange(orders)
    for _ in range(generations):
        metres, dual_m, reduced_cost_m = pool.cover.relaxed()
        starts = np.vstack([pool.cover.members[reduced_cost_m < 1e-6], single_rows])
        count = price(pool.problem, pool.cache, pool.pair_m, starts, dual_m, priced_rows)
        if not add_columns(pool, priced_rows[:count]):
            return metres, True
        if left_s() <= 0:
            break
    return pool.cover.relaxed()[0], False


def dive(
    pool: ColumnPool, kept: np.ndarray, chance: np.random.Generator, left_s: Callable[[], float]
) -> Batches | None:
    """A plan that keeps some batches (rows) and takes the others from the relaxed plan, the surest first.

    None when `left_s` (seconds) are over before it is whole.
    """
    cover = pool.cover
    fixed = cover.numbers(kept)
    cover.fix(fixed)
    while left_s() > 0:
        generate_columns(pool, GENERATIONS_DIVING, left_s)
        if (np.unique(cover.members[fixed]) >= 0).sum() == pool.problem.key.size:
            break
        fractions = cover.shares()
        fractions[fixed] = 0
        sure = np.flatnonzero(fractions > SURE).tolist()
        noisy = np.where(fractions > 1e-6, fractions + NOISE * chance.random(fractions.size), -1)
        chosen = sure or [int(np.argmax(noisy))]
        cover.fix(chosen)
        fixed += chosen
    cover.free(fixed)
    is_complete = (np.unique(cover.members[fixed]) >= 0).sum() == pool.problem.key.size
    return batches_from_rows(pool, cover.members[fixed]) if is_complete else None


def kept_rows(pool: ColumnPool, best: Batches, chance: np.random.Generator) -> np.ndarray:
    """The batches of the best plan that a dive keeps: all but those that lie near an order drawn."""
    rows = batch_rows(best)
    row_of_order = {int(order): number for number, row in enumerate(rows) for order in row[row >= 0]}
    replaced_max = max(4, round(len(rows) * (1 - KEPT_SHARE)))
    seed = int(chance.integers(len(row_of_order)))
    chosen = [row_of_order[seed]]
    for order in pool.neighbours[seed]:
        if len(chosen) >= replaced_max:
            break
        if row_of_order[int(order)] not in chosen and chance.random() >= SKIP:
            chosen.append(row_of_order[int(order)])
    return np.delete(rows, chosen, axis=0)


def integer_plan(pool: ColumnPool, best: Batches, seconds: float) -> Batches | None:
    """The shortest plan of the columns that may be part of one shorter than the best, where they are not too many."""
    relaxed_m, _, reduced_cost_m = pool.cover.relaxed()
    best_m = best.metres.sum()
    columns = np.flatnonzero(reduced_cost_m <= best_m - relaxed_m + 1e-6)
    if len(columns) > WHOLE_MAX:
        return None
    rows = pool.cover.whole(columns, float(best_m) - 1e-6, NODES_MAX, max(0.0, seconds))
    return None if rows is None else batches_from_rows(pool, rows)


def drop_columns(pool: ColumnPool, best: Batches) -> None:
    """Drop the columns furthest from use, when there are many; those of the best plan stay."""
    if len(pool.cover.metres) <= COLUMNS_MAX:
        return
    reduced_cost_m = pool.cover.relaxed()[2]
    kept = np.argsort(reduced_cost_m, kind="stable")[:COLUMNS_KEPT]
    single_order_columns = np.flatnonzero((pool.cover.members >= 0).sum(axis=1) == 1)
    kept = np.concatenate([kept, single_order_columns, pool.cover.numbers(batch_rows(best))])
    pool.cover.forget(np.setdiff1d(np.arange(len(reduced_cost_m)), kept))
