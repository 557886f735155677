"""What may be promised: lots that expire, warehouses that fall silent, goods on their way."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.ordering.promised_days import IncomingRules, arrivals, promised_days
from tasks.domain.states import Purpose
from tasks.domain.stock.availability import BufferRules, promisable_places, silence_units

AS_OF = datetime(2026, 3, 6, tzinfo=UTC)
RULES = IncomingRules(put_away_h=24, overdue_h=48)


def places(rows: list[tuple[str, int, str | None, int]]) -> pd.DataFrame:
    """Places of product 1: lot, units, last day of the lot, warehouse."""
    found = pd.DataFrame(rows, columns=["lot", "on_hand", "expires_on", "warehouse_id"])
    return found.assign(
        product_id=1, location_id=range(len(rows)), location=[f"L{n}" for n in range(len(rows))], allocated=0,
        purpose="pick", blocked=False, expires_on=pd.to_datetime(found["expires_on"]).dt.as_unit("s"),
        received_at=pd.Timestamp(AS_OF) - pd.to_timedelta(range(len(rows)), unit="D"),
    )  # fmt: skip


def emptied(rows: list[tuple[str, int, str | None, int]], by: str, kept: int = 0) -> list[tuple[str, int]]:
    """Lots and units that may be promised, in turn."""
    free = promisable_places(places(rows), pd.Series({1: kept}), [Purpose.PICK], [by], AS_OF)
    return list(zip(free["lot"], free["units"], strict=True))


LOTS = [
    ("no end", 1, None, 1),
    ("long", 2, "2026-09-01", 1),
    ("soon", 3, "2026-03-06", 1),
    ("gone", 4, "2026-03-05", 1),
]


def test_first_expired_first_out_and_never_what_is_expired() -> None:
    """A lot may leave on its last day; goods without an end come last."""
    assert emptied(LOTS, "expiry") == [("soon", 3), ("long", 2), ("no end", 1)]


def test_first_in_first_out() -> None:
    """The lot that came first is emptied first; an expired one is not promised by any rule."""
    assert emptied(LOTS, "received") == [("soon", 3), ("long", 2), ("no end", 1)]
    assert emptied(LOTS[::-1], "received") == [("no end", 1), ("long", 2), ("soon", 3)]


@pytest.mark.parametrize(("age_h", "kept"), [(1, 0), (24, 0), (25, 1), (72, 1), (73, 3), (None, 3)])
def test_the_longer_a_warehouse_is_silent_the_more_is_kept_back(age_h: float | None, kept: int) -> None:
    """Each age counts once it has passed; a warehouse that never told anything counts as the oldest."""
    at = pd.NaT if age_h is None else pd.Timestamp(AS_OF) - timedelta(hours=age_h)
    heard = pd.Series([at], index=[1], dtype="datetime64[s, UTC]")
    further = silence_units(heard, BufferRules(by_age_h={24: 1, 72: 3}), AS_OF)
    assert further.tolist() == [kept]
    free = promisable_places(places([("", 5, None, 1)]), pd.Series({1: 1}), [Purpose.PICK], ["lot"], AS_OF, further)
    assert free["units"].sum() == 4 - kept


def coming(rows: list[tuple[int, int, float]]) -> pd.DataFrame:
    """Product, units, and in how many hours they are expected."""
    at = [pd.Timestamp(AS_OF) + timedelta(hours=hours) for *_, hours in rows]
    found = pd.DataFrame([row[:2] for row in rows], columns=["product_id", "units"], dtype="int64")
    return found.assign(expected_at=pd.Series(at, dtype="datetime64[s, UTC]"))


def days(
    asked: list[list[tuple[int, int]]], expected: pd.DataFrame, free: dict[int, int], *, partial: bool = False
) -> list[float]:
    """Hours from now by which each line can be had; orders came in their order."""
    rows = [
        (order, line, product, units)
        for order, lines in enumerate(asked)
        for line, (product, units) in enumerate(lines)
    ]
    told = pd.DataFrame(rows, columns=["order_id", "line_number", "product_id", "units"])
    came = pd.Timestamp(AS_OF) - pd.to_timedelta(99 - told["order_id"], unit="h")
    waits = told.assign(created_at=came, merchant="HEARTH", order_number=told["order_id"].astype("str"))
    wants = told[["product_id", "units"]].assign(line=range(len(told)))
    found = promised_days(
        waits, wants, pd.Series(free, dtype="int64"), arrivals(expected, AS_OF, RULES), AS_OF, partial=partial
    )
    return [(one - pd.Timestamp(AS_OF)).total_seconds() / 3600 for one in found]


def test_who_came_first_is_promised_what_comes_first() -> None:
    """The first order takes the first arrival, the second the next; what nothing covers has no day."""
    told = days([[(1, 3)], [(1, 2)], [(1, 9)]], coming([(1, 4, 10), (1, 3, 50)]), {})
    assert told[:2] == [34, 74]
    assert pd.isna(told[2])


def test_an_order_comes_when_its_last_line_does() -> None:
    """Unless orders are served in part; stock that is there counts as coming now."""
    expected = coming([(1, 1, 10), (2, 1, 50)])
    assert days([[(1, 1), (2, 1)]], expected, {}) == [74, 74]
    assert days([[(1, 1), (2, 1)]], expected, {1: 1}, partial=True) == [0, 74]


def test_an_arrival_long_overdue_is_believed_no_more() -> None:
    """A day late it is taken to come today; three days late nobody knows."""
    assert days([[(1, 1)]], coming([(1, 1, -24)]), {}) == [24]
    assert pd.isna(days([[(1, 1)]], coming([(1, 1, -72)]), {})[0])
    assert arrivals(coming([(1, 1, -72)]), AS_OF, RULES).empty


some = st.lists(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=2), min_size=1, max_size=6
)
trucks = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(0, 90)), max_size=6)


@settings(deadline=None, max_examples=15)
@given(some, some, trucks)
def test_a_later_order_never_moves_the_day_of_an_earlier_one(
    first: list[list[tuple[int, int]]], later: list[list[tuple[int, int]]], expected: list[tuple[int, int, int]]
) -> None:
    """First come, first promised."""
    before, after = (days(asked, coming(list(expected)), {}) for asked in (first, first + later))
    assert pd.Series(before).equals(pd.Series(after[: len(before)]))
