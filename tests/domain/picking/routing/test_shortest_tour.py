"""The shortest tour: against every order of stops tried out, and walked again stop by stop."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shortest_walk import Point, shortest_walk_m, walked_m

from benchmarks.picking.scattered_storage import NoTourError, shortest_scattered
from tasks.domain.picking.routing.floor import Floor, on_floor
from tasks.domain.picking.routing.shortest_tour import shortest
from tasks.domain.picking.routing.tour_states import tour_moves

UNHURRIED = settings(deadline=None, max_examples=60)
AISLES = (0.0, 3.0, 7.0, 9.0)
FLOORS = [
    Floor(AISLES, (0.0, 10.0)),
    Floor(AISLES, (0.0, 10.0), depot_aisle=2),
    Floor(AISLES, (0.0, 10.0), depot_aisle=1, depot_cross=1),
    Floor(AISLES, (0.0, 10.0), gate_m=(2.5, 4.0, 8.0, 9.5)),
    Floor(AISLES, (0.0, 10.0), gate_m=(2.0, 5.0, 9.0, 11.0)),
    Floor(AISLES, (0.0, 10.0), gate_m=(4.0, 1.0, 5.0, 7.0)),
    Floor(AISLES, (0.0, 4.5, 10.0)),
    Floor(AISLES, (0.0, 4.5, 10.0), depot_aisle=3, depot_cross=2),
    Floor(AISLES, (0.0, 4.5, 10.0), depot_aisle=1, depot_cross=1),
    Floor(AISLES, (0.0, 4.5, 10.0), gate_m=(2.5, 4.0, 8.0, 9.5)),
    Floor(AISLES, (0.0, 3.5, 6.5, 10.0), depot_aisle=1),
]
floors = st.sampled_from(FLOORS)
places = st.lists(st.tuples(st.sampled_from(AISLES), st.integers(1, 9).map(float)), min_size=1, max_size=6)


def tour(floor: Floor, points: list[Point]) -> tuple[float, list[Point]]:
    """The shortest tour's metres and its places in walking order."""
    found = shortest(floor, *on_floor(floor, np.array([x for x, _ in points]), np.array([y for _, y in points])))
    assert sorted(found.order.tolist()) == list(range(len(points)))
    return found.walk_m, [points[number] for number in found.order]


@UNHURRIED
@given(floors, places)
def test_no_order_of_the_stops_is_shorter(floor: Floor, points: list[Point]) -> None:
    """Exact in one, two and three blocks, wherever the depot is: every order of stops was tried."""
    assert tour(floor, points)[0] == pytest.approx(shortest_walk_m(floor, points))


@UNHURRIED
@given(floors, st.lists(st.tuples(st.sampled_from(AISLES), st.integers(1, 99).map(lambda at: at / 10)), max_size=25))
def test_walking_the_stops_as_listed_takes_the_metres_told(floor: Floor, points: list[Point]) -> None:
    """The walking order is the tour: from stop to stop and home it is as long as told, and each stop comes once."""
    metres, walk = tour(floor, points)
    assert walked_m(floor, walk) == pytest.approx(metres)


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from([FLOORS[0], FLOORS[2], FLOORS[3], FLOORS[5], FLOORS[6]]),
    st.lists(st.tuples(st.sampled_from(AISLES), st.integers(1, 9).map(float), st.integers(0, 2), st.integers(1, 2)),
             min_size=3, max_size=7, unique_by=lambda place: place[:2]),
    st.data(),
)  # fmt: skip
def test_no_choice_of_places_is_shorter(
    floor: Floor, lying: list[tuple[float, float, int, int]], data: st.DataObject
) -> None:
    """Scattered storage: every choice of places that holds the demand was routed; units are found, none is missed."""
    x, y, article, held = (np.array(column) for column in zip(*lying, strict=True))
    stock = np.bincount(article, held, minlength=3).astype("int64")
    demand = np.array([data.draw(st.integers(0, int(units))) for units in stock])
    found = shortest_scattered(floor, *on_floor(floor, x, y), article, held, demand)
    best = np.inf
    for choice in product([False, True], repeat=len(lying)):
        taken = np.array(choice)
        if (np.bincount(article[taken], held[taken], minlength=3) >= demand).all():
            points = list(zip(x[taken].tolist(), y[taken].tolist(), strict=True))
            best = min(best, tour(floor, points)[0] if points else 0.0)
    assert found.walk_m == pytest.approx(best)
    assert (np.bincount(article[found.order], held[found.order], minlength=3) >= demand).all()


def test_a_demand_that_is_nowhere_is_told() -> None:
    """The article, what lies there and what is wanted."""
    one = np.array([0])
    with pytest.raises(NoTourError, match="article 0: 2 units lie on the floor, expected 3"):
        shortest_scattered(FLOORS[0], one, np.array([1.0]), one, np.array([2]), np.array([3]))


@pytest.mark.parametrize(("crosses", "states"), [(2, 6), (3, 24)])
def test_the_states_are_those_of_the_papers(crosses: int, states: int) -> None:
    """Seven for one block, twenty-five for two, less the one in which a tour is already over."""
    assert len(tour_moves(crosses).done) == states


@pytest.mark.parametrize(
    ("aisles", "crosses", "told"),
    [
        ((0.0, 3.0, 3.0), (0.0, 9.0), "the aisle at 3.0 m does not lie behind the one at 3.0 m"),
        ((0.0,), (5.0, 4.0), "the cross-aisle at 4.0 m does not lie behind the one at 5.0 m"),
        ((), (0.0, 1.0), "at least one aisle and two cross-aisles"),
    ],
)
def test_a_floor_that_cannot_be_is_refused(aisles: tuple[float, ...], crosses: tuple[float, ...], told: str) -> None:
    """What is wrong, where."""
    with pytest.raises(ValueError, match=told):
        Floor(aisles, crosses)
