"""The shortest tour of one picker through given places: exact, on a floor of one or more blocks, in microseconds.

A subaisle (an aisle between two neighbouring cross-aisles) is traversed in one of six ways: not at all, through,
through twice, in and out from either end, or from both ends up to its largest gap (Ratliff and Rosenthal 1983, section
2). The dynamic programme over `tour_states` finds the cheapest choice for all of them that makes a tour; objective in
metres.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.routing.floor import Floor
from tasks.domain.picking.routing.tour_states import BOTH, HIGH, LOW, NONE, PASS, TWICE, tour_moves
from tasks.domain.picking.routing.walking_order import walking_order

INFINITE_M = 1e150
NOTHING, DEPOT, GATE = range(3)  # what may happen at the front of an aisle


class FloorArrays(NamedTuple):
    """A floor as the kernels take it: what never changes from tour to tour.

    `aisle_m`: where each aisle lies. `length_m`: of each block's subaisles. `depot_m` (aisles x options): what the
    moves for the depot cost; `depot`: which there are. `source`, `target`, `option`, `begin`, `done`: the moves, as of
    `tour_states.Moves`. `edges`: along all cross-aisles together, by way across. `apron_m`: walked on every tour.
    """

    aisle_m: np.ndarray
    length_m: np.ndarray
    depot_m: np.ndarray
    depot: np.ndarray
    source: np.ndarray
    target: np.ndarray
    option: np.ndarray
    begin: np.ndarray
    done: np.ndarray
    edges: np.ndarray
    apron_m: float


def with_depot_on_aisle(floor: Floor) -> tuple[Floor, float]:
    """The same floor with its depot on a cross-aisle, where that is one, and the metres more of every tour.

    A depot whose ways to the aisles are as long as by way of one aisle's end is as good as there, and takes 6 states of
    one block where a vertex of its own takes 23, of two blocks 24 and 111. An aisle that holds nothing is then walked
    through no more than any other: two tours that cross it could walk through its neighbour instead.
    """
    aisles, gate = np.asarray(floor.aisles_m), np.asarray(floor.gate_m)
    if not floor.gate_m or floor.end_m:
        return floor, 0.0
    near = int(gate.argmin())
    if not np.allclose(gate, gate[near] + np.abs(aisles - aisles[near]), rtol=0, atol=1e-6):
        return floor, 0.0
    return replace(floor, gate_m=(), depot_aisle=near, depot_cross=floor.gate_cross), 2 * float(gate[near])


@cache
def floor_arrays(floor: Floor) -> FloorArrays:
    """The floor as the kernels take it."""
    floor, apron_m = with_depot_on_aisle(floor)
    table, aisles = tour_moves(floor.blocks + 1, floor.gates), len(floor.aisles_m)
    if floor.end_m:
        legs = np.column_stack([floor.gate_m, floor.end_m])
        depot_m, depot = legs @ np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]]), np.full(aisles, GATE)
    elif floor.gate_m:
        depot_m, depot = np.outer(floor.gate_m, [0.0, 1.0, 2.0]), np.full(aisles, GATE)
    else:
        depot_m, depot = np.full((aisles, floor.blocks + 1), INFINITE_M), np.full(aisles, NOTHING)
        depot_m[floor.depot_aisle, floor.depot_cross] = 0.0
        depot[floor.depot_aisle] = DEPOT
    source, target, option = (rows.astype("uint16") for rows in (table.source, table.target, table.option))
    return FloorArrays(
        np.array(floor.aisles_m, dtype="float64"), np.diff(np.array(floor.crosses_m, dtype="float64")), depot_m, depot,
        source, target, option, table.begin, table.done, table.across.sum(axis=1).astype("float64"),
        apron_m,
    )  # fmt: skip


@kernel
def fill_option_costs(subaisle: np.ndarray, along_m: np.ndarray, length_m: np.ndarray, costs_m: np.ndarray) -> None:
    """Fill `costs_m` (subaisles x 6, metres of each traversal) from places sorted by subaisle and along."""
    blocks = length_m.size
    for number in range(costs_m.shape[0]):
        cost_empty_subaisle(costs_m, number, length_m[number % blocks])
    for row in range(subaisle.size):
        number = subaisle[row]
        cost_next_place(costs_m, number, length_m[number % blocks], along_m[row], along_m[row - 1])


@kernel
def cost_empty_subaisle(costs_m: np.ndarray, subaisle: int, length_m: float) -> None:
    """The costs of a subaisle without a place to visit."""
    costs_m[subaisle, NONE] = 0.0
    costs_m[subaisle, PASS] = length_m
    costs_m[subaisle, TWICE] = 2 * length_m
    costs_m[subaisle, LOW:] = INFINITE_M


@kernel
def cost_next_place(
    costs_m: np.ndarray, subaisle: int, length_m: float, along_m: float, previous_along_m: float
) -> None:
    """Add a place to a subaisle's costs, behind those added before; `previous_along_m`: where the last of them lies."""
    if costs_m[subaisle, NONE] == 0.0:
        costs_m[subaisle, NONE] = INFINITE_M
        costs_m[subaisle, HIGH] = 2 * (length_m - along_m)
    else:
        costs_m[subaisle, BOTH] = min(costs_m[subaisle, BOTH], 2 * (length_m - along_m + previous_along_m))
    costs_m[subaisle, LOW] = 2 * along_m


@kernel
def tour_m(
    costs_m: np.ndarray, floor: FloorArrays, labels_m: np.ndarray, trace: np.ndarray
) -> tuple[float, int, int, int]:
    """The metres of the shortest tour, its first and last aisle, and the state it ends in.

    The dynamic programme of Ratliff and Rosenthal 1983, section 3, over the aisles from left to right.

    `costs_m` (subaisles x 6): of each subaisle's traversals. `labels_m` (2 x states): workspace. `trace` (steps x
    states, int32, or empty): the move by which each state is best reached; rows of steps left out keep what they hold.
    """
    blocks = floor.length_m.size
    first, last = _aisle_range(costs_m, floor)
    if first > last:
        return 0.0, 0, -1, 0
    current_m, next_m = labels_m[0], labels_m[1]
    current_m[:] = INFINITE_M
    current_m[0] = 0.0
    steps, aisle = blocks + 2, first
    while aisle <= last:
        next_aisle, row = _next_aisle(aisle, last, costs_m, floor), aisle * steps
        for block in range(blocks):
            _apply_moves(floor, block, costs_m[aisle * blocks + block], 1.0, current_m, next_m, trace, row + block)
            current_m, next_m = next_m, current_m
        if floor.depot[aisle] != NOTHING:
            _apply_moves(floor, blocks, floor.depot_m[aisle], 1.0, current_m, next_m, trace, row + blocks)
            current_m, next_m = next_m, current_m
        if aisle < last:
            gap_m = floor.aisle_m[next_aisle] - floor.aisle_m[aisle]
            _apply_moves(floor, blocks + 1, floor.edges, gap_m, current_m, next_m, trace, row + blocks + 1)
            current_m, next_m = next_m, current_m
        aisle = next_aisle
    walk_m, end = INFINITE_M, -1
    for state in range(current_m.size):
        if floor.done[state] and current_m[state] < walk_m:
            walk_m, end = current_m[state], state
    return walk_m + floor.apron_m, first, last, end


@kernel
def _apply_moves(
    floor: FloorArrays, step: int, option_m: np.ndarray, factor: float, current_m: np.ndarray, next_m: np.ndarray,
    trace: np.ndarray, row: int,
) -> None:  # fmt: skip
    """Make every move of a step from the states of `current_m` to those of `next_m`.

    A move costs the metres of its option (`option_m`) times `factor`; `row` of `trace` takes the best move to a state.
    """
    next_m[:] = INFINITE_M
    for move in range(floor.begin[step], floor.begin[step + 1]):
        reached_m = current_m[floor.source[move]] + factor * option_m[floor.option[move]]
        target = floor.target[move]
        if reached_m < next_m[target]:
            next_m[target] = reached_m
            if trace.size:
                trace[row, target] = move


@kernel
def _aisle_range(costs_m: np.ndarray, floor: FloorArrays) -> tuple[int, int]:
    """The first and last aisle that must be reached; past them no tour gains anything."""
    blocks, first, last = floor.length_m.size, floor.aisle_m.size, -1
    for aisle in range(floor.aisle_m.size):
        is_needed = floor.depot[aisle] == DEPOT
        for subaisle in range(aisle * blocks, aisle * blocks + blocks):
            is_needed = is_needed or costs_m[subaisle, NONE] > 0.0
        if is_needed:
            first, last = min(first, aisle), aisle
    return first, last


@kernel
def _next_aisle(aisle: int, last: int, costs_m: np.ndarray, floor: FloorArrays) -> int:
    """The next aisle to look at: in one block a shortest tour walks through no aisle that holds nothing of it."""
    aisle += 1
    while floor.length_m.size == 1 and aisle < last and costs_m[aisle, NONE] == 0.0 and floor.depot[aisle] != DEPOT:
        aisle += 1
    return aisle


@dataclass(frozen=True)
class Tour:
    """A tour: its metres, and its places (by their position in the request) in walking order.

    `lower_bound_m`: no tour is shorter; None where this tour is proven to be the shortest.
    """

    walk_m: float
    order: np.ndarray
    lower_bound_m: float | None = None


def shortest(floor: Floor, subaisle: np.ndarray, along_m: np.ndarray) -> Tour:
    """The shortest tour from the depot through places and back.

    `subaisle` (int64) and `along_m` (float64, from its front end): as in `floor.on_floor`; places may repeat.
    """
    if not len(subaisle):
        return Tour(0.0, np.empty(0, dtype="int64"))
    arrays = floor_arrays(floor)
    rows = np.lexsort((along_m, subaisle))
    costs_m = np.empty((len(floor.aisles_m) * floor.blocks, 6))
    fill_option_costs(subaisle[rows], along_m[rows], arrays.length_m, costs_m)
    trace = np.full((len(floor.aisles_m) * (floor.blocks + 2), arrays.done.size), -1, dtype="int32")
    walk_m, first, last, end = tour_m(costs_m, arrays, np.empty((2, arrays.done.size)), trace)
    chosen = _chosen_moves(arrays, trace, first, last, end)
    return Tour(walk_m, rows[walking_order(with_depot_on_aisle(floor)[0], chosen, subaisle[rows], along_m[rows])])


def _chosen_moves(
    floor: FloorArrays, trace: np.ndarray, first: int, last: int, state: int
) -> list[tuple[int, int, int]]:
    """The tour's ways as aisle, step and option, from the last aisle's to the first's."""
    steps, chosen = floor.length_m.size + 2, []
    for number in range((last + 1) * steps - 2, first * steps - 1, -1):
        move = trace[number, state]
        if move >= 0:
            chosen.append((number // steps, number % steps, int(floor.option[move])))
            state = int(floor.source[move])
    return chosen
