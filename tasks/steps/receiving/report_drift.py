"""Step of receive-exports: report where shop and ledger disagree, with an alert until they agree again."""

import pandas as pd
from sqlalchemy import Connection

from config.settings import settings
from tasks.documents.tables import write_csv
from tasks.domain.states import AlertKind
from tasks.runs.step import step
from tasks.store.database.engine import engine, reading
from tasks.store.receiving import import_alerts
from tasks.store.stock.alerts import raise_alerts, resolve_alerts
from tasks.store.stock.drift import drift_lines, record_reported, unreported_exports


@step(task_run_name="compare shop stock with the book")
def report_drift() -> pd.DataFrame:
    """Compare the stock exports that were not reported yet with the ledger; one row per place that disagrees.

    The rows, with units and value, are also written as drift.csv, one for each moment at which exports were received.
    """
    with reading().connect() as connection:
        exports = unreported_exports(connection)
        drifts = [
            drift_lines(connection, import_id).assign(file=name)
            for import_id, name in zip(exports["id"], exports["file_name"], strict=True)
        ]
    exports["places"] = [len(places) for places in drifts]
    report = pd.concat(drifts, ignore_index=True) if drifts else pd.DataFrame()
    moments = exports["received_at"].repeat(exports["places"].tolist()).set_axis(report.index)
    for moment, rows in report.groupby(moments):
        write_csv(settings().documents("receive-exports", moment) / "drift.csv", rows)
    if len(exports):
        with engine().begin() as connection:
            record_reported(connection, exports)
            _warn(connection, exports, drifts)
    return report


def _warn(connection: Connection, exports: pd.DataFrame, drifts: list[pd.DataFrame]) -> None:
    """Raise an alert for each export and merchant; resolve an older one when newer exports cover its places."""
    open_exports = import_alerts.exports_with_drift_alert(connection)
    older = open_exports[~open_exports["id"].isin(exports["id"])]
    older_drifts = [drift_lines(connection, int(import_id)) for import_id in older["id"]]
    exports_at_hand = pd.concat([exports, older], ignore_index=True)
    alerts = import_alerts.drift_alerts(connection, exports_at_hand, [*drifts, *older_drifts])
    raise_alerts(connection, alerts)
    resolve_alerts(connection, AlertKind.DRIFT, alerts["cause"], exports["received_at"].max())
