"""What process-returns shows in its artifact: order numbers and products, no customers."""

from collections.abc import Hashable, Mapping

import pandas as pd

from tasks.domain.money import format_amount
from tasks.steps.returns.book_returned_goods import Booked

SHOWN_MAX = 200


def returns_shown(decisions: pd.DataFrame, booked: Booked) -> list[dict[str, str]]:
    """A row a decision, a received product and a proposed refund."""
    rows = [
        *(("decided", row, row["state"], row["why"]) for row in decisions.to_dict("records")),
        *(("received", row, row["disposition"], _what(row)) for row in booked.receipts.to_dict("records")),
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


def _what(row: Mapping[Hashable, object]) -> str:
    flags = f": {row['flags']}" if row["flags"] else ""
    return f"{row['quantity_received']} of {row['quantity']} {row['sku']}, {row['grade']}{flags}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
