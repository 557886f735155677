"""By when an order must leave: cut-offs on the wall, working days, holidays, clocks that change."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.ordering.ship_by import Pickups, ShipByRules, ship_by, urgency
from tasks.domain.sites.sites import Carrier, Warehouse

WEEK = ("mon", "tue", "wed", "thu", "fri")
RULES = ShipByRules("Standard", {"Next Day": 0, "Standard": 1, "Economy": 2}, working_days_otherwise=3, due_h=24)
BERLIN = Warehouse(
    "B", "Berlin", "Europe/Berlin", "DE",
    carriers=(Carrier("Post", ("Standard", "Economy"), "17:00"), Carrier("Bote", ("Next Day",), "02:30", (*WEEK, "sat",
                                                                                                        "sun"))),
)  # fmt: skip


def at(said: str) -> datetime:
    """A moment of UTC."""
    return datetime.fromisoformat(said).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("paid", "level", "by"),
    [
        ("2026-03-05 16:00", "Standard", "2026-03-06 16:00"),  # 17:00 in Berlin is in time, for a working day later
        ("2026-03-05 16:01", "Standard", "2026-03-09 16:00"),  # a minute later begins on Friday, and Monday follows
        ("2026-03-05 16:01", "economy", "2026-03-10 16:00"),
        ("2026-03-27 12:00", "Standard", "2026-03-30 15:00"),  # the clocks went forward on Sunday
        ("2026-04-02 12:00", "Standard", "2026-04-07 15:00"),  # Good Friday, the weekend, Easter Monday
        ("2026-12-23 12:00", "Standard", "2026-12-24 16:00"),
        ("2026-12-24 12:00", "Standard", "2026-12-28 16:00"),
        ("2026-03-05 12:00", None, "2026-03-06 16:00"),
        ("2026-03-05 12:00", "by balloon", "2026-03-10 16:00"),
        ("2026-03-28 12:00", "Next Day", "2026-03-29 01:30"),  # 02:30 does not exist that night: 03:30 in summer time
    ],
)
def test_an_order_leaves_a_working_day_after_the_pickup_it_makes(paid: str, level: str | None, by: str) -> None:
    """The cut-off is the warehouse's time of day, the days are those of the carrier and of the country."""
    orders = pd.DataFrame(
        {"paid_at": pd.to_datetime([at(paid)]).as_unit("s"), "service_level": pd.Series([level], dtype="str")}
    )
    assert ship_by(orders, BERLIN, RULES).tolist() == [pd.Timestamp(at(by))]


@settings(deadline=None, max_examples=200)
@given(
    st.integers(0, 4 * 366 * 24 * 60).map(lambda minutes: at("2024-01-01") + timedelta(minutes=minutes)),
    st.integers(0, 5),
    st.times(),
    st.sets(st.sampled_from([*WEEK, "sat", "sun"]), min_size=1),
)
def test_a_pickup_is_never_before_and_always_on_a_day_the_carrier_comes(
    since: datetime, days: int, cut_off: time, ship_days: set[str]
) -> None:
    """Whatever the zone does that night; more working days are never earlier."""
    one = Pickups("America/New_York", "US", cut_off.replace(second=0, microsecond=0, fold=0), tuple(sorted(ship_days)))
    found, later = one.pickup(since, days), one.pickup(since, days + 1)
    assert since <= found + timedelta(hours=1) < later + timedelta(hours=2)
    assert found.tzinfo is not None
    assert one.collects_on(found.astimezone(pd.Timestamp(found).tz_convert("America/New_York").tzinfo).date())


def test_a_calendar_nobody_collects_on_is_refused() -> None:
    """A misspelt day is named."""
    with pytest.raises(ValueError, match="ship_days"):
        Pickups("UTC", "GB", time(17), ("monday",))


def test_orders_are_late_due_or_neither() -> None:
    """LATE once the moment has passed, DUE in the 24 hours before it."""
    now = pd.Timestamp(at("2026-03-06 12:00"))
    hours = pd.Series([now + pd.Timedelta(hours=h) for h in (-1, 0, 24, 25)] + [pd.NaT])
    assert urgency(hours, now.to_pydatetime(), RULES).tolist() == ["LATE", "DUE", "DUE", "", ""]


def test_a_region_and_a_warehouse_have_days_of_their_own() -> None:
    """Epiphany is kept in Bavaria and not in Berlin; the day of stocktaking is kept here alone."""
    paid = pd.DataFrame({"paid_at": pd.to_datetime([at("2026-01-05 12:00")]).as_unit("s"),
                         "service_level": pd.Series(["Standard"], dtype="str")})  # fmt: skip
    munich = replace(BERLIN, region="BY")
    for site, day in ((BERLIN, 6), (munich, 7), (replace(munich, closed_days=(date(2026, 1, 7),)), 8)):
        assert ship_by(paid, site, RULES).tolist() == [pd.Timestamp(at(f"2026-01-0{day} 16:00"))]
    with pytest.raises(ValueError, match="region 'BAVARIA'"):
        replace(BERLIN, region="BAVARIA")
