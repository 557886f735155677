"""The steps of allocate-orders in the order of the flow, without a server."""

from datetime import datetime
from typing import NamedTuple

from floor import AS_OF

from tasks.steps.ordering.allocate_orders import AllocationCounts, allocate_stock, release_cancelled, set_ship_by_dates
from tasks.steps.ordering.audit_oversell import audit_oversell
from tasks.steps.ordering.explain_backorders import AllocationView, explain_backorders
from tasks.steps.ordering.hold_orders import end_holds, expire_unpaid, hold_duplicates
from tasks.steps.ordering.order_notices import confirm_orders, notify_delays
from tasks.steps.ordering.publish_feeds import publish_feeds
from tasks.steps.ordering.send_alert_digest import send_alert_digest
from tasks.steps.ordering.warn_of_shortages import Shortages, warn_of_shortages
from tasks.steps.ordering.write_allocation_documents import write_allocation_documents
from tasks.steps.ordering.write_stock_positions import write_stock_positions


class Run(NamedTuple):
    """What the steps returned: `released` promises, `documents` written."""

    allocated: AllocationCounts
    view: AllocationView
    shortages: Shortages
    released: int
    documents: int


def run(as_of: datetime = AS_OF) -> Run:
    """The steps of the flow, in its order."""
    released = release_cancelled.fn(as_of)
    end_holds.fn(as_of)
    expire_unpaid.fn(as_of)
    set_ship_by_dates.fn()
    hold_duplicates.fn(as_of)
    confirm_orders.fn(as_of)
    allocated = allocate_stock.fn(as_of)
    view = explain_backorders.fn(as_of)
    notify_delays.fn(view, as_of)
    shortages = warn_of_shortages.fn(view, as_of)
    send_alert_digest.fn(as_of)
    audit_oversell.fn(as_of)
    publish_feeds.fn(view, as_of)
    documents = write_allocation_documents.fn(view, shortages, as_of) + write_stock_positions.fn(view, as_of)
    return Run(allocated, view, shortages, released, documents)
