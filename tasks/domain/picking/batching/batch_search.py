"""Which orders share a tour: the search as a whole, anytime and from a seed, for benchmarks and for waves alike.

Rounds of two workers: one anneals, the other dives into column generation and anneals what it finds. Both start from
the best plan so far; what a round brings depends on the seed and on its number alone, not on the cores that are there.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import inf

import numpy as np

from tasks.domain.picking.batching import column_generation
from tasks.domain.picking.batching.annealing import Batches, anneal, copy_of, empty_batches
from tasks.domain.picking.batching.column_generation import ColumnPool
from tasks.domain.picking.batching.covering import Cover
from tasks.domain.picking.batching.savings import fill_by_savings
from tasks.domain.picking.batching.tour_lengths import BatchingProblem, TourCache, tour_cache

TRIES, TRIES_AFTER_DIVE = 200, 50  # for each pair of orders, on a floor of the least work
ORDERS_TRIED_MAX = 100  # no more tries for more orders
WORK_LEAST = 60  # states times aisles: a tour on a larger floor takes as much longer, so fewer are tried
SLICES, FALL = 20, 50.0  # the clock is looked at so often in an annealing; how far the temperature falls
HOT, WARM, COOL = 0.04, 0.015, 0.01
WHOLE_SHARE = 0.2  # of the seconds left, for the integer programme
WHOLE_EVERY = 4  # a dive in so many keeps nothing of the best plan
ORDERS_DIVING_MAX = 400  # with more of them a wave is annealed only


@dataclass(frozen=True)
class BatchPlan:
    """Orders by tour, the metres of all tours, and the number of rounds of the search."""

    batches: tuple[tuple[int, ...], ...]
    metres: float
    rounds: int


def no_time_limit() -> float:
    """No limit of time."""
    return inf


def batch_orders(
    problem: BatchingProblem, seed: int, rounds_max: int, left_s: Callable[[], float] = no_time_limit
) -> BatchPlan:
    """Group orders into tours within every limit, as few metres in all as is found.

    It stops after `rounds_max` rounds, when `left_s` (seconds) says so, or when nothing shorter can be there. With
    rounds alone the same orders, limits and seed give the same batches.
    """
    orders = problem.key.size
    if not orders:
        return BatchPlan((), 0.0, 0)
    search = _Search(problem, seed)
    with ThreadPoolExecutor(1) as other:
        number = 0
        while number < rounds_max and left_s() > 0 and not search.proven:
            search.round(number, left_s, other)
            number += 1
    rows = column_generation.batch_rows(search.best)
    batches = sorted(tuple(int(order) for order in row if order >= 0) for row in rows)
    return BatchPlan(tuple(batches), float(search.best.metres.sum()), number)


class _Search:
    """The best plan so far, and what both workers need."""

    def __init__(self, problem: BatchingProblem, seed: int) -> None:
        orders = problem.key.size
        self.problem = problem
        self.caches: tuple[TourCache, TourCache] = (tour_cache(problem), tour_cache(problem))
        self.random = np.random.default_rng(seed)
        self.states = self.random.integers(0, 2**63, (2, 1), dtype="uint64")
        self.start = empty_batches(problem)
        pair_m = np.zeros((orders, orders))
        fill_by_savings(problem, self.caches[0], self.start, pair_m)
        self.best = copy_of(self.start)
        apart = pair_m.diagonal()[:, None] + pair_m.diagonal()[None, :]
        rank = np.argsort(pair_m / apart + 2 * np.eye(orders), axis=1, kind="stable")
        cover = Cover(orders, self.start.orders.shape[1])
        self.pool = ColumnPool(problem, self.caches[0], pair_m, np.ascontiguousarray(rank[:, :-1]), cover)
        self.proven = orders == 1
        self.bound_m = 0.0

    def round(self, number: int, left_s: Callable[[], float], other: ThreadPoolExecutor) -> None:
        """One plan of each worker; the shorter one is the best if it is shorter than the best."""
        annealing = other.submit(self._annealed, 1, number, left_s)
        if number == 0 or self.problem.key.size > ORDERS_DIVING_MAX:
            plan: Batches | None = self._annealed(0, number, left_s)
        else:
            plan = self._root(left_s) if number == 1 else self._dived(number, left_s)
        self._better(annealing.result())
        if plan is not None:
            self._better(self._cooled(0, plan, TRIES_AFTER_DIVE, COOL, left_s))
        self.proven = self.best.metres.sum() <= self.bound_m + 1e-6

    def _annealed(self, worker: int, number: int, left_s: Callable[[], float]) -> Batches:
        """From the start or, every other time, from the best plan and less far from it."""
        batches, hot = (self.best, WARM) if number % 2 else (self.start, HOT)
        return self._cooled(worker, copy_of(batches), TRIES, hot, left_s)

    def _cooled(
        self, worker: int, current: Batches, tries: int, temperature_share: float, left_s: Callable[[], float]
    ) -> Batches:
        """The shortest plan met in so many tries from a temperature that is a share of a tour's metres in the mean."""
        best = copy_of(current)
        orders = min(ORDERS_TRIED_MAX, self.problem.key.size)
        work = self.problem.ground.done.size * self.problem.ground.aisle_m.size
        tries = tries * orders * orders * WORK_LEAST // max(WORK_LEAST, work)
        temperature_m, cooling = (
            temperature_share * current.metres.sum() / max(1, (current.count > 0).sum()),
            FALL ** (-1 / max(1, tries)),
        )
        for number in range(SLICES):
            if left_s() <= 0:
                break
            tries_per_slice = tries // SLICES
            slice_temperature_m = temperature_m * cooling ** (number * tries_per_slice)
            anneal(
                self.problem,
                self.caches[worker],
                current,
                best,
                self.pool.neighbours,
                self.states[worker],
                tries_per_slice,
                slice_temperature_m,
                cooling,
            )
        return best

    def _better(self, batches: Batches) -> None:
        column_generation.add_columns(self.pool, column_generation.batch_rows(batches))
        if batches.metres.sum() < self.best.metres.sum() - 1e-6:
            self.best = copy_of(batches)

    def _root(self, left_s: Callable[[], float]) -> Batches | None:
        """The relaxed plan of all orders, and the best whole one of batches that cost little beyond their worth."""
        alone = np.full((self.problem.key.size, self.best.orders.shape[1]), -1)
        alone[:, 0] = np.arange(len(alone))
        column_generation.add_columns(self.pool, alone)
        self.bound_m, ended = column_generation.generate_columns(self.pool, column_generation.GENERATIONS, left_s)
        if not ended:
            self.bound_m = 0.0
        return column_generation.integer_plan(self.pool, self.best, WHOLE_SHARE * left_s())

    def _dived(self, number: int, left_s: Callable[[], float]) -> Batches | None:
        none = np.empty((0, self.best.orders.shape[1]), dtype="int64")
        kept = none if number % WHOLE_EVERY == 0 else column_generation.kept_rows(self.pool, self.best, self.random)
        column_generation.drop_columns(self.pool, self.best)
        return column_generation.dive(self.pool, kept, self.random, left_s)
