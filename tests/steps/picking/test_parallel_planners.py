"""Parts of a release planned elsewhere: the same carts, whoever planned them."""

from pathlib import Path

import numpy as np
import pytest

from tasks.domain.picking.batching.cart_filling import fill_carts
from tasks.domain.picking.batching.tour_lengths import BatchingProblem, batching_problem
from tasks.domain.picking.routing.floor import Floor, on_floor
from tasks.steps.picking.parallel_planners import planners


def backlog(orders: int = 36) -> BatchingProblem:
    """Orders of one to four lines anywhere on eight aisles; a cart takes five of them."""
    draw = np.random.default_rng(4)
    order = np.repeat(np.arange(orders), draw.integers(1, 5, orders))
    floor = Floor(tuple(3.0 * at for at in range(8)), (0.0, 21.0))
    at = on_floor(floor, 3.0 * draw.integers(0, 8, len(order)), draw.integers(1, 200, len(order)) / 10)
    return batching_problem(floor, order, *at, np.ones((orders, 1), dtype="int64"), np.array([5]))


@pytest.mark.filterwarnings("ignore")  # the cluster's own, such as sockets it leaves to its end
def test_a_cluster_plans_what_this_machine_plans(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same partition gives the same carts: one part after the other, on threads, in processes of a Dask cluster."""
    urgency, near = np.repeat([0, 1], [20, 16]), np.arange(36)
    one_by_one = fill_carts(backlog(), urgency, near, 1, map, 8)
    for where in (None, "local"):
        if where:
            monkeypatch.setenv("FULFILMENT_DASK", where)
        with planners() as run:
            assert fill_carts(backlog(), urgency, near, 1, run, 8) == one_by_one
    assert sorted(order for batch in one_by_one for order in batch) == list(range(36))
