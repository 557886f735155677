"""A whole fulfilment day, every flow in order."""

from dataclasses import dataclass
from typing import Any

from prefect.artifacts import create_markdown_artifact

from flows.allocate_orders import allocate_orders
from flows.inspect_parcels import inspect_parcels
from flows.plan_counts import plan_counts
from flows.plan_purchases import plan_purchases
from flows.plan_waves import plan_waves
from flows.process_returns import process_returns
from flows.receive_exports import receive_exports
from flows.reconcile_counts import reconcile_counts
from flows.report_kpis import report_kpis
from flows.send_messages import send_messages
from flows.track_shipments import track_shipments
from tasks.clock import NOW, moment
from tasks.runs.operation import operation
from tasks.runs.parameters import Moment, SourceFolder
from tasks.runs.run_names import named
from tasks.steps.prepare_database import prepare_database
from tasks.steps.run_day import STOCK_AND_ORDERS, day_of, fill_inbox, table_digests, tables_changed


@dataclass(frozen=True)
class Day:
    """The counts of each flow in the order of the day, where the report is, and the tables that changed."""

    done: dict[str, Any]
    report: str
    changed: str


@operation(name="run-day", flow_run_name=named("run the day", source=" of {}", as_of=" as of {}"))
def run_day(source: SourceFolder = "", as_of: Moment = NOW) -> Day:
    """Run one fulfilment day: receive, reconcile, allocate, pick, inspect, ship, answer, report.

    A second run with the same files changes no row, and reports that.

    Args:
        source: A folder whose inbox is copied to the inbox first, such as data/sample. Leave it empty to copy nothing.
        as_of: The moment to take as now; "now" is the moment in the source's day.yaml, if it has one. A time without a
            zone is in the warehouse's time zone.

    Returns:
        The counts of each flow, and the tables that changed.
    """
    prepare_database()
    as_of = moment(day_of(source, as_of))
    before = table_digests()
    fill_inbox(source)
    done: dict[str, Any] = {}
    done["received"] = receive_exports(STOCK_AND_ORDERS, as_of)
    done["counts reconciled"] = reconcile_counts(as_of=as_of)
    done["counts planned"] = plan_counts(as_of=as_of)
    done["purchases planned"] = plan_purchases(as_of=as_of)
    done["orders allocated"] = allocate_orders(as_of=as_of)
    done["waves planned"] = plan_waves(as_of=as_of)
    done["picks received"] = receive_exports(["picks"], as_of)
    done["short picks reallocated"] = allocate_orders(as_of=as_of)
    done["short picks replanned"] = plan_waves(as_of=as_of)
    done["packs received"] = receive_exports(["packs"], as_of)
    done["parcels inspected"] = inspect_parcels(as_of=as_of)
    done["shipments received"] = receive_exports(["shipments", "tracking"], as_of)
    done["shipments tracked"] = track_shipments(as_of=as_of)
    done["return requests received"] = receive_exports(["return_requests"], as_of)
    done["return requests answered"] = process_returns(as_of=as_of)
    done["returns received"] = receive_exports(["return_receipts", "message_events", "snoozes"], as_of)
    done["returns settled"] = process_returns(as_of=as_of)
    done["parcels tracked again"] = track_shipments(as_of=as_of)
    done["stock published"] = allocate_orders(as_of=as_of)
    done["waves planned after returns"] = plan_waves(as_of=as_of)
    done["messages sent"] = send_messages(as_of=as_of)
    done["reported"] = report_kpis(as_of=as_of)
    changed = ", ".join(tables_changed(before, table_digests())) or "nothing: every file was known"
    report = done["reported"].page
    create_markdown_artifact(f"Tables changed: {changed}. Report: {report}", key="day", description="What the day did")
    return Day(done, report, changed)
