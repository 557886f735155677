"""The densest wave of an order pool: the most units per visited aisle, within limits of the units.

The wave order picking problem of the SBPO 2025 challenge (Mercado Libre): choose whole orders and the aisles to visit
so that units / aisles is largest, the units lie between two limits, and for every item the visited aisles hold what the
chosen orders ask. Searches anneal over the visited aisles (`dense_wave_annealing`), each from a seed of its own, and
now and then solve a neighbourhood of their best wave as an integer programme (`dense_wave_programme`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, cycle, pairwise
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tasks.domain.picking.release.dense_wave_annealing import anneal
from tasks.domain.picking.release.dense_wave_arrays import State, Tables, empty_state, place_at, tables_of
from tasks.domain.picking.release.dense_wave_programme import polish

MOVES = 5_000  # of a round
ROUNDS_FIRST, ROUNDS_MAX = 8, 60  # of one cooling; every cooling is a quarter longer than the one before
HOT = (0.15, 0.3, 0.1, 0.2, 0.5)  # where coolings begin, in turn, as shares of the density
COLD = 0.02
WIDTH_FIRST, WIDTH_MIN = 16, 4  # aisles beside the visited ones that a polish may choose from
LINES_SMALL = 500  # a pool of so few lines is polished whole
POLISHES = 3  # one after the other, while they come to an end
WIDER, NARROWER = 1.7, 0.75  # the next polish, after one that came to an end, and after one that did not
SCORE_NOISE = (0.5, 1.5)  # random factors of an aisle's score


@dataclass(frozen=True)
class OrderPool:
    """Orders that could be released together, and the stock of each aisle.

    `demand`: orders x items, `stock`: aisles x items; units, whole numbers (int64). A wave has `units_min` to
    `units_max` units.
    """

    demand: csr_array
    stock: csr_array
    units_min: int
    units_max: int

    def __post_init__(self) -> None:
        if self.demand.shape[1] != self.stock.shape[1]:
            raise ValueError(f"order pool: orders ask for {self.demand.shape[1]} items, aisles hold "
                             f"{self.stock.shape[1]}")  # fmt: skip
        if min(self.demand.data.min(initial=1), self.stock.data.min(initial=1)) < 1:
            raise ValueError("order pool: a quantity that is stated is at least 1")
        if not 0 <= self.units_min <= self.units_max:
            raise ValueError(f"order pool: no wave has {self.units_min} to {self.units_max} units")


@dataclass(frozen=True)
class DenseWave:
    """Positions of the chosen orders and of the visited aisles (int64, ascending), the units of the orders.

    `proven`: no wave of the pool is denser.
    """

    orders: np.ndarray
    aisles: np.ndarray
    units: int
    proven: bool = False

    @property
    def density(self) -> float:
        """Units per visited aisle."""
        return self.units / len(self.aisles)


def densest_wave(
    pool: OrderPool,
    *,
    seed: int,
    stop: Callable[[int], bool],
    searches: int = 2,
    run: Callable[..., Iterable[Any]] = map,
    on_better: Callable[[DenseWave], object] = lambda _: None,
) -> DenseWave | None:
    """The densest wave found until `stop`, or None when none was: no wave within the limits, or too little time.

    `stop` is asked with the number of rounds done, between rounds and within long ones; the same seed, number of
    searches and rounds give the same wave. `run` maps a function over the searches: `map` one after the other, a thread
    pool's at the same time, with the same result. `on_better` is called with each better wave. Memory: a few times the
    pool for each search.
    """
    pool = _without_impossible(pool)
    if not pool.demand.nnz or not pool.stock.nnz:
        return None
    tables = tables_of(pool.demand, pool.stock, pool.units_min, pool.units_max)
    chains = [_Search(pool, tables, number, np.random.default_rng([seed, number])) for number in range(searches)]
    best: DenseWave | None = None
    for rounds_done in count():
        if stop(rounds_done) or (best and best.proven):
            return best
        for wave in list(
            run(_round, chains, [best] * searches, [lambda rounds_done=rounds_done: stop(rounds_done)] * searches)
        ):
            if wave and (best is None or _rank(wave) > _rank(best)):
                best = wave
                on_better(best)
    return best


def _rank(wave: DenseWave) -> tuple[float, bool]:
    return wave.density, wave.proven


def _without_impossible(pool: OrderPool) -> OrderPool:
    """Stock that nothing asks for, and orders no wave can hold, left empty; positions stay."""
    demand, stock = pool.demand.tocsr().astype(np.int64), pool.stock.tocsr().astype(np.int64)
    lacking = demand.data > np.asarray(stock.sum(axis=0))[demand.indices]
    rows = np.repeat(np.arange(demand.shape[0]), np.diff(demand.indptr))
    is_impossible = np.asarray(demand.sum(axis=1)) > pool.units_max
    is_impossible[rows[lacking]] = True
    demand.data[is_impossible[rows]] = 0
    demand.eliminate_zeros()
    stock.data = np.minimum(stock.data, np.asarray(demand.sum(axis=0))[stock.indices])
    stock.eliminate_zeros()
    return OrderPool(demand, stock, pool.units_min, pool.units_max)


@dataclass
class _Search:
    """One search: the even ones cool down from the best wave known to all, the odd ones from where they stand."""

    pool: OrderPool
    tables: Tables
    number: int
    rng: np.random.Generator
    width: float = field(init=False)
    state: State = field(init=False)
    steps: Iterator[tuple[float, float] | None] = field(init=False)

    def __post_init__(self) -> None:
        self.state = empty_state(self.tables)
        self.steps = _steps(self.number)
        self.width = self.pool.stock.shape[0] if self.pool.demand.nnz <= LINES_SMALL else WIDTH_FIRST


def _steps(number: int) -> Iterator[tuple[float, float] | None]:
    """The heats between which each round cools; None where a round polishes."""
    hots = cycle(HOT[number % len(HOT) :] + HOT[: number % len(HOT)])
    rounds = float(ROUNDS_FIRST)
    for hot in hots:
        heats = np.geomspace(hot, COLD, int(rounds) + 1)
        yield from pairwise(heats)
        yield None
        rounds = min(ROUNDS_MAX, rounds * 1.25)


def _round(search: _Search, best: DenseWave | None, stop: Callable[[], bool]) -> DenseWave | None:
    """One round of one search: the best wave of its cooling, polished at its end."""
    heats = next(search.steps)
    if heats is None:
        return _polish_round(search, best, stop)
    anneal(
        search.tables, search.state, MOVES, *heats, best.density if best else _density_guess(search.pool), search.rng
    )
    return _best_of_state(search.state)


def _density_guess(pool: OrderPool) -> float:
    """A density to search at before any is known: of a wave that visits every aisle."""
    return max(1.0, float(min(pool.units_max, int(pool.demand.sum()))) / int(pool.stock.shape[0]))


def _best_of_state(state: State, *, proven: bool = False) -> DenseWave | None:
    units, aisles = state.best_totals
    if not aisles:
        return None
    return DenseWave(np.flatnonzero(state.best_picked), np.flatnonzero(state.best_visited), int(units), proven)


def _polish_round(search: _Search, best: DenseWave | None, stop: Callable[[], bool]) -> DenseWave | None:
    """The best wave (of all searches, for the even ones) made denser by exchanging aisles near it."""
    state, pool = search.state, search.pool
    wave = best if search.number % 2 == 0 else _best_of_state(state)
    picked = _mask(wave.orders if wave else [], len(state.picked))
    visited = _mask(wave.aisles if wave else [], len(state.place))
    for _ in range(POLISHES):
        free, allowed = _neighbourhood(search, visited)
        limits = pool.units_min, pool.units_max
        polished = polish(pool.demand, pool.stock, limits, picked, visited, free, allowed, stop)
        picked, visited = polished.picked, polished.visited
        search.width = search.width * WIDER if polished.proven else max(WIDTH_MIN, search.width * NARROWER)
        if free.all() or not polished.proven:
            break
    _restart(search, picked, visited)
    return (
        _wave_from_masks(pool, picked, visited, proven=polished.proven and bool(free.all())) if visited.any() else None
    )


def _restart(search: _Search, picked: np.ndarray, visited: np.ndarray) -> None:
    """Forget the best wave of the last cooling; even searches go on from the polished one."""
    search.state.best_totals[:] = 0
    if search.number % 2 == 0:
        place_at(search.state, search.pool.demand, search.pool.stock, picked, visited)


def _wave_from_masks(pool: OrderPool, picked: np.ndarray, visited: np.ndarray, *, proven: bool) -> DenseWave:
    orders = np.flatnonzero(picked)
    return DenseWave(orders, np.flatnonzero(visited), int(pool.demand[orders].sum()), proven)


def _mask(positions: np.ndarray | list[int], size: int) -> np.ndarray:
    mask = np.zeros(size, dtype=bool)
    mask[positions] = True
    return mask


def _neighbourhood(search: _Search, visited: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which aisles a polish may visit or leave, and those with the visited ones: bool per aisle, twice.

    As many as the search is wide, those first that hold what orders lack of which little else is lacking; of the
    visited ones up to three times as many, at random.
    """
    width = int(search.width) if visited.any() else len(visited)
    near = np.argsort(np.where(visited, np.inf, -_aisle_scores(search, visited)), kind="stable")[:width]
    near = near[~visited[near]]
    leavable = search.rng.permutation(np.flatnonzero(visited))[: 3 * width]
    free = _mask(np.concatenate([near, leavable]), len(visited))
    return free, free | visited


def _aisle_scores(search: _Search, visited: np.ndarray) -> np.ndarray:
    """A score of each aisle: units of the orders that lack an item it holds, over the square of what they lack."""
    demand, stock = search.pool.demand, search.pool.stock
    rows = np.repeat(np.arange(demand.shape[0]), np.diff(demand.indptr))
    lacking = demand.data > np.asarray(stock[np.flatnonzero(visited)].sum(axis=0))[demand.indices]
    lacks = np.bincount(rows, lacking, demand.shape[0])
    order_score = np.asarray(demand.sum(axis=1)) / np.maximum(lacks, 1) ** 2
    item_score = np.bincount(demand.indices, np.where(lacking, order_score[rows], 0.0), demand.shape[1])
    scores: np.ndarray = (stock > 0) @ item_score * search.rng.uniform(*SCORE_NOISE, stock.shape[0])
    return scores
