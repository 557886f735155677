"""Which of several like orders are held, whatever their number and order; when holds and unpaid orders are over."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.ordering.holds import (
    DuplicateRules,
    OrderRules,
    UnpaidRules,
    duplicate_holds,
    expired_orders,
    is_over,
)
from tasks.domain.states import HoldReason

START = datetime(2026, 3, 5, 10, tzinfo=UTC)
RULES = DuplicateRules(window_h=12, exempt_channels=("Wholesale",))


def orders(hours: list[float], begun: set[int] = frozenset(), channel: str | None = "web") -> pd.DataFrame:  # type: ignore[assignment]
    """Orders of one customer, each so many hours after the start."""
    created = pd.to_datetime([START + timedelta(hours=one) for one in hours]).as_unit("s")
    number = range(len(hours))
    return pd.DataFrame(
        {"order_id": number, "merchant": "HEARTH", "order_number": [f"{one:02}" for one in number], "customer": "jane",
         "channel": pd.Series([channel] * len(hours), dtype="str"), "created_at": created,
         "begun": [one in begun for one in number]}
    )  # fmt: skip


def lines(count: int) -> pd.DataFrame:
    """Every order asks for the same two products."""
    rows = [(order, sku, units) for order in range(count) for sku, units in (("CUP", 2), ("POT", 1))]
    return pd.DataFrame(rows, columns=["order_id", "sku", "units"])


def held(asked: pd.DataFrame) -> list[int]:
    """The orders that are held."""
    return sorted(duplicate_holds(asked, lines(len(asked)), RULES)["order_id"])


@pytest.mark.parametrize(
    ("hours", "begun", "expected"),
    [
        ([0, 12], set(), [1]),
        ([0, 12.1], set(), []),
        ([0, 11, 22, 40], set(), [1, 2]),  # each within twelve hours of the one before
        ([0, 1, 2], {1}, [0, 2]),
        ([0, 1], {0, 1}, []),  # too late to hold any
        ([0], set(), []),
    ],
)
def test_one_of_like_orders_goes_on(hours: list[float], begun: set[int], expected: list[int]) -> None:
    """The first, or one that has begun; the chain ends where nobody ordered for twelve hours."""
    assert held(orders(hours, begun)) == expected


def test_a_channel_whose_buyers_order_alike_every_day_is_exempt() -> None:
    """In any spelling of its case."""
    assert held(orders([0, 1], channel="wholesale")) == []
    assert held(orders([0, 1], channel=None)) == [1]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 80), min_size=1, max_size=8), st.sets(st.integers(0, 7)))
def test_something_of_each_group_goes_on_and_names_it(hours: list[int], begun: set[int]) -> None:
    """Nothing begun is held; what is held names an order that is not; the order of the rows does not matter."""
    asked = orders([float(one) for one in hours], begun)
    found = duplicate_holds(asked, lines(len(asked)), RULES)
    kept = found["detail"].str.extract(r" as (\d\d) of ")[0]
    free = set(asked.loc[~asked["order_id"].isin(found["order_id"]), "order_number"])
    assert set(kept) <= free
    assert not set(found["order_id"]) & begun
    shuffled = asked.sample(frac=1, random_state=len(hours))
    assert duplicate_holds(shuffled, lines(len(asked)), RULES).equals(found)


def test_unpaid_orders_expire_after_the_days_of_their_channel() -> None:
    """On the second; a channel without days never."""
    rules = UnpaidRules(14, {"Amazon": None, "transfer": 30})
    asked = pd.DataFrame({"channel": pd.Series(["web", None, "amazon", "transfer"], dtype="str"), "created_at": START})
    asked["created_at"] = asked["created_at"].astype("datetime64[s, UTC]")
    assert expired_orders(asked, rules, START + timedelta(days=14, seconds=-1)).empty
    assert expired_orders(asked, rules, START + timedelta(days=14)).index.tolist() == [0, 1]
    late = expired_orders(asked, rules, START + timedelta(days=999))
    assert (late["due_at"] - late["created_at"]).dt.days.tolist() == [14, 14, 30]


def test_a_hold_without_a_date_ends_after_the_days_of_its_reason() -> None:
    """Its own date goes before; a reason without days waits for a person."""
    rules = OrderRules(RULES, {HoldReason.STOCK: 7}, UnpaidRules(None))
    rows = pd.DataFrame({"reason": ["stock", "fraud", "fraud", "stock"], "set_at": pd.Timestamp(START)})
    rows["until"] = pd.Series([None, None, START + timedelta(days=7), START + timedelta(days=9)]).astype(
        "datetime64[s, UTC]"
    )
    assert is_over(rows, rules, START + timedelta(days=7)).tolist() == [True, False, True, False]
