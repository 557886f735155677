"""The shortest way over any floor, found on a grid of half metres: slow, and sharing nothing with what it checks."""

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import pairwise, permutations

from tasks.domain.picking.routing.floor import Floor

Point = tuple[float, float]  # across, along
STEP = 0.5


def steps(floor: Floor, at: Point) -> Iterator[tuple[Point, float]]:
    """Where one may go from a point on an aisle, and how far that is: half a metre, or along a cross-aisle."""
    number = floor.aisles_m.index(at[0])
    way = floor.one_way[number] if floor.one_way else 0
    for up in (1, -1):
        if way in {0, up} and floor.crosses_m[0] <= at[1] + up * STEP <= floor.crosses_m[-1]:
            yield (at[0], at[1] + up * STEP), STEP
    if at[1] in floor.crosses_m:
        for other in (number - 1, number + 1):
            if 0 <= other < len(floor.aisles_m):
                yield (floor.aisles_m[other], at[1]), abs(floor.aisles_m[other] - at[0])


def far(floor: Floor, begin: dict[Point, float]) -> dict[Point, float]:
    """The metres to every point from the nearest of some that are so far away themselves (Dijkstra)."""
    best: dict[Point, float] = {}
    waiting = [(metres, at) for at, metres in begin.items()]
    waiting.sort()
    while waiting:
        metres, at = heappop(waiting)
        if at not in best:
            best[at] = metres
            for to, more in steps(floor, at):
                heappush(waiting, (metres + more, to))
    return best


def gates(floor: Floor) -> tuple[dict[Point, float], dict[Point, float]]:
    """How far the depot where a tour begins, and the one where it ends, are from the ends of aisles."""
    if not floor.gate_m:
        here = {(floor.aisles_m[floor.depot_aisle], floor.crosses_m[floor.depot_cross]): 0.0}
        return here, here
    begin = {(x, floor.crosses_m[floor.gate_cross]): m for x, m in zip(floor.aisles_m, floor.gate_m, strict=True)}
    if not floor.end_m:
        return begin, begin
    return begin, {(x, floor.crosses_m[floor.end_cross]): m for x, m in zip(floor.aisles_m, floor.end_m, strict=True)}


def walked_m(floor: Floor, order: list[Point]) -> float:
    """The metres from the depot to each point in turn, and on to where the tour ends."""
    begin, end = gates(floor)
    total = far(floor, begin)[order[0]] + sum(far(floor, {one: 0.0})[other] for one, other in pairwise(order))
    last = far(floor, {order[-1]: 0.0})
    return total + min(last[at] + metres for at, metres in end.items())


def shortest_m(floor: Floor, points: list[Point]) -> float:
    """The metres of the best of all orders."""
    begin, end = gates(floor)
    places = sorted(set(points))
    ways = {at: far(floor, {at: 0.0}) for at in places}
    first = far(floor, begin)
    home = {at: min(ways[at][door] + metres for door, metres in end.items()) for at in places}
    return min(
        first[order[0]] + sum(ways[one][other] for one, other in pairwise(order)) + home[order[-1]]
        for order in permutations(places)
    )
