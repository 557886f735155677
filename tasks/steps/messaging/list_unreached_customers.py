"""The last step of send-messages: messages that did not arrive, for customer support."""

from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
from prefect import task

from config.read import read
from config.settings import settings
from tasks.documents.tables import write_csv
from tasks.domain.notices import NoticeRules, for_support
from tasks.runs.artifact_tables import records
from tasks.store.database.engine import reading
from tasks.store.messaging import outbox

FOLDER = "send-messages"
LIST = "customer-support.csv"


@task(task_run_name="list customers who were not reached")
def list_unreached_customers(as_of: datetime) -> pd.DataFrame:
    """Messages that did not arrive and that a person can act on; also a CSV if one of them is new."""
    since = as_of - timedelta(days=read("rules/notices.yaml", NoticeRules).support_days)
    with reading().connect() as connection:
        rows = for_support(outbox.undelivered_messages(connection, since))
    folder = settings().folder("outgoing") / FOLDER
    if set(rows["message"]) - _listed_before(folder):
        write_csv(settings().documents(FOLDER, as_of) / LIST, rows)
    return rows


def support_rows(unreached: pd.DataFrame) -> list[dict[str, str]]:
    """The list as rows of an artifact: no address and no name."""
    return records(unreached[["merchant", "order_number", "kind", "state", "reason"]])


def _listed_before(folder: Path) -> set[str]:
    """The messages on the newest list."""
    lists = sorted(folder.glob(f"*/{LIST}"))
    return set(pd.read_csv(lists[-1], dtype="str")["message"]) if lists else set()
