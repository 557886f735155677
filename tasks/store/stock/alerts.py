"""Warnings: one row a cause, open until its cause is gone, silent while a person says so, told of once."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, exists, null, or_, select, update

from tasks.domain.states import AlertKind, AlertState
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.upserts import differs, insert_new
from tasks.store.schema import alerts, merchants

_TOLD = ("subject", "detail", "value_minor", "currency")
_STATE = ("subject", "detail", "state", "opened_at")


def raise_alerts(connection: Connection, found: pd.DataFrame) -> int:
    """Open an alert for each cause that has none open; one that is open or snoozed keeps its age and says what is true.

    `found`: cause, kind, subject, detail, warehouse_id, merchant_id (Int64), opened_at, value_minor (Int64),
    currency. Returns how many were opened, for the first time or again.
    """
    if found.empty:
        return 0
    with staged(connection, found.drop_duplicates("cause"), like=alerts) as new:
        same = alerts.c.cause == new.c.cause
        told = {name: new.c[name] for name in _TOLD if name in new.c}
        again = update(alerts).where(same, alerts.c.state == AlertState.RESOLVED)
        reopened = changed(connection, again.values(**told, state=AlertState.OPEN, opened_at=new.c.opened_at,
                                                    resolved_at=None))  # fmt: skip
        connection.execute(update(alerts).where(same, differs(alerts, new, tuple(told))).values(told))
        return reopened + insert_new(connection, alerts, select(new).order_by(new.c.cause))


def resolve_alerts(connection: Connection, kind: AlertKind, still: pd.Series, resolved_at: object) -> int:
    """Close every alert of `kind` whose cause is not in `still` (str). Returns how many were closed."""
    with staged(connection, pd.DataFrame({"cause": still.astype("str").unique()})) as open_:
        stays = exists().where(open_.c.cause == alerts.c.cause)
        gone = update(alerts).where(alerts.c.kind == kind, alerts.c.state != AlertState.RESOLVED, ~stays)
        return changed(connection, gone.values(state=AlertState.RESOLVED, resolved_at=resolved_at))


def wake(connection: Connection, as_of: datetime) -> int:
    """Open the alerts again that were silent until now; says how many. Those of low stock have their own rule."""
    over = update(alerts).where(alerts.c.state == AlertState.SNOOZED, alerts.c.snoozed_until <= as_of,
                                alerts.c.kind != AlertKind.LOW_STOCK)  # fmt: skip
    return changed(connection, over.values(state=AlertState.OPEN, opened_at=as_of, snoozed_until=null()))


def of_kind(connection: Connection, kind: AlertKind) -> pd.DataFrame:
    """Every alert of a kind: cause, state, snoozed_until, opened_at."""
    one = alerts.c
    told = select(one.cause, one.state, one.snoozed_until, one.opened_at).where(one.kind == kind)
    return read(connection, told.order_by(one.cause))


def move(connection: Connection, found: pd.DataFrame, as_of: datetime) -> None:
    """Bring alerts into their states: cause, kind, subject, detail, merchant_id, state, opened_at, one row a cause."""
    if found.empty:
        return
    with staged(connection, found, like=alerts) as new:
        awake = new.c.state != AlertState.SNOOZED
        mine = update(alerts).where(alerts.c.cause == new.c.cause)
        closing = mine.where(new.c.state == AlertState.RESOLVED, alerts.c.state != AlertState.RESOLVED)
        connection.execute(closing.values(resolved_at=as_of))
        told = mine.where(new.c.state != AlertState.RESOLVED, alerts.c.resolved_at.is_not(None))
        connection.execute(told.values(resolved_at=null()))
        connection.execute(mine.where(differs(alerts, new, _STATE)).values({name: new.c[name] for name in _STATE}))
        connection.execute(mine.where(awake, alerts.c.snoozed_until.is_not(None)).values(snoozed_until=null()))
        known = exists().where(alerts.c.cause == new.c.cause)  # a snoozed one says no end here, so it may not be tried
        insert_new(connection, alerts, select(new).where(~known).order_by(new.c.cause))


def live(connection: Connection) -> pd.DataFrame:
    """Alerts that are not closed.

    Columns: alert_id, merchant, merchant_id, cause, kind, subject, detail, state, snoozed_until, snoozed_by, comment,
    opened_at, told_at.
    """
    one = alerts.c
    names = ("merchant_id", "cause", "kind", "subject", "detail", "state", "snoozed_until", "snoozed_by", "comment",
             "opened_at", "told_at")  # fmt: skip
    told = select(one.id.label("alert_id"), merchants.c.code.label("merchant"), *(one[name] for name in names))
    told = told.outerjoin_from(alerts, merchants, merchants.c.id == one.merchant_id)
    return read(
        connection, told.where(one.state != AlertState.RESOLVED).order_by(merchants.c.code, one.kind, one.cause)
    )


def note_told(connection: Connection, alert_ids: pd.Series, as_of: datetime) -> None:
    """Remember that a digest told of the alerts."""
    with staged(connection, pd.DataFrame({"alert_id": alert_ids})) as those:
        told = update(alerts).where(alerts.c.id.in_(select(those.c.alert_id)))
        connection.execute(told.where(or_(alerts.c.told_at.is_(None), alerts.c.told_at < as_of)).values(told_at=as_of))
