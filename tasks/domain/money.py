"""Money: whole minor units of a currency, divided without losing any, and written for people."""

from decimal import Decimal
from functools import cache
from typing import Any

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


def in_units(frame: pd.DataFrame) -> pd.DataFrame:
    """Each `x_minor` beside `currency` as `x` for people: 2200 of GBP is the text 22.00, 2200 of JPY is 2200."""
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
