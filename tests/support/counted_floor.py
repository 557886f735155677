"""A floor that is counted: real sheets in the inbox, run after run of reconcile-counts, what tests of it start from."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inbox_run import Record, as_csv, furnish, put, receive, stock
from plain_flows import plain

from flows.reconcile_counts import Reconciled, reconcile_counts

PLACES = ("A-01", "A-02", "B-01", "B-02")
MADE_ALREADY = frozenset({"reconcile_counts.prepare_database", "receive_exports.prepare_database"})
GOODS = {"MUG": ("5.00", "A"), "VASE": ("300.00", "A"), "FLOUR": ("0.10", "C"), "JUG": ("12.00", "B")}


def moment(day: int, clock: str) -> datetime:
    """That time in March 2026."""
    return datetime.fromisoformat(f"2026-03-{day:02}T{clock}:00+00:00").astimezone(UTC)


def lay_out(home: Path, on_hand: Sequence[tuple[str, str, int]] = ()) -> None:
    """Products, places and what a stock export says lies there: (place, SKU, units)."""
    furnish(home, GOODS, PLACES)
    told: list[Record] = [{"sku": sku, "name": f"{sku.title()} of stoneware", "unit_cost": cost,
             "currency": "GBP", "abc_class": letter}
            for sku, (cost, letter) in GOODS.items()]  # fmt: skip
    put(home, "products", as_csv(told), "products.csv")
    there = on_hand or [("A-01", "MUG", 200), ("A-02", "VASE", 40), ("B-01", "FLOUR", 1000), ("B-02", "JUG", 60)]
    put(
        home,
        "stock",
        as_csv([stock(sku, units, place, snapshot_at="2026-03-01 06:00:00 +0000") for place, sku, units in there]),
        "stock.csv",
    )
    receive(moment(1, "06:30"))


def sheet(
    home: Path, code: str, rows: Sequence[tuple[str, str, int]], at: datetime, counter: str = "Ann", **other: object
) -> Path:
    """A filled count sheet in the inbox: (place, SKU, units counted)."""
    told: list[Record] = [
        {"count_id": code, "warehouse": "MAIN", "location": place, "sku": sku, "quantity": units, "counter": counter,
         "counted_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", **other}
        for place, sku, units in rows
    ]  # fmt: skip
    return put(home, "counts", as_csv(told), f"{code}-{counter}.csv")


def run(as_of: datetime, **parameters: Any) -> Reconciled:
    """One run of the flow's own code, without Prefect."""
    done: Reconciled = plain(reconcile_counts, MADE_ALREADY)(as_of=as_of, **parameters)
    return done


def folder(home: Path, as_of: datetime) -> Path:
    """Where the documents of that moment lie."""
    return home / "outgoing" / "reconcile-counts" / f"{as_of:%Y%m%dT%H%M%SZ}"
