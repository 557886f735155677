"""Orders grouped into tours: against every grouping tried out, within every limit, and the same from the same seed."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shortest_walk import Point, shortest_walk_m

from tasks.domain.picking.batching.batch_search import batch_orders
from tasks.domain.picking.batching.tour_lengths import BatchingProblem, batching_problem
from tasks.domain.picking.routing.floor import Floor, on_floor
from tasks.domain.picking.routing.shortest_tour import shortest

FLOOR = Floor((0.0, 3.0, 7.0, 9.0), (0.0, 10.0))
Order = tuple[list[Point], tuple[int, int]]
orders = st.tuples(
    st.lists(st.tuples(st.sampled_from(FLOOR.aisles_m), st.integers(1, 9).map(float)), min_size=1, max_size=2),
    st.tuples(st.integers(1, 4), st.integers(0, 9)),
)
LIMIT = np.array([6, 14])


def picking(listed: list[Order], limit: np.ndarray = LIMIT, floor: Floor = FLOOR) -> BatchingProblem:
    """Orders as the search takes them."""
    rows = [(number, x, y) for number, (points, _) in enumerate(listed) for x, y in points]
    order, x, y = (np.array(column) for column in zip(*rows, strict=True))
    load = np.array([load for _, load in listed])
    return batching_problem(floor, order.astype("int64"), *on_floor(floor, x, y), load, limit)


def groupings(left: list[int]) -> Iterator[list[list[int]]]:
    """Every way to group."""
    if not left:
        yield []
        return
    for rest in groupings(left[1:]):
        yield [[left[0]], *rest]
        for at in range(len(rest)):
            yield [*rest[:at], [left[0], *rest[at]], *rest[at + 1 :]]


@settings(deadline=None, max_examples=10)
@given(st.lists(orders, min_size=1, max_size=6))
def test_no_grouping_is_shorter(listed: list[Order]) -> None:
    """Of a handful of orders, every grouping within the limits was tried, each tour in every order of its stops."""
    found = batch_orders(picking(listed), seed=1, rounds_max=4)
    tours: dict[tuple[int, ...], float] = {}
    best = np.inf
    for grouping in groupings(list(range(len(listed)))):
        if all((sum(np.array(listed[one][1]) for one in batch) <= LIMIT).all() for batch in grouping):
            for batch in map(tuple, map(sorted, grouping)):
                if batch not in tours:
                    tours[batch] = shortest_walk_m(FLOOR, [point for one in batch for point in listed[one][0]][:7])
            best = min(best, sum(tours[tuple(sorted(batch))] for batch in grouping))
    if all(len({point for one in batch for point in listed[one][0]}) <= 7 for batch in tours):
        assert found.metres == pytest.approx(best)


def some_orders(number: int, seed: int) -> list[Order]:
    """Orders of one to five lines anywhere on a floor of eight aisles."""
    random = np.random.default_rng(seed)
    lines = random.integers(1, 6, number)
    return [
        ([(float(3 * random.integers(8)), float(random.integers(1, 200)) / 10) for _ in range(count)],
         (int(count), int(random.integers(1, 9))))
        for count in lines
    ]  # fmt: skip


@pytest.mark.parametrize("crosses", [(0.0, 21.0), (0.0, 10.05, 21.0)], ids=["one block", "two blocks"])
def test_every_order_is_in_one_tour_and_no_limit_is_broken(crosses: tuple[float, ...]) -> None:
    """Added up again by someone who does not trust it: orders, limits, and the metres of every tour."""
    floor = Floor(tuple(3.0 * at for at in range(8)), crosses, depot_aisle=2)
    listed, limit = some_orders(36, 3), np.array([14, 22])
    found = batch_orders(picking(listed, limit, floor), seed=2, rounds_max=3)
    assert sorted(order for batch in found.batches for order in batch) == list(range(36))
    metres = 0.0
    for batch in found.batches:
        assert (sum(np.array(listed[one][1]) for one in batch) <= limit).all()
        points = np.array([point for one in batch for point in listed[one][0]])
        metres += shortest(floor, *on_floor(floor, points[:, 0], points[:, 1])).walk_m
    assert found.metres == pytest.approx(metres)


def test_the_same_seed_gives_the_same_batches() -> None:
    """I10: two workers at once, and yet the same answer, run after run; more rounds are never longer."""
    one, again, longer = (
        batch_orders(picking(some_orders(20, 5), np.array([12, 30])), 7, rounds) for rounds in (3, 3, 4)
    )
    assert one == again
    assert longer.metres <= one.metres


def test_time_that_is_over_leaves_a_whole_plan() -> None:
    """Anytime: with no second left the start is given, every order in it."""
    found = batch_orders(picking(some_orders(30, 1), np.array([12, 30])), 1, 9, lambda: 0.0)
    assert sorted(order for batch in found.batches for order in batch) == list(range(30))
