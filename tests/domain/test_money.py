"""Money: no cent is lost and none is made."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.money import divide, exponent, format_amount, in_major_units

WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=30)


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 10**12), WEIGHTS)
def test_shares_sum_to_the_amount_and_are_off_by_less_than_one(amount: int, weights: list[int]) -> None:
    """Each share is the exact one, rounded down or up."""
    shares = divide(amount, pd.Series(weights))
    assert int(shares.sum()) == amount
    total = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert total == 0 or abs(int(share) * total - amount * weight) < total


def test_the_largest_remainder_gets_the_odd_cent_and_a_tie_goes_to_the_earlier_row() -> None:
    """100 in 1:2 is 33 and 67; 100 in thirds gives the first the odd cent."""
    assert divide(100, pd.Series([1, 2])).tolist() == [33, 67]
    assert divide(100, pd.Series([1, 1, 1])).tolist() == [34, 33, 33]
    assert divide(5, pd.Series([0, 0])).tolist() == [3, 2]
    assert divide(5, pd.Series([], dtype="int64")).empty


@pytest.mark.parametrize(
    ("amount", "currency", "language", "said"),
    [
        (1250, "GBP", "en", "£12.50"),
        (1250, "EUR", "de", "12,50\xa0€"),
        (1250, "JPY", "en", "¥1,250"),
        (1, "KWD", "de", "0,001\xa0KWD"),
    ],
)
def test_money_is_written_as_its_currency_and_language_do(amount: int, currency: str, language: str, said: str) -> None:
    """Two decimals, none or three."""
    assert format_amount(amount, currency, language) == said
    assert exponent("JPY") == 0


def test_people_read_units_and_not_cents() -> None:
    """2200 of GBP is 22.00, of JPY 2200; what is missing stays missing, and a frame without currency stays as it is."""
    rows = pd.DataFrame({"amount_minor": pd.array([2200, 2200, -5, None], dtype="Int64"),
                         "currency": ["GBP", "JPY", "GBP", "GBP"]})  # fmt: skip
    written = in_major_units(rows)
    assert written.columns.tolist() == ["amount", "currency"]
    assert written["amount"].fillna("").tolist() == ["22.00", "2200", "-0.05", ""]
    assert in_major_units(rows[["amount_minor"]]).equals(rows[["amount_minor"]])
