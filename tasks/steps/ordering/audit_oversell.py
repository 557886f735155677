"""Step of allocate-orders: audit what was promised against what is asked for and what lies there."""

from datetime import datetime

import pandas as pd
from prefect import task
from sqlalchemy import Connection

from config.read import read
from config.settings import settings
from tasks.documents.run_folder import write_changed
from tasks.domain.ordering.allocation import AllocationRules, prioritised
from tasks.domain.stock.oversell_audit import (
    all_findings,
    mismatched_lines,
    mismatched_places,
    negative_places,
    oversold_products,
    overtaken_orders,
    promises_to_closed_orders,
)
from tasks.store.database.engine import reading
from tasks.store.stock.oversell_audit import (
    closed_order_promises,
    doubtful_places,
    line_differences,
    sellable_units,
    wanted_lines,
)


@task(task_run_name="audit what was sold and promised")
def audit_oversell(as_of: datetime) -> pd.DataFrame:
    """The findings of the audit (`oversell.FINDINGS`), written where they differ from the last; nothing is changed."""
    with reading().connect() as connection:
        found = findings(connection)
    write_changed(settings().home, "allocate-orders", {}, {"oversell-audit.csv": found}, as_of)
    return found


def findings(connection: Connection) -> pd.DataFrame:
    """What is wrong now, each with its orders and what to do about it."""
    places = doubtful_places(connection)
    asked = prioritised(wanted_lines(connection), read("rules/allocation.yaml", AllocationRules))
    return all_findings(
        oversold_products(asked, sellable_units(connection)),
        overtaken_orders(asked),
        negative_places(places),
        mismatched_places(places),
        mismatched_lines(line_differences(connection)),
        promises_to_closed_orders(closed_order_promises(connection)),
    )
