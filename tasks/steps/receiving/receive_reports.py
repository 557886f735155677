"""What receive-exports tells the analyst."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd

from config.settings import settings
from tasks.domain.reporting.findings import Finding, FindingKind
from tasks.steps.receiving.file_job import Outcome
from tasks.steps.receiving.put_away_file import sheet_path


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
