"""Step of allocate-orders: audit what was promised against what is asked for and what lies there."""

from datetime import datetime

import pandas as pd
from prefect import task
from sqlalchemy import Connection

from config.read import read
from config.settings import settings
from tasks.documents.run_folder import write_changed
from tasks.domain.ordering.allocation import AllocationRules, prioritised
from tasks.domain.stock import oversell_audit as rule
from tasks.store.database.engine import reading
from tasks.store.stock import oversell_audit as store


@task(task_run_name="audit what was sold and promised")
def audit_oversell(as_of: datetime) -> pd.DataFrame:
    """The findings of the audit (`oversell.FINDINGS`), written where they differ from the last; nothing is changed."""
    with reading().connect() as connection:
        found = findings(connection)
    write_changed(settings().home, "allocate-orders", {}, {"oversell-audit.csv": found}, as_of)
    return found


def findings(connection: Connection) -> pd.DataFrame:
    """What is wrong now, each with its orders and what to do about it."""
    places = store.places(connection)
    asked = prioritised(store.short(connection), read("rules/allocation.yaml", AllocationRules))
    return rule.every(
        rule.oversold(asked, store.sellable(connection)),
        rule.turned_around(asked),
        rule.negatives(places),
        rule.leaks(places),
        rule.lines_otherwise(store.lines_otherwise(connection)),
        rule.done(store.promised_to_done(connection)),
    )
