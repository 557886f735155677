"""The artifact of process-returns: order numbers and products, no customers."""

from collections.abc import Hashable, Mapping

import pandas as pd

from tasks.domain.money import format_amount
from tasks.steps.returns.book_returned_goods import BookedReturns

SHOWN_MAX = 200


def returns_shown(decisions: pd.DataFrame, booked: BookedReturns) -> list[dict[str, str]]:
    """One row per decision, received product and proposed refund."""
    rows = [
        *(("decided", row, row["state"], row["why"]) for row in decisions.to_dict("records")),
        *(("received", row, row["disposition"], _receipt(row)) for row in booked.receipts.to_dict("records")),
        *(
            ("refund", row, format_amount(row["amount_minor"], row["currency"]), row["rule"])
            for row in booked.refunds.to_dict("records")
        ),
    ]
    return [
        {
            "step": step,
            "order": _text(row["order_number"]),
            "rma": _text(row["rma"]),
            "outcome": _text(outcome),
            "why": _text(why),
        }
        for step, row, outcome, why in rows[:SHOWN_MAX]
    ]


def _receipt(row: Mapping[Hashable, object]) -> str:
    flags = f": {row['flags']}" if row["flags"] else ""
    return f"{row['quantity_received']} of {row['quantity']} {row['sku']}, {row['grade']}{flags}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
