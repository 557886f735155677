"""Lists of what needs a person now, each with what to do about it, the most urgent first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

BROKEN_RECORDS = "broken_records"  # of tasks/store/audit.py
_LISTS = {  # key: (what waits, what to do, the column with the moment it has waited since)
    "service": ("parts of the service that do not work", "Run python -m flows health; see docs/operate/running.md.",
                "since"),
    BROKEN_RECORDS: ("records that do not add up",
                     "Send the list to whoever maintains the installation; correct nothing by hand before.", "since"),
    "late_orders": ("orders past their ship-by", "Ship them next, or give the customer a new date.", "due_at"),
    "due_orders": ("orders due within a day", "Pick and pack them before their cut-off.", "ship_by"),
    "oversell": ("findings of the oversell audit", "Do what each proposes: buy, notify, count or release.", "since"),
    "held_parcels": ("parcels held at the packing bench", "Open each one, put it right and send it.", "packed_at"),
    "parcels_in_trouble": ("parcels in trouble with the carrier", "Call the carrier; replace what is lost.",
                           "shipped_at"),
    "customers_not_reached": ("messages that did not reach the customer", "Call them, or write in another way.",
                              "created_at"),
    "returns_by_hand": ("returns that no rule decides", "Decide each one with the customer, in the shop.",
                        "requested_at"),
    "refunds_to_pay": ("refunds to pay", "Pay them in the shop's payment system.", "created_at"),
    "held_orders": ("orders on hold", "Release each in held-orders.csv (inbox/holds), or cancel it in the shop.",
                    "created_at"),
    "open_alerts": ("alerts", "Buy, recount or correct; or snooze one in alerts.csv (inbox/snoozes).", "opened_at"),
    "counts_in_review": ("counted places that wait for an answer or a recount",
                         "Answer in approvals.xlsx or in the approve-counts run; recount the others.", "counted_at"),
    "refused_files": ("files refused as a whole", "Ask for a new export; the reason is beside the file.",
                      "received_at"),
    "quarantine": ("rows in quarantine", "Correct them in the spreadsheet and drop it in the inbox.", "received_at"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class WaitingList:
    """One list: `count` things wait, the oldest since `oldest`."""

    key: str
    what: str
    do: str
    count: int
    oldest: datetime | None
    rows: pd.DataFrame


def filled_lists(lists: Mapping[str, pd.DataFrame]) -> list[WaitingList]:
    """The lists that are not empty, in the order a shift works on them. A column `rows` is summed, not counted."""
    filled = []
    for key, (what, do, since) in _LISTS.items():
        rows = lists.get(key, pd.DataFrame())
        if rows.empty:
            continue
        count = int(rows["rows"].sum()) if "rows" in rows else len(rows)
        oldest = rows[since].min() if since in rows else pd.NaT
        waits_since = None if pd.isna(oldest) else oldest.to_pydatetime()
        filled.append(WaitingList(key=key, what=what, do=do, count=count, oldest=waits_since, rows=rows))
    return filled
