"""Which orders go now when the pickers cannot pick them all: what must leave first, then the densest of the rest."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.picking.release.picker_capacity import BUSY, WAITS, DensityRules, PickerCapacity, with_wait_reasons

DENSE = DensityRules(rounds=2, fill_least=0.5)
orders = st.tuples(
    st.sampled_from(["DPD", "Royal Mail"]), st.booleans(), st.lists(st.integers(0, 11), min_size=1, max_size=4)
)


def backlog(listed: list[tuple[str, bool, list[int]]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders in order of priority (carrier, urgent, places), and their places: three an aisle."""
    asked = pd.DataFrame({
        "order_id": range(len(listed)), "carrier": [one[0] for one in listed], "urgent": [one[1] for one in listed],
        "lines": [len(one[2]) for one in listed],
    })  # fmt: skip
    rows = [(number, place, place // 3) for number, one in enumerate(listed) for place in one[2]]
    return asked, pd.DataFrame(rows, columns=["order_id", "location_id", "aisle"])


@settings(deadline=None, max_examples=8)
@given(st.lists(orders, min_size=1, max_size=14), st.integers(0, 30), st.integers(0, 10), st.integers(1, 12))
def test_no_order_that_can_wait_takes_the_room_of_one_that_cannot(
    listed: list[tuple[str, bool, list[int]]], until_dpd: int, later: int, orders_max: int
) -> None:
    """Pickers are never overbooked, by no pickup; what waits in vain did so for a more urgent one, or for room."""
    asked, places = backlog(listed)
    most = {"DPD": until_dpd, "Royal Mail": until_dpd + later}
    told = with_wait_reasons(asked, places, most, orders_max, DENSE)
    goes = told[told["reason"] == ""]
    taken = goes.groupby("carrier")["lines"].sum()
    assert taken.get("DPD", 0) <= until_dpd
    assert taken.sum() <= until_dpd + later
    assert (goes.groupby("carrier").size() <= orders_max).all()
    without = with_wait_reasons(asked[asked["urgent"]], places, most, orders_max, DENSE)
    assert without["reason"].equals(told["reason"][told["urgent"]])
    assert with_wait_reasons(asked, places, most, orders_max, DENSE)["reason"].equals(told["reason"])


def test_of_what_can_wait_the_densest_goes_along() -> None:
    """Room for four lines beside an urgent one in aisle 0: its neighbours, then a whole aisle, none of three aisles."""
    scattered: list[tuple[str, bool, list[int]]] = [("DPD", False, [place]) for place in (4, 7, 10)]
    near: list[tuple[str, bool, list[int]]] = [("DPD", False, [place]) for place in (1, 2)]
    together: list[tuple[str, bool, list[int]]] = [("DPD", False, [12, 13])]
    asked, places = backlog([("DPD", True, [0]), *scattered, *near, *together])
    told = with_wait_reasons(asked, places, {"DPD": 5}, 99, DENSE)
    assert told["reason"].tolist() == ["", WAITS, WAITS, WAITS, "", "", ""]
    first = with_wait_reasons(asked, places, {"DPD": 5}, 99, DensityRules(rounds=0, fill_least=0.5))
    assert first["reason"].tolist() == ["", "", "", "", "", WAITS, WAITS]


def test_urgent_orders_are_left_in_the_order_of_their_priority() -> None:
    """Two lines of room: the first two go, the third is told why, the wave's own limit in its own words."""
    asked, places = backlog([("DPD", True, [0]), ("DPD", True, [11]), ("DPD", True, [1])])
    assert with_wait_reasons(asked, places, {"DPD": 2}, 99, DENSE)["reason"].tolist() == ["", "", BUSY]
    told = with_wait_reasons(asked, places, {"DPD": 9}, 2, DENSE)["reason"].tolist()
    assert told == ["", "", "the wave is full: 2 orders, and others come first"]


def test_capacity_is_the_hours_that_are_left() -> None:
    """Six pickers of 60 lines an hour; the last half hour is for packing, a night is no working time."""
    capacity, pickup = PickerCapacity(60, 8, 30), datetime(2026, 3, 6, 17, tzinfo=UTC)
    left = [capacity.lines(6, pickup, pickup.replace(hour=hour, minute=45)) for hour in (15, 16, 3)]
    assert np.array(left).tolist() == [270, 0, 2880]
