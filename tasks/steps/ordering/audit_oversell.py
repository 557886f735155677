"""Step of allocate-orders: compare what was promised with what orders ask for and what is on hand."""

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
    """The findings of the audit (`oversell_audit.FINDINGS`), written where they differ from the last ones.

    Nothing in the database is changed.
    """
    with reading().connect() as connection:
        findings = audit_findings(connection)
    write_changed(settings().home, "allocate-orders", {}, {"oversell-audit.csv": findings}, as_of)
    return findings


def audit_findings(connection: Connection) -> pd.DataFrame:
    """What is wrong now, one row per finding, each with its orders and what to do about it."""
    places = doubtful_places(connection)
    lines = prioritised(wanted_lines(connection), read("rules/allocation.yaml", AllocationRules))
    return all_findings(
        oversold_products(lines, sellable_units(connection)),
        overtaken_orders(lines),
        negative_places(places),
        mismatched_places(places),
        mismatched_lines(line_differences(connection)),
        promises_to_closed_orders(closed_order_promises(connection)),
    )
