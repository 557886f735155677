"""An inbox of real files and a run over it, step by step as the flow does; what tests of receiving start from."""

import csv
import io
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine, Table, select

from config.settings import settings
from tasks.domain.receiving.delivery_limits import GateRules, Limit
from tasks.domain.receiving.export_kinds import KINDS
from tasks.gates.delivery import Gate
from tasks.steps.receiving.file_job import Outcome, Site
from tasks.steps.receiving.receive_exports import (
    expectations,
    find_files,
    hold_incomplete_orders,
    read_site,
    receive_kind,
)
from tasks.steps.receiving.report_drift import report_drift
from tasks.steps.receiving.warn_of_imports import warn_of_imports
from tasks.store.database.engine import engine
from tasks.store.database.frames import read
from tasks.store.schema import BOOKKEEPING, imports, metadata
from tasks.store.sites import ensure_sites

AS_OF = datetime(2026, 3, 6, 18, tzinfo=UTC)
Record = dict[str, object]


ONE_LIMIT = GateRules(shares_from_rows=100, volume_from_imports=5, default={"quarantined_share_max": Limit(refuse=0.5)})


def receive(
    as_of: datetime = AS_OF, kinds: Iterable[str] = tuple(KINDS), rules: GateRules | None = ONE_LIMIT
) -> list[Outcome]:
    """What the flow does, without server and digest; with the house's own limits and documents when `rules` is None."""
    with expectations(as_of) if rules is None else nullcontext(Gate(settings().folder("gate"), rules, as_of)) as gate:
        outcomes = receive_all(gate, as_of, kinds)
    hold_incomplete_orders.fn()
    report_drift.fn()
    warn_of_imports.fn(as_of)
    return outcomes


def receive_all(gate: Gate, as_of: datetime, kinds: Iterable[str] = tuple(KINDS)) -> list[Outcome]:
    """Every file of the inbox, kind by kind."""
    site = configured()
    with engine().begin() as connection:
        ensure_sites(connection, site.merchants, site.warehouses)
    found = find_files.fn(kinds)
    return [one for kind, files in found.items() for one in receive_kind.fn(kind, files, site, gate, as_of)]


@cache
def configured() -> Site:
    """The merchants, warehouses and layouts of the repository's own configuration."""
    return read_site.fn()


def as_csv(records: Sequence[Record]) -> str:
    """Records as CSV with every column any of them has."""
    names = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def put(home: Path, kind: str, content: str | bytes, name: str = "export.csv") -> Path:
    """A file in the inbox."""
    path = home / "inbox" / kind / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def order(number: str, line: int = 1, **other: object) -> Record:
    """One canonical order line."""
    return {
        "order_number": number, "line_number": line, "created_at": "2026-03-06 09:00:00 +0000",
        "paid_at": "2026-03-06 09:01:00 +0000", "currency": "GBP", "sku": "MUG", "quantity": 1, "unit_price": "12.50",
        "email": "jane.doe@mail.example", "customer_name": "Jane Doe", "address1": "1 Mill Lane", **other,
    }  # fmt: skip


def product(sku: str, **other: object) -> Record:
    """One canonical product of five pounds."""
    return {"sku": sku, "name": f"{sku} of stoneware", "unit_cost": "5.00", "currency": "GBP", **other}


def stock(sku: str, on_hand: object, location: str = "A-01", **other: object) -> Record:
    """What a stock export says of one place in London."""
    return {"warehouse": "London", "location": location, "sku": sku, "on_hand": on_hand,
            "snapshot_at": "2026-03-06 06:00:00 +0000", **other}  # fmt: skip


def movement(number: int, quantity: object, sku: str = "MUG", **other: object) -> Record:
    """One movement in London, in the morning."""
    return {"movement_id": f"MV-{number}", "warehouse": "MAIN", "location": "A-01", "sku": sku, "quantity": quantity,
            "kind": "adjust", "occurred_at": "2026-03-06 07:00:00 +0000", **other}  # fmt: skip


def furnish(home: Path, skus: Iterable[str] = ("MUG", "VASE"), places: Iterable[str] = ("A-01", "A-02")) -> None:
    """Products and places, so that stock can lie somewhere."""
    put(home, "products", as_csv([product(sku) for sku in skus]), "products.csv")
    put(home, "locations", as_csv([{"warehouse": "MAIN", "location": code} for code in places]), "locations.csv")


def rows(store: Engine, table: Table) -> pd.DataFrame:
    """Every row of a table."""
    with store.connect() as connection:
        return read(connection, select(table).order_by(*table.primary_key.columns))


def column(store: Engine, table: Table, name: str) -> list[object]:
    """One column of every row, None where nothing is said."""
    values = rows(store, table)[name].astype(object)
    return list(values.where(values.notna(), None))


def account(store: Engine) -> None:
    """I1, as an auditor checks it: every row of every file taken in is loaded, unchanged or quarantined."""
    taken = rows(store, imports)
    taken = taken[taken["state"] == "loaded"]
    assert (taken["rows_in"] > 0).all()
    assert (taken["rows_in"] == taken["rows_loaded"] + taken["rows_unchanged"] + taken["rows_quarantined"]).all()
    waiting = rows(store, metadata.tables["quarantined_rows"]).groupby("import_id").size()
    assert waiting.to_dict() == taken[taken["rows_quarantined"] > 0].set_index("id")["rows_quarantined"].to_dict()


def files_of(home: Path, *folders: str) -> dict[str, bytes]:
    """The files below some folders of the home, by path."""
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted((home / folder).rglob("*"))
        if path.is_file()
    }


NAMES = {
    "import_id": "imports.sha256", "corrected_by_import_id": "imports.sha256", "merchant_id": "merchants.code",
    "warehouse_id": "warehouses.code", "location_id": "locations.code", "product_id": "products.sku",
    "kit_id": "products.sku", "component_id": "products.sku", "order_id": "orders.order_number",
}  # fmt: skip


def logical(store: Engine) -> dict[str, list[str]]:
    """Every fact of every table in its own words: names in place of ids, which depend on who came first."""
    facts = {name: table for name, table in metadata.tables.items() if name not in BOOKKEEPING}
    frames = {name: rows(store, table) for name, table in facts.items()}
    said = {name: frame.astype(object).where(frame.notna(), None) for name, frame in frames.items() if len(frame)}
    told = {}
    for name, frame in said.items():
        own = frame.drop(columns="id", errors="ignore")
        for column, (table, _, word) in ((one, NAMES[one].partition(".")) for one in own.columns if one in NAMES):
            words = said.get(table, pd.DataFrame(columns=["id", word])).set_index("id")[word]
            own = own.assign(**{column: own[column].map(words)})
        told[name] = sorted(map(repr, own.itertuples(index=False, name=None)))
    return told
