"""Whether an order is held, refunded or may be served."""

from datetime import datetime
from enum import StrEnum

import pandas as pd


class Standing(StrEnum):
    """Whether an order may be served now, and what keeps it where it may not."""

    SERVABLE = "servable"
    UNPAID = "unpaid"
    REFUNDED = "refunded"
    HELD = "held"


def is_held(orders: pd.DataFrame, as_of: datetime) -> pd.Series:
    """Whether each order is on hold now: it has a reason, and no until-date that has passed."""
    over = (orders["hold_until"] <= pd.Timestamp(as_of)).fillna(value=False).astype(bool)
    return orders["hold_reason"].notna() & ~over


def is_refunded(orders: pd.DataFrame) -> pd.Series:
    """Whether all that was paid was given back; an order that costs nothing is not refunded."""
    refunded, total = orders["refunded_minor"].fillna(0), orders["total_minor"]
    return ((refunded > 0) & (refunded >= total).fillna(value=False)).astype(bool)
