"""Writes the documents of counting from what was committed: reports, adjustments, sheets to count and to answer."""

from datetime import datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection

from config.settings import settings
from tasks.domain.counting.count_plans import walking_order
from tasks.domain.counting.count_sheets import blind_sheet
from tasks.runs.step import step
from tasks.steps.counting.write_variance_reports import write_variance_reports
from tasks.store.counting import count_reports, count_sheets
from tasks.store.database.engine import engine
from tasks.store.run_log import log


@step(task_run_name="write the documents of {flow}")
def write_count_documents(flow: str) -> list[Path]:
    """Write the documents of every moment that has none yet; the same rows give the same bytes.

    If a run stops between its commit and its documents, the next one writes them.
    """
    written: list[Path] = []
    is_result = flow == "reconcile-counts"
    with engine().begin() as connection:
        query = count_reports.undocumented_results if is_result else count_sheets.undocumented_plans
        for moment, fingerprint, rows in query(connection).itertuples(index=False):
            folder = settings().documents(flow, moment)
            if is_result:
                written += write_variance_reports(connection, folder, moment)
            written += _sheets(connection, folder, moment, recount=is_result)
            log(connection, flow=flow, step="documents", as_of=moment, fingerprint=fingerprint, rows_in=rows,
                rows_out=rows)  # fmt: skip
    return written


def _sheets(connection: Connection, folder: Path, moment: datetime, *, recount: bool) -> list[Path]:
    """Write a workbook and a printed sheet per count document, places in walking order."""
    from tasks.documents.count_workbooks import write_sheet
    from tasks.documents.printed_count_sheets import write_paper  # with libraries that only a sheet needs

    written: list[Path] = []
    lines = count_sheets.sheet_lines(connection, moment, recount=recount)
    for _, document in lines.groupby(["code", "round"], sort=True):
        rows = walking_order(document)
        sheet = blind_sheet(rows)
        path = folder / f"{_file_name(sheet['count_id'].iloc[0])}.xlsx"
        written += [write_sheet(path, sheet), write_paper(path.with_suffix(".pdf"), sheet, _excluded_counters(rows))]
    return written


def _excluded_counters(rows: pd.DataFrame) -> str:
    """Who counted places of the sheet before, and must not count them again."""
    before = sorted(set(rows["counted_before"].dropna()))
    return f"(not by {', '.join(before)})" if before else ""


def _file_name(count_id: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in count_id)
