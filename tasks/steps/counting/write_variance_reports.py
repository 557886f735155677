"""What counts found, as documents: the variance report, the adjustment file of each warehouse, accuracy, a trend."""

from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection

from config.read import names, read
from tasks.documents.accuracy_plots import write_trend
from tasks.documents.tables import write_csv
from tasks.documents.variance_workbook import Page, write_answer_sheet, write_variance_workbook
from tasks.domain.counting.approvals import answer_sheet
from tasks.domain.counting.count_reports import (
    accuracy_by_warehouse,
    counted_lines,
    open_lines,
    shrinkage,
    sku_totals,
    transfers,
    trend,
)
from tasks.domain.sites.adjustment_files import adjustment_file, canonical
from tasks.domain.sites.sites import Warehouse
from tasks.store.counting import approvals, count_reports

TREND_DAYS = 182
NOT_FOR_CSV = ["line_id", "time_zone", "unit_minor", "transfer_line_id"]


def write_variance_reports(connection: Connection, folder: Path, moment: datetime) -> list[Path]:
    """Write what was found, answered and posted at that moment below `folder`; the same rows give the same bytes."""
    found = count_reports.found_at(connection, moment)
    adjusted = count_reports.adjusted_at(connection, moment)
    sites = [read(f"warehouses/{name}.yaml", Warehouse) for name in names("warehouses")]
    written = _adjustments(connection, folder, adjusted, sites, moment)
    if found.empty:
        return written
    accuracy, moves_back = accuracy_by_warehouse(found), transfers(found)
    written += [
        write_csv(folder / "variances.csv", found.drop(columns=NOT_FOR_CSV)),
        write_csv(folder / "record-accuracy.csv", accuracy),
    ]
    written += [write_csv(folder / "transfers.csv", moves_back)] if len(moves_back) else []
    pictures = _trend(connection, folder, found, sites, moment)
    waiting = approvals.waiting(connection)
    waiting = waiting[waiting["asked_at"] <= moment]
    if len(waiting):
        written.append(write_answer_sheet(folder / "approvals.xlsx", answer_sheet(waiting)))
    zones = dict(zip(found["warehouse"], found["time_zone"], strict=True))
    report = write_variance_workbook(folder / "variances.xlsx", _pages(found, adjusted, pictures), zones)
    return [*written, *pictures, report]


def _pages(found: pd.DataFrame, adjusted: pd.DataFrame, pictures: list[Path]) -> list[Page]:
    picture = pictures[0] if len(pictures) == 1 else None
    pages = [
        Page("to act on", "What waits for an answer or another count, the dearest first.", open_lines(found)),
        Page("all lines", "Every counted place; those that match are the evidence.", counted_lines(found)),
        Page("by SKU", "Each SKU over its bins: net is what is really gone, absolute what was wrong.",
             sku_totals(found)),
        Page("accuracy", "Of the places counted, those within tolerance; by value, less what they were off.",
             accuracy_by_warehouse(found), picture),
        Page("shrinkage", "What was posted, by reason: lost and found, net and absolute.", shrinkage(adjusted)),
    ]  # fmt: skip
    moves_back = transfers(found)
    wrong = Page(
        "transfers", "Short in one bin, over in another: move the goods back, or approve both findings.", moves_back
    )
    return [*pages, wrong] if len(moves_back) else pages


def _adjustments(
    connection: Connection, folder: Path, adjusted: pd.DataFrame, sites: list[Warehouse], moment: datetime
) -> list[Path]:
    if adjusted.empty:
        return []
    written = [write_csv(folder / "adjustments.csv", canonical(adjusted))]
    levels = count_reports.levels_after(connection, adjusted, moment)
    for site in sites:
        mine, there = (rows[rows["warehouse"] == site.code] for rows in (adjusted, levels))
        if site.adjustments.layout != "canonical" and len(mine):
            table = adjustment_file(site.adjustments, mine, there)
            written.append(write_csv(folder / f"adjustments-{site.code}-{site.adjustments.layout}.csv", table))
    return written


def _trend(
    connection: Connection, folder: Path, found: pd.DataFrame, sites: list[Warehouse], moment: datetime
) -> list[Path]:
    """A picture of each warehouse that was counted, over the half year before."""
    since = moment - timedelta(days=TREND_DAYS)
    counted = count_reports.counted_since(connection, since, moment)
    days = trend(counted, count_reports.adjusted_since(connection, since, moment))
    titles = {site.code: f"{site.name}: record accuracy and shrinkage" for site in sites}
    return [
        write_trend(folder / f"trend-{code}.png", titles.get(code, code), days[days["warehouse"] == code])
        for code in sorted(found["warehouse"].unique())
    ]
