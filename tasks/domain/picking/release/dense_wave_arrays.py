"""The arrays on which the search for the densest wave works: what does not change, and where one search stands."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array


class Tables(NamedTuple):
    """An order pool for compiled code: rows of x begin at `x_starts[row]` and end where the next one begins."""

    order_starts: np.ndarray
    order_items: np.ndarray  # those few aisles hold come first: they tell soonest that an order cannot be picked
    order_quantities: np.ndarray
    order_units: np.ndarray
    aisle_starts: np.ndarray
    aisle_items: np.ndarray
    aisle_quantities: np.ndarray
    item_starts: np.ndarray
    item_orders: np.ndarray  # largest orders first
    holder_starts: np.ndarray
    holders: np.ndarray  # the aisles that hold an item
    least: np.ndarray  # the smallest quantity an order asks of an item
    most: np.ndarray  # the largest
    units_min: int
    units_max: int


class State(NamedTuple):
    """Where one search stands; compiled code changes the arrays in place.

    Every order that still fits is picked, but for what the limit of units keeps out, so an item with more left than
    any order asks for keeps no order waiting.
    """

    left: np.ndarray  # units per item: in the visited aisles, less what is picked
    picked: np.ndarray  # bool per order
    visited: np.ndarray  # the visited aisles, in the first totals[1] places
    place: np.ndarray  # where an aisle stands in `visited`, -1 when it is not visited
    totals: np.ndarray  # units picked, aisles visited
    best_picked: np.ndarray  # bool per order
    best_visited: np.ndarray  # bool per aisle
    best_totals: np.ndarray  # units, aisles; no aisles until a wave is found
    orders_changed: np.ndarray  # by the move under way, so that it can be taken back
    aisles_changed: np.ndarray
    items_freed: np.ndarray  # items that may have kept an order waiting until now
    changes: np.ndarray  # how many of these three


AISLES_A_MOVE = 16  # a move visits so many aisles at most


def tables_of(demand: csr_array, stock: csr_array, units_min: int, units_max: int) -> Tables:
    """`demand` (orders x items) and `stock` (aisles x items), both in units, as the search reads them."""
    demand_lines = demand.tocoo()
    holders = np.diff(stock.tocsc().indptr)
    lines = np.lexsort((holders[demand_lines.col], demand_lines.row))
    units = np.asarray(demand.sum(axis=1)).astype(np.int64)
    by_item = np.lexsort((-units[demand_lines.row], demand_lines.col))
    quantity_min, quantity_max = (
        np.full(demand.shape[1], np.iinfo(np.int32).max),
        np.zeros(demand.shape[1], dtype=np.int64),
    )
    np.minimum.at(quantity_min, demand_lines.col, demand_lines.data)
    np.maximum.at(quantity_max, demand_lines.col, demand_lines.data)
    by_aisle = stock.tocsc()
    columns = [
        demand.indptr,
        demand_lines.col[lines],
        demand_lines.data[lines],
        units,
        stock.indptr,
        stock.indices,
        stock.data,
        demand.tocsc().indptr,
        demand_lines.row[by_item],
        by_aisle.indptr,
        by_aisle.indices,
        quantity_min,
        quantity_max,
    ]
    return Tables._make([*map(_small, columns), units_min, units_max])


def _small(column: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(column, dtype=np.int32)


def empty_state(tables: Tables) -> State:
    """A search that has not begun: no aisle visited, nothing picked."""
    orders, aisles, items = len(tables.order_units), len(tables.aisle_starts) - 1, len(tables.least)
    return State(
        np.zeros(items, dtype=np.int64), np.zeros(orders, dtype=np.bool_), np.zeros(aisles, dtype=np.int64),
        np.full(aisles, -1, dtype=np.int64), np.zeros(2, dtype=np.int64), np.zeros(orders, dtype=np.bool_),
        np.zeros(aisles, dtype=np.bool_), np.zeros(2, dtype=np.int64), np.zeros(2 * orders + 1, dtype=np.int32),
        np.zeros(AISLES_A_MOVE, dtype=np.int32), np.zeros(len(tables.order_items) + items + 1, dtype=np.int32),
        np.zeros(3, dtype=np.int64),
    )  # fmt: skip


def place_at(state: State, demand: csr_array, stock: csr_array, picked: np.ndarray, visited: np.ndarray) -> None:
    """Let the search stand at a wave: `picked` (bool per order) from `visited` (bool per aisle)."""
    aisles = np.flatnonzero(visited)
    state.left[:] = stock[aisles].sum(axis=0) - demand[np.flatnonzero(picked)].sum(axis=0)
    state.picked[:] = picked
    state.place[:] = -1
    state.place[aisles] = np.arange(len(aisles))
    state.visited[: len(aisles)] = aisles
    state.totals[:] = demand[np.flatnonzero(picked)].sum(), len(aisles)
