"""What came back: which units it is and what is paid back, to the cent and never more than was paid."""

from datetime import UTC, datetime

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.returns.refunds import order_payment, refund_minor
from tasks.domain.returns.return_policy import Answer, Grade, PolicyRule, ReturnPolicy
from tasks.domain.returns.returned_goods import anchors, returned_units
from tasks.domain.states import Disposition

DAY = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = ReturnPolicy(
    "1", "MAIN", 3, 7,
    (PolicyRule("always", Answer.MANUAL),), {"as_new": Grade(Disposition.RESTOCK)},
)  # fmt: skip


def lines(*of: tuple[int, int, int]) -> pd.DataFrame:
    """Order lines of (units, unit price, discount)."""
    return pd.DataFrame(
        [
            {"line_number": number, "ordered": units, "unit_price_minor": price, "discount_minor": discount}
            for number, (units, price, discount) in enumerate(of, 1)
        ]
    )


def units(line: int, first: int, refundable: int, deduct: int = 0) -> pd.DataFrame:
    """Units of one line that came back."""
    return pd.DataFrame([{"line_number": line, "first": first, "refundable": refundable, "deduct_percent": deduct}])


@settings(deadline=None)  # the machine may be busy
@given(
    st.lists(st.tuples(st.integers(1, 7), st.integers(0, 10_000), st.integers(0, 3_000)), min_size=1, max_size=4),
    st.none() | st.integers(0, 60_000),
    st.data(),
)
def test_all_units_back_one_by_one_pay_all_that_was_paid_for_them(
    of: list[tuple[int, int, int]], total: int | None, data: st.DataObject
) -> None:
    """In whatever steps: the sum is what was paid for the goods, never above the payment."""
    order = order_payment(lines(*of), total, is_paid=True)
    given_back = 0
    for number, (count, _, _) in enumerate(of, 1):
        first = 0
        while first < count:
            step = data.draw(st.integers(1, count - first))
            given_back += refund_minor(units(number, first, step), order, given_back, with_charges=False)
            first += step
    assert given_back == int(order.goods.sum()) == order.total - order.charges
    assert given_back <= order.total


def test_a_discount_on_the_order_is_taken_off_every_line() -> None:
    """30.00 of goods paid with 20.00: each line by its weight, no cent lost."""
    order = order_payment(lines((1, 2000, 0), (1, 1000, 0)), 2000, is_paid=True)
    assert order.goods.tolist() == [1333, 667]
    assert order.charges == 0


def test_a_deduction_is_rounded_to_the_cent_and_shipping_is_never_deducted() -> None:
    """Half of 3.33 is kept; 4.95 for the way there is paid in full."""
    order = order_payment(lines((1, 333, 0)), 828, is_paid=True)
    assert refund_minor(units(1, 0, 1, deduct=50), order, 0, with_charges=True) == 333 - 167 + 495


def test_what_was_not_paid_is_not_paid_back() -> None:
    """An unpaid order, and one whose payment went back already."""
    assert (
        refund_minor(units(1, 0, 1), order_payment(lines((1, 500, 0)), 500, is_paid=False), 0, with_charges=True) == 0
    )
    assert (
        refund_minor(units(1, 0, 1), order_payment(lines((1, 500, 0)), 500, is_paid=True), 700, with_charges=False) == 0
    )


def test_units_fall_to_lines_in_their_order_and_to_returns_in_theirs() -> None:
    """Two lines of one product, two returns: no unit is counted twice."""
    of_order = pd.DataFrame(
        {"order_id": 1, "line_number": [1, 2], "sku": "MUG", "shipped": [2, 2], "came_back": [1, 0]}
    )
    came = pd.DataFrame(
        {
            "return_id": [1, 2],
            "order_id": 1,
            "sku": "MUG",
            "returned": [2, 1],
            "refundable": [2, 0],
            "deduct_percent": 0,
        }
    )
    found = returned_units(came, of_order)[["return_id", "line_number", "first", "returned", "refundable"]]
    assert found.to_numpy().tolist() == [[1, 1, 1, 1, 1], [1, 2, 0, 1, 1], [2, 2, 1, 1, 0]]


def test_days_count_from_the_last_parcel_or_from_what_is_known() -> None:
    """Delivered; left but not delivered; fulfilled elsewhere; only paid; and nothing at all."""
    at = pd.Timestamp(DAY)
    day = pd.Timedelta(days=1)
    parcels = pd.DataFrame(
        {
            "order_id": [1, 1, 2, 2],
            "shipped_at": [at, at, at, at + day],
            "delivered_at": [at + day, at + 5 * day, at, pd.NaT],
        }
    )
    orders = pd.DataFrame(
        {"order_id": [1, 2, 3, 4, 5], "fulfilled_at": [pd.NaT, pd.NaT, at, pd.NaT, pd.NaT],
         "paid_at": [at, at, at, at, pd.NaT]}
    )  # fmt: skip
    for name in ("fulfilled_at", "paid_at"):
        orders[name] = pd.to_datetime(orders[name], utc=True)
    found = anchors(parcels, orders, POLICY).set_index("order_id")
    after = (found["anchored_at"] - at).dt.days
    assert after[[1, 2, 3, 4]].tolist() == [5, 4, 3, 7]
    assert found["anchored_at"].isna().tolist() == [False] * 4 + [True]
    assert found["anchor"].str.partition(" ")[0].tolist() == ["delivery", "3", "3", "7", "7"]
