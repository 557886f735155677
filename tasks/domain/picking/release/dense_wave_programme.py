"""The densest wave of some aisles as an integer programme, solved with HiGHS: what annealing leaves undone.

x picks an order, y visits an aisle: maximise units(x) - density * aisles(y) (Dinkelbach 1967) within the stock of the
visited aisles and the limits of units. Stock counts no further than all orders ask for it, and every order line has
its own constraint, at most what it asks: the relaxation is much tighter for it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
from scipy.sparse import coo_array, csr_array, hstack, vstack

from tasks.domain.solver import solver

LOOKS_MAX = 200  # HiGHS asks so often whether to go on; its own measure of work, the same on every machine
MARGIN = 1e-3  # the value of the wave already known, so that HiGHS has a solution of its own kind to beat


@dataclass(frozen=True)
class Polished:
    """A wave (bool per order, bool per aisle), and whether HiGHS proved that no denser one is in the aisles allowed."""

    picked: np.ndarray
    visited: np.ndarray
    proven: bool


def polish(
    demand: csr_array, stock: csr_array, limits: tuple[int, int], picked: np.ndarray, visited: np.ndarray,
    free: np.ndarray, allowed: np.ndarray, stop: Callable[[], bool],
) -> Polished:  # fmt: skip
    """The densest wave found among the `allowed` aisles, those that are not `free` being visited as in `visited`.

    `demand` (orders x items) and `stock` (aisles x items) in units, `limits` of the units; `picked` and `visited` are a
    wave to begin with, its aisles among the allowed; all four masks are bool.
    """
    stock_units = np.asarray(stock[np.flatnonzero(allowed)].sum(axis=0))
    is_lacking = demand.data > stock_units[demand.indices]
    orders = np.flatnonzero(np.bincount(_rows(demand), is_lacking, demand.shape[0]) == 0)
    aisles = np.flatnonzero(allowed)
    programme = _programme(demand[orders], stock[aisles], limits, visited[aisles] & ~free[aisles])
    wave, proven = np.concatenate([picked[orders], visited[aisles]]), False
    while not proven and not stop():  # Dinkelbach: again at the new density, until nothing is denser
        better, ended = _solve(programme, wave, len(orders), stop)
        proven = ended and better is None
        if better is None:
            break
        wave = better
    masks = [np.zeros_like(picked), np.zeros_like(visited)]
    masks[0][orders], masks[1][aisles] = wave[: len(orders)], wave[len(orders) :]
    return Polished(masks[0], masks[1], proven)


def _rows(matrix: csr_array) -> np.ndarray:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def _programme(demand: csr_array, stock: csr_array, limits: tuple[int, int], fixed: np.ndarray) -> highspy.HighsLp:
    requested_items = np.flatnonzero(np.asarray(demand.sum(axis=0)))
    demand, stock = demand[:, requested_items], stock[:, requested_items]
    units = np.asarray(demand.sum(axis=1))
    rows = vstack([_stock_rows(demand, stock), _line_rows(demand, stock), _units_row(units, stock.shape[0])]).tocsr()
    columns = rows.shape[1]
    programme = highspy.HighsLp()
    programme.num_col_, programme.num_row_ = columns, rows.shape[0]
    programme.sense_ = highspy.ObjSense.kMaximize
    programme.col_cost_ = np.concatenate([units, np.zeros(len(fixed))]).astype(float)
    programme.col_lower_ = np.concatenate([np.zeros(len(units)), fixed]).astype(float)
    programme.col_upper_ = np.ones(columns)
    programme.row_lower_ = np.append(np.full(rows.shape[0] - 1, -np.inf), limits[0])
    programme.row_upper_ = np.append(np.zeros(rows.shape[0] - 1), limits[1])
    programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    programme.a_matrix_.start_, programme.a_matrix_.index_ = rows.indptr, rows.indices
    programme.a_matrix_.value_ = rows.data.astype(float)
    programme.integrality_ = [highspy.HighsVarType.kInteger] * columns
    return programme


def _stock_rows(demand: csr_array, stock: csr_array) -> csr_array:
    """What is asked of each item, at most what the visited aisles hold of it."""
    total = np.asarray(demand.sum(axis=0))
    stock_limits = stock.copy()
    stock_limits.data = np.minimum(stock_limits.data, total[stock_limits.indices])
    return hstack([demand.T, -stock_limits.T]).tocsr()


def _line_rows(demand: csr_array, stock: csr_array) -> csr_array:
    """What each line asks, at most what the visited aisles hold of it; only where others ask for the item too."""
    total = np.asarray(demand.sum(axis=0))
    shared = demand.data < total[demand.indices]
    orders, items, quantities = _rows(demand)[shared], demand.indices[shared], demand.data[shared]
    lines = np.arange(len(orders))
    stock_limits = (
        coo_array((np.ones(len(lines), dtype=np.int64), (lines, items)), (len(lines), demand.shape[1])).tocsr()
        @ stock.T
    ).tocsr()
    stock_limits.data = np.minimum(stock_limits.data, quantities[_rows(stock_limits)])
    return hstack([coo_array((quantities, (lines, orders)), (len(lines), demand.shape[0])), -stock_limits]).tocsr()


def _units_row(units: np.ndarray, aisles: int) -> csr_array:
    return csr_array(np.concatenate([units, np.zeros(aisles, dtype=units.dtype)])[None, :])


def _solve(programme: highspy.HighsLp, wave: np.ndarray, orders: int, stop: Callable[[], bool]
           ) -> tuple[np.ndarray | None, bool]:  # fmt: skip
    """A denser wave than `wave`, None when none was found; and whether HiGHS came to an end."""
    cost = np.array(programme.col_cost_)
    units, aisles = int(cost[:orders] @ wave[:orders]), int(wave[orders:].sum())
    cost[orders:] = -(units - MARGIN) / aisles if aisles else 0.0
    highs = _stoppable(stop)
    highs.passModel(programme)
    highs.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
    if aisles:
        start = highspy.HighsSolution()
        start.col_value = wave.astype(float)
        highs.setSolution(start)
    highs.run()
    is_finished = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    solution = np.array(highs.getSolution().col_value).round().astype(bool)
    if len(solution) != len(cost) or not _is_feasible(programme, solution) or not solution[orders:].any():
        return None, False
    denser = not aisles or int(cost[:orders] @ solution[:orders]) * aisles > units * int(solution[orders:].sum())
    return (solution if denser else None), is_finished


def _stoppable(stop: Callable[[], bool]) -> highspy.Highs:
    highs = solver(mip_rel_gap=0.0, random_seed=1)
    checks = iter(range(LOOKS_MAX))

    def check(event: highspy.highs.HighsCallbackEvent) -> None:
        if next(checks, None) is None or stop():
            event.interrupt()

    highs.cbMipInterrupt += check
    return highs


def _is_feasible(programme: highspy.HighsLp, solution: np.ndarray) -> bool:
    """Whether `solution` keeps every constraint exactly; HiGHS keeps them within a tolerance."""
    matrix = programme.a_matrix_
    rows = csr_array((matrix.value_, matrix.index_, matrix.start_), (programme.num_row_, programme.num_col_))
    reached = rows @ solution.astype(float)
    return bool((reached <= programme.row_upper_).all() and (reached >= programme.row_lower_).all())
