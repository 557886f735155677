"""Write the operations report."""

from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from tasks.clock import NOW, moment
from tasks.runs.artifact_tables import shown
from tasks.runs.operation import note, operation
from tasks.runs.parameters import TODAY, Day, Moment, specific
from tasks.runs.run_names import named
from tasks.steps.prepare_database import prepare_database
from tasks.steps.report_kpis import broken_record_findings, figure_table, measure, write_operations_report


@dataclass(frozen=True)
class Reported:
    """The counts of the report, and where its page is."""

    figures: int
    targets_missed: int
    for_a_person: int
    days_restated: int
    page: str


@operation(name="report-kpis", flow_run_name=named("report the figures", day=" of {}", as_of=" as of {}"))
def report_kpis(as_of: Moment = NOW, day: Day = TODAY) -> Reported:
    """Write the operations report: what needs a person now, every figure with the rows behind it, the documents.

    Records that do not add up (the invariants of docs/change/rules.md) are a list on the page and a finding of the run.
    The database does not change. A second run with the same data writes the same bytes. Late data counts on the day it
    belongs to: a figure that differs from an earlier report is listed as restated.

    Args:
        as_of: The moment to take as now. A time without a zone is in the warehouse's time zone.
        day: The last day of the report, in the time zone of config/rules/kpis.yaml. "Today" is the day of as_of.

    Returns:
        The numbers of figures, of targets missed and of things that wait for a person, and where the page is.
    """
    prepare_database()
    report = measure(moment(as_of), specific(day))
    page = write_operations_report(report)
    note(broken_record_findings(report))
    rows = figure_table(report)
    create_table_artifact(shown(rows), key="figures", description=f"Operations on {report.when.last}: {page}")
    return Reported(
        figures=len(rows),
        targets_missed=sum(1 for row in rows if row["missed"]),
        for_a_person=sum(one.count for one in report.waiting),
        days_restated=len(report.restated),
        page=str(page),
    )
