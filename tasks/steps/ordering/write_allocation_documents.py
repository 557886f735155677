"""Documents of allocate-orders: promises, backorders, shortages, and sheets of holds and alerts to be answered."""

from datetime import datetime

from prefect import task

from config.read import read
from config.settings import settings
from tasks.documents.run_folder import write_changed
from tasks.domain.ordering import backorders
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.ship_by import urgent_orders
from tasks.steps.ordering.explain_backorders import AllocationView
from tasks.steps.ordering.hold_orders import hold_sheet_rows
from tasks.steps.ordering.send_alert_digest import alerts_to_answer
from tasks.steps.ordering.warn_of_shortages import Shortages
from tasks.store.database.engine import reading
from tasks.store.ordering import allocations, due_orders

LOW_STOCK_COLUMNS = (
    "merchant", "sku", "name", "state", "free", "waiting", "coming", "reorder_point", "snoozed_until",
)  # fmt: skip
OVERSOLD_COLUMNS = ("merchant", "sku", "name", "asked", "free", "short", "orders")


@task(task_run_name="write allocations, backorders and sheets to answer in")
def write_allocation_documents(view: AllocationView, shortages: Shortages, as_of: datetime) -> int:
    """Write the documents that differ from the last ones; none where nothing changed. Returns the number of files."""
    rules = read("rules/allocation.yaml", AllocationRules)
    with reading().connect() as connection:
        promises = allocations.promises_of_run(connection, as_of)
        tables = {
            "backorders.csv": backorders.backorders(view.waiting_lines, as_of, rules.ship_by),
            "oversell.csv": shortages.oversold[list(OVERSOLD_COLUMNS)],
            "low-stock.csv": shortages.low[list(LOW_STOCK_COLUMNS)],
            "held-orders.csv": hold_sheet_rows(connection, as_of),
            "alerts.csv": alerts_to_answer(connection),
            "orders-due.csv": urgent_orders(due_orders.unsent_orders(connection), as_of, rules.ship_by),
        }
    of_run = {"allocations.csv": promises} if len(promises) else {}
    return write_changed(settings().home, "allocate-orders", of_run, tables, as_of)


def shortage_rows(view: AllocationView, shortages: Shortages) -> list[dict[str, object]]:
    """Rows of the artifact an analyst sees: how many lines wait for which reason, and which SKUs run short."""
    counts = view.waiting_lines["reason_kind"].value_counts().sort_index()
    oversold, low = shortages.oversold, shortages.low.head(100)
    rows = [(f"lines wait: {reason}", "", lines) for reason, lines in counts.items()]
    rows += [("oversold", *row) for row in zip(oversold["sku"], oversold["short"], strict=True)]
    rows += [("low", *row) for row in zip(low["sku"], low["free"], strict=True)]
    return [{"what": what, "subject": subject, "units": int(units)} for what, subject, units in rows]
