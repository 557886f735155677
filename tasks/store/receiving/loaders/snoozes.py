"""Loads sheets of alerts that a person snoozes."""

import pandas as pd
from sqlalchemy import Connection, Table, and_, or_, select, update

from tasks.domain.states import AlertState
from tasks.domain.stock.stock_alerts import judge_snoozes
from tasks.store.database.frames import read, staged
from tasks.store.database.upserts import drop_repeats, row_count
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import alerts

SNOOZE_COLUMNS = ("row_number", "merchant_id", "alert", "subject", "snooze_until", "set_by", "comment")


def load_snoozes(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Snooze alerts until a moment; a row without one, or without effect, is unchanged."""
    total = row_count(connection, rows)
    repeats = drop_repeats(connection, rows, ("merchant_id", "alert", "subject"), ("snooze_until",))
    sheet = read(connection, select(*(rows.c[name] for name in SNOOZE_COLUMNS)).order_by(rows.c.row_number))
    snoozes, refused = judge_snoozes(sheet, _named_alerts(connection, sheet), intake.as_of)
    with staged(connection, snoozes[["alert_id", "snooze_until", "set_by", "comment"]], like=rows) as new:
        statement = update(alerts).where(alerts.c.id == new.c.alert_id)
        values = {"snoozed_until": new.c.snooze_until, "snoozed_by": new.c.set_by, "comment": new.c.comment}
        connection.execute(statement.values(state=AlertState.SNOOZED, **values))
    refused_rows = pd.concat([repeats, refused], ignore_index=True)
    return Loaded(len(snoozes), total - len(snoozes) - len(refused_rows), refused_rows)


def _named_alerts(connection: Connection, sheet: pd.DataFrame) -> pd.DataFrame:
    """The named alerts that are not resolved: alert_id, merchant_id, alert, subject, state, until_now."""
    alert = alerts.c
    with staged(connection, sheet[["merchant_id", "alert", "subject"]]) as named:
        is_merchant = or_(alert.merchant_id == named.c.merchant_id, alert.merchant_id.is_(None))
        is_named = and_(alert.kind == named.c.alert, alert.subject == named.c.subject, is_merchant)
        return read(
            connection,
            select(
                alert.id.label("alert_id"),
                named.c.merchant_id,
                named.c.alert,
                named.c.subject,
                alert.state,
                alert.snoozed_until.label("until_now"),
            )
            .join(named, is_named)
            .where(alert.state != AlertState.RESOLVED)
            .order_by(alert.id),
        )
