"""Figures of orders: on time, filled, perfect, cycle times, oversold, cancelled, open (K1, K2, K3, K6, K8, K9, K10).

`orders`: one row per order, columns as in `store.reporting.order_facts.order_rows`, and those `with_due_date` adds.
"""

import math
from collections.abc import Collection
from datetime import datetime

import pandas as pd

from tasks.domain.ordering.order_states import is_refunded
from tasks.domain.reporting.figures import Figure, KpiRules, Mistake, Period, durations, share

_UNDAMAGED = ("no_return_for_cause", "no_parcel_trouble")


def with_due_date(orders: pd.DataFrame, rules: KpiRules) -> pd.DataFrame:
    """Orders with `due_at` and `complete_at`: due is the ship-by, or `promise_days` after payment (or creation)."""
    start = orders["paid_at"].fillna(orders["created_at"])
    due = orders["ship_by"].fillna(start + pd.Timedelta(days=rules.promise_days))
    complete = (orders["units_shipped"] >= orders["units_wanted"]) & (orders["units_wanted"] > 0)
    left = orders["last_shipped_at"].fillna(orders["fulfilled_at"])
    return orders.assign(due_at=due, complete_at=left.where(complete))


def with_told(orders: pd.DataFrame, silent: Collection[tuple[str, str]]) -> pd.DataFrame:
    """Orders with `told`: all messages were sent, and there was one unless the (merchant, channel) is silent."""
    keys = zip(orders["merchant"], orders["channel"].fillna("").str.casefold(), strict=True)
    exempt = pd.Series([key in silent for key in keys], index=orders.index, dtype=bool)
    return orders.assign(told=orders["told_ok"] & (exempt | (orders["notices"] > 0)))


def on_time_ship(orders: pd.DataFrame, when: Period) -> Figure:
    """K1. Orders due in the period; early is on time; those cancelled by then or refunded unshipped are left out."""
    due = orders[when.contains(orders["due_at"]) & _wanted(orders)]
    due = due.assign(counted=due["complete_at"].notna() & (due["complete_at"] <= due["due_at"]))
    assumed = int(due["ship_by"].isna().sum())
    note = f"{assumed:,} orders came without a ship-by; theirs follows from the rules." if assumed else ""
    return share(
        "on_time_ship", "Shipped on time", Mistake.PROCEDURES,
        "Orders whose last parcel left by their ship-by, of all orders due in these days. Earlier counts as on time; "
        "an order cancelled by its ship-by, or refunded instead of shipped, is not counted.",
        _listed(due, "due_at", "complete_at"), day=when.days(due["due_at"]), note=note, nothing="no order was due",
    )  # fmt: skip


def fill_rates(orders: pd.DataFrame, when: Period) -> list[Figure]:
    """K2. Fill rates by line, unit and whole order, of orders whose first parcel left in the period."""
    sent = orders[when.contains(orders["first_shipped_at"]) & (orders["units_wanted"] > 0)]
    sent = sent.assign(counted=sent["lines_first"] >= sent["lines_wanted"])
    day, nothing = when.days(sent["first_shipped_at"]), "no parcel left"
    rows = _listed(sent, "first_shipped_at", "lines_wanted", "lines_first", "units_wanted", "units_first")
    about = "that left with the order's first carrier pickup, of all {} ordered and not cancelled, for orders whose "
    about += "first parcel left in these days."
    return [
        share("fill_rate_line", "Lines filled at once", Mistake.RECORDS, f"Lines {about.format('lines')}", rows,
              day=day, weight="lines_wanted", counted_weight="lines_first", nothing=nothing),
        share("fill_rate_unit", "Units filled at once", Mistake.RECORDS, f"Units {about.format('units')}", rows,
              day=day, weight="units_wanted", counted_weight="units_first", nothing=nothing),
        share("fill_rate_order", "Orders filled at once", Mistake.RECORDS,
              "Orders that left whole with the first carrier pickup, of orders whose first parcel left in these days.",
              rows, day=day, nothing=nothing),
    ]  # fmt: skip


def perfect_order(orders: pd.DataFrame, when: Period) -> list[Figure]:
    """K3. On time, in full, undamaged and notified: all four together, and the product of the four shares."""
    due = orders[when.contains(orders["due_at"]) & _wanted(orders)]
    tests = pd.DataFrame({
        "on_time": due["complete_at"].notna() & (due["complete_at"] <= due["due_at"]),
        "in_full": due["lines_first"] >= due["lines_wanted"],
        "undamaged": due[list(_UNDAMAGED)].all(axis="columns") & due["complete_at"].notna(),
        "notified": due["told"],
    })  # fmt: skip
    rows = _listed(due.assign(counted=tests.all(axis="columns")), "due_at").join(tests)
    definition = (
        "Orders due in these days that left by their ship-by, with the first pickup, without damage, exception or "
        "return for our cause, and whose customer was notified."
    )
    together = share("perfect_order", "Perfect orders", Mistake.PROCEDURES, definition, rows,
                     day=when.days(due["due_at"]), nothing="no order was due")  # fmt: skip
    rates = {str(name): float(tests[name].mean()) for name in tests} if len(due) else {}
    note = ", ".join(f"{name.replace('_', ' ')} {rate:.1%}" for name, rate in rates.items())
    product = Figure("perfect_order_product", "Perfect orders, as a product", Mistake.PROCEDURES,
                     "The shares on time, in full, undamaged and notified, multiplied.",
                     math.prod(rates.values()) if rates else None, note=note,
                     missing="" if len(due) else "no order was due")  # fmt: skip
    return [together, product]


def preship_refunds(orders: pd.DataFrame, when: Period) -> Figure:
    """K9. Paid orders of the period that were cancelled or refunded before anything left."""
    paid = orders[when.contains(orders["created_at"]) & orders["paid_at"].notna()]
    is_withdrawn = paid["cancelled_at"].notna() | (paid["refunded_minor"] > 0)
    paid = paid.assign(counted=is_withdrawn & (paid["units_shipped"] == 0))
    return share("preship_refund_rate", "Cancelled or refunded before shipping", Mistake.PROCEDURES,
                 "Paid orders cancelled or refunded before any unit left, of all paid orders placed in these days.",
                 _listed(paid, "created_at", "cancelled_at"), day=when.days(paid["created_at"]),
                 nothing="no paid order was placed")  # fmt: skip


def oversell(orders: pd.DataFrame, when: Period) -> Figure:
    """K8. Orders of the period that were oversold or held for stock."""
    placed = orders[when.contains(orders["created_at"]) & orders["paid_at"].notna()]
    placed = placed.assign(counted=placed["short_of_stock"])
    return share("oversell_rate", "Sold without stock", Mistake.RECORDS,
                 "Orders that were oversold or held for stock, of all paid orders placed in these days.",
                 _listed(placed, "created_at", "hold_reason"), day=when.days(placed["created_at"]),
                 nothing="no paid order was placed")  # fmt: skip


def cycle_times(orders: pd.DataFrame, parcels: pd.DataFrame, when: Period) -> list[Figure]:
    """K6. Click to ship of whole orders, ship to deliver of parcels."""
    complete = orders[when.contains(orders["complete_at"])]
    delivered = parcels[when.contains(parcels["delivered_at"])]
    return [
        *durations("click_to_ship", "Click to ship", Mistake.PROCEDURES,
                   "From the order to the departure of its last parcel, for orders completed in these days.",
                   complete[["merchant", "order_number", "created_at", "complete_at"]], "created_at", "complete_at"),
        *durations("ship_to_deliver", "Ship to deliver", Mistake.PROCEDURES,
                   "From the carrier's pickup to the door, for parcels delivered in these days.",
                   delivered[["merchant", "order_number", "parcel", "shipped_at", "delivered_at"]],
                   "shipped_at", "delivered_at"),
    ]  # fmt: skip


def backlog(orders: pd.DataFrame, as_of: datetime, rules: KpiRules) -> list[Figure]:
    """K10. Open orders now: their number, those past their ship-by, those due soon, and the age of the oldest."""
    is_withdrawn = orders["cancelled_at"].notna() | is_refunded(orders)
    waiting = orders[~is_withdrawn & orders["paid_at"].notna() & orders["complete_at"].isna()]
    waiting = waiting[(waiting["units_wanted"] > waiting["units_shipped"]) & waiting["fulfilled_at"].isna()]
    now, soon = pd.Timestamp(as_of), pd.Timestamp(as_of) + pd.Timedelta(hours=rules.about_to_be_late_h)
    waiting = waiting.assign(age_days=((now - waiting["created_at"]).dt.total_seconds() / 86400).round(1))
    late, near = waiting["due_at"] < now, (waiting["due_at"] >= now) & (waiting["due_at"] <= soon)
    rows = _listed(waiting.assign(counted=late), "due_at", "age_days", "hold_reason", "units_allocated")
    rows = rows.sort_values(["due_at", "merchant", "order_number"])
    oldest = float(waiting["age_days"].max()) * 24 if len(waiting) else None
    return [
        Figure("backlog_open", "Open orders", Mistake.PROCEDURES,
               "Paid orders not yet shipped in full, neither cancelled nor refunded, now.",
               float(len(waiting)), unit="count", drill=rows),
        Figure("backlog_late", "Open past their ship-by", Mistake.PROCEDURES,
               "Open orders whose ship-by has passed, now.", float(late.sum()), float(late.sum()), float(len(waiting)),
               unit="count", drill=rows[rows["counted"]]),
        Figure("backlog_near", f"Due within {rules.about_to_be_late_h} hours", Mistake.PROCEDURES,
               "Open orders that reach their ship-by soon.", float(near.sum()), float(near.sum()), float(len(waiting)),
               unit="count", drill=rows[near.reindex(rows.index)]),
        Figure("backlog_oldest", "Oldest open order", Mistake.PROCEDURES, "Age of the oldest open order, now.", oldest,
               unit="hours", missing="" if len(waiting) else "no order is open", drill=rows.head(20)),
    ]  # fmt: skip


def _wanted(orders: pd.DataFrame) -> pd.Series:
    """Whether each order was still to be shipped when it was due (bool)."""
    withdrawn = orders["cancelled_at"].notna() & (orders["cancelled_at"] <= orders["due_at"])
    given_back = is_refunded(orders) & (orders["units_shipped"] == 0)
    return ~withdrawn & ~given_back & (orders["units_wanted"] > 0)


def _listed(orders: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return orders[["merchant", "order_number", "channel", *columns, "counted"]]
