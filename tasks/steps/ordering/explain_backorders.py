"""The step of allocate-orders that says of every line that waits why it does, and until when."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from prefect import task

from config.read import read
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.backorders import waiting
from tasks.domain.ordering.promised_days import arrivals, promised_days
from tasks.steps.ordering.allocate_orders import Made
from tasks.steps.ordering.open_demand import free_places, open_demand
from tasks.store.database.engine import reading
from tasks.store.stock import incoming


@dataclass(frozen=True)
class Served:
    """What an allocation did: promises made, orders served, and the lines that wait.

    `waiting`: as of `backorders.waiting`, and promised_at; a refunded order waits for nothing.
    """

    promises: int
    orders: int
    waiting: pd.DataFrame


@task(task_run_name="say why orders wait, and until when")
def explain_waiting(made: Made, as_of: datetime) -> Served:
    """Say of every line that waits why it does, and by when what is on its way lets it go."""
    rules = read("rules/allocation.yaml", AllocationRules)
    with reading().connect() as connection:
        asked = open_demand(connection, rules, as_of)
        free = free_places(connection, rules, as_of)
        coming = arrivals(incoming.still_to_come(connection), as_of, rules.incoming)
    left = free.groupby("product_id")["units"].sum()
    waits = waiting(asked.lines, asked.wants, left, rules)
    may = waits[(waits["standing"] == "") & (waits["reason"] != "unknown SKU")]
    days = promised_days(may, asked.wants, left, coming, as_of, partial=rules.partial)
    waits = waits.assign(promised_at=days.reindex(waits.index))
    return Served(made.promises, made.orders, waits[waits["standing"] != "refunded"])
