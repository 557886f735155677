"""The map of a tour on paper: racks, one-way arrows, the way, and the number of every stop beside it."""

from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.units import mm

from tasks.documents.print_parts import write
from tasks.domain.picking.routing.floor import Floor
from tasks.domain.picking.routing.floor_picture import Sketch, labels, sketch
from tasks.domain.picking.routing.walkways import Point

RACK, LINE, WAY, INK = HexColor("#e6e9ed"), HexColor("#aab2bb"), HexColor("#1f6feb"), HexColor("#111111")
NUMBER, NAME = 9, 7  # points
STRETCH_MAX = 4  # how much more a metre may take in one direction than in the other, so that the map fills its box


class _Paper:
    """Metres of the floor to points of the page; not to scale, but no corner is lost."""

    def __init__(self, drawn: Sketch, box: tuple[float, float, float, float]) -> None:
        left, base, width, height = box
        wide, deep = drawn.high[0] - drawn.low[0], drawn.high[1] - drawn.low[1]
        across, along = width / wide, height / deep
        self.across, self.along = min(across, STRETCH_MAX * along), min(along, STRETCH_MAX * across)
        self.left = left + (width - wide * self.across) / 2 - drawn.low[0] * self.across
        self.base = base + (height - deep * self.along) / 2 - drawn.low[1] * self.along

    def at(self, point: Point) -> Point:
        return self.left + point[0] * self.across, self.base + point[1] * self.along


def draw_tour(
    canvas: Any, floor: Floor, aisles: list[str], stops: list[tuple[int, Point]],
    box: tuple[float, float, float, float], standing: Point | None = None,
) -> None:  # fmt: skip
    """Draw the tour through `stops` (number, across and along) into `box` (left, base, width, height, in points).

    It begins at the depot, a ring; or where the picker stands. `aisles`: what each is called, left to right.
    """
    drawn = sketch(floor, [at for _, at in stops], standing)
    paper = _Paper(drawn, box)
    canvas.saveState()
    _ground(canvas, drawn, paper)
    canvas.setStrokeColor(WAY)
    canvas.setLineWidth(1.6)
    canvas.setLineJoin(1)
    path = canvas.beginPath()
    for number, corner in enumerate(drawn.way):
        (path.lineTo if number else path.moveTo)(*paper.at(corner))
    canvas.drawPath(path)
    _names(canvas, aisles, drawn, paper)
    _depots(canvas, drawn, paper)
    _stops(canvas, stops, paper)
    canvas.restoreState()


def _ground(canvas: Any, drawn: Sketch, paper: _Paper) -> None:
    canvas.setFillColor(RACK)
    for low, high in drawn.racks:
        x, y = paper.at(low)
        canvas.rect(x, y, (high[0] - low[0]) * paper.across, (high[1] - low[1]) * paper.along, stroke=0, fill=1)
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    for one, other in (*drawn.aisles, *drawn.crosses):
        canvas.line(*paper.at(one), *paper.at(other))
    canvas.setFillColor(LINE)
    for at, up in drawn.arrows:
        x, y = paper.at(at)
        _triangle(canvas, x, y, 3.2, up)


def _triangle(canvas: Any, x: float, y: float, size: float, up: int) -> None:
    path = canvas.beginPath()
    path.moveTo(x - size, y - up * size)
    path.lineTo(x + size, y - up * size)
    path.lineTo(x, y + up * size * 1.3)
    path.close()
    canvas.drawPath(path, stroke=0, fill=1)


def _names(canvas: Any, aisles: list[str], drawn: Sketch, paper: _Paper) -> None:
    """Above each aisle its name; every other one where they would touch."""
    at = [paper.at(back) for _, back in drawn.aisles]
    room = min((one[0] - other[0] for one, other in zip(at[1:], at, strict=False)), default=99.0)
    every = 1 + int(max(map(len, aisles), default=0) * NAME * 0.6 // max(room, 1.0))
    canvas.setFillColor(INK)
    for name, (x, y) in list(zip(aisles, at, strict=False))[::every]:
        write(canvas, name, x - len(name) * NAME * 0.28, y + 2.2 * mm, NAME)


def _depots(canvas: Any, drawn: Sketch, paper: _Paper) -> None:
    """A ring where the tour begins, a square where it ends, when that is elsewhere."""
    canvas.setStrokeColor(INK)
    canvas.setFillColor(Color(1, 1, 1))
    canvas.setLineWidth(1.4)
    x, y = paper.at(drawn.begins)
    canvas.circle(x, y, 1.3 * mm, stroke=1, fill=1)
    if drawn.ends != drawn.begins:
        x, y = paper.at(drawn.ends)
        canvas.rect(x - 1.2 * mm, y - 1.2 * mm, 2.4 * mm, 2.4 * mm, stroke=1, fill=1)


def _stops(canvas: Any, stops: list[tuple[int, Point]], paper: _Paper) -> None:
    canvas.setFillColor(WAY)
    for _, at in stops:
        canvas.circle(*paper.at(at), 0.9 * mm, stroke=0, fill=1)
    canvas.setFillColor(INK)
    apart = (1.3 * NUMBER / paper.across, 0.85 * NUMBER / paper.along)
    for (number, _), at in zip(stops, labels([at for _, at in stops], apart), strict=True):
        x, y = paper.at(at)
        write(canvas, str(number), x - NUMBER * 0.28 * len(str(number)), y - NUMBER * 0.35, NUMBER, bold=True)
