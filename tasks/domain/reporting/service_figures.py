"""Figures of messages and returns (K6, K7, K11).

Frames: columns as in `tasks.store.reporting.figure_rows`, limited to the period.
"""

import pandas as pd

from tasks.domain.reporting.figures import Figure, Mistake, Period, durations, share

REACHED = ("sent", "delivered")
STUCK = ("bounced", "failed", "suppressed", "in_doubt")


def notices(messages: pd.DataFrame, when: Period) -> list[Figure]:
    """K11. `messages`: merchant, order_number, kind, state, reason, created_at, sent_at; no address."""
    day, nothing = when.days(messages["created_at"]), "no message was due"
    reached = messages.assign(counted=messages["state"].isin(REACHED))
    figures = [
        share("notices_reached", "Messages sent", Mistake.SILENCE,
              "Messages sent or delivered, of all messages due in these days.", reached, day=day, nothing=nothing),
    ]  # fmt: skip
    for state in ("delivered", *STUCK, "queued"):
        name = state.replace("_", " ")
        figures.append(share(f"notices_{state}", f"Messages {name}", Mistake.SILENCE,
                             f"Messages that are {name} now, of all messages due in these days.",
                             messages.assign(counted=messages["state"] == state), nothing=nothing))  # fmt: skip
    late = durations("notice_delay", "From event to message", Mistake.SILENCE,
                     "From the moment a message was due to the moment it was sent.", messages,
                     "created_at", "sent_at")  # fmt: skip
    return [*figures, *late]


def return_rate(orders: pd.DataFrame, when: Period) -> Figure:
    """K7. Units returned of units shipped, of the orders whose first parcel left in the period."""
    sent = orders[when.contains(orders["first_shipped_at"])]
    rows = sent.assign(counted=sent["units_returned"] > 0)[
        ["merchant", "order_number", "channel", "first_shipped_at", "units_shipped", "units_returned", "counted"]
    ]
    return share("return_rate", "Units returned", Mistake.RETURNS,
                 "Units returned by now, of the units shipped, for orders whose first parcel left in these days.",
                 rows, day=when.days(sent["first_shipped_at"]), weight="units_shipped",
                 counted_weight="units_returned", nothing="no parcel left")  # fmt: skip


def returns(lines: pd.DataFrame, refunds: pd.DataFrame) -> list[Figure]:
    """K6, K7. The share of returned units that are sold again, and the time from receipt to refund.

    `lines`: merchant, order_number, rma, sku, reason, grade, disposition, quantity_received, requested_at,
    received_at, closed_at. `refunds`: merchant, order_number, rma, received_at, created_at.
    """
    returned = lines[lines["quantity_received"] > 0]
    return [
        share("recovered", "Returned units sold again", Mistake.RETURNS,
              "Units put back into stock, of all units received back in these days.",
              returned.assign(counted=returned["disposition"] == "restock"), weight="quantity_received",
              nothing="nothing was returned"),
        *durations("return_to_refund", "Return to refund", Mistake.RETURNS,
                   "From the receipt of the goods to the proposed refund, for refunds of these days.", refunds,
                   "received_at", "created_at"),
    ]  # fmt: skip


def return_reasons(lines: pd.DataFrame) -> pd.DataFrame:
    """Units returned by reason and disposition, most first: reason, disposition str, units int64.

    A reason is in the customer's own words: one that occurs only once is not quoted but counted as "other".
    """
    returned = lines[lines["quantity_received"] > 0]
    reason = returned["reason"].fillna("not stated").str.strip().str.lower()
    shared = reason.map(reason.value_counts()) > 1
    returned = returned.assign(
        reason=reason.where(shared, "other"), disposition=returned["disposition"].fillna("not decided")
    )
    returned = returned.rename(columns={"quantity_received": "units"})
    sums: pd.DataFrame = returned.groupby(["reason", "disposition"], as_index=False)[["units"]].sum()
    return sums.sort_values(["units", "reason", "disposition"], ascending=[False, True, True], ignore_index=True)
