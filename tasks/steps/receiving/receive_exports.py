"""Steps of receive-exports: find the delivered files, and import them kind by kind."""

from collections import Counter
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
from tasks.inbox.locks import exclusive_lock
from tasks.runs.step import step
from tasks.steps.receiving.archive_file import archive_file, sheet_path
from tasks.steps.receiving.file_job import FileJob, FileState, Outcome, Site
from tasks.steps.receiving.import_file import import_file
from tasks.store.database.engine import engine, exclusive
from tasks.store.receiving.loaders import orders
from tasks.store.receiving.loaders.all_kinds import APPENDERS, LOADERS
from tasks.store.sites import ensure_sites

UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")


@step(task_run_name="read merchants, warehouses and layouts")
def read_site() -> Site:
    """The configured merchants, warehouses and layouts; merchants and warehouses are also written to the database."""
    sellers, buildings = merchants(), warehouses()
    layouts = [read(f"exports/{name}.yaml", Layout) for name in names("exports")]
    with engine().begin() as connection:
        ensure_sites(connection, sellers, buildings)
    default = settings().merchant or (sellers[0].code if len(sellers) == 1 else "")
    return Site(sellers, buildings, layouts, default)


@step(task_run_name="find files in the inbox")
def find_files(kinds: Iterable[str]) -> dict[str, list[Path]]:
    """The files of the inbox by kind, in the order in which kinds must be imported, without unfinished files."""
    inbox = settings().folder("inbox")
    files = {kind: sorted(path for path in (inbox / kind).rglob("*") if _is_finished(path)) for kind in KINDS}
    return {kind: paths for kind, paths in files.items() if paths and kind in set(kinds)}


def _is_finished(path: Path) -> bool:
    return path.is_file() and not path.name.startswith((".", "~$")) and path.suffix.lower() not in UNFINISHED


def expectations(as_of: datetime) -> AbstractContextManager[Gate]:
    """The gate that judges every file of a run; its documents are built once, at the end."""
    return delivery_gate(settings().folder("reports") / "expectations", read("rules/gates.yaml", GateRules), as_of)


@step(task_run_name="receive {kind}")
def receive_kind(kind: str, files: Sequence[Path], site: Site, gate: Gate, as_of: datetime) -> list[Outcome]:
    """Import every file of one kind; a file that is refused does not stop the next one."""
    outcomes = []
    for path in files:
        job = _file_job(path, kind, site, gate, as_of)
        with exclusive_lock(settings().folder(".staging") / f"{kind}.lock"):
            if path.exists():  # otherwise another run has imported and moved it in the meantime
                outcome = import_file(job)
                archive_file(path, outcome, as_of)
                outcomes.append(outcome)
    return outcomes


def _file_job(path: Path, kind: str, site: Site, gate: Gate, as_of: datetime) -> FileJob:
    return FileJob(
        path=path,
        kind=KINDS[kind],
        merchant=_code_in_path(path, [merchant.code for merchant in site.merchants]) or site.merchant,
        warehouse=_code_in_path(path, [warehouse.code for warehouse in site.warehouses]),
        site=site,
        gate=gate,
        loader=LOADERS[kind],
        appender=APPENDERS.get(kind),
        as_of=as_of,
    )


def _code_in_path(path: Path, codes: Sequence[str]) -> str:
    """The code that a folder above the file is named after, the nearest first; empty when there is none.

    A folder between that of the kind and the file may name the merchant, another one the warehouse.
    """
    return next((part for part in reversed(path.parent.parts) if part in codes), "")


@step(task_run_name="hold incomplete orders")
def hold_incomplete_orders() -> int:
    """Hold orders with rows in quarantine, and release those whose rows were corrected; returns how many changed."""
    with engine().begin() as connection:
        exclusive(connection, "receive")
        return orders.hold_incomplete(connection)


def artifact_rows(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """One row per file: its outcome, the number of its rows by outcome, and the reason; refused files first."""
    order = [FileState.REFUSED, FileState.LOADED, FileState.SEEN]
    outcomes = sorted(outcomes, key=lambda outcome: (order.index(outcome.state), outcome.kind, outcome.file_name))
    return [
        {
            "kind": outcome.kind,
            "file": outcome.file_name,
            "state": outcome.state,
            "layout": outcome.layout,
            "rows": outcome.rows_in,
            "loaded": outcome.rows_loaded,
            "unchanged": outcome.rows_unchanged,
            "quarantined": outcome.rows_quarantined,
            "ignored": outcome.rows_ignored,
            "why": "; ".join([*([outcome.reason] if outcome.reason else []), *outcome.warnings]),
        }
        for outcome in outcomes
    ]


def run_counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """The numbers of files by state, and of rows by outcome, over all files of a run."""
    states = Counter(outcome.state for outcome in outcomes)
    return {
        "files_loaded": states[FileState.LOADED],
        "files_known_already": states[FileState.SEEN],
        "files_refused": states[FileState.REFUSED],
        "rows_in": sum(outcome.rows_in for outcome in outcomes),
        "rows_loaded": sum(outcome.rows_loaded for outcome in outcomes),
        "rows_unchanged": sum(outcome.rows_unchanged for outcome in outcomes),
        "rows_quarantined": sum(outcome.rows_quarantined for outcome in outcomes),
    }


def findings(outcomes: Sequence[Outcome], drift: pd.DataFrame, as_of: datetime) -> list[Finding]:
    """What a person must look at: refused files, rows in quarantine, places where shop and ledger disagree.

    `drift`: columns as in report_drift. Nothing of a file's content is quoted but the names of its columns.
    """
    return [*_refused(outcomes, as_of), *_quarantined(outcomes), *_adrift(drift)]


def _refused(outcomes: Sequence[Outcome], as_of: datetime) -> Iterator[Finding]:
    page = settings().home / "reports" / "expectations" / f"{as_of:%Y-%m-%d}" / "index.html"
    details = f" Its expectations: {in_data(page)}." if page.exists() else ""
    for outcome in outcomes:
        if outcome.state is FileState.REFUSED:
            folder = in_data(settings().home / "quarantine" / outcome.kind / "refused")
            inbox = _inbox(outcome.kind)
            todo = f"Correct the file, which lies in {folder} with the reason, and drop it in {inbox} again."
            yield Finding(FindingKind.REFUSED_FILE, 1, outcome.file_name, outcome.reason, todo + details)


def _quarantined(outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    for outcome in outcomes:
        if outcome.rows_quarantined:
            named = [(name if name != "row" else "the row as a whole", count) for name, count in outcome.columns]
            why = ", ".join(f"{name} {count:,}" for name, count in named) or "not as many cells as the header"
            sheet = in_data(sheet_path(outcome.kind, outcome.file_name, outcome.import_id))
            todo = f"Correct the rows in {sheet} and drop the sheet in {_inbox(outcome.kind)}."
            yield Finding(
                FindingKind.QUARANTINED_ROWS, outcome.rows_quarantined, outcome.file_name, f"by column: {why}", todo
            )


def _adrift(drift: pd.DataFrame) -> Iterator[Finding]:
    folder = in_data(settings().home / "outgoing" / "receive-exports")
    for name, places in drift.groupby("file", sort=False) if len(drift) else ():
        units, todo = int(places["drift"].abs().sum()), f"See drift.csv in {folder}, and count the places in doubt."
        yield Finding(FindingKind.DRIFT, len(places), str(name), f"{units:,} units apart", todo)


def _inbox(kind: str) -> str:
    return in_data(settings().home / "inbox" / kind)


def in_data(path: Path) -> str:
    """A path as people know it: from the data folder on."""
    return path.resolve().relative_to(settings().home.resolve().parent).as_posix()
