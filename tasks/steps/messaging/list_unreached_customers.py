"""The last step of send-messages: what did not arrive, for customer support."""

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
def list_for_support(as_of: datetime) -> pd.DataFrame:
    """Messages that did not arrive and that a person can do something about, as a CSV where one is new."""
    since = as_of - timedelta(days=read("rules/notices.yaml", NoticeRules).support_days)
    with reading().connect() as connection:
        listed = for_support(outbox.troubled(connection, since))
    folder = settings().folder("outgoing") / FOLDER
    if set(listed["message"]) - _listed_before(folder):
        write_csv(settings().documents(FOLDER, as_of) / LIST, listed)
    return listed


def support_rows(listed: pd.DataFrame) -> list[dict[str, str]]:
    """The list as rows of an artifact: no address and no name."""
    return records(listed[["merchant", "order_number", "kind", "state", "reason"]])


def _listed_before(folder: Path) -> set[str]:
    """The messages the newest list names."""
    lists = sorted(folder.glob(f"*/{LIST}"))
    return set(pd.read_csv(lists[-1], dtype="str")["message"]) if lists else set()
