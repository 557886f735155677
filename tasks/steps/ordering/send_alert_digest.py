"""Steps that tell the merchants' own people of alerts: one digest of those that are new to them, a sheet of all."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.configured import merchants
from tasks.domain.notices import NoticeKind
from tasks.domain.stock.replenishment import ReplenishmentRules
from tasks.domain.stock.stock_alerts import alert_sheet, digest, to_tell
from tasks.runs.step import step
from tasks.steps.messaging.notify_customers import notify_customers
from tasks.store.database.engine import engine, exclusive
from tasks.store.stock.alerts import live, note_told


@step(task_run_name="tell the merchants of alerts")
def tell_staff(as_of: datetime) -> int:
    """Put one digest a merchant in the outbox, of the alerts it was not told of yet; says how many alerts.

    A merchant without an operations_email is told nothing, and everything once there is one.
    """
    rules = read("rules/replenishment.yaml", ReplenishmentRules).alerts
    people = {one.code: one for one in merchants() if one.operations_email}
    with engine().begin() as connection:
        exclusive(connection, "tell-staff")  # two flows tell, and each alert is told once
        known = live(connection)
        told = known[to_tell(known, rules, as_of) & known["merchant"].isin(people)]
        letters = digest(told, as_of)
        ids, nothing = told.drop_duplicates("merchant").set_index("merchant")["merchant_id"], pd.NA
        address = {code: (one.operations_email, one.language) for code, one in people.items()}
        letters = letters.assign(
            merchant_id=letters["merchant"].map(ids), order_id=pd.Series(nothing, index=letters.index, dtype="Int64"),
            order_number=pd.Series(nothing, index=letters.index, dtype="str"), happened_at=pd.Timestamp(as_of),
            channel=pd.Series(nothing, index=letters.index, dtype="str"),
            email=[address[code][0] for code in letters["merchant"]],
            language=[address[code][1] for code in letters["merchant"]],
        )  # fmt: skip
        notify_customers(connection, NoticeKind.STOCK_DIGEST, letters, as_of)
        note_told(connection, told["alert_id"], as_of)
    return len(told)


def alerts_to_answer(connection: Connection) -> pd.DataFrame:
    """The alerts that are not closed as a sheet to answer in (`alert_states.SHEET`)."""
    return alert_sheet(live(connection))
