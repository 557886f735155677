"""Rules of counting, written as small tables."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project import ROOT

from config.read import read
from tasks.domain.counting.count_decisions import compare, decide
from tasks.domain.counting.count_plans import AbcRules
from tasks.domain.counting.count_postings import give_back
from tasks.domain.counting.count_rules import Approval, CountPolicy, CountRules, Tolerance
from tasks.domain.counting.count_sheets import SHEET_COLUMNS, blind_sheet, dated, day_bounds
from tasks.domain.counting.expected_units import out_of_bin, picked_units
from tasks.domain.counting.record_accuracy import record_accuracy

PLAN = read(ROOT / "config" / "rules" / "counts.yaml", CountRules).plan
POLICY = CountPolicy(
    version="1",
    effective_from=date(2026, 1, 1),
    tolerance={"A": Tolerance(1, 2500), "B": Tolerance(3, 2500), "C": Tolerance(5, 1500)},
    approvals=(Approval(50_000, "manager"), Approval(500_000, "finance")),
    supervisor="supervisor",
    rounds_max=3,
    warehouses={"NORTH": {"A": Tolerance(0, 0), "B": Tolerance(10, 100_000), "C": Tolerance(10, 1500)}},
)
STRICT = replace(
    POLICY, version="2", effective_from=date(2026, 3, 7), tolerance=dict.fromkeys("ABC", Tolerance(0, 0)), warehouses={}
)
RULES = CountRules(versions=(POLICY, STRICT), abc=AbcRules(90, 0.8, 0.95), plan=PLAN)
AS_OF = pd.Timestamp("2026-03-06T18:00:00Z").as_unit("s")


def at(clock: str) -> pd.Timestamp:
    """That time of the day."""
    return pd.Timestamp(f"2026-03-06T{clock}:00Z")


def lines(*rows: Mapping[str, object]) -> pd.DataFrame:
    """Counts of one place (case 1) of a 5.00 product of class B, 100 expected, unless a row says otherwise."""
    plain = {
        "case": 1, "round": 1, "counter": "Ann", "counted_at": at("09:30"), "quantity": 100, "expected": 100,
        "on_hand": 100, "held": 0, "unit_minor": 500, "sku_minor": None, "abc_class": "B", "closed_at": pd.NaT,
        "warehouse": "MAIN", "time_zone": "Europe/London", "code": "CC-1", "location_id": 1, "location": "A-01",
        "product_id": 1, "condition": "available", "lot": "",
    }  # fmt: skip
    frame = pd.DataFrame([{"line_id": number} | plain | dict(row) for number, row in enumerate(rows, start=1)])
    for name in ("counted_at", "closed_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("s")
    whole = dict.fromkeys(("unit_minor", "sku_minor", "location_id", "product_id"), "Int64")
    return frame.astype({**whole, "counter": "str"})


def told(*rows: Mapping[str, object]) -> list[str]:
    """The decision of each finding and, after a colon, the states of all lines."""
    frame = decide(lines(*rows), RULES)
    return [*frame[frame["is_finding"]]["decision"], ":", *frame["state"]]


@pytest.mark.parametrize(
    ("expected", "quantity", "letter", "unit", "within"),
    [
        (100, 100, "A", 500, True),
        (100, 99, "A", 500, True),
        (100, 98, "A", 500, False),
        (100, 97, "B", 500, True),
        (100, 97, "B", 900, False),  # 3 %, but 27.00
        (100, 95, "C", None, True),  # nobody knows its value: the percentage decides
        (100, 95, None, 10, True),  # nobody knows its class: C
        (0, 1, "C", 1, False),  # found where the book says nothing
        (0, 0, "A", 500, True),
        (-2, 0, "C", 1, False),  # the book was negative
    ],
)
def test_within_tolerance_is_within_both_limits(
    expected: int, quantity: int, letter: str | None, unit: int | None, *, within: bool
) -> None:
    """Percent of the expected units, and value; found stock is outside at any tolerance."""
    row = {"expected": expected, "quantity": quantity, "abc_class": letter, "unit_minor": unit}
    assert compare(lines(row), RULES)["within_tolerance"].tolist() == [within]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{}], ["matched", ":", "matched"]),
        ([{"quantity": 98}], ["posted", ":", "posted"]),
        ([{"quantity": 90}], ["recount", ":", "recount"]),
        ([{"quantity": 100, "expected": 250}], ["review", ":", "review"]),
        ([{"product_id": None}], ["review", ":", "review"]),
        ([{"location_id": None, "product_id": None}], ["review", ":", "review"]),
        ([{"quantity": 90, "round": 3}], ["review", ":", "review"]),
        ([{"quantity": 98, "on_hand": 100, "held": 99}], ["review", ":", "review"]),
        ([{"counted_at": at("09:30"), "closed_at": at("10:00")}], ["superseded", ":", "rejected"]),
        # two sheets of one round
        ([{"quantity": 90}, {"quantity": 90, "counter": "Bob"}], ["posted", ":", "approved", "posted"]),
        ([{"quantity": 100}, {"quantity": 90, "counter": "Bob"}], ["recount", ":", "recount", "recount"]),
        ([{"quantity": 90}, {"quantity": 90, "counter": " ANN "}], ["recount", ":", "recount", "recount"]),
        # two rounds; the book moved by 5 between them, so that equal differences are what agrees
        (
            [{"quantity": 90}, {"round": 2, "quantity": 85, "expected": 95, "counter": "Bob"}],
            ["posted", ":", "approved", "posted"],
        ),
        ([{"quantity": 90}, {"round": 2, "quantity": 90, "expected": 95, "counter": "Bob"}],
         ["recount", ":", "recount", "recount"]),
        ([{"quantity": 90}, {"round": 2, "counter": "Bob"}], ["matched", ":", "rejected", "matched"]),
        # a third round
        ([{"quantity": 90}, {"round": 2, "quantity": 80, "counter": "Bob"},
          {"round": 3, "quantity": 90, "counter": "Cem"}], ["posted", ":", "approved", "rejected", "posted"]),
        ([{"quantity": 90}, {"round": 2, "quantity": 80, "counter": "Bob"},
          {"round": 3, "quantity": 85, "counter": "Cem"}], ["review", ":", "rejected", "rejected", "review"]),
    ],
)  # fmt: skip
def test_what_becomes_of_a_place(rows: list[dict[str, object]], expected: list[str]) -> None:
    """Matched, posted, asked for again, or shown to a person."""
    assert told(*rows) == expected


@pytest.mark.parametrize(
    ("row", "quantity", "within", "rule"),
    [
        ({"warehouse": "MAIN"}, 97, True, "1/every/B"),
        ({"warehouse": "NORTH"}, 91, True, "1/NORTH/B"),  # a warehouse with limits of its own
        ({"abc_class": "A", "warehouse": "NORTH"}, 99, False, "1/NORTH/A"),
        ({"abc_class": None}, 97, True, "1/every/C"),
        ({"counted_at": pd.Timestamp("2026-03-07T09:00Z")}, 99, False, "2/every/B"),  # the stricter version is in force
        ({"counted_at": pd.Timestamp("2025-03-07T09:00Z")}, 97, True, "1/every/B"),  # before any: the first
        # 00:30 on the 7th in Auckland is still the 6th in London, and the other way round
        ({"counted_at": pd.Timestamp("2026-03-06T11:30Z"), "time_zone": "Pacific/Auckland"}, 99, False, "2/every/B"),
        ({"counted_at": pd.Timestamp("2026-03-07T00:30Z"), "time_zone": "America/New_York"}, 99, True, "1/every/B"),
    ],
)
def test_the_rule_in_force_when_the_place_was_counted_applies(
    row: dict[str, object], quantity: int, rule: str, *, within: bool
) -> None:
    """By the warehouse's own day; which rule it was is said."""
    found = compare(lines(row | {"quantity": quantity}), RULES)
    assert found[["within_tolerance", "rule"]].to_numpy().tolist() == [[within, rule]]


@pytest.mark.parametrize(
    ("row", "finding", "decision", "role"),
    [
        ({}, "matched", "matched", None),
        ({"quantity": 90}, "difference", "recount", None),
        ({"expected": 0, "quantity": 3}, "found_at_zero", "recount", None),
        ({"expected": 0, "quantity": 3, "product_id": None}, "unknown_sku", "review", "supervisor"),
        ({"expected": 0, "quantity": 3, "location_id": None}, "unknown_location", "review", "supervisor"),
        ({"expected": 0, "quantity": 0, "location_id": None}, "unknown_location", "review", "supervisor"),
        ({"quantity": 0, "expected": 101}, "difference", "review", "manager"),  # 505.00
        ({"quantity": 0, "expected": 1001}, "difference", "review", "finance"),  # 5,005.00
        ({"quantity": 90, "round": 3}, "difference", "review", "supervisor"),
    ],
)
def test_a_finding_says_what_it_is_and_who_is_asked(
    row: dict[str, object], finding: str, decision: str, role: str | None
) -> None:
    """Only what waits for a person names one: the supervisor, or who may decide about that value."""
    told = decide(lines(row), RULES).astype(object).iloc[0]
    assert (told["finding"], told["decision"]) == (finding, decision)
    assert (told["role"] == role) if role else pd.isna(told["role"])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # five missing here, five found there: asked about together
        ([{"quantity": 90}, {"expected": 0, "quantity": 10}], [("wrong_bin", "review", 2), ("wrong_bin", "review", 1)]),
        # equal differences belong together, whatever is nearer in size otherwise
        ([{"quantity": 90}, {"quantity": 80}, {"quantity": 120}, {"quantity": 110}],
         [("wrong_bin", "review", 4), ("wrong_bin", "review", 3), ("wrong_bin", "review", 2),
          ("wrong_bin", "review", 1)]),
        # not all that is missing was found
        ([{"quantity": 80}, {"quantity": 110}], [("wrong_bin", "review", 2), ("wrong_bin", "review", 1)]),
        # each by itself within tolerance: posted, and the pair is named
        ([{"quantity": 98}, {"quantity": 102}], [("wrong_bin", "posted", 2), ("wrong_bin", "posted", 1)]),
        # other goods, another lot, another condition
        ([{"quantity": 90}, {"quantity": 110, "product_id": 2}], [("difference", "recount", None)] * 2),
        ([{"quantity": 90}, {"quantity": 110, "lot": "L1"}], [("difference", "recount", None)] * 2),
        ([{"quantity": 90}, {"quantity": 110, "condition": "damaged"}], [("difference", "recount", None)] * 2),
        # nothing is in two places
        ([{"quantity": 90}, {"quantity": 110}, {"quantity": 110}],
         [("wrong_bin", "review", 2), ("wrong_bin", "review", 1), ("difference", "recount", None)]),
    ],
)  # fmt: skip
def test_goods_in_the_wrong_bin_are_proposed_as_a_transfer(
    rows: list[dict[str, object]], expected: list[tuple[str, str, int | None]]
) -> None:
    """One place short, another over, of the same SKU, condition and lot: both lines name each other."""
    told = decide(lines(*({"case": n, "location": f"A-{n:02}", "unit_minor": 5} | row
                          for n, row in enumerate(rows, start=1))), RULES)  # fmt: skip
    found = told[["finding", "decision", "transfer_line_id"]].astype(object)
    assert [tuple(None if pd.isna(value) else value for value in row) for row in found.to_numpy()] == expected


@pytest.mark.parametrize(
    ("rows", "decisions"),
    [
        ([{"quantity": 98}, {"quantity": 97}], ["posted", "posted"]),  # 10.00 and 15.00: 25.00 in all
        ([{"quantity": 97}, {"quantity": 97}], ["recount", "recount"]),  # 30.00 in all
        ([{"quantity": 97}, {"quantity": 97, "product_id": 2}], ["posted", "posted"]),
        ([{"quantity": 97}, {"quantity": 97, "code": "CC-2"}], ["posted", "posted"]),
        ([{"quantity": 97, "sku_minor": -1500}], ["recount"]),  # as much was posted in the document before
        ([{"quantity": 40, "expected": 100}] * 2, ["review", "review"]),  # 300.00 each, 600.00 in all
    ],
)  # fmt: skip
def test_value_is_judged_over_all_places_of_the_sku(rows: list[dict[str, object]], decisions: list[str]) -> None:
    """Each place may be off by little, and the SKU by a lot; the percentage is each place's own."""
    told = decide(lines(*({"case": n, "location": f"A-{n:02}"} | row for n, row in enumerate(rows, start=1))), RULES)
    assert told["decision"].tolist() == decisions


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"quantity": 98}, "CORRECTION"),
        ({"quantity": 0, "expected": 20, "abc_class": "C"}, "MISSING"),
        ({"quantity": 20, "expected": 0}, "FOUND"),
        ({"quantity": 0, "expected": -2}, "FIX_NEGATIVE_INVENTORY"),
        ({"quantity": 90, "expected": 100}, "RECOUNTED"),
    ],
)
def test_every_adjustment_has_a_reason(row: dict[str, object], code: str) -> None:
    """Two people agree on the difference; a small one is posted at once."""
    rows = [row] if row["quantity"] == 98 else [row, row | {"counter": "Bob"}]
    told = decide(lines(*rows), RULES)
    assert told.loc[told["decision"] == "posted", "reason_code"].tolist() == [code]


@pytest.mark.parametrize(
    ("day", "zone", "hours", "moved", "as_of", "moment"),
    [
        ("2026-03-06", "Europe/London", 24, False, "2026-03-07T00:00Z", "2026-03-06T23:59:59Z"),
        ("2026-03-06", "Europe/London", 24, True, "2026-03-07T00:00Z", None),
        ("2026-03-06", "Europe/London", 24, False, "2026-03-06T23:59Z", None),  # the day is not over
        ("2026-03-29", "Europe/London", 23, False, "2026-03-30T12:00Z", "2026-03-29T22:59:59Z"),
        ("2026-10-25", "Europe/London", 25, False, "2026-10-26T12:00Z", "2026-10-25T23:59:59Z"),
        ("2026-03-06", "Pacific/Auckland", 24, False, "2026-03-06T18:00Z", "2026-03-06T10:59:59Z"),
    ],
)  # fmt: skip
def test_a_count_of_which_only_the_day_is_known_needs_a_day_without_movements(
    day: str, zone: str, hours: int, as_of: str, moment: str | None, *, moved: bool
) -> None:
    """Then any moment of the day says the same; otherwise it is refused with the reason, never read as midnight."""
    starts, ends = day_bounds(pd.Series([day], dtype="str"), pd.Series([zone], dtype="str"))
    assert ((ends - starts) == pd.Timedelta(hours=hours)).all()
    line = pd.DataFrame({"line_id": [1], "starts_at": starts, "ends_at": ends, "moved": [moved]})
    told = dated(line, pd.Timestamp(as_of)).astype(object).iloc[0]
    assert (told["state"], pd.isna(told["reason"])) == (("counted", True) if moment else ("refused", False))
    assert pd.isna(told["counted_at"]) if moment is None else told["counted_at"] == pd.Timestamp(moment)


def test_places_are_decided_each_for_itself() -> None:
    """One place over and another under never net each other."""
    frame = decide(lines({"quantity": 95}, {"case": 2, "quantity": 105, "product_id": 2}), RULES)
    assert frame["decision"].tolist() == ["recount", "recount"]


def test_one_over_and_one_under_are_two_wrong_records() -> None:
    """Five too many here and five too few there is an accuracy of 0, not of 100 %."""
    found = compare(lines({"quantity": 105}, {"case": 2, "quantity": 95}), RULES)
    accuracy = record_accuracy(found).set_index("abc_class")
    assert accuracy["accuracy"].to_dict() == {"B": 0.0, "all": 0.0}
    assert accuracy["accuracy_value"].to_dict() == {"B": 0.95, "all": 0.95}


def test_found_stock_is_a_wrong_record() -> None:
    """Whatever the tolerance; and a place the book rightly has empty is a right one."""
    found = compare(lines({"expected": 0, "quantity": 3}, {"expected": 0, "quantity": 0}, {}), RULES)
    assert record_accuracy(found)[["abc_class", "places", "right"]].to_numpy().tolist() == [["B", 3, 2], ["all", 3, 2]]


PICK = {"order_id": 1, "location_id": 1, "product_id": 1, "lot": ""}


def moments(rows: list[dict[str, object]], *names: str) -> pd.DataFrame:
    """Rows with moments in the store's type."""
    frame = pd.DataFrame(rows, columns=[*PICK, "quantity", *names])
    for name in names:
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("s")
    return frame.astype({"quantity": "int64", "order_id": "int64", "location_id": "int64", "product_id": "int64"})


@pytest.mark.parametrize(
    ("counted_at", "expected"), [("08:00", 0), ("08:50", 5), ("10:00", 5), ("11:00", 2), ("12:00", 2)]
)
def test_units_are_out_of_the_bin_until_they_leave(counted_at: str, expected: int) -> None:
    """Five picked at 08:50, three of them left at 11:00."""
    picks = moments([PICK | {"quantity": 5, "picked_at": at("08:50"), "closed_at": None}], "picked_at", "closed_at")
    shipped = moments([PICK | {"quantity": 3, "shipped_at": at("11:00")}], "shipped_at")
    line = lines({"counted_at": at(counted_at)}).assign(location_id=1, product_id=1, condition="available", lot="")
    assert out_of_bin(line, picked_units(picks, shipped)).tolist() == [expected]


def test_units_put_back_are_in_the_bin_again() -> None:
    """A promise given up after the pick ends the pick."""
    picked = PICK | {"quantity": 5, "picked_at": at("08:50"), "closed_at": at("09:00")}
    units = picked_units(moments([picked], "picked_at", "closed_at"), moments([], "shipped_at"))
    assert units[["quantity", "left_at"]].to_numpy().tolist() == [[5, at("09:00")]]


runs = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(0, 23)), max_size=8)


@settings(deadline=None)
@given(picks=runs, shipped=runs)
def test_every_picked_unit_is_somewhere_once(
    picks: list[tuple[int, int, int]], shipped: list[tuple[int, int, int]]
) -> None:
    """Units neither appear nor vanish, whatever left of which order and when."""
    taken = [
        PICK | {"order_id": order, "quantity": units, "picked_at": at(f"{hour:02}:00")} for order, units, hour in picks
    ]
    sent = [
        PICK | {"order_id": order, "quantity": units, "shipped_at": at(f"{hour:02}:00")}
        for order, units, hour in shipped
    ]
    units = picked_units(moments(taken, "picked_at", "closed_at"), moments(sent, "shipped_at"))
    assert units["quantity"].sum() == sum(units for _, units, _ in picks)
    assert (units["quantity"] > 0).all()
    gone = sum(min(sum(u for o, u, _ in picks if o == order), sum(u for o, u, _ in shipped if o == order))
               for order in (1, 2, 3))  # fmt: skip
    assert units.loc[units["left_at"].notna(), "quantity"].sum() == gone


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), max_size=6), st.integers(0, 40))
def test_promises_are_given_back_newest_first(promises: list[tuple[int, int]], need: int) -> None:
    """As many as needed, as far as they are not picked; none shrinks before the newer ones are used up."""
    frame = pd.DataFrame(
        [{"allocation_id": n, "location_id": 1, "product_id": 1, "lot": "", "quantity": q, "picked": p}
         for n, (q, p) in enumerate(promises)],
        columns=["allocation_id", "location_id", "product_id", "lot", "quantity", "picked"],
    ).astype(dict.fromkeys(("allocation_id", "location_id", "product_id", "quantity", "picked"), "int64"))  # fmt: skip
    needs = pd.DataFrame({"location_id": [1], "product_id": [1], "lot": [""], "need": [need]})
    given_back = dict(give_back(frame.astype({"lot": "str"}), needs.astype({"lot": "str"})).to_numpy().tolist())
    free = [max(0, q - p) for q, p in promises]
    assert sum(given_back.values()) == min(need, sum(free))
    partly = [n for n, units in given_back.items() if units < free[n]]
    assert all(given_back.get(n, 0) == free[n] for last in partly for n in range(last))
    assert len(partly) <= 1


def test_a_blind_sheet_has_no_column_for_the_book() -> None:
    """Whatever the rows hold beside; what is counted is empty."""
    row = {"code": "CC-1", "round": 2, "merchant": "HEARTH", "warehouse": "MAIN", "location": "A-1", "sku": "MUG",
           "name": "Mug", "barcode": None, "counter": None, "condition": "available", "lot": "", "on_hand": 7777,
           "expected": 7777}  # fmt: skip
    sheet = blind_sheet(pd.DataFrame([row]))
    assert list(sheet.columns) == list(SHEET_COLUMNS)
    assert "7777" not in sheet.to_csv()
    filled = sheet[["count_id", "quantity", "counter", "counted_at"]]
    assert filled.to_numpy().tolist() == [["CC-1-R2", "", "", ""]]


@pytest.mark.parametrize("wrong", [{"A": Tolerance(1, 1)}, {}])
def test_rules_name_every_class(wrong: dict[str, Tolerance]) -> None:
    """A class without a tolerance is a mistake of the file, not of a day's counts."""
    with pytest.raises(ValueError, match="expected one for each of A, B and C"):
        replace(POLICY, tolerance=wrong)
