"""A sketch of the floor and of a tour on it, to be drawn as SVG or on paper: aisles, stops with numbers, the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

from tasks.domain.picking.routing.floor import Floor, on_floor
from tasks.domain.picking.routing.walkways import Point, Spots, Walkways, corners, depots, spots, walkways

MARGIN_M = 3.0
RACK = 0.3  # of the way to the next aisle, on either side: what the racks of an aisle take
STYLE = (
    "svg{background:#fff}.rack{fill:#eceff2}.aisle{stroke:#c3c9d0;stroke-width:.3}"
    ".cross{stroke:#c3c9d0;stroke-width:.3}.arrow{fill:#8a939c}"
    ".way{fill:none;stroke:#1f6feb;stroke-width:.3;stroke-linejoin:round}.stop{fill:#1f6feb}.depot{fill:#111}"
    "text{font:1.6px sans-serif;fill:#111}.name{fill:#6b747d;font-size:1.2px;text-anchor:middle}"
)


@dataclass(frozen=True)
class Sketch:
    """What is drawn, in metres across and along.

    `racks`: rectangles as two corners. `aisles`, `crosses`: lines. `arrows`: where a one-way aisle is shown, and 1 to
    the back or -1 to the front. `way`: corners from begin to end. `begins`, `ends`: depots. `stops`: in walking order.
    """

    low: Point
    high: Point
    racks: tuple[tuple[Point, Point], ...]
    aisles: tuple[tuple[Point, Point], ...]
    crosses: tuple[tuple[Point, Point], ...]
    arrows: tuple[tuple[Point, int], ...]
    way: tuple[Point, ...]
    begins: Point
    ends: Point
    stops: tuple[Point, ...]


def sketch(floor: Floor, stops: Sequence[Point] = (), standing: Point | None = None) -> Sketch:
    """The floor and the tour through `stops` in walking order, from the depot or from where the picker stands."""
    front, back, (begins, ends) = floor.crosses_m[0], floor.crosses_m[-1], doors(floor)
    x, y = zip(begins, ends, *stops, (floor.aisles_m[0], front), (floor.aisles_m[-1], back), strict=True)
    wide = RACK * min(np.diff(floor.aisles_m).min(), 6.0) if len(floor.aisles_m) > 1 else 1.0
    pieces = [(low + 0.5, high - 0.5) for low, high in pairwise(floor.crosses_m)]
    return Sketch(
        (min(x) - MARGIN_M, min(y) - MARGIN_M),
        (max(x) + MARGIN_M, max(y) + MARGIN_M),
        tuple(((at - wide, low), (at + wide, high)) for at in floor.aisles_m for low, high in pieces),
        tuple(((at, front), (at, back)) for at in floor.aisles_m),
        tuple(((floor.aisles_m[0], at), (floor.aisles_m[-1], at)) for at in floor.crosses_m),
        tuple(((at, (low + high) / 2), way) for at, way in zip(floor.aisles_m, floor.one_way, strict=False) if way
              for low, high in pieces),
        tuple(way(floor, stops, standing)),
        standing or begins, ends, tuple(stops),
    )  # fmt: skip


def doors(floor: Floor) -> tuple[Point, Point]:
    """Where tours begin and where they end."""
    if not floor.gate_m:
        at = (floor.aisles_m[floor.depot_aisle], floor.crosses_m[floor.depot_cross])
        return at, at
    begins = floor.gate_at or _door(floor, floor.gate_m, floor.gate_cross)
    if not floor.end_m:
        return begins, begins
    return begins, floor.end_at or _door(floor, floor.end_m, floor.end_cross)


def _door(floor: Floor, leg_m: tuple[float, ...], cross: int) -> Point:
    """A point that lies as far from the first and last aisle as the depot does."""
    left, right = floor.aisles_m[0], floor.aisles_m[-1]
    off = (leg_m[0] + leg_m[-1] - right + left) / 2
    return (leg_m[0] - leg_m[-1] + left + right) / 2, floor.crosses_m[cross] + (off if cross else -off)


def way(floor: Floor, stops: Sequence[Point], standing: Point | None = None) -> list[Point]:
    """The corners of the way from the depot (or where one stands) through `stops` to its end, each leg the shortest."""
    if not stops:
        return []
    ways, (begins, ends), (start, end) = walkways(floor), doors(floor), depots(floor)
    places = [_spot(floor, at) for at in stops]
    points = [standing or begins, *stops, ends]
    ends_of_legs = [_spot(floor, standing) if standing else start, *places, end]
    path = [points[0]]
    for (one, other), point in zip(pairwise(ends_of_legs), points[1:], strict=True):
        path += [*_around(ways, one, other, path[-1], point), point]
    return path


def _spot(floor: Floor, at: Point) -> Spots:
    return spots(floor, *on_floor(floor, np.array([at[0]]), np.array([at[1]])))


def _around(ways: Walkways, one: Spots, other: Spots, begin: Point, end: Point) -> list[Point]:
    """The corners between two points; to and from a depot off the aisles at a right angle."""
    turns = corners(ways, one, other)
    if turns and one.subaisle[0] < 0:
        turns = [(begin[0], turns[0][1]), *turns]
    if turns and other.subaisle[0] < 0:
        turns = [*turns, (end[0], turns[-1][1])]
    return turns


def labels(stops: Sequence[Point], apart: Point) -> list[Point]:
    """Where the number of each stop is written: beside it, on the side and as far out as is still free.

    `apart`: what a number takes across and along, in metres.
    """
    placed: list[Point] = []
    for x, y in stops:
        candidates = [(x + side * out * apart[0], y + up * apart[1] / 2) for out in (1, 2) for up in (0, 1, -1)
                 for side in (1, -1)]  # fmt: skip
        free_points = (at for at in candidates if not any(_overlap(at, other, apart) for other in placed))
        placed.append(next(free_points, candidates[0]))
    return placed


def _overlap(one: Point, other: Point, apart: Point) -> bool:
    return abs(one[0] - other[0]) < apart[0] and abs(one[1] - other[1]) < apart[1]


def svg(floor: Floor, stops: Sequence[Point] = (), names: Sequence[str] = (), aisles: Sequence[str] = ()) -> str:
    """The floor, front at the bottom, and on it the tour through `stops` in walking order.

    `names`: of the stops, shown when pointed at. `aisles`: what each aisle is called, left to right.
    """
    drawn = sketch(floor, stops)
    (left, low), (right, high) = drawn.low, drawn.high
    points = " ".join(f"{x:g},{-y:g}" for x, y in drawn.way)
    titles = [*names, *[""] * (len(stops) - len(names))]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:g} {-high:g} {right - left:g} {high - low:g}">',
        f"<style>{STYLE}</style>",
        *(f'<rect class="rack" x="{one[0]:g}" y="{-other[1]:g}" width="{other[0] - one[0]:g}"'
          f' height="{other[1] - one[1]:g}"/>' for one, other in drawn.racks),
        *(_line("aisle", *ends) for ends in drawn.aisles), *(_line("cross", *ends) for ends in drawn.crosses),
        *(_arrow(at, up) for at, up in drawn.arrows),
        *([f'<polyline class="way" points="{points}"/>'] if points else []),
        *(_dot("depot", at) for at in dict.fromkeys((drawn.begins, drawn.ends))),
        *(_dot("stop", at, title) for at, title in zip(stops, titles, strict=True)),
        *(f'<text x="{x - 0.6:g}" y="{-y + 0.5:g}">{number}</text>'
          for number, (x, y) in enumerate(labels(stops, (1.8, 1.6)), 1)),
        *(f'<text class="name" x="{x:g}" y="{-floor.crosses_m[-1] - 1.2:g}">{escape(name)}</text>'
          for name, x in zip(aisles, floor.aisles_m, strict=False)),
        "</svg>", "",
    ])  # fmt: skip


def _line(kind: str, one: Point, other: Point) -> str:
    return f'<line class="{kind}" x1="{one[0]:g}" y1="{-one[1]:g}" x2="{other[0]:g}" y2="{-other[1]:g}"/>'


def _arrow(at: Point, up: int) -> str:
    x, y = at[0], -at[1]
    return f'<path class="arrow" d="M{x - 0.7:g},{y + up * 0.7:g} h1.4 l-.7,{-up * 1.8:g} z"/>'


def _dot(kind: str, at: Point, title: str = "") -> str:
    return f'<circle class="{kind}" cx="{at[0]:g}" cy="{-at[1]:g}" r=".6"><title>{escape(title)}</title></circle>'
