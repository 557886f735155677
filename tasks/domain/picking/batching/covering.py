"""The best plan that batches at hand allow, and what each order is worth in it: set covering with HiGHS.

A tour through fewer orders is never longer, so that covering every order at least once is as good as exactly once; the
worth of an order is then never negative (Gademann and van de Velde 2005, "Order batching to minimize total travel time
in a parallel-aisle warehouse", IIE Transactions 37(1), section 3).
"""

import highspy
import numpy as np

from tasks.domain.solver import solver

UNBOUNDED = highspy.kHighsInf


class Cover:
    """A linear programme with a row for each order and a column for each batch."""

    def __init__(self, orders: int, most: int) -> None:
        """`orders` to cover, `most` of them in a batch."""
        self.members = np.empty((0, most), dtype="int64")
        self.metres = np.empty(0)
        self._known: dict[bytes, int] = {}
        self._solver = solver()
        for _ in range(orders):
            self._solver.addRow(1.0, UNBOUNDED, 0, np.array([], dtype="int32"), np.array([]))

    def fresh(self, members: np.ndarray) -> np.ndarray:
        """Those of the batches (rows of sorted orders, -1 behind them) that are not columns yet, each once."""
        new = {row.tobytes(): row for row in members if row.tobytes() not in self._known}
        return np.array(list(new.values()), dtype="int64").reshape(-1, self.members.shape[1])

    def add(self, members: np.ndarray, metres: np.ndarray) -> None:
        """Take batches in as columns."""
        if not len(members):
            return
        begin, index = _columns(members)
        number = len(members)
        self._solver.addCols(number, metres, np.zeros(number), np.full(number, UNBOUNDED), len(index), begin, index,
                             np.ones(len(index)))  # fmt: skip
        self._known |= {row.tobytes(): len(self.metres) + at for at, row in enumerate(members)}
        self.members = np.vstack([self.members, members])
        self.metres = np.concatenate([self.metres, metres])

    def forget(self, columns: np.ndarray) -> None:
        """Drop columns."""
        self._solver.deleteCols(len(columns), columns.astype("int32"))
        self.members = np.delete(self.members, columns, axis=0)
        self.metres = np.delete(self.metres, columns)
        self._known = {row.tobytes(): at for at, row in enumerate(self.members)}

    def numbers(self, members: np.ndarray) -> list[int]:
        """Which columns some batches are."""
        return [self._known[row.tobytes()] for row in members]

    def fix(self, columns: list[int]) -> None:
        """Take columns for sure."""
        for column in columns:
            self._solver.changeColBounds(column, 1.0, UNBOUNDED)

    def free(self, columns: list[int]) -> None:
        """Take columns or not."""
        for column in columns:
            self._solver.changeColBounds(column, 0.0, UNBOUNDED)

    def relaxed(self) -> tuple[float, np.ndarray, np.ndarray]:
        """The least metres when batches may be split, the worth of each order, and each column's metres beyond it."""
        self._solver.run()
        solution = self._solver.getSolution()
        dual_m = np.maximum(np.array(solution.row_dual), 0.0)
        return self._solver.getInfo().objective_function_value, dual_m, np.array(solution.col_dual)

    def shares(self) -> np.ndarray:
        """How much of each column the relaxed plan takes."""
        return np.array(self._solver.getSolution().col_value)

    def whole(self, columns: np.ndarray, below_m: float, nodes_max: int, seconds: float) -> np.ndarray | None:
        """The batches of the shortest plan of some columns, or none where none shorter than `below_m` was found."""
        begin, index = _columns(self.members[columns])
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(columns), self._solver.getNumRow()
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = self.metres[columns], np.zeros(len(columns)), np.ones(len(columns))
        lp.row_lower_, lp.row_upper_ = np.ones(lp.num_row_), np.full(lp.num_row_, UNBOUNDED)
        lp.integrality_ = [highspy.HighsVarType.kInteger] * len(columns)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.append(begin, len(index)).astype("int32")
        lp.a_matrix_.index_, lp.a_matrix_.value_ = index, np.ones(len(index))
        highs = solver(mip_max_nodes=nodes_max, time_limit=seconds, objective_bound=below_m)
        highs.passModel(lp)
        highs.run()
        if highs.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None
        taken = self.members[columns[np.array(highs.getSolution().col_value) > 0.5]]
        return np.asarray(taken)


def _columns(members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each batch's orders begin, and the orders of all of them."""
    is_order = members >= 0
    begin = np.concatenate([[0], is_order.sum(axis=1).cumsum()[:-1]])
    return begin.astype("int32"), members[is_order].astype("int32")
