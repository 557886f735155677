"""The shortest tour of one picker through given places: exact, on a floor of one or more blocks, in microseconds.

A subaisle (an aisle between two neighbouring cross-aisles) is walked in one of six ways: not at all, through, through
twice, in and out from either end, or from both ends up to its largest gap (Ratliff and Rosenthal 1983, section 2). The
dynamic programme over `tour_states` finds the cheapest choice for all of them that makes a tour; objective in metres.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np

from tasks.domain.compiled import kernel
from tasks.domain.picking.routing.floor import Floor
from tasks.domain.picking.routing.tour_states import BOTH, HIGH, LOW, NONE, PASS, TWICE, moves
from tasks.domain.picking.routing.walking_order import walking_order

INFINITE = 1e150
NOTHING, DEPOT, GATE = range(3)  # what may happen at the front of an aisle


class Ground(NamedTuple):
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


def from_its_aisle(floor: Floor) -> tuple[Floor, float]:
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
def ground_of(floor: Floor) -> Ground:
    """The floor as the kernels take it."""
    floor, apron_m = from_its_aisle(floor)
    table, aisles = moves(floor.blocks + 1, floor.gates), len(floor.aisles_m)
    if floor.end_m:
        legs = np.column_stack([floor.gate_m, floor.end_m])
        depot_m, depot = legs @ np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]]), np.full(aisles, GATE)
    elif floor.gate_m:
        depot_m, depot = np.outer(floor.gate_m, [0.0, 1.0, 2.0]), np.full(aisles, GATE)
    else:
        depot_m, depot = np.full((aisles, floor.blocks + 1), INFINITE), np.full(aisles, NOTHING)
        depot_m[floor.depot_aisle, floor.depot_cross] = 0.0
        depot[floor.depot_aisle] = DEPOT
    source, target, option = (rows.astype("uint16") for rows in (table.source, table.target, table.option))
    return Ground(
        np.array(floor.aisles_m, dtype="float64"), np.diff(np.array(floor.crosses_m, dtype="float64")), depot_m, depot,
        source, target, option, table.begin, table.done, table.across.sum(axis=1).astype("float64"),
        apron_m,
    )  # fmt: skip


@kernel
def ways_m(subaisle: np.ndarray, along: np.ndarray, length: np.ndarray, costs: np.ndarray) -> None:
    """Fill `costs` (subaisles x 6: metres of each way) from places sorted by subaisle and along."""
    blocks = length.size
    for at in range(costs.shape[0]):
        walk_past(costs, at, length[at % blocks])
    for row in range(subaisle.size):
        at = subaisle[row]
        walk_to(costs, at, length[at % blocks], along[row], along[row - 1])


@kernel
def walk_past(costs: np.ndarray, at: int, length: float) -> None:
    """The ways of a subaisle that holds nothing."""
    costs[at, NONE] = 0.0
    costs[at, PASS] = length
    costs[at, TWICE] = 2 * length
    costs[at, LOW:] = INFINITE


@kernel
def walk_to(costs: np.ndarray, at: int, length: float, along: float, before: float) -> None:
    """The ways of a subaisle with one place more, behind the others; `before`: where the last one of them lies."""
    if costs[at, NONE] == 0.0:
        costs[at, NONE] = INFINITE
        costs[at, HIGH] = 2 * (length - along)
    else:
        costs[at, BOTH] = min(costs[at, BOTH], 2 * (length - along + before))
    costs[at, LOW] = 2 * along


@kernel
def tour_m(costs: np.ndarray, ground: Ground, values: np.ndarray, trace: np.ndarray) -> tuple[float, int, int, int]:
    """The metres of the shortest tour, its first and last aisle, and the state it ends in.

    `costs`: of each subaisle's ways. `values` (2 x states): workspace. `trace` (steps x states, int32, or empty): the
    move by which each state is best reached; rows of steps left out keep what they hold.
    """
    blocks = ground.length_m.size
    first, last = _reach(costs, ground)
    if first > last:
        return 0.0, 0, -1, 0
    now, then = values[0], values[1]
    now[:] = INFINITE
    now[0] = 0.0
    steps, aisle = blocks + 2, first
    while aisle <= last:
        following, row = _following(aisle, last, costs, ground), aisle * steps
        for block in range(blocks):
            _moved(ground, block, costs[aisle * blocks + block], 1.0, now, then, trace, row + block)
            now, then = then, now
        if ground.depot[aisle] != NOTHING:
            _moved(ground, blocks, ground.depot_m[aisle], 1.0, now, then, trace, row + blocks)
            now, then = then, now
        if aisle < last:
            wide = ground.aisle_m[following] - ground.aisle_m[aisle]
            _moved(ground, blocks + 1, ground.edges, wide, now, then, trace, row + blocks + 1)
            now, then = then, now
        aisle = following
    best, end = INFINITE, -1
    for state in range(now.size):
        if ground.done[state] and now[state] < best:
            best, end = now[state], state
    return best + ground.apron_m, first, last, end


@kernel
def _moved(
    ground: Ground, step: int, metres: np.ndarray, factor: float, now: np.ndarray, then: np.ndarray,
    trace: np.ndarray, row: int,
) -> None:  # fmt: skip
    """Make every move of a step from the states of `now` to those of `then`; `metres` by option, times `factor`."""
    then[:] = INFINITE
    for move in range(ground.begin[step], ground.begin[step + 1]):
        value = now[ground.source[move]] + factor * metres[ground.option[move]]
        target = ground.target[move]
        if value < then[target]:
            then[target] = value
            if trace.size:
                trace[row, target] = move


@kernel
def _reach(costs: np.ndarray, ground: Ground) -> tuple[int, int]:
    """The first and last aisle that must be reached; past them no tour gains anything."""
    blocks, first, last = ground.length_m.size, ground.aisle_m.size, -1
    for aisle in range(ground.aisle_m.size):
        wanted = ground.depot[aisle] == DEPOT
        for at in range(aisle * blocks, aisle * blocks + blocks):
            wanted = wanted or costs[at, NONE] > 0.0
        if wanted:
            first, last = min(first, aisle), aisle
    return first, last


@kernel
def _following(aisle: int, last: int, costs: np.ndarray, ground: Ground) -> int:
    """The next aisle to look at: in one block a shortest tour walks through no aisle that holds nothing of it."""
    aisle += 1
    while ground.length_m.size == 1 and aisle < last and costs[aisle, NONE] == 0.0 and ground.depot[aisle] != DEPOT:
        aisle += 1
    return aisle


@dataclass(frozen=True)
class Tour:
    """A tour: its metres, and its places (by position in what was asked) in walking order.

    `least_m`: no tour is shorter than so many metres, where it is not proven that none is shorter than this one.
    """

    walk_m: float
    order: np.ndarray
    least_m: float | None = None


def shortest(floor: Floor, subaisle: np.ndarray, along_m: np.ndarray) -> Tour:
    """The shortest tour from the depot through places and back.

    `subaisle` (int64) and `along_m` (float64, from its front end): as of `floor.on_floor`; places may repeat.
    """
    if not len(subaisle):
        return Tour(0.0, np.empty(0, dtype="int64"))
    ground = ground_of(floor)
    rows = np.lexsort((along_m, subaisle))
    costs = np.empty((len(floor.aisles_m) * floor.blocks, 6))
    ways_m(subaisle[rows], along_m[rows], ground.length_m, costs)
    trace = np.full((len(floor.aisles_m) * (floor.blocks + 2), ground.done.size), -1, dtype="int32")
    metres, first, last, end = tour_m(costs, ground, np.empty((2, ground.done.size)), trace)
    chosen = _chosen(ground, trace, first, last, end)
    return Tour(metres, rows[walking_order(from_its_aisle(floor)[0], chosen, subaisle[rows], along_m[rows])])


def _chosen(ground: Ground, trace: np.ndarray, first: int, last: int, state: int) -> list[tuple[int, int, int]]:
    """The tour's ways as aisle, step and option, from the last aisle's to the first's."""
    steps, found = ground.length_m.size + 2, []
    for number in range((last + 1) * steps - 2, first * steps - 1, -1):
        move = trace[number, state]
        if move >= 0:
            found.append((number // steps, number % steps, int(ground.option[move])))
            state = int(ground.source[move])
    return found
