"""Steps of report-kpis: compute the figures of the period, and write the operations report."""

from datetime import date, datetime
from pathlib import Path

import pandas as pd
from prefect import task
from sqlalchemy import Connection

from config.read import read
from config.settings import settings
from tasks.configured import merchants, warehouses
from tasks.documents import operations_page
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.ship_by import urgent_orders
from tasks.domain.reporting import operations_report, service_figures
from tasks.domain.reporting.figures import KpiRules, Period, period, restated
from tasks.domain.reporting.findings import Finding, FindingKind
from tasks.domain.reporting.floor_figures import CONTENT_FAULTS
from tasks.domain.reporting.operations_report import Facts, Report
from tasks.domain.reporting.waiting_lists import BROKEN_RECORDS, filled_lists
from tasks.domain.sites.sites import silent_channels
from tasks.service.service_problems import service_problems
from tasks.steps.ordering.audit_oversell import audit_findings
from tasks.store.audit import broken_records
from tasks.store.database.engine import reading
from tasks.store.ordering import due_orders
from tasks.store.reporting import figure_rows, order_facts, waiting_lists


@task(task_run_name="compute the figures")
def measure(as_of: datetime, day: date | None) -> Report:
    """Compute every figure and list in one reading transaction, and compare the figures with the previous report."""
    rules = read("rules/kpis.yaml", KpiRules)
    when = period(rules, as_of, day)
    with reading().connect() as connection:
        facts = _facts(connection, when)
        orders = operations_report.judged_orders(facts, rules, silent_channels(merchants()))
        late = operations_report.late_orders(orders, when, rules)
        lists = _waiting(connection, when) | {"late_orders": late, "oversell": audit_findings(connection)}
        lists[BROKEN_RECORDS] = broken_records(connection, {site.code: site.carts for site in warehouses()})
    lists["service"] = service_problems()
    figures = operations_report.figures(facts, orders, when, rules)
    earlier = operations_page.earlier_days(settings().folder("reports"), when.last)
    return Report(
        when=when,
        rules=rules,
        figures=figures,
        waiting=tuple(filled_lists(lists)),
        faults=facts.faults,
        reasons=service_figures.return_reasons(facts.returned),
        notices=facts.notices,
        files=facts.files,
        restated=restated(earlier, figures),
    )


@task(task_run_name="write the operations report")
def write_operations_report(report: Report) -> Path:
    """Write the page and a CSV for every figure and list; the same figures give the same bytes."""
    return operations_page.write_operations_page(settings().folder("reports"), settings().folder("outgoing"), report)


def broken_record_findings(report: Report) -> list[Finding]:
    """One finding per fault of the records that do not add up; none where they all do."""
    todo = (
        f"Send waiting_{BROKEN_RECORDS}.csv, beside the operations page, to whoever maintains the installation; "
        "correct nothing by hand before."
    )
    return [
        Finding(FindingKind.BROKEN_RECORDS, len(records), str(fault), f"invariant {invariant}", todo)
        for one in report.waiting
        if one.key == BROKEN_RECORDS
        for (invariant, fault), records in one.rows.groupby(["invariant", "fault"], sort=False)
    ]


def figure_table(report: Report) -> list[dict[str, str]]:
    """The figures as rows of an artifact."""
    return [
        {"figure": line.name, "now": line.value, "of": line.basis, "target": line.target,
         "missed": "yes" if line.missed else ""}
        for line in operations_page.figure_lines(list(report.figures), report.rules)
    ]  # fmt: skip


def _facts(connection: Connection, when: Period) -> Facts:
    within = (connection, when.since, when.until)
    return Facts(
        orders=order_facts.order_rows(*within),
        parcels=figure_rows.packed_parcels(*within),
        counted=figure_rows.counted_places(*within),
        picks=figure_rows.picked_stops(*within),
        inspected=figure_rows.inspected_parcels(*within, CONTENT_FAULTS),
        faults=figure_rows.inspection_faults(*within),
        files=figure_rows.received_files(*within),
        notices=figure_rows.sent_notices(*within),
        returned=figure_rows.returned_units(*within),
        refunds=figure_rows.refund_rows(*within),
    )


def _waiting(connection: Connection, when: Period) -> dict[str, pd.DataFrame]:
    return {
        "held_parcels": waiting_lists.parcels_on_hold(connection),
        "parcels_in_trouble": waiting_lists.parcels_in_trouble(connection),
        "customers_not_reached": waiting_lists.customers_not_reached(connection),
        "returns_by_hand": waiting_lists.returns_by_hand(connection),
        "refunds_to_pay": waiting_lists.refunds_to_pay(connection),
        "due_orders": _due(connection, when),
        "held_orders": waiting_lists.orders_on_hold(connection),
        "open_alerts": waiting_lists.open_alerts(connection),
        "counts_in_review": waiting_lists.counts_in_review(connection),
        "refused_files": waiting_lists.refused_files(connection, when.since),
        "quarantine": waiting_lists.quarantine(connection),
    }


def _due(connection: Connection, when: Period) -> pd.DataFrame:
    """Orders that are due soon and not late yet, with their label."""
    rules = read("rules/allocation.yaml", AllocationRules).ship_by
    orders = urgent_orders(due_orders.unsent_orders(connection), when.as_of, rules)
    return orders[orders["urgency"] == "DUE"].reset_index(drop=True)
