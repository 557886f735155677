"""What needs a person now: each list with what to do about it, the most pressing first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

BROKEN_RECORDS = "broken_records"  # of tasks/store/audit.py
_WHAT = {  # key: (what waits, what to do, the column that says since when)
    "service": ("parts of the service that do not work", "Run python -m flows health; see docs/operate/running.md.",
                "since"),
    BROKEN_RECORDS: ("records that do not add up",
                     "Send the list to whoever maintains the installation; correct nothing by hand before.", "since"),
    "late_orders": ("orders past their ship-by", "Ship them next, or tell the customer a new date.", "due_at"),
    "due_orders": ("orders to be sent within a day", "Pick and pack them before their cut-off.", "ship_by"),
    "oversell": ("findings of the oversell audit", "Do what each proposes: buy, tell, count or release.", "since"),
    "held_parcels": ("parcels held at the packing bench", "Open each, put it right, send it.", "packed_at"),
    "parcels_in_trouble": ("parcels in trouble with the carrier", "Call the carrier; replace what is lost.",
                           "shipped_at"),
    "customers_not_reached": ("messages that did not reach the customer", "Call or write another way.", "created_at"),
    "returns_by_hand": ("returns no rule decides", "Decide each one with the customer, in the shop.", "requested_at"),
    "refunds_to_pay": ("refunds to pay", "Pay them in the shop's payment system.", "created_at"),
    "held_orders": ("orders on hold", "Release each in held-orders.csv (inbox/holds), or cancel it in the shop.",
                    "created_at"),
    "open_alerts": ("alerts", "Buy, recount or correct; or silence one in alerts.csv (inbox/snoozes).", "opened_at"),
    "counts_in_review": ("counted places to answer for or count again",
                         "Answer in approvals.xlsx or in the run of approve-counts; others count again.", "counted_at"),
    "refused_files": ("files refused as a whole", "Ask for a new export; the reason lies beside the file.",
                      "received_at"),
    "quarantine": ("rows in quarantine", "Correct them in the spreadsheet and drop it in the inbox.", "received_at"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Waiting:
    """One list: `count` things wait, the oldest since `oldest`."""

    key: str
    what: str
    do: str
    count: int
    oldest: datetime | None
    rows: pd.DataFrame


def waiting(lists: Mapping[str, pd.DataFrame]) -> list[Waiting]:
    """The lists that hold anything, in the order a shift would work them. A column `rows` is summed, not counted."""
    found = []
    for key, (what, do, since) in _WHAT.items():
        rows = lists.get(key, pd.DataFrame())
        if rows.empty:
            continue
        count = int(rows["rows"].sum()) if "rows" in rows else len(rows)
        oldest = rows[since].min() if since in rows else pd.NaT
        found.append(Waiting(key, what, do, count, None if pd.isna(oldest) else oldest.to_pydatetime(), rows))
    return found
