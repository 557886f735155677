"""Promise stock to the orders that are paid for, and say what is missing."""

from dataclasses import dataclass
from datetime import datetime

from prefect import flow
from prefect.artifacts import create_table_artifact

from tasks.allocate_orders import allocate_stock, promise_days, release_cancelled
from tasks.clock import moment
from tasks.list_backorders import explain_waiting
from tasks.prepare_database import prepare_database
from tasks.publish_stock import shortage_rows, write_documents
from tasks.report_positions import write_positions
from tasks.run_names import named
from tasks.show_tables import shown
from tasks.watch_stock import confirm_orders, tell_of_delays, warn_of_shortages


@dataclass(frozen=True)
class Allocated:
    """What a run promised, gave up and warned of."""

    promises: int
    orders_served: int
    lines_waiting: int
    promises_given_up: int
    orders_given_a_ship_by: int
    customers_told: int
    warnings_opened: int
    warnings_closed: int
    documents: int


@flow(name="allocate-orders", flow_run_name=named("allocate orders", as_of=" as of {}"))
def allocate_orders(as_of: datetime | None = None) -> Allocated:
    """Promise free stock to open, paid orders in order of priority, never more than there is.

    What cancelled and refunded orders held is free first. Each order that waits has a reason; SKUs that are oversold,
    unknown or low are warned of until they no longer are. A second run with nothing new promises, writes and tells
    nothing.

    Args:
        as_of: The moment the run takes for now; the clock's when empty.

    Returns:
        How many promises were made and given up, what waits, and how many warnings and documents there are.
    """
    as_of = moment(as_of)
    prepare_database()
    given_up = release_cancelled(as_of)
    days = promise_days()
    told = confirm_orders(as_of)
    served = explain_waiting(allocate_stock(as_of), as_of)
    told += tell_of_delays(served, as_of)
    short = warn_of_shortages(served, as_of)
    documents = write_documents(served, short, as_of) + write_positions(served, as_of)
    create_table_artifact(
        shown(shortage_rows(served, short)), key="shortages", description="What waits, is oversold or low"
    )
    return Allocated(
        served.promises, served.orders, len(served.waiting), given_up, days, told, short.opened, short.closed, documents
    )
