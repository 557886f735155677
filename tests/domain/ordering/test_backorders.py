"""Why lines wait, and for how many units: one definition for alerts, feeds, available-to-promise and purchases."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from tasks.domain.ordering.allocation import order_standing
from tasks.domain.ordering.backorders import servable_lines, waiting_units
from tasks.domain.ordering.order_states import Standing

AS_OF = datetime(2026, 3, 6, 9, tzinfo=UTC)
FACTS = ("paid_at", "refunded_minor", "total_minor", "hold_reason", "hold_until")
ORDERS = {
    "plain": (AS_OF, 0, 1000, None, None),
    "unpaid": (None, 0, 1000, None, None),
    "refunded": (AS_OF, 1000, 1000, "duplicate", None),
    "held": (AS_OF, 0, 1000, "duplicate", None),
    "held until later": (AS_OF, 0, 1000, "fraud", AS_OF + timedelta(seconds=1)),
    "held until now": (AS_OF, 0, 1000, "fraud", AS_OF),
    "for nothing": (AS_OF, 0, 0, None, None),
}  # fmt: skip


def lines() -> pd.DataFrame:
    """A line of 3 units of product 1 for each of ORDERS, with the standing of its order."""
    rows = pd.DataFrame(list(ORDERS.values()), columns=list(FACTS)).assign(order=list(ORDERS), product_id=1, need=3)
    rows[["paid_at", "hold_until"]] = rows[["paid_at", "hold_until"]].astype("datetime64[s, UTC]")
    rows = rows.astype({"product_id": "Int64", "total_minor": "Int64", "hold_reason": "str"})
    return rows.assign(standing=order_standing(rows, AS_OF))


def test_an_order_that_may_not_be_served_waits_for_no_units() -> None:
    """Unpaid, refunded and held orders do not count; a hold that is over holds no longer."""
    rows = lines()
    assert dict(zip(rows["order"], rows["standing"], strict=True)) == {
        "plain": Standing.SERVABLE, "unpaid": Standing.UNPAID, "refunded": Standing.REFUNDED, "held": Standing.HELD,
        "held until later": Standing.HELD, "held until now": Standing.SERVABLE, "for nothing": Standing.SERVABLE,
    }  # fmt: skip
    assert servable_lines(rows)["order"].tolist() == ["plain", "held until now", "for nothing"]
    parts = pd.DataFrame({"product_id": [1], "part_id": [1], "quantity": [1]})
    assert waiting_units(rows, parts).to_dict() == {1: 9}


def test_a_kit_waits_for_its_components_and_an_unknown_sku_for_nothing() -> None:
    """Two kits of two cups and a tray, and a cup by itself."""
    rows = pd.DataFrame({"product_id": [9, 1, None], "need": [2, 1, 5], "standing": Standing.SERVABLE})
    parts = pd.DataFrame({"product_id": [9, 9, 1], "part_id": [1, 2, 1], "quantity": [2, 1, 1]})
    assert waiting_units(rows.astype({"product_id": "Int64"}), parts).to_dict() == {1: 5, 2: 2}
