"""The documents of counting, written from what was committed: variances, adjustments, accuracy, sheets to fill in."""

from datetime import datetime
from pathlib import Path

import pandas as pd
from prefect import task
from sqlalchemy import Connection

from config.settings import settings
from tasks.connectors.count_papers import write_paper
from tasks.connectors.count_sheets import write_sheet
from tasks.connectors.tables import write_csv
from tasks.domain.count_plans import walking_order
from tasks.domain.count_sheets import blind_sheet
from tasks.domain.counts import record_accuracy
from tasks.store import count_findings
from tasks.store.engine import engine
from tasks.store.run_log import log

ADJUSTMENT = ("warehouse", "location", "merchant", "sku", "condition", "lot", "difference", "reason_code", "counted_at",
              "count")  # fmt: skip


@task(task_run_name="write the documents of {flow}")
def write_documents(flow: str) -> list[Path]:
    """Write the documents of every moment that has none yet; the same rows give the same bytes.

    A run that stopped between its commit and its documents is made good by the next one.
    """
    written: list[Path] = []
    with engine().begin() as connection:
        for moment, fingerprint, rows in count_findings.undocumented(connection, flow).itertuples(index=False):
            folder = settings().documents(flow, moment)
            is_result = flow == "reconcile-counts"
            if is_result:
                written += _findings(connection, folder, moment)
            written += _sheets(connection, folder, moment, recount=is_result)
            log(connection, flow=flow, step="documents", as_of=moment, fingerprint=fingerprint, rows_in=rows,
                rows_out=rows)  # fmt: skip
    return written


def _findings(connection: Connection, folder: Path, moment: datetime) -> list[Path]:
    found = count_findings.findings_at(connection, moment)
    live = found[found["decision"] != "superseded"]
    posted = live[live["decision"] == "posted"][list(ADJUSTMENT)]
    posted = posted.rename(columns={"difference": "quantity_delta", "reason_code": "reason"})
    written = [
        write_csv(folder / "variances.csv", found.drop(columns="unit_minor")),
        write_csv(folder / "record-accuracy.csv", record_accuracy(live)),
    ]
    return [*written, write_csv(folder / "adjustments.csv", posted)] if len(posted) else written


def _sheets(connection: Connection, folder: Path, moment: datetime, *, recount: bool) -> list[Path]:
    """One workbook and one page to print a count document, places in walking order."""
    written: list[Path] = []
    lines = count_findings.sheet_lines(connection, moment, recount=recount)
    for _, of_one in lines.groupby(["code", "round"], sort=True):
        rows = walking_order(of_one)
        sheet = blind_sheet(rows)
        path = folder / f"{_file_name(sheet['count_id'].iloc[0])}.xlsx"
        written += [write_sheet(path, sheet), write_paper(path.with_suffix(".pdf"), sheet, _for_whom(rows))]
    return written


def _for_whom(rows: pd.DataFrame) -> str:
    before = sorted(set(rows["counted_before"].dropna()))
    return f"(not by {', '.join(before)})" if before else ""


def _file_name(count_id: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in count_id)
