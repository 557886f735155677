"""Warnings: one row a cause, opened once, open until its cause is gone."""

import pandas as pd
from sqlalchemy import Connection, insert, select, update

from tasks.domain.states import AlertKind, AlertState
from tasks.store.frames import changed, staged
from tasks.store.merging import differs
from tasks.store.schema import alerts

_TOLD = ("subject", "detail", "value_minor", "currency")


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
        names = [str(column.key) for column in new.columns]
        unknown = select(new).where(new.c.cause.not_in(select(alerts.c.cause))).order_by(new.c.cause)
        return reopened + changed(connection, insert(alerts).from_select(names, unknown))


def resolve_alerts(connection: Connection, kind: AlertKind, still: pd.Series, resolved_at: object) -> int:
    """Close every alert of `kind` whose cause is not in `still` (str). Returns how many were closed."""
    with staged(connection, pd.DataFrame({"cause": still.astype("str").unique()})) as open_:
        gone = update(alerts).where(
            alerts.c.kind == kind, alerts.c.state != AlertState.RESOLVED, alerts.c.cause.not_in(select(open_.c.cause))
        )
        return changed(connection, gone.values(state=AlertState.RESOLVED, resolved_at=resolved_at))
