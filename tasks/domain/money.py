"""Money: whole minor units of a currency, divided without losing any, and written for people."""

from decimal import Decimal
from functools import cache

import numpy as np
import pandas as pd
from babel.numbers import format_currency, get_currency_precision


@cache
def exponent(currency: str) -> int:
    """How many decimals the currency has (ISO 4217): 2 for GBP, 0 for JPY."""
    return int(get_currency_precision(currency))


def say(amount_minor: int, currency: str, language: str = "en") -> str:
    """The amount as a customer reads it, such as £12.50."""
    return str(format_currency(Decimal(int(amount_minor)).scaleb(-exponent(currency)), currency, locale=language))


def divide(amount_minor: int, weights: pd.Series) -> pd.Series:
    """Shares of `amount_minor` in proportion to `weights` (not negative), int64, whose sum is the amount exactly.

    Largest remainder (Hamilton); ties go to the earlier row. Equal shares where all weights are 0.
    """
    if weights.empty:
        return pd.Series(dtype="int64", index=weights.index)
    parts = weights.astype("int64") if int(weights.sum()) else pd.Series(1, index=weights.index, dtype="int64")
    whole = int(parts.sum())
    exact = [int(amount_minor) * int(part) for part in parts]
    shares = np.array([one // whole for one in exact], dtype="int64")
    remainders = np.array([one % whole for one in exact])
    left = int(amount_minor) - int(shares.sum())
    shares[np.argsort(-remainders, kind="stable")[:left]] += 1
    return pd.Series(shares, index=weights.index)
