"""What counts found, read as an analyst reads it; small tables."""

import pandas as pd
import pytest

from tasks.domain.counting.count_reports import (
    accuracy_by_warehouse,
    open_findings,
    shrinkage,
    sku_totals,
    transfers,
    trend,
)
from tasks.domain.sites.adjustment_files import LAYOUTS, AdjustmentFile, adjustment_file

MOMENT = pd.Timestamp("2026-03-06 18:00", tz="UTC")


def found(*rows: tuple[str, str, int, int, str]) -> pd.DataFrame:
    """Findings of one warehouse: location, SKU, expected, counted, decision; 5.00 a unit, class A."""
    table = pd.DataFrame(rows, columns=["location", "sku", "expected", "counted", "decision"])
    off = table["counted"] - table["expected"]
    said = {
        "finding": range(1, len(rows) + 1), "line_id": range(11, 11 + len(rows)), "warehouse": "MAIN", "role": "lead",
        "merchant": "HEARTH", "name": "stoneware", "condition": "available", "lot": "", "why": "", "other_place": None,
        "counter": "Ann", "counted_at": MOMENT, "count": "CC-1", "round": 1, "abc_class": "A", "difference": off,
        "unit_minor": pd.Series(500, index=table.index, dtype="Int64"), "currency": "GBP",
        "value_minor": (off * 500).astype("Int64"), "within_tolerance": off == 0,
        "transfer_line_id": pd.Series(pd.NA, index=table.index, dtype="Int64"),
    }  # fmt: skip
    return table.assign(**said)


def test_short_in_one_bin_and_over_in_another_is_no_loss_and_no_accuracy() -> None:
    """+5 and -5 of one SKU: net nothing, absolute ten, and both places are misses."""
    rows = found(("A-01", "MUG", 10, 5, "review"), ("A-02", "MUG", 10, 15, "review"))
    one = sku_totals(rows).iloc[0]
    assert (one["net"], one["absolute"], one["value_net_minor"], one["value_absolute_minor"]) == (0, 10, 0, 5000)
    every = accuracy_by_warehouse(rows).set_index("abc_class").loc["all"]
    assert (every["accuracy"], every["accuracy_value"]) == (0.0, 0.5)


def test_matched_places_count_and_superseded_counts_do_not() -> None:
    """Three of four right; the first count of a place that was counted again is not a place of its own."""
    rows = found(
        ("A-01", "MUG", 10, 10, "matched"), ("A-02", "MUG", 10, 10, "matched"), ("A-03", "MUG", 10, 10, "matched"),
        ("A-04", "MUG", 10, 8, "posted"), ("A-05", "MUG", 10, 3, "superseded"),
    )  # fmt: skip
    every = accuracy_by_warehouse(rows).set_index("abc_class").loc["all"]
    assert (every["places"], every["right"], every["accuracy"]) == (4, 3, 0.75)


def test_what_waits_comes_first_by_what_it_is_worth() -> None:
    """Reviews before recounts, the dearest first; what is settled needs nobody."""
    rows = found(
        ("A-01", "MUG", 10, 9, "recount"), ("A-02", "MUG", 10, 0, "recount"), ("A-03", "MUG", 10, 8, "review"),
        ("A-04", "MUG", 10, 10, "matched"), ("A-05", "MUG", 10, 4, "review"),
    )  # fmt: skip
    assert list(open_findings(rows)["location"]) == ["A-05", "A-03", "A-02", "A-01"]


def test_a_proposed_transfer_moves_what_both_places_agree_on() -> None:
    """Five short here, seven over there: five go."""
    rows = found(("A-01", "MUG", 10, 5, "review"), ("A-02", "MUG", 10, 17, "review"))
    rows["transfer_line_id"] = pd.Series([12, 11], dtype="Int64")
    move = transfers(rows).iloc[0]
    assert (move["from_location"], move["to_location"], move["quantity"]) == ("A-01", "A-02", 5)
    assert (move["finding_from"], move["finding_to"]) == (1, 2)


def test_shrinkage_is_told_net_and_absolute_by_reason() -> None:
    """Four lost and one found: three net, five absolute."""
    moves = pd.DataFrame(
        {"warehouse": "MAIN", "reason": ["MISSING", "MISSING", "FOUND"], "quantity_delta": [-3, -1, 1],
         "unit_minor": pd.Series([500, 500, 500], dtype="Int64"), "currency": "GBP"}
    )  # fmt: skip
    told = shrinkage(moves).set_index("reason")
    every, lost = told.loc["all reasons"], told.loc["MISSING"]
    assert (every["units_lost"], every["units_found"], every["units_net"], every["units_absolute"]) == (4, 1, -3, 5)
    assert (every["value_net_minor"], every["value_absolute_minor"]) == (-1500, 2500)
    assert (lost["moves"], lost["units_net"]) == (2, -4)


def test_a_day_is_the_warehouses_own() -> None:
    """A run at 23:30 UTC in the summer is the next day in London; two runs of a day are one day."""
    moments = pd.to_datetime(["2026-06-01 23:30", "2026-06-02 08:00"], utc=True)
    counted = pd.DataFrame(
        {"warehouse": "MAIN", "time_zone": "Europe/London", "moment": moments, "currency": ["GBP", ""],
         "places": [3, 1], "hits": [3, 0], "value_minor": [1000, 0], "off_minor": [100, 0]}
    )  # fmt: skip
    nothing = pd.DataFrame(
        {"warehouse": [], "time_zone": [], "moment": moments[:0], "currency": [], "net_minor": [], "absolute_minor": []}
    )
    day = trend(counted, nothing).iloc[0]
    assert (day["day"], day["accuracy"], day["accuracy_value"], day["currency"]) == ("2026-06-02", 0.75, 0.9, "GBP")


ADJUSTED = pd.DataFrame(
    {"location": ["A-01", "A-01"], "merchant": "HEARTH", "sku": "MUG", "condition": ["available", "damaged"], "lot": "",
     "quantity_delta": [-3, 1], "reason": "MISSING", "count": "CC-1"}
)  # fmt: skip
LEVELS = pd.DataFrame(
    {"location": ["A-01", "A-01", "A-02"], "merchant": "HEARTH", "sku": "MUG",
     "condition": ["available", "damaged", "available"], "lot": "", "on_hand": [7, 1, 20], "name": "Mug",
     "unit_cost_minor": pd.Series([550] * 3, dtype="Int64"), "currency": "GBP", "expires_on": None}
)  # fmt: skip


@pytest.mark.parametrize(
    ("layout", "location", "expected"),
    [
        ("shopify_inventory_2024", "London", {"SKU": "MUG", "Location": "London", "On hand (current)": 30,
                                              "On hand (new)": 28}),
        ("openboxes_count_sheet", "Main", {"Product code": "MUG", "Bin location": "A-01", "OB QOH": 10,
                                           "Physical QOH": 8, "Comment": "MISSING CC-1"}),
        ("odoo_inventory_quantities", "WH/Stock", {"product": "MUG", "location": "WH/Stock/A-01",
                                                   "inventoried_quantity": 8}),
        ("odoo_quants", "WH/Stock/", {"location_id": "WH/Stock/A-01", "lot_id": "", "inventory_quantity": 8}),
        ("erpnext_stock_reconciliation", "Stores - H", {"Item Code": "MUG", "Warehouse": "Stores - H", "Quantity": 28,
                                                        "Valuation Rate": "5.50"}),
    ],
)  # fmt: skip
def test_a_system_is_told_what_is_there_now(layout: str, location: str, expected: dict[str, object]) -> None:
    """Absolute, all conditions together: by place where the system knows places, otherwise by SKU."""
    table = adjustment_file(AdjustmentFile(layout, location), ADJUSTED, LEVELS)
    assert len(table) == 1
    assert table.iloc[0][list(expected)].to_dict() == expected


def test_every_layout_is_asked_for_by_name() -> None:
    """A misspelt one is refused, and so is one without the system's name of the warehouse."""
    assert "canonical" not in LAYOUTS
    with pytest.raises(ValueError, match="is not one of canonical"):
        AdjustmentFile("shopify")
    with pytest.raises(ValueError, match="needs a location"):
        AdjustmentFile("shopify_inventory_2024")
