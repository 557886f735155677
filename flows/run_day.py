"""A whole fulfilment day, every flow in order."""

from dataclasses import dataclass
from datetime import datetime

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows.allocate_orders import Allocated, allocate_orders
from flows.inspect_parcels import Inspected, inspect_parcels
from flows.plan_counts import CountsPlanned, plan_counts
from flows.plan_waves import Waved, plan_waves
from flows.process_returns import ReturnsProcessed, process_returns
from flows.receive_exports import Received, receive_exports
from flows.reconcile_counts import Reconciled, reconcile_counts
from flows.report_kpis import Reported, report_kpis
from flows.send_messages import Sent, send_messages
from flows.track_shipments import Tracked, track_shipments
from tasks.clock import moment
from tasks.prepare_database import prepare_database
from tasks.run_day import day_of, fill_inbox, look, tables_changed


@dataclass(frozen=True)
class Day:
    """What the day did, flow by flow, and which tables it changed."""

    received: Received
    reconciled: Reconciled
    counts_planned: CountsPlanned
    allocated: Allocated
    waves_planned: Waved
    picks_received: Received
    inspected: Inspected
    shipments_received: Received
    tracked: Tracked
    requests_received: Received
    returns_answered: ReturnsProcessed
    receipts_received: Received
    returns_settled: ReturnsProcessed
    sent: Sent
    reported: Reported
    changed: str


@flow(name="run-day", flow_run_name="the day of {source}")
def run_day(source: str | None = None, as_of: datetime | None = None) -> Day:
    """Run one fulfilment day: receive, reconcile, allocate, pick, inspect, ship, answer, report.

    A second run with the same files changes no row, and says so.

    Args:
        source: A folder whose inbox is copied to the inbox first, such as data/sample; only the inbox when empty.
        as_of: The moment the run takes for now; what the source's day.yaml says, or the clock's, when empty.

    Returns:
        What each flow did, and which tables changed.
    """
    prepare_database()
    as_of = moment(day_of(source, as_of))
    before = look()
    fill_inbox(source)
    received = receive_exports(["products", "locations", "stock", "movements", "orders", "counts"], as_of)
    reconciled, planned = reconcile_counts(as_of=as_of), plan_counts(as_of=as_of)
    allocated, waved = allocate_orders(as_of=as_of), plan_waves(as_of=as_of)
    picked = receive_exports(["picks", "packs"], as_of)
    inspected = inspect_parcels(as_of=as_of)
    shipped = receive_exports(["shipments", "tracking"], as_of)
    tracked = track_shipments(as_of=as_of)
    asked = receive_exports(["return_requests"], as_of)
    answered = process_returns(as_of=as_of)
    came = receive_exports(["return_receipts", "message_events"], as_of)
    settled = process_returns(as_of=as_of)
    sent, reported = send_messages(as_of=as_of), report_kpis(as_of=as_of)
    changed = ", ".join(tables_changed(before, look())) or "nothing: every file was known and every decision taken"
    create_markdown_artifact(f"Changed: {changed}. The report: {reported.page}", key="day", description="The day")
    return Day(
        received, reconciled, planned, allocated, waved, picked, inspected, shipped, tracked, asked, answered, came,
        settled, sent, reported, changed,
    )  # fmt: skip
