"""The shortest tour where an article lies in several places and the tour chooses: exact, as an integer programme.

A tour is a path through the states of `tour_states` (Hessler and Irnich 2022, "A note on the linearity of Ratliff and
Rosenthal's algorithm for optimal picker routing", Operations Research Letters 50(2); 2024, "Exact solution of the
single-picker routing problem with scattered storage", INFORMS Journal on Computing 36(6)). How deep a subaisle is
walked from an end is chosen beside the path, and what the path passes must cover the demand. HiGHS proves the optimum.
"""

from collections import defaultdict
from dataclasses import dataclass, field

import highspy
import numpy as np

from tasks.domain.picking.routing.floor import Floor
from tasks.domain.picking.routing.shortest_tour import (
    INFINITE_M,
    NOTHING,
    FloorArrays,
    Tour,
    floor_arrays,
    shortest,
    with_depot_on_aisle,
)
from tasks.domain.picking.routing.tour_states import BOTH, HIGH, LOW, PASS, TWICE
from tasks.domain.solver import solver


class NoTourError(ValueError):
    """There is less of an article on the floor than the demand."""


@dataclass
class _Model:
    """Columns and rows of the integer programme; an entry is (row, column, coefficient)."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)

    def column(self, cost: float, entries: list[tuple[int, float]]) -> int:
        self.cost.append(cost)
        self.entries += [(row, len(self.cost) - 1, value) for row, value in entries]
        return len(self.cost) - 1

    def row(self, lower: float, upper: float) -> int:
        self.lower.append(lower)
        self.upper.append(upper)
        return len(self.lower) - 1


def shortest_scattered(
    floor: Floor, subaisle: np.ndarray, along_m: np.ndarray, article: np.ndarray, held: np.ndarray, demand: np.ndarray
) -> Tour:
    """The shortest tour that finds the whole demand.

    Each place: `subaisle` (int64), `along_m` (float64, from its front end), `article` (int64, by position in `demand`),
    `held` (int64, units lying there). `demand`: units by article (int64). The order names the places chosen.
    """
    lying = np.bincount(article, weights=held, minlength=len(demand))
    if (lying < demand).any():
        short = int(np.argmax(lying < demand))
        raise NoTourError(f"article {short}: {int(lying[short])} units lie on the floor, expected {demand[short]}")
    model, passes = _model(floor, subaisle, along_m)
    _cover(model, passes, article, np.minimum(held, demand[article]), demand)
    chosen = _solved(model)
    passed = np.array([place for place, by in enumerate(passes) if chosen[by].any()], dtype="int64")
    walk = passed[shortest(floor, subaisle[passed], along_m[passed]).order]
    found = _needed(walk, article, held, demand)
    tour = shortest(floor, subaisle[found], along_m[found])
    return Tour(tour.walk_m, found[tour.order])


def _model(floor: Floor, subaisle: np.ndarray, along_m: np.ndarray) -> tuple[_Model, list[list[int]]]:
    """The flow of one tour through the states, and of each place the columns that pass it."""
    floor, model = with_depot_on_aisle(floor)[0], _Model()
    passes: list[list[int]] = [[] for _ in subaisle]
    ground = floor_arrays(floor)
    states, blocks, aisles = ground.done.size, floor.blocks, len(floor.aisles_m)
    depot = aisles if floor.gate_m else floor.depot_aisle
    begin, end = model.row(1, 1), model.row(1, 1)
    nodes = [model.row(0, 0) for _ in range(states)]
    for aisle in range(aisles):
        if aisle <= depot:
            model.column(0, [(begin, 1), (nodes[0], 1)])
        for block in range(blocks):
            length = float(ground.length_m[block])
            costs = np.array([0, length, 2 * length, 0, 0, 0])
            nodes, ways = _step(model, ground, block, nodes, costs)
            here = np.flatnonzero(subaisle == aisle * blocks + block)
            _depths(model, ways, here, along_m, length, passes)
        if ground.depot[aisle] != NOTHING:
            nodes, _ = _step(model, ground, blocks, nodes, ground.depot_m[aisle])
        if floor.gate_m or aisle >= depot:
            for state in np.flatnonzero(ground.done):
                model.column(0, [(end, 1), (nodes[state], -1)])
        if aisle < aisles - 1:
            wide = float(ground.aisle_m[aisle + 1] - ground.aisle_m[aisle])
            nodes, _ = _step(model, ground, blocks + 1, nodes, wide * ground.edges)
    return model, passes


def _step(
    model: _Model, ground: FloorArrays, step: int, nodes: list[int], costs: np.ndarray
) -> tuple[list[int], defaultdict[int, list[int]]]:
    """A column for each move of a step; gives the states after it, and the columns by option."""
    after, ways = [model.row(0, 0) for _ in nodes], defaultdict(list)
    for move in range(ground.begin[step], ground.begin[step + 1]):
        option = int(ground.option[move])
        if costs[option] < INFINITE_M:
            ends = [(nodes[ground.source[move]], -1.0), (after[ground.target[move]], 1.0)]
            ways[option].append(model.column(float(costs[option]), ends))
    return after, ways


def _depths(
    model: _Model, ways: dict[int, list[int]], here: np.ndarray, along_m: np.ndarray, length: float,
    passes: list[list[int]],
) -> None:  # fmt: skip
    """How deep a subaisle is walked from either end, beside the path that says from which."""
    low, high = model.row(0, 0), model.row(0, 0)
    model.entries += [(low, column, -1.0) for column in ways[LOW] + ways[BOTH]]
    model.entries += [(high, column, -1.0) for column in ways[HIGH] + ways[BOTH]]
    for deep in np.unique(along_m[here]):
        from_low = model.column(2 * float(deep), [(low, 1.0)])
        from_high = model.column(2 * (length - float(deep)), [(high, 1.0)])
        for place in here:
            passes[place] += [from_low] * bool(along_m[place] <= deep) + [from_high] * bool(along_m[place] >= deep)
    for place in here:
        passes[place] += ways[PASS] + ways[TWICE]


def _cover(model: _Model, passes: list[list[int]], article: np.ndarray, held: np.ndarray, demand: np.ndarray) -> None:
    rows = [model.row(float(units), highspy.kHighsInf) for units in demand]
    found: defaultdict[tuple[int, int], int] = defaultdict(int)
    for place, by in enumerate(passes):
        for column in by:
            found[article[place], column] += int(held[place])
        if demand[article[place]] > 1:  # what is passed from both ends lies there once
            once = model.row(-highspy.kHighsInf, 1)
            model.entries += [(once, column, 1.0) for column in by]
    model.entries += [(rows[at], column, float(min(units, demand[at]))) for (at, column), units in found.items()]


def _solved(model: _Model) -> np.ndarray:
    """Whether each column is chosen."""
    by_column = sorted(model.entries, key=lambda entry: (entry[1], entry[0]))
    begin = np.searchsorted([column for _, column, _ in by_column], range(len(model.cost) + 1))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.cost), len(model.lower)
    lp.col_cost_ = np.array(model.cost)
    lp.col_lower_, lp.col_upper_ = np.zeros(lp.num_col_), np.ones(lp.num_col_)
    lp.row_lower_, lp.row_upper_ = np.array(model.lower), np.array(model.upper)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * lp.num_col_
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = begin.astype("int32")
    lp.a_matrix_.index_ = np.array([row for row, _, _ in by_column], dtype="int32")
    lp.a_matrix_.value_ = np.array([value for _, _, value in by_column])
    highs = solver(mip_rel_gap=0.0, mip_abs_gap=1e-6)
    highs.passModel(lp)
    highs.run()
    return np.array(highs.getSolution().col_value) > 0.5


def _needed(walk: np.ndarray, article: np.ndarray, held: np.ndarray, demand: np.ndarray) -> np.ndarray:
    """The places of a walk at which something is still to be taken."""
    missing, found = demand.copy(), []
    for place in walk:
        if missing[article[place]] > 0:
            missing[article[place]] -= held[place]
            found.append(place)
    return np.array(found, dtype="int64")
