"""Step of receive-exports: alerts for refused files and rows in quarantine, until they are corrected."""

from datetime import datetime

import pandas as pd

from tasks.domain.states import AlertKind
from tasks.runs.step import step
from tasks.store.database.engine import engine
from tasks.store.receiving import import_alerts
from tasks.store.stock.alerts import raise_alerts, resolve_alerts, wake


@step(task_run_name="warn of refused files and rows")
def warn_of_imports(as_of: datetime) -> tuple[int, int]:
    """Open an alert for each refused file and each file with rows in quarantine; resolve those whose cause is gone.

    Returns the numbers of alerts opened and resolved.
    """
    opened = closed = 0
    with engine().begin() as connection:
        wake(connection, as_of)
        rows = import_alerts.quarantined_files(connection)
        detail = [_waiting(count, kind) for count, kind in zip(rows["rows"], rows["import_kind"], strict=True)]
        rows = rows.assign(detail=pd.Series(detail, index=rows.index, dtype="str"))
        causes = {AlertKind.REFUSED_FILE: import_alerts.refused_files(connection), AlertKind.QUARANTINED_ROWS: rows}
        for kind, alerts in causes.items():
            opened += raise_alerts(connection, alerts[list(import_alerts.ALERT_COLUMNS)])
            closed += resolve_alerts(connection, kind, alerts["cause"], as_of)
    return opened, closed


def _waiting(count: int, kind: str) -> str:
    return f"{count:,} row{' waits' if count == 1 else 's wait'} in quarantine/{kind}"
