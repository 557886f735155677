"""The ways between any two places of a floor, one-way aisles and all: how far they are, and round which corners.

Where aisles meet cross-aisles are the vertices of a graph, the pieces of aisles and cross-aisles between them its edges
(directed in a one-way aisle). Distances between vertices are worked out once a floor (Dijkstra); a way between two
places goes along their aisle, or by the ends of their subaisles.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tasks.domain.picking.routing.floor import Floor

Point = tuple[float, float]  # across and along the floor, metres
NEVER = 1e12  # metres of a way nobody may walk: finite, so that differences stay numbers


@dataclass(frozen=True, eq=False)
class Walkways:
    """Vertices by number (aisle x cross-aisles + cross-aisle): `metres` from each to each, `before` on that way."""

    floor: Floor
    metres: np.ndarray
    before: np.ndarray


@dataclass(frozen=True, eq=False)
class Spots:
    """Places as ends of ways: each leaves by, and is reached from, the vertices at either end of its subaisle.

    `vertex` (spots x 2): the lower and the upper one. `out_m`, `in_m` (spots x 2): to and from them, `NEVER` against a
    one-way. `subaisle`, `along_m`: where it lies (-1 for a depot, which lies in none).
    """

    vertex: np.ndarray
    out_m: np.ndarray
    in_m: np.ndarray
    subaisle: np.ndarray
    along_m: np.ndarray


@lru_cache(maxsize=16)
def walkways(floor: Floor) -> Walkways:
    """The ways of a floor."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    crosses, aisles = np.array(floor.crosses_m), np.array(floor.aisles_m)
    vertex = np.arange(len(aisles) * len(crosses)).reshape(len(aisles), len(crosses))
    one_way = np.array(floor.one_way or [0] * len(aisles))
    right = (vertex[:-1].ravel(), vertex[1:].ravel(), np.repeat(np.diff(aisles), len(crosses)))
    up, down = ((vertex[may, :-1].ravel(), vertex[may, 1:].ravel(), np.tile(np.diff(crosses), may.sum()))
                for may in (one_way >= 0, one_way <= 0))  # fmt: skip
    edges = [right, (right[1], right[0], right[2]), up, (down[1], down[0], down[2])]
    source, target, metres = (np.concatenate(column) for column in zip(*edges, strict=True))
    graph = csr_array((metres, (source, target)), shape=(vertex.size, vertex.size))
    shortest_m, before = dijkstra(graph, return_predecessors=True)
    return Walkways(floor, np.where(np.isinf(shortest_m), NEVER, shortest_m), before)


def both_ways(floor: Floor) -> Floor:
    """The same floor without one-way aisles: no tour of it is longer."""
    return replace(floor, one_way=())


def spots(floor: Floor, subaisle: np.ndarray, along_m: np.ndarray) -> Spots:
    """Places as ends of ways; `subaisle` and `along_m` as in `floor.on_floor`."""
    aisle, block = subaisle // floor.blocks, subaisle % floor.blocks
    low = aisle * (floor.blocks + 1) + block
    length = np.diff(np.array(floor.crosses_m))[block]
    one_way = np.array(floor.one_way or [0] * len(floor.aisles_m))[aisle]
    to_low, to_high = along_m.astype("float64"), length - along_m
    against_low, against_high = (one_way > 0) & (to_low > 0), (one_way < 0) & (to_high > 0)  # at an end one is out
    out = np.column_stack([np.where(against_low, NEVER, to_low), np.where(against_high, NEVER, to_high)])
    from_low, from_high = (one_way < 0) & (to_low > 0), (one_way > 0) & (to_high > 0)
    into = np.column_stack([np.where(from_low, NEVER, to_low), np.where(from_high, NEVER, to_high)])
    return Spots(np.column_stack([low, low + 1]), out, into, subaisle, along_m.astype("float64"))


def depots(floor: Floor) -> tuple[Spots, Spots]:
    """Where a tour begins and where it ends."""
    begins = _depot(floor, floor.gate_m, floor.gate_cross)
    return begins, (_depot(floor, floor.end_m, floor.end_cross) if floor.end_m else begins)


def _depot(floor: Floor, leg_m: tuple[float, ...], cross: int) -> Spots:
    """A depot on an aisle's end, or as far off every aisle's end as `leg_m` says: then one vertex for each aisle."""
    crosses = floor.blocks + 1
    if leg_m:
        vertex, metres = np.arange(len(leg_m)) * crosses + cross, np.array(leg_m, dtype="float64")
    else:
        vertex, metres = np.array([floor.depot_aisle * crosses + floor.depot_cross]), np.zeros(1)
    return Spots(vertex[None, :], metres[None, :], metres[None, :], np.array([-1]), np.zeros(1))


def distances_m(ways: Walkways, one: Spots, other: Spots) -> np.ndarray:
    """The metres from each spot of `one` to each of `other` (float64)."""
    best = _straight_m(ways.floor, one, other)
    for leave in range(one.vertex.shape[1]):
        for reach in range(other.vertex.shape[1]):
            round_ = ways.metres[one.vertex[:, leave][:, None], other.vertex[:, reach][None, :]]
            best = np.minimum(best, one.out_m[:, leave][:, None] + round_ + other.in_m[:, reach][None, :])
    return best


def _straight_m(floor: Floor, one: Spots, other: Spots) -> np.ndarray:
    """Along the subaisle, where both lie in the same and the way is not against a one-way; `NEVER` elsewhere."""
    is_same_subaisle = (one.subaisle[:, None] == other.subaisle[None, :]) & (one.subaisle[:, None] >= 0)
    ahead = other.along_m[None, :] - one.along_m[:, None]
    one_way = np.array(floor.one_way or [0] * len(floor.aisles_m))[one.subaisle // floor.blocks][:, None]
    metres: np.ndarray = np.where(is_same_subaisle & (one_way * ahead >= 0), np.abs(ahead), NEVER)
    return metres


def corners(ways: Walkways, one: Spots, other: Spots) -> list[Point]:
    """Where the shortest way from the only spot of `one` to the only one of `other` turns, without its two ends."""
    metres = one.out_m[0][:, None] + ways.metres[one.vertex[0][:, None], other.vertex[0][None, :]] + other.in_m[0]
    if _straight_m(ways.floor, one, other)[0, 0] <= metres.min():
        return []
    leave, reach = np.unravel_index(int(metres.argmin()), metres.shape)
    start, at = int(one.vertex[0, leave]), int(other.vertex[0, reach])
    passed = [at]
    while at != start:
        at = int(ways.before[start, at])
        passed.append(at)
    crosses = ways.floor.blocks + 1
    return [(ways.floor.aisles_m[at // crosses], ways.floor.crosses_m[at % crosses]) for at in reversed(passed)]
