"""Safety stock and reorder points against the textbook, demand without what says nothing, and what is bought."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.domain.stock.daily_demand import daily_demand, days_observed
from tasks.domain.stock.replenishment import (
    ReplenishmentRules,
    coming_in_time,
    proposal,
    safety_stock,
    targets,
    with_terms,
)

AS_OF = datetime(2026, 3, 6, 9, 30, tzinfo=UTC)
RULES = ReplenishmentRules(
    demand_days=90, demand_days_min=14, outlier_deviations=3, service_level=0.95, service_level_by_class={"A": 0.98},
    lead_days=7, lead_deviation_days=2, order_days=10, deliver_to="MAIN", late_days_max=7,
)  # fmt: skip


@pytest.mark.parametrize(
    ("daily", "deviation", "lead", "lead_deviation", "level", "safety", "point"),
    [  # J. Heizer, B. Render, C. Munson: Operations Management; Inventory Management, Probabilistic Models
        (15, 5, 2, 0, 0.90, 9.02, 39),  # demand varies
        (10, 0, 6, 1, 0.98, 20.55, 80.55),  # the lead time varies
        (150, 16, 5, 1, 0.95, 254, 1004),  # both vary
    ],
)
def test_safety_stock_is_that_of_the_textbook(
    daily: float, deviation: float, lead: float, lead_deviation: float, level: float, safety: float, point: float
) -> None:
    """Z √(L σd² + d² σL²), to the half unit the book's table of Z is rounded by."""
    one = [pd.Series([float(value)]) for value in (daily, deviation, lead, lead_deviation, level)]
    found = safety_stock(*one)[0]
    assert found == pytest.approx(safety, abs=0.5)
    assert daily * lead + found == pytest.approx(point, abs=0.5)


def stock(*days: tuple[int, int, int]) -> pd.DataFrame:
    """Product, day and units."""
    return pd.DataFrame(days, columns=["product_id", "day", "units"]).astype("int64")


def test_a_day_without_stock_is_no_day_without_demand() -> None:
    """Ten days: there from the third on, sold out after the fifth; on the eighth somebody asks all the same."""
    moved, asked = stock((1, 2, 5), (1, 4, -5)), stock((1, 3, 4), (1, 4, 1), (1, 7, 2))
    assert days_observed(moved, asked, 10).tolist() == [4]  # 2, 3, 4 and 7
    there = stock((1, -1, 100))
    assert days_observed(there, asked, 10).tolist() == [10]


def test_mean_and_deviation_are_over_the_days_seen() -> None:
    """Four days with 4, 1, 2 and 0: a mean of 7/4; against numpy's, with what says nothing left out."""
    found = daily_demand(stock((1, 3, 4), (1, 4, 1), (1, 7, 2)), pd.Series([4, 6], index=[1, 2]), 3).to_numpy()
    assert found[0].tolist() == pytest.approx([1.75, np.std([4, 1, 2, 0], ddof=1), 4], abs=1e-6)
    assert found[1].tolist() == [0, 0, 6]


def test_one_order_of_a_reseller_makes_no_trend() -> None:
    """Ninety days of one, but for one of three hundred: cut to the mean plus three deviations of all."""
    days = [(1, day, 300 if day == 50 else 1) for day in range(90)]
    raw = np.array([units for _, _, units in days], dtype=float)
    cut = np.minimum(raw, raw.mean() + 3 * raw.std(ddof=1))
    found = daily_demand(stock(*days), pd.Series([90], index=[1]), 3).loc[1]
    assert found["daily_units"] == pytest.approx(cut.mean(), abs=1e-6)
    assert found["daily_units"] < raw.mean() / 2


def product(**facts: Any) -> pd.DataFrame:
    """One product of a merchant, whose file and terms say nothing unless told."""
    told: dict[str, Any] = {
        "product_id": 1, "merchant": "HEARTH", "sku": "CUP", "name": "Cup", "abc_class": None, "pack_quantity": 1,
        "is_kit": False, "unit_cost_minor": 250, "currency": "GBP", "supplier": None, "supplier_sku": None,
        "lead_days": np.nan, "lead_deviation_days": np.nan, "service_level": np.nan,
        **dict.fromkeys(("reorder_point", "stock_min", "stock_max", "order_min", "order_multiple"), pd.NA), **facts,
    }  # fmt: skip
    row = pd.DataFrame([told])
    whole = ("reorder_point", "stock_min", "stock_max", "order_min", "order_multiple")
    return row.astype(dict.fromkeys(whole, "Int64") | dict.fromkeys(("abc_class", "supplier", "supplier_sku"), "str"))


def demand(daily: float, deviation: float, days: int = 90) -> pd.DataFrame:
    """Demand of product 1."""
    told = {"daily_units": [daily], "daily_deviation_units": [deviation], "days_counted": [days]}
    return pd.DataFrame(told, index=pd.Index([1], name="product_id"))


@pytest.mark.parametrize(
    ("facts", "days", "point", "up_to", "basis"),
    [
        ({}, 90, 22, 42, "demand and lead time"),  # 2 a day x 7 + 1.6449 √(7 x 1 + 4 x 4) = 21.9; ten days more
        ({"abc_class": "A"}, 90, 24, 44, "demand and lead time"),
        ({"reorder_point": 5, "stock_min": 9}, 90, 5, 25, "the product file"),
        ({"stock_min": 9, "stock_max": 12}, 90, 9, 12, "stock_min of the terms"),
        ({"lead_days": 0.0, "lead_deviation_days": 0.0}, 90, 0, 20, "demand and lead time"),
        ({}, 13, 0, 0, "too few days seen"),
    ],
)
def test_a_reorder_point_comes_from_the_file_the_terms_or_demand(
    facts: dict[str, Any], days: int, point: int, up_to: int, basis: str
) -> None:
    """The product file wins, then the supply file, then the formula; a newcomer has none."""
    rows = with_terms(product(**facts), RULES)
    found = targets(rows, demand(2, 1, days), RULES).iloc[0]
    assert (found["reorder_point"], found["order_up_to"], found["basis"]) == (point, up_to, basis)


@pytest.mark.parametrize(
    ("units", "facts", "quantity"),
    [
        ({"free": 20, "waiting": 0, "coming": 0}, {}, None),
        ({"free": 19, "waiting": 0, "coming": 0}, {}, 21),
        ({"free": 19, "waiting": 0, "coming": 1}, {}, None),
        ({"free": 0, "waiting": 5, "coming": 0}, {}, 45),
        ({"free": 19, "waiting": 0, "coming": 0}, {"order_min": 30}, 30),
        ({"free": 19, "waiting": 0, "coming": 0}, {"pack_quantity": 12}, 24),
        ({"free": 19, "waiting": 0, "coming": 0}, {"order_min": 30, "order_multiple": 12}, 36),
        ({"free": 19, "waiting": 0, "coming": 0}, {"is_kit": True}, None),
    ],
)
def test_what_is_bought_fills_up_in_the_suppliers_quantities(
    units: dict[str, int], facts: dict[str, Any], quantity: int | None
) -> None:
    """Below the reorder point of 20, up to 40, at least the minimum, in whole cases; what comes and waits counts."""
    rows = with_terms(product(**facts), RULES).assign(
        reorder_point=20, order_up_to=40, safety_stock=0, daily_units=1.0, basis="", **units
    )
    found = proposal(rows, RULES, AS_OF)
    assert found["quantity"].tolist() == ([] if quantity is None else [quantity])
    if quantity:
        first = found.iloc[0]
        assert (first["document"], first["expected_at"]) == (
            "PO-20260306-HEARTH-OPEN",
            pd.Timestamp("2026-03-13", tz="UTC"),
        )
        assert first["cost_minor"] == 250 * quantity


def test_goods_long_overdue_are_not_counted_on() -> None:
    """A week late they may still come, later they are a question to the supplier."""
    days = [pd.Timestamp(AS_OF) + pd.Timedelta(days=days) for days in (-8, -7, 3)]
    incoming = pd.DataFrame({"product_id": [1, 1, 2], "units": [5, 6, 7], "expected_at": days})
    assert coming_in_time(incoming, RULES, AS_OF).to_dict() == {1: 6, 2: 7}
