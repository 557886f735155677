"""Alerts: one row per cause, open until the cause is gone, silent while a person says so, told of once."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, exists, null, or_, select, update

from tasks.domain.states import AlertKind, AlertState
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.upserts import differs, insert_new
from tasks.store.schema import alerts, merchants

_FACTS = ("subject", "detail", "value_minor", "currency")
_STATE_FACTS = ("subject", "detail", "state", "opened_at")


def raise_alerts(connection: Connection, alert_rows: pd.DataFrame) -> int:
    """Open an alert for each cause that has none open; an open or snoozed one keeps its age, and its text is updated.

    `alert_rows`: cause, kind, subject, detail, warehouse_id, merchant_id (Int64), opened_at, value_minor (Int64),
    currency. Returns the number of alerts opened, for the first time or again.
    """
    if alert_rows.empty:
        return 0
    with staged(connection, alert_rows.drop_duplicates("cause"), like=alerts) as new:
        has_cause = alerts.c.cause == new.c.cause
        facts = {name: new.c[name] for name in _FACTS if name in new.c}
        resolved = update(alerts).where(has_cause, alerts.c.state == AlertState.RESOLVED)
        opening = {"state": AlertState.OPEN, "opened_at": new.c.opened_at, "resolved_at": None}
        reopened = changed(connection, resolved.values(**facts, **opening))
        connection.execute(update(alerts).where(has_cause, differs(alerts, new, tuple(facts))).values(facts))
        return reopened + insert_new(connection, alerts, select(new).order_by(new.c.cause))


def resolve_alerts(connection: Connection, kind: AlertKind, causes: pd.Series, resolved_at: object) -> int:
    """Close every alert of `kind` whose cause is not among `causes` (str). Returns the number of alerts closed."""
    with staged(connection, pd.DataFrame({"cause": causes.astype("str").unique()})) as rows:
        has_cause = exists().where(rows.c.cause == alerts.c.cause)
        obsolete = update(alerts).where(alerts.c.kind == kind, alerts.c.state != AlertState.RESOLVED, ~has_cause)
        return changed(connection, obsolete.values(state=AlertState.RESOLVED, resolved_at=resolved_at))


def wake(connection: Connection, as_of: datetime) -> int:
    """Reopen the alerts that were snoozed until now. Returns their number. Those of low stock have their own rule."""
    is_over = alerts.c.state == AlertState.SNOOZED, alerts.c.snoozed_until <= as_of
    snoozed = update(alerts).where(*is_over, alerts.c.kind != AlertKind.LOW_STOCK)
    return changed(connection, snoozed.values(state=AlertState.OPEN, opened_at=as_of, snoozed_until=null()))


def alerts_of_kind(connection: Connection, kind: AlertKind) -> pd.DataFrame:
    """Every alert of a kind: cause, state, snoozed_until, opened_at."""
    alert = alerts.c
    query = select(alert.cause, alert.state, alert.snoozed_until, alert.opened_at).where(alert.kind == kind)
    return read(connection, query.order_by(alert.cause))


def set_alert_states(connection: Connection, alert_rows: pd.DataFrame, as_of: datetime) -> None:
    """Store the state and text of alerts, one row per cause.

    `alert_rows`: cause, kind, subject, detail, merchant_id, state, opened_at.
    """
    if alert_rows.empty:
        return
    with staged(connection, alert_rows, like=alerts) as new:
        has_cause = alerts.c.cause == new.c.cause
        stored, is_resolved = update(alerts).where(has_cause), new.c.state == AlertState.RESOLVED
        closing = stored.where(is_resolved, alerts.c.state != AlertState.RESOLVED)
        connection.execute(closing.values(resolved_at=as_of))
        reopening = stored.where(~is_resolved, alerts.c.resolved_at.is_not(None))
        connection.execute(reopening.values(resolved_at=null()))
        differing = stored.where(differs(alerts, new, _STATE_FACTS))
        connection.execute(differing.values({name: new.c[name] for name in _STATE_FACTS}))
        woken = stored.where(new.c.state != AlertState.SNOOZED, alerts.c.snoozed_until.is_not(None))
        connection.execute(woken.values(snoozed_until=null()))
        # A snoozed alert has no snoozed_until here, so its row would be refused: only new causes are inserted.
        insert_new(connection, alerts, select(new).where(~exists().where(has_cause)).order_by(new.c.cause))


def live_alerts(connection: Connection) -> pd.DataFrame:
    """Alerts that are not closed.

    Columns: alert_id, merchant, merchant_id, cause, kind, subject, detail, state, snoozed_until, snoozed_by, comment,
    opened_at, told_at.
    """
    alert = alerts.c
    names = ("merchant_id", "cause", "kind", "subject", "detail", "state", "snoozed_until", "snoozed_by", "comment",
             "opened_at", "told_at")  # fmt: skip
    query = select(alert.id.label("alert_id"), merchants.c.code.label("merchant"), *(alert[name] for name in names))
    query = query.outerjoin_from(alerts, merchants, merchants.c.id == alert.merchant_id)
    query = query.where(alert.state != AlertState.RESOLVED)
    return read(connection, query.order_by(merchants.c.code, alert.kind, alert.cause))


def record_digest(connection: Connection, alert_ids: pd.Series, as_of: datetime) -> None:
    """Store that a digest told of the alerts."""
    with staged(connection, pd.DataFrame({"alert_id": alert_ids})) as chosen_alerts:
        digested = update(alerts).where(alerts.c.id.in_(select(chosen_alerts.c.alert_id)))
        connection.execute(
            digested.where(or_(alerts.c.told_at.is_(None), alerts.c.told_at < as_of)).values(told_at=as_of)
        )
