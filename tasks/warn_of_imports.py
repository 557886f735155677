"""Step of receive-exports: warn of files that were refused and of rows in quarantine, until they came well."""

from datetime import datetime

from tasks.domain.states import AlertKind
from tasks.put_away import sheet_path
from tasks.receive_reports import in_data
from tasks.steps import step
from tasks.store import import_alerts
from tasks.store.alerts import raise_alerts, resolve_alerts, wake
from tasks.store.engine import engine


@step(task_run_name="warn of refused files and rows")
def warn_of_imports(as_of: datetime) -> tuple[int, int]:
    """Open an alert for each refused file and each file with rows in quarantine, close those whose cause is gone.

    Returns how many were opened and closed.
    """
    opened = closed = 0
    with engine().begin() as connection:
        wake(connection, as_of)
        rows = import_alerts.quarantined(connection)
        sheets = [in_data(sheet_path(*of)) for of in zip(rows["of"], rows["subject"], rows["import_id"], strict=True)]
        rows["detail"] = rows["rows"].map(_rows_wait) + sheets
        found = {AlertKind.REFUSED_FILE: import_alerts.refused(connection), AlertKind.QUARANTINED_ROWS: rows}
        for kind, alerts in found.items():
            opened += raise_alerts(connection, alerts[list(import_alerts.COLUMNS)])
            closed += resolve_alerts(connection, kind, alerts["cause"], as_of)
    return opened, closed


def _rows_wait(count: int) -> str:
    return f"{count:,} row{' waits' if count == 1 else 's wait'} in "
