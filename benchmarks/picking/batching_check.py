"""Whether batches hold: every order once, no picker overloaded, and each tour walked stop by stop as long as told.

It shares nothing with the search but the places: tours are walked from stop to stop by the shorter way round, or by the
instance's own matrix where it has one.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from benchmarks.picking.published_instances import Instance, lines_of
from tasks.domain.picking.routing.floor import Floor
from tasks.domain.picking.routing.shortest_tour import shortest

Point = tuple[float, float]


def problems(instance: Instance, batches: Sequence[Sequence[int]], length: float) -> list[str]:
    """All that is wrong, in words."""
    times = Counter(order for batch in batches for order in batch)
    problems_so_far = [
        f"order {order} is in {times[order]} batches" for order in range(len(instance.load)) if times[order] != 1
    ]
    for number, batch in enumerate(batches):
        load = sum(int(instance.load[order]) for order in batch)
        if load > instance.capacity:
            problems_so_far.append(f"batch {number} holds {load}, at most {instance.capacity}")
    walked = sum(_walked_m(instance, batch) for batch in batches)
    if abs(walked - length) > 1e-4 * max(1.0, length):
        problems_so_far.append(f"the tours are {walked:.2f} long when walked, told was {length:.2f}")
    return problems_so_far


def _walked_m(instance: Instance, batch: Sequence[int]) -> float:
    lines = lines_of(instance)
    stops = lines[lines["order"].isin(batch)].drop_duplicates(["subaisle", "along_m"])
    tour = shortest(instance.floor, stops["subaisle"].to_numpy(), stops["along_m"].to_numpy())
    places = stops.iloc[tour.order]
    if instance.matrix is not None:
        at = [0, *places["vertex"], 0]
        return float(sum(instance.matrix[one, other] for one, other in pairwise(at)))
    points = [point_of(instance.floor, int(row.subaisle), float(row.along_m)) for row in places.itertuples()]  # type: ignore[arg-type]
    return walk_m(instance.floor, points)


def point_of(floor: Floor, subaisle: int, along_m: float) -> Point:
    """Where a place lies: across and along the floor."""
    aisle, block = divmod(subaisle, floor.blocks)
    return floor.aisles_m[aisle], floor.crosses_m[block] + along_m


def walk_m(floor: Floor, points: Sequence[Point]) -> float:
    """The metres from the depot from point to point and home, each time the shorter way round."""
    if floor.gate_m:
        first, last = points[0], points[-1]
        inside = sum(_step_m(floor, one, other) for one, other in pairwise(points))
        return inside + _gate_m(floor, first) + _gate_m(floor, last)
    depot = (floor.aisles_m[floor.depot_aisle], floor.crosses_m[floor.depot_cross])
    way = [depot, *points, depot]
    return sum(_step_m(floor, one, other) for one, other in pairwise(way))


def _gate_m(floor: Floor, point: Point) -> float:
    fronts = zip(floor.aisles_m, floor.gate_m, strict=True)
    return min(gate + _step_m(floor, (aisle, floor.crosses_m[0]), point) for aisle, gate in fronts)


def _step_m(floor: Floor, one: Point, other: Point) -> float:
    if one[0] == other[0]:
        return abs(one[1] - other[1])
    return abs(one[0] - other[0]) + min(abs(one[1] - at) + abs(other[1] - at) for at in floor.crosses_m)
