"""The picture of a tour: well-formed, with every stop, and drawn as long as the tour is."""

from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from tasks.domain.picking.routing.floor import Floor, on_floor
from tasks.domain.picking.routing.floor_picture import svg, way
from tasks.domain.picking.routing.shortest_tour import shortest

FLOOR = Floor((0.0, 3.0, 7.0), (0.0, 5.0, 10.0), depot_aisle=1)
STOPS = [(0.0, 2.0), (0.0, 9.0), (7.0, 4.0), (3.0, 8.0)]


def test_the_way_drawn_is_the_tour() -> None:
    """Corner by corner it is as long as the tour, and begins and ends at the depot."""
    x, y = (np.array(column) for column in zip(*STOPS, strict=True))
    tour = shortest(FLOOR, *on_floor(FLOOR, x, y))
    corners = way(FLOOR, [STOPS[number] for number in tour.order])
    drawn = sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in pairwise(corners))
    assert drawn == pytest.approx(tour.walk_m)
    assert corners[0] == corners[-1] == (3.0, 0.0)


def test_a_picture_shows_every_stop_and_breaks_on_no_name() -> None:
    """A place may be called anything: the picture stays well-formed and says its name."""
    root = ET.fromstring(svg(FLOOR, STOPS, ["A<1", 'B"2', "C&3", "]]>"]))  # our own text
    titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[1:] == ["A<1", 'B"2', "C&3", "]]>"]
    assert [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")] == ["1", "2", "3", "4"]
