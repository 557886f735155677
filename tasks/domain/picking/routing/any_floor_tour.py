"""The tour of one picker on any floor: exact where that is fast enough, otherwise a local search with a lower bound.

| floor | tour |
|---|---|
| two-way aisles, up to five cross-aisles (gates count as one) | the shortest, by `shortest_tour` |
| one-way aisles, or more cross-aisles, up to twelve stops | the shortest, by dynamic programming over their sets |
| the same with more stops | a local search (`stop_order_search`), with a lower bound of the length |

In a one-way aisle nobody turns back: all its stops between two cross-aisles are taken in one walk through and count as
one. The bound is the shortest tour with every aisle two-way, or a weighted spanning tree where that is too large.
"""

from dataclasses import dataclass

import numpy as np

from tasks.domain.picking.routing.floor import Floor
from tasks.domain.picking.routing.shortest_tour import Tour, shortest
from tasks.domain.picking.routing.stop_order_search import best_order, lower_bound_m, order_m
from tasks.domain.picking.routing.walkways import NEVER, Spots, both_ways, depots, distances_m, spots, walkways

GATED_CROSSES_MAX = 5  # cross-aisles and gates for which the states of `shortest_tour` are few enough
SEED = 1


def is_exact(floor: Floor) -> bool:
    """Whether the states of the floor are few enough for an exact shortest tour."""
    return not any(floor.one_way) and floor.blocks + 1 + len(floor.gates) <= GATED_CROSSES_MAX


def tour(floor: Floor, subaisle: np.ndarray, along_m: np.ndarray) -> Tour:
    """The tour from the depot through places to where it ends; `subaisle` and `along_m` as in `floor.on_floor`."""
    if is_exact(floor) or not len(subaisle):
        return shortest(floor, subaisle, along_m)
    begins, ends = depots(floor)
    searched = walk(floor, subaisle, along_m, begins, ends)
    if searched.lower_bound_m is None or not is_exact(both_ways(floor)):
        return searched
    return Tour(
        searched.walk_m,
        searched.order,
        max(searched.lower_bound_m, shortest(both_ways(floor), subaisle, along_m).walk_m),
    )


def walk(floor: Floor, subaisle: np.ndarray, along_m: np.ndarray, begins: Spots, ends: Spots) -> Tour:
    """The way from one spot through places to another, wherever they are; each of the two is one spot."""
    if not len(subaisle):
        return Tour(float(distances_m(walkways(floor), begins, ends)[0, 0]), np.empty(0, dtype="int64"))
    nodes = _nodes(floor, subaisle, along_m, begins)
    leg_m = _legs_m(floor, nodes, begins, ends)
    start = min(
        (np.array(one) for one in (_serpentine_order(floor, nodes), _nearest_neighbour_order(leg_m))),
        key=lambda one: order_m(leg_m, one),
    )
    order, proven = best_order(leg_m, start, SEED)
    walk_m = order_m(leg_m, order) + nodes.inside_m.sum()
    rows = np.concatenate([nodes.rows[number - 1] for number in order])
    if proven:
        return Tour(float(walk_m), rows)
    two_way = both_ways(floor)
    bound_m = lower_bound_m(_legs_m(two_way, _nodes(two_way, subaisle, along_m, begins), begins, ends), walk_m)
    return Tour(float(walk_m), rows, min(float(bound_m), float(walk_m)))


def ordered_m(floor: Floor, subaisle: np.ndarray, along_m: np.ndarray, begins: Spots, ends: Spots) -> float:
    """The metres of walking places in the given order, each leg the shortest way."""
    leg_m = np.zeros((len(subaisle) + 2, len(subaisle) + 2))
    at, ways = spots(floor, subaisle, along_m), walkways(floor)
    leg_m[1:-1, 1:-1] = distances_m(ways, at, at)
    leg_m[0, 1:-1], leg_m[1:-1, -1] = distances_m(ways, begins, at)[0], distances_m(ways, at, ends)[:, 0]
    leg_m[0, -1] = distances_m(ways, begins, ends)[0, 0]
    return order_m(leg_m, np.arange(1, len(subaisle) + 1))


@dataclass(frozen=True, eq=False)
class _Nodes:
    """What is visited at one go: a place, or all places of a one-way subaisle.

    `enter`, `leave`: where (Spots). `inside_m`: between the two. `rows`: the places, in walking order.
    """

    enter: Spots
    leave: Spots
    inside_m: np.ndarray
    rows: list[np.ndarray]


def _nodes(floor: Floor, subaisle: np.ndarray, along_m: np.ndarray, begins: Spots) -> _Nodes:
    rows = np.lexsort((along_m, subaisle))
    one_way = np.array(floor.one_way or [0] * len(floor.aisles_m))[subaisle[rows] // floor.blocks]
    at_once = (one_way != 0) & (subaisle[rows] != begins.subaisle[0])  # who stands in an aisle has passed some of it
    new = np.diff(subaisle[rows], prepend=-1) != 0
    new |= (np.diff(along_m[rows], prepend=-1.0) != 0) & ~at_once
    groups = np.split(rows, np.flatnonzero(new)[1:])
    upwards = one_way[new] >= 0
    groups = [group if up else group[::-1] for group, up in zip(groups, upwards, strict=True)]
    first, last = (np.array([group[end] for group in groups]) for end in (0, -1))
    inside = np.abs(along_m[last] - along_m[first])
    enter, leave = (spots(floor, subaisle[ends], along_m[ends]) for ends in (first, last))
    return _Nodes(enter, leave, inside, groups)


def _legs_m(floor: Floor, nodes: _Nodes, begins: Spots, ends: Spots) -> np.ndarray:
    """Legs as in `stop_order_search`."""
    ways, size = walkways(floor), len(nodes.rows) + 2
    leg_m = np.full((size, size), NEVER)
    leg_m[1:-1, 1:-1] = distances_m(ways, nodes.leave, nodes.enter)
    leg_m[0, 1:-1] = distances_m(ways, begins, nodes.enter)[0]
    leg_m[1:-1, -1] = distances_m(ways, nodes.leave, ends)[:, 0]
    return leg_m


def _serpentine_order(floor: Floor, nodes: _Nodes) -> list[int]:
    """The nodes aisle by aisle, every other aisle backwards: an S-shape to start the search from."""
    aisle = nodes.enter.subaisle // floor.blocks
    depth = np.array(floor.crosses_m)[nodes.enter.subaisle % floor.blocks] + nodes.enter.along_m
    rank = np.unique(aisle, return_inverse=True)[1]
    order: list[int] = (np.lexsort((np.where(rank % 2, -depth, depth), aisle)) + 1).tolist()
    return order


def _nearest_neighbour_order(leg_m: np.ndarray) -> list[int]:
    """The nearest node not visited yet, again and again (Rosenkrantz, Stearns and Lewis 1977)."""
    unvisited, current, order = set(range(1, len(leg_m) - 1)), 0, []
    while unvisited:
        current = min(unvisited, key=lambda other: (leg_m[current, other], other))
        unvisited.remove(current)
        order.append(current)
    return order
