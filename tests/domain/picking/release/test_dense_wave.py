"""The densest wave of an order pool."""

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from benchmarks.picking.wave_selection_check import check, density
from tasks.domain.picking.release.dense_wave import DenseWave, OrderPool, densest_wave


def _pool(demand: list[list[int]], stock: list[list[int]], least: int, most: int) -> OrderPool:
    return OrderPool(csr_array(np.array(demand)), csr_array(np.array(stock)), least, most)


def _instance(pool: OrderPool) -> str:
    """The pool as a file of the challenge, for its checker."""
    rows = [row for matrix in (pool.demand, pool.stock) for row in matrix.toarray()]
    lines = [" ".join(map(str, [np.count_nonzero(row), *np.column_stack([np.flatnonzero(row), row[row > 0]]).ravel()]))
             for row in rows]  # fmt: skip
    head = f"{pool.demand.shape[0]} {pool.demand.shape[1]} {pool.stock.shape[0]}"
    return "\n".join([head, *lines, f"{pool.units_min} {pool.units_max}"])


def _solution(wave: DenseWave) -> str:
    return "\n".join(map(str, [len(wave.orders), *wave.orders, len(wave.aisles), *wave.aisles]))


def _densest(pool: OrderPool) -> float:
    """By trying every set of orders with every set of aisles; 0 when no wave is allowed."""
    demand, stock = pool.demand.toarray(), pool.stock.toarray()
    waves = [
        demand[list(orders)].sum() / len(aisles)
        for aisles in _sets(len(stock))
        for orders in _sets(len(demand))
        if (demand[list(orders)].sum(axis=0) <= stock[list(aisles)].sum(axis=0)).all()
        and pool.units_min <= demand[list(orders)].sum() <= pool.units_max
    ]
    return max(waves, default=0.0)


def _sets(size: int) -> list[tuple[int, ...]]:
    return [chosen for number in range(1, size + 1) for chosen in combinations(range(size), number)]


@st.composite
def pools(draw: st.DrawFn, orders_max: int = 5, aisles_max: int = 4, items_max: int = 4) -> OrderPool:
    """Small pools, some of them without any wave."""
    orders, aisles, items = (draw(st.integers(1, most)) for most in (orders_max, aisles_max, items_max))
    quantities = st.sampled_from([0, 0, 1, 1, 2, 3, 5])
    demand, stock = (
        draw(st.lists(st.lists(quantities, min_size=items, max_size=items), min_size=rows, max_size=rows))
        for rows in (orders, aisles)
    )
    least = draw(st.integers(0, 8))
    return _pool(demand, stock, least, least + draw(st.integers(0, 10)))


def _large(seed: int = 3) -> OrderPool:
    """150 orders, 100 items, 30 aisles."""
    rng = np.random.default_rng(seed)
    demand = (rng.random((150, 100)) < 0.02) * rng.integers(1, 4, (150, 100))
    stock = (rng.random((30, 100)) < 0.08) * rng.integers(1, 9, (30, 100))
    return OrderPool(csr_array(demand), csr_array(stock), 20, 60)


@settings(max_examples=40, deadline=None)
@given(pools())
def test_no_wave_of_a_small_pool_is_denser(pool: OrderPool) -> None:
    """What is found is as dense as the densest of all waves; where there is none, none is found."""
    wave = densest_wave(pool, seed=1, stop=lambda rounds: rounds >= 9)
    best = _densest(pool)
    assert (wave.density if wave else 0.0) == pytest.approx(best)
    if wave:
        assert check(_instance(pool), _solution(wave)) == []
        assert density(_instance(pool), _solution(wave)) == pytest.approx(wave.density)


def test_every_wave_on_the_way_can_be_picked_and_is_denser_than_the_one_before() -> None:
    """Each wave told keeps the limits and the stock, by a checker that shares nothing with the search."""
    pool, waves = _large(), list[DenseWave]()
    last = densest_wave(pool, seed=5, stop=lambda rounds: rounds >= 9, on_better=waves.append)
    assert waves
    assert last is waves[-1]
    assert [problem for wave in waves for problem in check(_instance(pool), _solution(wave))] == []
    assert [wave.density for wave in waves] == sorted(wave.density for wave in waves)


def test_the_same_seed_chooses_the_same_wave_on_any_number_of_cores() -> None:
    """Searches that run one after the other choose what they choose side by side."""
    first, second = _told(map), _told(ThreadPoolExecutor(2).map)
    assert first == second


def _told(run: object) -> list[tuple[list[int], list[int]]]:
    waves = list[DenseWave]()
    densest_wave(_large(), seed=2, stop=lambda rounds: rounds >= 9, run=run, on_better=waves.append)  # type: ignore[arg-type]
    return [(wave.orders.tolist(), wave.aisles.tolist()) for wave in waves]


def test_a_pool_that_contradicts_itself_is_refused() -> None:
    """Matrices of different items and limits in the wrong order are told with what was found."""
    with pytest.raises(ValueError, match="orders ask for 2 items, aisles hold 3"):
        _pool([[1, 1]], [[1, 1, 1]], 0, 5)
    with pytest.raises(ValueError, match="no wave has 5 to 4 units"):
        _pool([[1]], [[1]], 5, 4)


def test_the_checker_names_each_rule_that_is_broken() -> None:
    """Orders that are not there, units out of the limits, stock that is not held."""
    instance = _instance(_pool([[3, 0], [1, 1]], [[3, 0], [0, 1]], 4, 4))
    assert check(instance, "2\n0\n7\n1\n0\n") == ["order 7 does not exist"]
    assert check(instance, "2\n1\n1\n1\n0\n") == ["order 1 twice"]
    assert check(instance, "1\n0\n1\n0\n") == ["3 units, 4 to 4 are allowed"]
    assert check(instance, "2\n0\n1\n2\n0\n1\n") == ["5 units, 4 to 4 are allowed", "item 0: 4 asked, 3 held"]
