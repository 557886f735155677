"""Which places are counted, and how they are shared among the counters."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project import ROOT

from config.read import read
from tasks.domain.counting.count_plans import (
    AbcRules,
    Capacity,
    WarehousePlan,
    abc_classes,
    due_places,
    on_sheets,
    walking_order,
)
from tasks.domain.counting.count_reasons import RULES, LowAccuracy, Target, choose_places, with_accuracy
from tasks.domain.counting.count_rules import CountRules

PLAN = read(ROOT / "config" / "rules" / "counts.yaml", CountRules).plan
AS_OF = pd.Timestamp("2026-03-06T06:00:00Z").as_unit("s")
MOMENTS = ("counted_at", "export_at", "unsettled_at", "picked_at", "shipped_at", "issued_at", "arrived_at")
QUIET: Mapping[str, object] = {  # a class A place counted yesterday, of which nothing has been heard since
    "product_id": 1, "condition": "available", "lot": "", "abc_class": "A", "on_hand": 5, "unit_minor": 100,
    "short_picks": 0, "zero_picks": 0, "export_off": 0, "in_building": 0, "units_moved": 0, "place_accuracy": None,
    "sku_accuracy": None, "zone_accuracy": None, **dict.fromkeys(MOMENTS), "counted_at": AS_OF - pd.Timedelta(days=1),
}  # fmt: skip


def ago(days: float) -> pd.Timestamp:
    """So many days before the run."""
    return AS_OF - pd.Timedelta(days=days)


def places(*rows: Mapping[str, object]) -> pd.DataFrame:
    """Places numbered from 0, quiet but for what a row says."""
    frame = pd.DataFrame([{**QUIET, "location_id": number, **row} for number, row in enumerate(rows)])
    for name in MOMENTS:
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("s")
    floats = dict.fromkeys(("place_accuracy", "sku_accuracy", "zone_accuracy"), "float64")
    return frame.astype({"export_off": "Int64", "unit_minor": "Int64", **floats})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({}, ""),
        ({"short_picks": 1}, "short pick"),
        ({"on_hand": -1}, "negative stock"),
        ({"export_at": ago(0.5), "export_off": -2}, "doubtful record"),
        ({"export_at": ago(2), "export_off": -2}, ""),  # said before the last count
        ({"export_at": ago(0.5), "export_off": 0}, ""),
        ({"unsettled_at": ago(0.5)}, "doubtful record"),
        ({"unsettled_at": ago(2)}, ""),
        ({"on_hand": 0, "picked_at": ago(0.5)}, "empty bin"),
        ({"on_hand": 0, "picked_at": ago(2)}, ""),
        ({"on_hand": 3, "in_building": 3, "picked_at": ago(0.5)}, "empty bin"),
        ({"on_hand": 3, "in_building": 2, "picked_at": ago(0.5)}, ""),
        ({"on_hand": 0, "shipped_at": ago(0.5)}, "empty bin"),  # nobody told of picks
        ({"on_hand": 0, "picked_at": ago(2), "shipped_at": ago(0.5)}, ""),  # it had left the bin before the count
        ({"on_hand": 0, "issued_at": ago(0.5)}, "empty bin"),
        ({"place_accuracy": 0.3, "counted_at": ago(20)}, "low accuracy"),
        ({"sku_accuracy": 0.5, "counted_at": ago(20)}, "low accuracy"),
        ({"zone_accuracy": 0.5, "counted_at": ago(20)}, "low accuracy"),
        ({"zone_accuracy": 0.5}, ""),  # counted yesterday
        ({"place_accuracy": 1.0, "counted_at": ago(20)}, ""),
        ({"units_moved": 501}, "turnover"),
        ({"units_moved": 500}, ""),
        ({"units_moved": 51, "unit_minor": 10_000}, "turnover"),
        ({"units_moved": 51, "unit_minor": None}, ""),
        ({"arrived_at": ago(0.5)}, "new place"),
        ({"arrived_at": ago(2)}, ""),
        ({"arrived_at": ago(9), "counted_at": ago(20)}, ""),
        ({"counted_at": ago(30)}, "periodic"),
        ({"counted_at": ago(29)}, ""),
        ({"counted_at": ago(59), "abc_class": "B"}, ""),
        ({"counted_at": ago(120), "abc_class": "C"}, "periodic"),
        ({"counted_at": None}, "periodic"),
        ({"counted_at": None, "on_hand": 0}, ""),
        ({"counted_at": None, "short_picks": 2, "on_hand": -1}, "short pick, negative stock, periodic"),
    ],
)  # fmt: skip
def test_a_place_is_chosen_by_what_happened_there(row: Mapping[str, object], reason: str) -> None:
    """Each rule by what is just enough and what is not, with the shipped numbers; several rules are all named."""
    assert choose_places(places(row), PLAN.rules, AS_OF)["reason"].tolist() == [reason]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_can_be_switched_off(name: str) -> None:
    """Then it chooses nothing, and the others what they chose before."""
    everything = places({
        "counted_at": ago(40), "short_picks": 1, "on_hand": -1, "unsettled_at": ago(1), "picked_at": ago(1),
        "sku_accuracy": 0.0, "units_moved": 900, "arrived_at": ago(1),
    })  # fmt: skip
    off = replace(PLAN.rules, **{name: replace(getattr(PLAN.rules, name), active=False)})
    before, after = (choose_places(everything, rules, AS_OF).iloc[0] for rules in (PLAN.rules, off))
    assert name in before["reasons"]
    assert after["reasons"] == tuple(reason for reason in before["reasons"] if reason != name)
    assert after["reason"] == ", ".join(reason.replace("_", " ") for reason in after["reasons"])


def test_urgent_places_come_before_old_ones() -> None:
    """By urgency of the rules, then class A before B, then what was counted longest ago; each place once."""
    rows: list[Mapping[str, object]] = [
        {"counted_at": ago(200)}, {"export_at": AS_OF, "export_off": -2}, {"on_hand": -1}, {"short_picks": 1}, {},
        {"counted_at": None}, {"counted_at": None, "abc_class": "B"},
    ]  # fmt: skip
    assert due_places(places(*rows), PLAN.rules, AS_OF)["location_id"].tolist() == [3, 2, 1, 5, 0, 6]


def test_the_accuracy_is_that_of_the_last_counts() -> None:
    """Three counts of place 1, the last two wrong; place 2 was counted once, which is too little to say."""
    at = {"condition": "available", "lot": "", "zone": "A"}
    told = [(1, 1, True), (1, 1, False), (2, 1, True), (1, 1, False)]
    found = pd.DataFrame(
        [{"location_id": place, "product_id": sku, "is_right": right} | at for place, sku, right in told]
    )
    rule = LowAccuracy(
        urgency=1, place=Target(0.5, 2), sku=Target(0.5, 3), zone=Target(0.5, 9), days_between=0, days_max=9
    )
    rows = places({"location_id": 1, "zone": "A"}, {"location_id": 2, "zone": "A"})
    rows = rows.drop(columns=["place_accuracy", "sku_accuracy", "zone_accuracy"])
    names = ["place_accuracy", "sku_accuracy", "zone_accuracy"]
    told_of = with_accuracy(rows, found, rule)[names].round(3).fillna(-1).to_numpy().tolist()
    assert told_of == [[0.0, 0.333, -1], [-1, 0.333, -1]]


def test_two_rules_are_not_equally_urgent() -> None:
    """Which of them goes first would be nobody's decision."""
    with pytest.raises(ValueError, match="another number for each rule"):
        replace(PLAN.rules, short_pick=replace(PLAN.rules.short_pick, urgency=2))


def test_the_abc_class_is_what_the_product_says_or_what_is_sold_of_it() -> None:
    """Pareto: 80 % of the value is A, up to 95 % B; a named class stands; what nobody buys is C."""
    goods = pd.DataFrame({"product_id": [1, 2, 3, 4, 5], "abc_class": [None, None, None, "A", None]})
    demand = pd.DataFrame({"product_id": [1, 2, 3, 4], "value_minor": [790, 150, 50, 10]})
    classes = abc_classes(goods.astype({"abc_class": "str"}), demand, AbcRules(90, 0.8, 0.95))
    assert classes.to_dict() == {1: "A", 2: "A", 3: "B", 4: "A", 5: "C"}


def test_numbers_in_codes_are_walked_as_numbers() -> None:
    """Zone, aisle, bay, level, place: A-2 before A-10; what lies nowhere in particular comes first."""
    codes = ["A-10", "A-2", "B-1", "UNSPECIFIED"]
    rows = pd.DataFrame({"location": codes, "zone": ["A", "A", "B", None], "aisle": "1", "bay": None, "level": "1"})
    assert walking_order(rows)["location"].tolist() == ["UNSPECIFIED", "A-2", "A-10", "B-1"]


def walk(locations: list[int], zones: str = "A") -> pd.DataFrame:
    """Places in order of urgency, in numbered locations."""
    frame = pd.DataFrame({"location": [f"A-{number}" for number in locations]}, dtype="str")
    return frame.assign(
        zone=[*(zones * len(frame))][: len(frame)], aisle="1", bay="1", level="1", sku=range(len(frame))
    )


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 12), max_size=30), st.integers(1, 4), st.integers(1, 8), st.integers(4, 30),
    st.sampled_from(["A", "AB", "AAB"]),
)  # fmt: skip
def test_the_walk_is_cut_into_sheets(locations: list[int], counters: int, each: int, minutes: int, zones: str) -> None:
    """Every sheet is a stretch of the walk within a counter's day; a place is on one sheet; the urgent are on it.

    What is left out would not have fitted, unless a location had to be kept whole.
    """
    capacity = Capacity(counters, each, minutes, {"otherwise": 2, "B": 4})
    asked = walk(locations, zones)
    planned = on_sheets(asked, capacity)
    assert planned["sheet"].is_monotonic_increasing
    assert planned["sku"].tolist() == walking_order(planned)["sku"].tolist()
    assert sorted(planned["sku"]) == list(range(len(planned)))  # the first ones, each once
    of_sheet = planned.assign(seconds=capacity.seconds(planned["zone"])).groupby("sheet")
    assert planned["sheet"].nunique() <= counters
    assert (of_sheet.size() <= each).all()
    assert (of_sheet["seconds"].sum() <= minutes * 60).all()
    if len(planned) < len(asked) and len(set(locations)) == len(locations) and zones == "A":
        assert len(planned) == counters * min(each, minutes // 2)


def test_a_location_is_not_shared_by_two_counters() -> None:
    """Seven places for two counters: the three places of the third location stay together."""
    planned = on_sheets(walk([1, 2, 3, 3, 3, 4, 5]), Capacity(2, 5, 60, {"otherwise": 2}))
    assert planned.groupby("location")["sheet"].nunique().max() == 1
    assert sorted(planned.groupby("sheet").size()) == [2, 5]


def test_counters_get_equal_shares_and_no_more_sheets_than_it_takes() -> None:
    """Ten places for three counters of four are four, four and two; eight for three counters are two sheets of four."""
    assert on_sheets(walk([*range(10)]), Capacity(3, 4, 60, {"otherwise": 2})).groupby("sheet").size().tolist() == [
        4,
        4,
        2,
    ]
    assert on_sheets(walk([*range(8)]), Capacity(3, 4, 60, {"otherwise": 2})).groupby("sheet").size().tolist() == [4, 4]


def test_sheets_are_addressed_in_turn() -> None:
    """Every counter gets another sheet the next day; a sheet beyond the names is nobody's."""
    capacity = Capacity(3, 4, 60, {"otherwise": 2}, ("Ann", "Bob"))
    monday = [capacity.name_of(sheet, date(2026, 3, 9)) for sheet in (1, 2, 3)]
    tuesday = [capacity.name_of(sheet, date(2026, 3, 10)) for sheet in (1, 2, 3)]
    assert {*monday} == {*tuesday} == {"Ann", "Bob", None}
    assert monday[0] == tuesday[1]
    assert monday[2] is None


@pytest.mark.parametrize(
    ("day", "country", "is_open"),
    [("2026-03-06", "GB", True), ("2026-03-07", "GB", False), ("2026-12-25", "GB", False), ("2026-10-03", "DE", False),
     ("2026-05-01", "DE", False), ("2026-05-01", "GB", True)],
)  # fmt: skip
def test_people_count_on_working_days_of_their_country(day: str, country: str, *, is_open: bool) -> None:
    """No weekends, no public holidays: the first of May is one in Germany and none in Britain."""
    assert PLAN.is_open(date.fromisoformat(day), country) is is_open


def test_a_warehouse_may_do_otherwise() -> None:
    """What it says replaces what holds for all; what it leaves out stays."""
    own = Capacity(1, 10, 60, {"otherwise": 3})
    rules = replace(PLAN, warehouses={"NORTH": WarehousePlan(capacity=own, working_days=("sat",))})
    assert (rules.at("NORTH").capacity, rules.at("NORTH").working_days) == (own, ("sat",))
    assert rules.at("NORTH").rules == rules.at("MAIN").rules == PLAN.rules
    assert rules.at("MAIN").capacity == PLAN.capacity


@pytest.mark.parametrize(
    "wrong",
    [{"counters": 0}, {"minutes_per_place": {"A": 2}}, {"minutes_per_counter": 1},
     {"minutes_per_place": {"otherwise": 0}}, {"counter_names": ("Ann", "ann")}],
)  # fmt: skip
def test_a_day_in_which_nothing_can_be_counted_is_refused(wrong: dict[str, object]) -> None:
    """Nobody, no time, a place longer than a day, or one person twice."""
    with pytest.raises(ValueError, match="expected"):
        replace(PLAN.capacity, **wrong)  # type: ignore[arg-type]
