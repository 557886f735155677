"""Promise stock to the orders that are paid for, and say what is missing."""

from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from tasks.clock import NOW, moment
from tasks.runs.artifact_tables import records, shown
from tasks.runs.operation import operation
from tasks.runs.parameters import Moment
from tasks.runs.run_names import named
from tasks.steps.ordering.allocate_orders import allocate_stock, release_cancelled, set_ship_by_dates
from tasks.steps.ordering.audit_oversell import audit_oversell
from tasks.steps.ordering.explain_backorders import explain_backorders
from tasks.steps.ordering.hold_orders import end_holds, expire_unpaid, hold_duplicates
from tasks.steps.ordering.order_notices import confirm_orders, notify_delays
from tasks.steps.ordering.publish_feeds import publish_feeds
from tasks.steps.ordering.send_alert_digest import send_alert_digest
from tasks.steps.ordering.warn_of_shortages import warn_of_shortages
from tasks.steps.ordering.write_allocation_documents import shortage_rows, write_allocation_documents
from tasks.steps.ordering.write_stock_positions import write_stock_positions
from tasks.steps.prepare_database import prepare_database


@dataclass(frozen=True)
class Allocated:
    """What a run promised, gave up and warned of."""

    promises: int
    orders_served: int
    lines_waiting: int
    promises_given_up: int
    orders_given_a_ship_by: int
    holds_ended: int
    orders_placed_twice: int
    orders_expired: int
    customers_told: int
    warnings_opened: int
    warnings_closed: int
    oversell_findings: int
    feed_lines: int
    documents: int


@operation(name="allocate-orders", flow_run_name=named("allocate orders", as_of=" as of {}"))
def allocate_orders(as_of: Moment = NOW, *, full_feeds: bool = False) -> Allocated:
    """Promise free stock to open, paid orders in order of priority, never more than there is.

    What cancelled and refunded orders held is free first; an order placed twice is held for a person, one nobody pays
    expires. Each order that waits has a reason; SKUs that are oversold, unknown or low are warned of until they no
    longer are. Channels are told what changed. A second run with nothing new promises, writes and tells nothing.

    Args:
        as_of: The moment to take as now. A time without a zone is in the warehouse's time zone.
        full_feeds: Tell the channels everything they may sell, not only what changed.

    Returns:
        How many promises were made and given up, what waits, and how many warnings, findings and documents there are.
    """
    as_of = moment(as_of)
    prepare_database()
    released, holds_ended = release_cancelled(as_of), end_holds(as_of)
    expired, dated, duplicates = expire_unpaid(as_of), set_ship_by_dates(), hold_duplicates(as_of)
    confirmed, allocated = confirm_orders(as_of), allocate_stock(as_of)
    view = explain_backorders(as_of)
    delayed, shortages = notify_delays(view, as_of), warn_of_shortages(view, as_of)
    send_alert_digest(as_of)
    findings = audit_oversell(as_of)
    lines = publish_feeds(view, as_of, whole=full_feeds)
    documents = write_allocation_documents(view, shortages, as_of) + write_stock_positions(view, as_of)
    short, wrong = shown(shortage_rows(view, shortages)), shown(records(findings))
    create_table_artifact(short, key="shortages", description="What waits or runs short")
    create_table_artifact(wrong, key="oversell-audit", description="What was sold or promised wrongly")
    return Allocated(
        promises=allocated.promises, orders_served=allocated.orders, lines_waiting=len(view.waiting_lines),
        promises_given_up=released, orders_given_a_ship_by=dated, holds_ended=holds_ended,
        orders_placed_twice=duplicates, orders_expired=expired, customers_told=confirmed + delayed,
        warnings_opened=shortages.opened, warnings_closed=shortages.closed, oversell_findings=len(findings),
        feed_lines=lines, documents=documents,
    )  # fmt: skip
