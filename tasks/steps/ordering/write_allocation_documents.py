"""The documents of allocate-orders: promises, backorders, shortages, and sheets of holds and alerts to answer in."""

from datetime import datetime

from prefect import task

from config.read import read
from config.settings import settings
from tasks.documents.run_folder import write_changed
from tasks.domain.ordering import backorders
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.ship_by import urgent
from tasks.steps.ordering.explain_backorders import Served
from tasks.steps.ordering.hold_orders import held_orders
from tasks.steps.ordering.send_alert_digest import alerts_to_answer
from tasks.steps.ordering.warn_of_shortages import Short
from tasks.store.database.engine import reading
from tasks.store.ordering import allocations, due_orders

LOW = ("merchant", "sku", "name", "state", "free", "waiting", "coming", "reorder_point", "snoozed_until")


@task(task_run_name="write allocations, backorders and sheets to answer in")
def write_allocation_documents(served: Served, short: Short, as_of: datetime) -> int:
    """Write what changed since the documents before: nothing at all where nothing did. Says how many files."""
    rules = read("rules/allocation.yaml", AllocationRules)
    with reading().connect() as connection:
        made = allocations.made_at(connection, as_of)
        tables = {
            "backorders.csv": backorders.backorders(served.waiting, as_of, rules.ship_by),
            "oversell.csv": short.oversold[["merchant", "sku", "name", "asked", "free", "short", "orders"]],
            "low-stock.csv": short.low[list(LOW)],
            "held-orders.csv": held_orders(connection, as_of),
            "alerts.csv": alerts_to_answer(connection),
            "orders-due.csv": urgent(due_orders.unsent(connection), as_of, rules.ship_by),
        }
    of_run = {"allocations.csv": made} if len(made) else {}
    return write_changed(settings().home, "allocate-orders", of_run, tables, as_of)


def shortage_rows(served: Served, short: Short) -> list[dict[str, object]]:
    """What an analyst should see, as rows of an artifact: why lines wait, and which SKUs run short."""
    why = served.waiting["reason"].str.split(":", n=1).str[0].value_counts().sort_index()
    rows = [("lines wait: " + str(reason), "", number) for reason, number in why.items()]
    rows += [("oversold", *one) for one in zip(short.oversold["sku"], short.oversold["short"], strict=True)]
    rows += [("low", *one) for one in zip(short.low["sku"].head(100), short.low["free"].head(100), strict=True)]
    return [{"what": what, "subject": subject, "units": int(units)} for what, subject, units in rows]
