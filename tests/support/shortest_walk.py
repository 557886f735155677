"""The shortest tour, found by trying every order of stops: slow, and sharing nothing with what it checks."""

from itertools import pairwise, permutations

from tasks.domain.picking.routing.floor import Floor

Point = tuple[float, float]  # across, along


def step_m(floor: Floor, one: Point, other: Point) -> float:
    """The metres between two places: along the aisle, or round by the cross-aisle that is least out of the way."""
    if one[0] == other[0]:
        return abs(one[1] - other[1])
    return abs(one[0] - other[0]) + min(abs(one[1] - at) + abs(other[1] - at) for at in floor.crosses_m)


def home_m(floor: Floor, point: Point) -> float:
    """The metres between the depot and a place."""
    if not floor.gate_m:
        return step_m(floor, (floor.aisles_m[floor.depot_aisle], floor.crosses_m[floor.depot_cross]), point)
    fronts = [(aisle, floor.crosses_m[0]) for aisle in floor.aisles_m]
    return min(gate + step_m(floor, at, point) for at, gate in zip(fronts, floor.gate_m, strict=True))


def walked_m(floor: Floor, points: list[Point]) -> float:
    """The metres of walking from the depot to each place in turn and home."""
    if not points:
        return 0.0
    between = sum(step_m(floor, one, other) for one, other in pairwise(points))
    return home_m(floor, points[0]) + between + home_m(floor, points[-1])


def shortest_walk_m(floor: Floor, points: list[Point]) -> float:
    """The metres of the best of all orders."""
    return min(walked_m(floor, list(order)) for order in permutations(sorted(set(points))))
