"""Money in whole minor units of a currency: divided without loss, and formatted for people."""

from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from babel.numbers import format_currency, get_currency_precision


@cache
def exponent(currency: str) -> int:
    """The number of decimals of the currency (ISO 4217): 2 for GBP, 0 for JPY."""
    return int(get_currency_precision(currency))


def format_amount(amount_minor: int, currency: str, language: str = "en") -> str:
    """The amount as a customer reads it, such as £12.50."""
    return str(format_currency(Decimal(int(amount_minor)).scaleb(-exponent(currency)), currency, locale=language))


def in_major_units(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with each `x_minor` replaced by the text `x` in units of `currency`: 2200 is 22.00 GBP or 2200 JPY."""
    minor = [str(name) for name in frame if str(name).endswith("_minor")] if "currency" in frame else []
    written = {
        name: pd.Series(
            [_written(amount, code) for amount, code in zip(frame[name], frame["currency"], strict=True)],
            index=frame.index, dtype="str",
        )
        for name in minor
    }  # fmt: skip
    return frame.assign(**written).rename(columns={name: name.removesuffix("_minor") for name in minor})


def _written(amount_minor: Any, currency: Any) -> str | None:
    if pd.isna(amount_minor) or pd.isna(currency) or not currency:
        return None
    return str(Decimal(int(amount_minor)).scaleb(-exponent(currency)))


def divide(amount_minor: int, weights: pd.Series) -> pd.Series:
    """Shares of `amount_minor` in proportion to `weights` (not negative), int64; their sum is exactly the amount.

    Largest remainder method (Hamilton); ties go to the earlier row. Shares are equal when all weights are 0.
    """
    if weights.empty:
        return pd.Series(dtype="int64", index=weights.index)
    parts = weights.astype("int64") if int(weights.sum()) else pd.Series(1, index=weights.index, dtype="int64")
    total = int(parts.sum())
    exact = [int(amount_minor) * int(part) for part in parts]
    shares = np.array([product // total for product in exact], dtype="int64")
    remainders = np.array([product % total for product in exact])
    remaining = int(amount_minor) - int(shares.sum())
    shares[np.argsort(-remainders, kind="stable")[:remaining]] += 1
    return pd.Series(shares, index=weights.index)
