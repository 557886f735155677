"""The sample's week, run as a newcomer runs it: every planted trouble is found, nothing else, and only once."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from plain_flows import plain
from project import ROOT
from sqlalchemy import Connection, Engine, text

from flows.run_day import run_day
from tasks.steps.prepare_database import prepare_database
from tasks.store.database.engine import engine
from tasks.store.footprint import footprint

SAMPLE = ROOT / "data" / "sample"
Fact = dict[str, Any]


def _run_the_day() -> str:
    """The day as a newcomer runs it on SQLite; on PostgreSQL without Prefect, of which nothing there differs."""
    if engine().dialect.name == "postgresql":
        prepare_database.fn()
        return str(plain(run_day)(source=str(SAMPLE)))
    done = subprocess.run(
        [sys.executable, "-m", "flows", "run-day", "--source", str(SAMPLE)],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _frozen(facts: Iterator[Fact] | list[Fact]) -> set[tuple[tuple[str, Any], ...]]:
    return {
        tuple(sorted((name, tuple(said) if isinstance(said, list) else said) for name, said in one.items()))
        for one in facts
    }


def _listed() -> list[Fact]:
    troubles = yaml.safe_load((SAMPLE / "manifest.yaml").read_text(encoding="utf-8"))["troubles"]
    return [found for one in troubles for found in one["found_as"]]


OF_FILES = {"refused_file": "refused", "quarantined_rows": "quarantined", "drift": ""}  # alert, what becomes of a file


class Findings:
    """Everything odd that the database and the documents of a run tell of, in the words of the manifest."""

    def __init__(self, connection: Connection, home: Path, listed: list[Fact]) -> None:
        self.connection = connection
        self.home = home
        self.listed = listed

    def every(self) -> Iterator[Fact]:
        """All of it."""
        for kind in ("files", "rows", "stock", "orders", "floor", "parcels", "returns", "messages"):
            yield from getattr(self, kind)()

    def _ask(self, sql: str) -> list[Fact]:
        return [dict(row) for row in self.connection.execute(text(sql)).mappings()]

    def _words(self, said: str) -> str:
        """The words the manifest quotes of a reason; all of it when it quotes none."""
        return next((one["says"] for one in self.listed if "says" in one and one["says"] in said), said)

    def _named(self, field: str) -> set[str]:
        return {one[field] for one in self.listed if field in one}

    def files(self) -> Iterator[Fact]:
        """Files refused, seen before, or partly of no concern."""
        taken = set()
        for one in self._ask("SELECT file_name, state, reason, rows_ignored FROM imports"):
            name = one["file_name"]
            taken.add(name)
            if one["state"] == "refused":
                yield {"import": "refused", "file": name, "says": self._words(one["reason"])}
            if one["rows_ignored"]:
                yield {"import": "ignored", "file": name, "rows": one["rows_ignored"]}
        put_away = {path.name for path in (self.home / "archive").rglob("*") if path.is_file()}
        yield from ({"import": "seen", "file": name} for name in put_away - taken)

    def rows(self) -> Iterator[Fact]:
        """Rows in quarantine, with the fields at fault."""
        for one in self._ask(
            "SELECT file_name, row_number, subject, reasons FROM quarantined_rows"
            " JOIN imports ON imports.id = quarantined_rows.import_id WHERE quarantined_rows.state = 'open'"
        ):
            fields = sorted({reason.partition(":")[0] for reason in one["reasons"].split("; ")})
            yield {"import": "quarantined", "file": one["file_name"], "row": one["row_number"], "fields": fields,
                   "subject": one["subject"]}  # fmt: skip

    def stock(self) -> Iterator[Fact]:
        """Where exports and ledger disagree, what a warehouse does not stock, and every alert."""
        for path in (self.home / "outgoing" / "receive-exports").rglob("drift.csv"):
            for one in pd.read_csv(path, dtype={"drift": int}).to_dict("records"):
                yield {"drift": one["drift"], **{name: one[name] for name in ("warehouse", "location", "sku")}}
        absent = self._ask(
            "SELECT sku FROM products WHERE id NOT IN (SELECT product_id FROM stock_snapshots"
            " JOIN locations ON locations.id = location_id JOIN warehouses ON warehouses.id = warehouse_id"
            " WHERE warehouses.code = 'NORTH') ORDER BY sku"
        )
        yield {"not_stocked": "NORTH", "skus": [one["sku"] for one in absent]}
        told = "SELECT kind AS alert, subject FROM alerts WHERE state <> 'resolved'"
        yield from (one for one in self._ask(told) if one["alert"] not in OF_FILES)

    def alerts_of_files(self) -> Iterator[Fact]:
        """Alerts that follow from what the manifest says of a file."""
        told = "SELECT kind AS alert, subject FROM alerts WHERE state <> 'resolved'"
        yield from (one for one in self._ask(told) if one["alert"] in OF_FILES)

    def orders(self) -> Iterator[Fact]:
        """Orders that wait or are held, and those the manifest speaks of."""
        named = self._named("order")
        for one in self._ask(
            "SELECT order_number, hold_reason, postal_code, SUM(quantity_allocated) AS promised,"
            " SUM(quantity_ordered) AS ordered,"
            " fulfilled_at IS NULL AND cancelled_at IS NULL AND refunded_minor < COALESCE(total_minor, 1) AS is_open"
            " FROM orders JOIN order_lines ON order_lines.order_id = orders.id"
            " GROUP BY orders.id, order_number, hold_reason, postal_code, fulfilled_at, cancelled_at, refunded_minor,"
            " total_minor"
        ):
            number, mine = (
                one["order_number"],
                [each for each in self.listed if each.get("order") == one["order_number"]],
            )
            if any("postal_code" in each for each in mine):
                yield {"order": number, "postal_code": one["postal_code"]}
            waits = one["is_open"] and one["promised"] < one["ordered"]
            if waits or one["hold_reason"] or any("promised" in each for each in mine):
                hold = (
                    {"hold": one["hold_reason"]} if one["hold_reason"] or any("hold" in each for each in mine) else {}
                )
                yield {"order": number, "promised": int(one["promised"]), **hold}
        assert named <= {one["order_number"] for one in self._ask("SELECT order_number FROM orders")}

    def floor(self) -> Iterator[Fact]:
        """Counted places that do not simply match, lines that were not compared, short picks."""
        place = (
            "counts.code AS count, COALESCE(locations.code, location_code) AS location, count_lines.sku AS sku"
            " FROM count_lines JOIN counts ON counts.id = count_lines.count_id"
            " LEFT JOIN locations ON locations.id = count_lines.location_id"
        )
        named = self._named("sku")
        for one in self._ask(
            f"SELECT difference AS variance, decision, {place} JOIN variances ON count_line_id = count_lines.id"
            " WHERE decision <> 'superseded'"
        ):
            if one["decision"] != "matched" or one["sku"] in named:
                yield one
        yield from self._ask(
            f"SELECT count_lines.state AS count_line, {place} WHERE counts.reason = 'sheet' AND counts.round = 1"
            " AND count_lines.state IN ('ready', 'refused')"
        )
        yield from self._ask(
            'SELECT picks.state AS pick, order_number AS "order", sku, quantity_picked AS quantity FROM picks'
            " JOIN allocations ON allocations.id = allocation_id JOIN orders ON orders.id = order_id"
            " JOIN products ON products.id = product_id WHERE picks.state <> 'picked'"
        )

    def parcels(self) -> Iterator[Fact]:
        """Findings, parcels that are not simply on their way, and events of parcels nobody knows."""
        yield from self._ask(
            "SELECT findings.code AS finding, parcel FROM findings JOIN inspections ON inspections.id = inspection_id"
            " JOIN shipments ON shipments.id = shipment_id"
        )
        yield from self._ask(
            "SELECT parcel, state FROM shipments WHERE state NOT IN ('shipped', 'in_transit', 'delivered')"
        )
        yield from self._ask("SELECT parcel AS tracking, code AS event FROM tracking_events WHERE shipment_id IS NULL")

    def returns(self) -> Iterator[Fact]:
        """Requests that were not simply granted, and what came back otherwise than as new and as agreed."""
        yield from self._ask(
            "SELECT request_id AS \"return\", state, rule FROM returns WHERE state IN ('rejected', 'manual')"
        )
        yield from self._ask(
            "SELECT order_number AS receipt, sku, quantity_received AS units, grade, disposition FROM return_lines"
            " JOIN returns ON returns.id = return_id WHERE disposition IS NOT NULL"
            " AND (disposition <> 'restock' OR quantity_received <> quantity)"
        )

    def messages(self) -> Iterator[Fact]:
        """Messages that did not go out, and why."""
        for one in self._ask(
            'SELECT messages.kind AS message, order_number AS "order", messages.state AS state, reason AS says'
            " FROM messages JOIN orders ON orders.id = order_id WHERE messages.state NOT IN ('sent', 'delivered')"
        ):
            yield one | {"says": self._words(one["says"] or "")}


@pytest.mark.usefixtures("database")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own imports
def test_the_sample_day_finds_every_planted_trouble_and_nothing_else(home: Path) -> None:
    """What the database tells of after a day is what the manifest lists; a second day changes no row of any table."""
    _run_the_day()
    listed = _listed()
    with engine().connect() as connection:
        findings = Findings(connection, home, listed)
        found, warned = _frozen(findings.every()), list(findings.alerts_of_files())
    planted = _frozen(listed)
    assert [dict(one) for one in planted - found] == []  # planted, and not found
    assert [dict(one) for one in found - planted] == []  # found, and not planted
    for alert, became in OF_FILES.items():
        files = {one["file"] for one in listed if one.get("import") == became} or {"london-1200.csv"}
        assert {one["subject"] for one in warned if one["alert"] == alert} == files
    before = _footprint(engine())
    said = _run_the_day()
    assert _footprint(engine()) == before
    assert "every file was known" in said


def _footprint(of: Engine) -> dict[str, str]:
    with of.connect() as connection:
        return footprint(connection)


def test_the_day_is_looked_at_on_friday_evening() -> None:
    """The folder says itself as of when it is to be looked at."""
    said = yaml.safe_load((SAMPLE / "day.yaml").read_text(encoding="utf-8"))["as_of"]
    assert said == datetime.fromisoformat("2026-03-06T18:00:00+00:00")
