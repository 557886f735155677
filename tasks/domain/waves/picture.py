"""A picture of the floor and of a tour on it, as SVG: aisles, cross-aisles, the stops with their numbers, the way."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from tasks.domain.waves.floor import Floor

Point = tuple[float, float]  # across and along the floor, metres
MARGIN_M = 3.0
STYLE = (
    "svg{background:#fff}.aisle{stroke:#d8d8d8;stroke-width:1}.cross{stroke:#d8d8d8;stroke-width:.6}"
    ".way{fill:none;stroke:#1f6feb;stroke-width:.25}.stop{fill:#1f6feb}.depot{fill:#111}"
    "text{font:1.4px sans-serif;fill:#111}"
)


def way(floor: Floor, stops: Sequence[Point]) -> list[Point]:
    """The corners of the way from the depot through `stops` (in walking order) and back, the shorter way each time."""
    fronts = [(aisle, floor.front_m) for aisle in floor.aisles_m]
    if not stops:
        return []
    if floor.gate_m:
        legs = dict(zip(fronts, floor.gate_m, strict=True))
        points = [_door(floor, legs, stops[0]), *stops, _door(floor, legs, stops[-1])]
    else:
        depot = (floor.aisles_m[floor.depot_aisle], floor.crosses_m[floor.depot_cross])
        points = [depot, *stops, depot]
    return [points[0], *(corner for one, other in pairwise(points) for corner in _path(floor, one, other)[1:])]


def _door(floor: Floor, legs: dict[Point, float], stop: Point) -> Point:
    """The front end of the aisle by which the way between the gate and a stop is shortest."""
    return min(legs, key=lambda at: legs[at] + _metres(_path(floor, at, stop)))


def _path(floor: Floor, one: Point, other: Point) -> list[Point]:
    if one[0] == other[0]:
        return [one, other]
    cross = min(floor.crosses_m, key=lambda at: abs(one[1] - at) + abs(other[1] - at))
    return [one, (one[0], cross), (other[0], cross), other]


def _metres(path: Sequence[Point]) -> float:
    return sum(abs(one[0] - other[0]) + abs(one[1] - other[1]) for one, other in pairwise(path))


def svg(floor: Floor, stops: Sequence[Point] = (), names: Sequence[str] = ()) -> str:
    """The floor, front at the bottom, and on it the tour through `stops` in walking order; `names` as their titles."""
    left, right = floor.aisles_m[0] - MARGIN_M, floor.aisles_m[-1] + MARGIN_M
    top, bottom = -floor.crosses_m[-1] - MARGIN_M, -floor.front_m + MARGIN_M
    aisles = [_line("aisle", (x, floor.front_m), (x, floor.crosses_m[-1])) for x in floor.aisles_m]
    crosses = [_line("cross", (floor.aisles_m[0], y), (floor.aisles_m[-1], y)) for y in floor.crosses_m]
    corners = way(floor, stops)
    points = " ".join(f"{x:g},{-y:g}" for x, y in corners)
    tour = [f'<polyline class="way" points="{points}"/>'] if corners else []
    depot = (
        [] if floor.gate_m else [_dot("depot", (floor.aisles_m[floor.depot_aisle], floor.crosses_m[floor.depot_cross]))]
    )
    marks = [mark for number, stop in enumerate(stops) for mark in _stop(number, stop, names)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:g} {top:g} {right - left:g} {bottom - top:g}">',
        f"<style>{STYLE}</style>", *aisles, *crosses, *tour, *depot, *marks, "</svg>", "",
    ])  # fmt: skip


def _line(kind: str, one: Point, other: Point) -> str:
    return f'<line class="{kind}" x1="{one[0]:g}" y1="{-one[1]:g}" x2="{other[0]:g}" y2="{-other[1]:g}"/>'


def _dot(kind: str, at: Point, title: str = "") -> str:
    return f'<circle class="{kind}" cx="{at[0]:g}" cy="{-at[1]:g}" r=".6"><title>{escape(title)}</title></circle>'


def _stop(number: int, at: Point, names: Sequence[str]) -> list[str]:
    title = names[number] if number < len(names) else ""
    return [_dot("stop", at, title), f'<text x="{at[0] + 0.8:g}" y="{-at[1] + 0.5:g}">{number + 1}</text>']
