"""Steps of receive-exports: find what was delivered, and take it in kind by kind."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import pandas as pd

from config.read import names, read
from config.settings import settings
from tasks.configured import merchants, warehouses
from tasks.domain.receiving.delivery_limits import GateRules
from tasks.domain.receiving.export_kinds import KINDS
from tasks.domain.reporting.findings import Finding, FindingKind
from tasks.gates.delivery import Gate, delivery_gate
from tasks.inbox.layouts import Layout
from tasks.inbox.locks import alone
from tasks.runs.step import step
from tasks.steps.receiving.file_job import Intaking, Outcome, Site
from tasks.steps.receiving.put_away_file import put_away, sheet_path
from tasks.steps.receiving.take_in_file import take_in
from tasks.store.database.engine import engine, exclusive
from tasks.store.receiving.loaders import orders
from tasks.store.receiving.loaders.all_kinds import LOADERS
from tasks.store.sites import ensure_sites

UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")


@step(task_run_name="read merchants, warehouses and layouts")
def read_site() -> Site:
    """The configured merchants, warehouses and layouts; the first two are made rows of the database."""
    sellers, buildings = merchants(), warehouses()
    layouts = [read(f"exports/{name}.yaml", Layout) for name in names("exports")]
    with engine().begin() as connection:
        ensure_sites(connection, sellers, buildings)
    default = settings().merchant or (sellers[0].code if len(sellers) == 1 else "")
    return Site(sellers, buildings, layouts, default)


@step(task_run_name="look into the inbox")
def find_files(kinds: Iterable[str]) -> dict[str, list[Path]]:
    """What lies in the inbox, by kind in the order they must be received; files still being written are left."""
    inbox = settings().folder("inbox")
    found = {kind: sorted(path for path in (inbox / kind).rglob("*") if _finished(path)) for kind in KINDS}
    return {kind: paths for kind, paths in found.items() if paths and kind in set(kinds)}


def _finished(path: Path) -> bool:
    return path.is_file() and not path.name.startswith((".", "~$")) and path.suffix.lower() not in UNFINISHED


def expectations(as_of: datetime) -> AbstractContextManager[Gate]:
    """The gate every file of a run goes through; its documents are built once, at the end."""
    return delivery_gate(settings().folder("reports") / "expectations", read("rules/gates.yaml", GateRules), as_of)


@step(task_run_name="take in {kind}")
def take_in_kind(kind: str, files: Sequence[Path], site: Site, gate: Gate, as_of: datetime) -> list[Outcome]:
    """Take in every file of one kind; whatever becomes of one, the next goes on."""
    outcomes = []
    for path in files:
        merchant = _named_by(path, [one.code for one in site.merchants]) or site.merchant
        warehouse = _named_by(path, [one.code for one in site.warehouses])
        job = Intaking(path, KINDS[kind], merchant, warehouse, site, gate, LOADERS[kind], as_of)
        with alone(settings().folder(".staging") / f"{kind}.lock"):
            if path.exists():  # otherwise another run was quicker and has put it away
                outcome = take_in(job)
                put_away(path, outcome, as_of)
                outcomes.append(outcome)
    return outcomes


def _named_by(path: Path, codes: Sequence[str]) -> str:
    """A folder between the kind's and the file may name the merchant, another the warehouse; otherwise nothing."""
    return next((part for part in reversed(path.parent.parts) if part in codes), "")


@step(task_run_name="hold orders that are incomplete")
def settle_orders() -> int:
    """Hold the orders a row of which waits in quarantine, let go those whose rows were corrected."""
    with engine().begin() as connection:
        exclusive(connection, "receive")
        return orders.hold_incomplete(connection)


def artifact_rows(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """A row a file: what became of it and of its rows, and why; refused files first."""
    order = {"refused": 0, "loaded": 1, "seen": 2}
    told = sorted(outcomes, key=lambda one: (order[one.state], one.kind, one.file_name))
    return [
        {
            "kind": one.kind,
            "file": one.file_name,
            "state": one.state,
            "layout": one.layout,
            "rows": one.rows_in,
            "loaded": one.rows_loaded,
            "unchanged": one.rows_unchanged,
            "quarantined": one.rows_quarantined,
            "ignored": one.rows_ignored,
            "why": "; ".join([*([one.reason] if one.reason else []), *one.warnings]),
        }
        for one in told
    ]


def findings(outcomes: Sequence[Outcome], drift: pd.DataFrame, as_of: datetime) -> list[Finding]:
    """What a person must look at: files refused, rows in quarantine, places where shop and ledger disagree.

    `drift`: as of report_drift. Of what a file says nothing is quoted but the names of its columns.
    """
    return [*_refused(outcomes, as_of), *_quarantined(outcomes), *_adrift(drift)]


def _refused(outcomes: Sequence[Outcome], as_of: datetime) -> Iterator[Finding]:
    page = settings().home / "reports" / "expectations" / f"{as_of:%Y-%m-%d}" / "index.html"
    judged = f" How its delivery was judged: {in_data(page)}." if page.exists() else ""
    for one in outcomes:
        if one.state == "refused":
            folder = in_data(settings().home / "quarantine" / one.kind / "refused")
            todo = f"Correct the file, which lies in {folder} with the reason, and drop it in {_inbox(one.kind)} again."
            yield Finding(FindingKind.REFUSED_FILE, 1, one.file_name, one.reason, todo + judged)


def _quarantined(outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    for one in outcomes:
        if one.rows_quarantined:
            named = [(name if name != "row" else "the row as a whole", count) for name, count in one.columns]
            why = ", ".join(f"{name} {count:,}" for name, count in named) or "not as many cells as the header"
            sheet = in_data(sheet_path(one.kind, one.file_name, one.import_id))
            todo = f"Correct the rows in {sheet} and drop the sheet in {_inbox(one.kind)}."
            yield Finding(FindingKind.QUARANTINED_ROWS, one.rows_quarantined, one.file_name, f"by column: {why}", todo)


def _adrift(drift: pd.DataFrame) -> Iterator[Finding]:
    folder = in_data(settings().home / "outgoing" / "receive-exports")
    for name, places in drift.groupby("file", sort=False) if len(drift) else ():
        units, todo = int(places["drift"].abs().sum()), f"Look at drift.csv in {folder}; count what is in doubt."
        yield Finding(FindingKind.DRIFT, len(places), str(name), f"{units:,} units apart", todo)


def _inbox(kind: str) -> str:
    return in_data(settings().home / "inbox" / kind)


def in_data(path: Path) -> str:
    """A path as people know it: from the data folder on."""
    return path.resolve().relative_to(settings().home.resolve().parent).as_posix()
