"""Alerts a person silences for a while, by a sheet."""

import pandas as pd
from sqlalchemy import Connection, Table, and_, or_, select, update

from tasks.domain.states import AlertState
from tasks.domain.stock.stock_alerts import judge_snoozes
from tasks.store.database.frames import read, staged
from tasks.store.database.merging import count, drop_repeats
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.schema import alerts

ROW = ("row_number", "merchant_id", "alert", "subject", "snooze_until", "set_by", "comment")


def load_snoozes(connection: Connection, rows: Table, intake: Intake) -> Loaded:
    """Silence alerts until a moment; a row without one, or with what is so already, says nothing new."""
    total = count(connection, rows)
    bad = drop_repeats(connection, rows, ("merchant_id", "alert", "subject"), ("snooze_until",))
    said = read(connection, select(*(rows.c[name] for name in ROW)).order_by(rows.c.row_number))
    wanted, refused = judge_snoozes(said, _named(connection, said), intake.as_of)
    with staged(connection, wanted[["alert_id", "snooze_until", "set_by", "comment"]], like=rows) as those:
        silent = update(alerts).where(alerts.c.id == those.c.alert_id)
        told = {"snoozed_until": those.c.snooze_until, "snoozed_by": those.c.set_by, "comment": those.c.comment}
        connection.execute(silent.values(state=AlertState.SNOOZED, **told))
    every = pd.concat([bad, refused], ignore_index=True)
    return Loaded(len(wanted), total - len(wanted) - len(every), every)


def _named(connection: Connection, said: pd.DataFrame) -> pd.DataFrame:
    """Alerts that are not closed, of those named: alert_id, merchant_id, alert, subject, state, until_now."""
    one = alerts.c
    with staged(connection, said[["merchant_id", "alert", "subject"]]) as those:
        mine = or_(one.merchant_id == those.c.merchant_id, one.merchant_id.is_(None))
        same = and_(one.kind == those.c.alert, one.subject == those.c.subject, mine)
        return read(
            connection,
            select(one.id.label("alert_id"), those.c.merchant_id, those.c.alert, those.c.subject, one.state,
                   one.snoozed_until.label("until_now"))
            .join(those, same).where(one.state != AlertState.RESOLVED).order_by(one.id),
        )  # fmt: skip
