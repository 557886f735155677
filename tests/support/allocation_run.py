"""The steps of allocate-orders in the order of the flow, without a server."""

from datetime import datetime

from floor import AS_OF

from tasks.steps.ordering.allocate_orders import allocate_stock, promise_days, release_cancelled
from tasks.steps.ordering.audit_oversell import audit_oversell
from tasks.steps.ordering.explain_backorders import Served, explain_waiting
from tasks.steps.ordering.hold_orders import end_holds, expire_unpaid, hold_duplicates
from tasks.steps.ordering.order_notices import confirm_orders, tell_of_delays
from tasks.steps.ordering.publish_feeds import publish_feeds
from tasks.steps.ordering.send_alert_digest import tell_staff
from tasks.steps.ordering.warn_of_shortages import Short, warn_of_shortages
from tasks.steps.ordering.write_allocation_documents import write_allocation_documents
from tasks.steps.ordering.write_stock_positions import write_positions


def run(as_of: datetime = AS_OF) -> tuple[Served, Short, int, int]:
    """The steps of the flow, in its order; gives also the promises given up and the documents written."""
    given_up = release_cancelled.fn(as_of)
    end_holds.fn(as_of)
    expire_unpaid.fn(as_of)
    promise_days.fn()
    hold_duplicates.fn(as_of)
    confirm_orders.fn(as_of)
    served = explain_waiting.fn(allocate_stock.fn(as_of), as_of)
    tell_of_delays.fn(served, as_of)
    short = warn_of_shortages.fn(served, as_of)
    tell_staff.fn(as_of)
    audit_oversell.fn(as_of)
    publish_feeds.fn(served, as_of)
    return (
        served,
        short,
        given_up,
        write_allocation_documents.fn(served, short, as_of) + write_positions.fn(served, as_of),
    )
