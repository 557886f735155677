"""Steps that tell the merchants' own people of alerts: one digest of those that are new to them, a sheet of all."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.configured import merchants
from tasks.domain.notices import NoticeKind
from tasks.domain.stock.replenishment import ReplenishmentRules
from tasks.domain.stock.stock_alerts import alert_sheet, digests, is_due_for_digest
from tasks.runs.step import step
from tasks.steps.messaging.notify_customers import notify_customers
from tasks.store.database.engine import engine, exclusive
from tasks.store.stock.alerts import live_alerts, record_digest


@step(task_run_name="tell the merchants of alerts")
def send_alert_digest(as_of: datetime) -> int:
    """Put one digest per merchant in the outbox, of alerts no digest has told of. Returns the number of alerts.

    A merchant without an operations_email is told nothing until there is one, and then of everything.
    """
    rules = read("rules/replenishment.yaml", ReplenishmentRules).alerts
    recipients = {merchant.code: merchant for merchant in merchants() if merchant.operations_email}
    with engine().begin() as connection:
        exclusive(connection, "tell-staff")  # two flows tell, and each alert is told once
        alerts = live_alerts(connection)
        alerts = alerts[is_due_for_digest(alerts, rules, as_of) & alerts["merchant"].isin(recipients)]
        letters = digests(alerts, as_of)
        ids = alerts.drop_duplicates("merchant").set_index("merchant")["merchant_id"]
        letters = letters.assign(
            merchant_id=letters["merchant"].map(ids),
            order_id=pd.Series(pd.NA, index=letters.index, dtype="Int64"),
            order_number=pd.Series(pd.NA, index=letters.index, dtype="str"),
            happened_at=pd.Timestamp(as_of),
            channel=pd.Series(pd.NA, index=letters.index, dtype="str"),
            email=[recipients[code].operations_email for code in letters["merchant"]],
            language=[recipients[code].language for code in letters["merchant"]],
        )
        notify_customers(connection, NoticeKind.STOCK_DIGEST, letters, as_of)
        record_digest(connection, alerts["alert_id"], as_of)
    return len(alerts)


def alerts_to_answer(connection: Connection) -> pd.DataFrame:
    """The alerts that are not closed as a sheet to answer in (`stock_alerts.ALERT_SHEET`)."""
    return alert_sheet(live_alerts(connection))
