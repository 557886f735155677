"""Writes what counts found: the variance report, the adjustment file of each warehouse, record accuracy, a trend."""

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
    counted_places,
    open_findings,
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
    findings = count_reports.findings_at(connection, moment)
    adjusted = count_reports.adjusted_at(connection, moment)
    sites = [read(f"warehouses/{name}.yaml", Warehouse) for name in names("warehouses")]
    written = _adjustments(connection, folder, adjusted, sites, moment)
    if findings.empty:
        return written
    accuracy, moves_back = accuracy_by_warehouse(findings), transfers(findings)
    written += [
        write_csv(folder / "variances.csv", findings.drop(columns=NOT_FOR_CSV)),
        write_csv(folder / "record-accuracy.csv", accuracy),
    ]
    written += [write_csv(folder / "transfers.csv", moves_back)] if len(moves_back) else []
    plots = _trends(connection, folder, findings, sites, moment)
    waiting = approvals.waiting_findings(connection)
    waiting = waiting[waiting["asked_at"] <= moment]
    if len(waiting):
        written.append(write_answer_sheet(folder / "approvals.xlsx", answer_sheet(waiting)))
    zones = dict(zip(findings["warehouse"], findings["time_zone"], strict=True))
    report = write_variance_workbook(folder / "variances.xlsx", _pages(findings, adjusted, plots), zones)
    return [*written, *plots, report]


def _pages(findings: pd.DataFrame, adjusted: pd.DataFrame, plots: list[Path]) -> list[Page]:
    plot = plots[0] if len(plots) == 1 else None
    pages = [
        Page("to act on", "What waits for an answer or a recount, the highest value first.", open_findings(findings)),
        Page("all lines", "Every counted place; those that match are the evidence.", counted_places(findings)),
        Page("by SKU", "Each SKU over all its bins: net is what is missing, absolute what was recorded wrongly.",
             sku_totals(findings)),
        Page("accuracy",
             "The share of counted places within tolerance; by value, the recorded value less all differences.",
             accuracy_by_warehouse(findings), plot),
        Page("shrinkage", "What was posted, by reason: lost and found, net and absolute.", shrinkage(adjusted)),
    ]  # fmt: skip
    moves_back = transfers(findings)
    wrong_bins = Page(
        "transfers", "Short in one bin, over in another: move the goods back, or approve both findings.", moves_back
    )
    return [*pages, wrong_bins] if len(moves_back) else pages


def _adjustments(
    connection: Connection, folder: Path, adjusted: pd.DataFrame, sites: list[Warehouse], moment: datetime
) -> list[Path]:
    if adjusted.empty:
        return []
    written = [write_csv(folder / "adjustments.csv", canonical(adjusted))]
    levels = count_reports.levels_after(connection, adjusted, moment)
    for site in sites:
        site_moves, site_levels = (rows[rows["warehouse"] == site.code] for rows in (adjusted, levels))
        if site.adjustments.layout != "canonical" and len(site_moves):
            table = adjustment_file(site.adjustments, site_moves, site_levels)
            written.append(write_csv(folder / f"adjustments-{site.code}-{site.adjustments.layout}.csv", table))
    return written


def _trends(
    connection: Connection, folder: Path, findings: pd.DataFrame, sites: list[Warehouse], moment: datetime
) -> list[Path]:
    """Draw one plot per warehouse that was counted, over the half year before."""
    since = moment - timedelta(days=TREND_DAYS)
    counted = count_reports.counted_since(connection, since, moment)
    days = trend(counted, count_reports.adjusted_since(connection, since, moment))
    titles = {site.code: f"{site.name}: record accuracy and shrinkage" for site in sites}
    return [
        write_trend(folder / f"trend-{code}.png", titles.get(code, code), days[days["warehouse"] == code])
        for code in sorted(findings["warehouse"].unique())
    ]
