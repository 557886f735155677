"""December 2010 of a real gift shop, day after day through run-day: every invariant holds after each."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from invariants import changed_by, hold
from plain_flows import plain
from project import ROOT, SHARED
from real_shop import PSEUDO, Floor, Invoices, configure
from sqlalchemy import Engine, text

from flows.run_day import run_day
from tasks.steps.prepare_database import prepare_database
from tasks.store.database.engine import engine, reading

DATA = SHARED / "data" / "online_retail"
DAYS = {"sqlite": 20, "postgresql": 3}
WHOLE_DAYS = (0, 7, 19)  # with every page drawn, and run twice; all of them when the environment asks for it
EVERY_DAY = "ONLINE_RETAIL_EVERY_DAY_TWICE" in os.environ
PAPER = frozenset({"plan_waves.write_pick_lists", "run_day.report_kpis"})
Run = Callable[[Path, datetime], Any]

pytestmark = [
    pytest.mark.skipif(not DATA.is_dir(), reason="the Online Retail days (../shared/data/online_retail) are not here"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # Great Expectations' own imports
]


class Books:
    """What the database says, beside what the floor and the files say."""

    def __init__(self, store: Engine, floor: Floor) -> None:
        self.store, self.floor = store, floor

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a question."""
        with self.store.execution_options(reading=True).connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    def every_row_was_taken_in(self, number: int) -> None:
        """Each file was loaded whole: the day's invoices as orders, credit notes and adjustments, the rest ignored."""
        assert self.ask("SELECT file_name, reason FROM imports WHERE state <> 'loaded'") == []
        assert self.ask("SELECT row_number, reasons FROM quarantined_rows") == []
        rows = self.floor.invoices.exported(number)
        of = {kind: [row for row in rows if row["kind"] == kind] for kind in ("order", "credit", "adjust")}
        notes = {(row["InvoiceNo"], row["StockCode"]) for row in of["credit"]}
        wanted = {"orders": len(of["order"]), "movements": len(of["adjust"]), "return_requests": len(notes)}
        name = f"retail-{self.floor.invoices.days[number]:%Y-%m-%d}.csv"
        told = self.ask(f"SELECT kind, rows_in, rows_in + rows_ignored FROM imports WHERE file_name = '{name}'")
        assert {kind: loaded for kind, loaded, _ in told} == wanted
        assert {every for kind, _, every in told if kind != "return_requests"} == {len(rows)}

    def no_charge_became_goods(self) -> None:
        """Postage, fees, vouchers and the like are no product, no order line and nothing that comes back."""
        skus = {sku for table in ("products", "order_lines", "return_lines")
                for (sku,) in self.ask(f"SELECT DISTINCT sku FROM {table}")}  # fmt: skip
        assert skus
        assert {sku for sku in skus if sku.upper() in PSEUDO or sku.lower().startswith("gift_")} == set()

    def the_ledger_tells_what_happened(self, number: int) -> None:
        """Per SKU: what was there, was adjusted, supplied, shipped and sent back is what the files said."""
        adjusted: dict[str, int] = {}
        for day in range(number + 1):
            for row in self.floor.invoices.exported(day):
                if row["kind"] == "adjust":
                    adjusted[row["StockCode"]] = adjusted.get(row["StockCode"], 0) + row["units"]
        shipped = {sku: -units for sku, units in self.floor.shipped.items()}
        wanted: dict[str, dict[str, int]] = {
            "opening": self.floor.opening, "adjust": adjusted, "receipt": self.floor.received, "ship": shipped,
            "return": self.floor.returned,
        }  # fmt: skip
        told: dict[str, dict[str, int]] = {kind: {} for kind in wanted}
        sums = self.ask("SELECT kind, sku, SUM(quantity) FROM stock_moves JOIN products ON products.id = product_id"
                        " WHERE kind <> 'count' GROUP BY kind, sku")  # fmt: skip
        for kind, sku, units in sums:
            told[kind][sku] = int(units)
        assert told == {kind: {sku: n for sku, n in units.items() if n} for kind, units in wanted.items()}

    def the_ledger_is_the_floor(self) -> int:
        """Except where something got lost since the last count that was closed. Gives how many places are counted so.

        What was picked and waits in a box is still on hand.
        """
        levels = {(place, sku): int(units) for place, sku, units in self.ask(
            "SELECT locations.code, sku, on_hand FROM stock_levels JOIN locations ON locations.id = location_id"
            " JOIN products ON products.id = product_id WHERE condition = 'available'")}  # fmt: skip
        closed = {(place, sku): str(at)[:10] for place, sku, at in self.ask(
            "SELECT locations.code, sku, MAX(counted_at) FROM count_lines"
            " JOIN locations ON locations.id = location_id WHERE count_lines.state IN ('matched', 'posted')"
            " GROUP BY locations.code, sku")}  # fmt: skip
        lost = self.floor.lost
        unknown = {here for here, day in lost.items() if closed.get(here, "") <= f"{day:%Y-%m-%d}"}
        there = {here: self.floor.shelf[here] + self.floor.away[here] for here in levels | self.floor.shelf}
        wrong = {here: (levels.get(here, 0), units) for here, units in there.items()
                 if here not in unknown and levels.get(here, 0) != units}  # fmt: skip
        assert wrong == {}
        return len(lost.keys() - unknown)

    def figures(self, day: datetime) -> str:
        """One line about the day."""
        asked = {
            "orders": "SELECT COUNT(*) FROM orders",
            "units ordered": "SELECT SUM(quantity_ordered) FROM order_lines",
            "promised": "SELECT SUM(quantity_allocated) FROM order_lines",
            "picks short": "SELECT COUNT(*) FROM picks WHERE state = 'short'",
            "parcels held": "SELECT COUNT(*) FROM shipments WHERE state = 'held'",
            "units shipped": "SELECT SUM(quantity_shipped) FROM order_lines",
            "delivered": "SELECT SUM(quantity_delivered) FROM order_lines",
            "counted": "SELECT COUNT(*) FROM variances",
            "posted": "SELECT COUNT(*) FROM variances WHERE decision = 'posted'",
            "requests": "SELECT COUNT(*) FROM returns",
            "refunds": "SELECT COUNT(*) FROM refunds",
            "alerts": "SELECT COUNT(*) FROM alerts WHERE state = 'open'",
        }
        return f"{day:%d %b}: " + ", ".join(f"{name} {self.ask(sql)[0][0]:,}" for name, sql in asked.items())


def _as_command(source: Path, as_of: datetime) -> Any:
    """The day as an analyst runs it, under Prefect."""
    done = subprocess.run(
        [sys.executable, "-m", "flows", "run-day", "--source", str(source), "--as-of", as_of.isoformat()],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def _whole(source: Path, as_of: datetime) -> Any:
    return plain(run_day)(source=str(source), as_of=as_of)


def _without_paper(source: Path, as_of: datetime) -> Any:
    return plain(run_day, PAPER)(source=str(source), as_of=as_of)


def _way(number: int, store: Engine) -> Run:
    """PostgreSQL's first day runs under Prefect; of the others some draw every page."""
    if number == 0 and store.dialect.name == "postgresql":
        return _as_command
    return _whole if number in WHOLE_DAYS or EVERY_DAY else _without_paper


@pytest.mark.usefixtures("database")
def test_a_real_shops_december_keeps_every_invariant(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty days of invoices, credit notes and adjustments: rows, stock, promises and returns add up every evening."""
    monkeypatch.setenv("FULFILMENT_CONFIG", str(configure(ROOT, tmp_path / "config")))
    prepare_database.fn()
    invoices = Invoices(DATA)
    floor = Floor(invoices, reading(), home, tmp_path / "papers")
    books, days = Books(engine(), floor), invoices.days[: DAYS[engine().dialect.name]]
    for number, day in enumerate(days):
        source, as_of = floor.papers(number), day + timedelta(hours=18)
        _way(number, engine())(source, as_of)
        hold(engine(), idle_since=as_of + timedelta(seconds=1))
        books.every_row_was_taken_in(number)
        books.no_charge_became_goods()
        books.the_ledger_tells_what_happened(number)
        found_again = books.the_ledger_is_the_floor()
        if number in WHOLE_DAYS or EVERY_DAY:
            assert changed_by(engine(), partial(_whole, source, as_of)) == []
        print(books.figures(day), f"losses found {found_again}", sep=", ")  # noqa: T201 - shown with -s
    if len(days) == len(invoices.days):
        _everything_happened(books)
        _the_month_adds_up(books)


def _everything_happened(books: Books) -> None:
    """The month was no quiet one: what the invariants are about did occur."""
    happened = {
        "an oversold SKU was supplied": "SELECT COUNT(*) FROM alerts WHERE kind = 'oversell' AND state = 'resolved'",
        "a pick was short": "SELECT COUNT(*) FROM picks WHERE state = 'short'",
        "a parcel was held": "SELECT COUNT(*) FROM shipments WHERE state = 'held'",
        "a parcel had trouble": "SELECT COUNT(*) FROM shipments WHERE state = 'exception'",
        "a parcel arrived": "SELECT COUNT(*) FROM shipments WHERE state = 'delivered'",
        "a difference was posted": "SELECT COUNT(*) FROM variances WHERE decision = 'posted'",
        "a place was counted again": "SELECT COUNT(*) FROM counts WHERE round > 1",
        "a difference waits for a person": "SELECT COUNT(*) FROM variances WHERE decision = 'review'",
        "money is paid back": "SELECT COUNT(*) FROM refunds",
        "goods came back spoilt": "SELECT COUNT(*) FROM stock_levels WHERE condition = 'quarantine' AND on_hand > 0",
    }  # fmt: skip
    assert [what for what, sql in happened.items() if not books.ask(sql)[0][0]] == []


def _the_month_adds_up(books: Books) -> None:
    """Orders, units, money, credit notes and adjustments are those pandas counts in the files."""
    files = [pd.read_csv(file, dtype={"InvoiceNo": str, "StockCode": str}) for file in sorted(DATA.glob("*.csv"))]
    rows = pd.concat(files, ignore_index=True)
    code = rows["StockCode"].str.upper()
    rows["goods"] = ~code.isin(PSEUDO) & ~code.str.startswith("GIFT_")
    credit = rows["InvoiceNo"].str.startswith("C")
    priced = (rows["UnitPrice"] != 0) | rows["CustomerID"].notna()
    nobodys = ~priced.groupby(rows["InvoiceNo"]).transform("any")
    adjusts = ~credit & ((rows["Quantity"] < 0) | nobodys)
    sold = rows[~credit & ~adjusts & rows["goods"]]
    back, moved = rows[credit & rows["goods"]], rows[adjusts & rows["goods"]]
    billed = rows[rows["InvoiceNo"].isin(sold["InvoiceNo"])]
    pence = (billed["Quantity"] * billed["UnitPrice"] * 100).groupby(billed["InvoiceNo"]).sum().round().sum()
    wanted = [
        (sold["InvoiceNo"].nunique(), pence),
        (len(sold), sold["Quantity"].sum()),
        (back["InvoiceNo"].nunique(), len(back.drop_duplicates(["InvoiceNo", "StockCode"])), -back["Quantity"].sum()),
        (len(moved), moved["Quantity"].sum()),
    ]
    told = [
        books.ask("SELECT COUNT(*), SUM(total_minor) FROM orders")[0],
        books.ask("SELECT COUNT(*), SUM(quantity_ordered) FROM order_lines")[0],
        books.ask("SELECT COUNT(DISTINCT request_id), COUNT(*), SUM(quantity) FROM returns"
                  " JOIN return_lines ON return_lines.return_id = returns.id")[0],
        books.ask("SELECT COUNT(*), SUM(quantity) FROM stock_moves WHERE kind = 'adjust'")[0],
    ]  # fmt: skip
    assert told == wanted
