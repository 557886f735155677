"""Step of receive-exports: say where shop and ledger disagree, and warn of it until they no longer do."""

import pandas as pd
from sqlalchemy import Connection

from config.settings import settings
from tasks.documents.tables import write_csv
from tasks.domain.states import AlertKind
from tasks.runs.step import step
from tasks.store.database.engine import engine, reading
from tasks.store.receiving import import_alerts
from tasks.store.stock.alerts import raise_alerts, resolve_alerts
from tasks.store.stock.drift import drift, note_reported, unreported


@step(task_run_name="compare shop stock with the book")
def report_drift() -> pd.DataFrame:
    """Where stock exports nobody was told of yet and the ledger disagree, per place and in value; also as CSVs."""
    with reading().connect() as connection:
        exports = unreported(connection)
        found = [drift(connection, import_id).assign(file=name)
                 for import_id, name in zip(exports["id"], exports["file_name"], strict=True)]  # fmt: skip
    exports["places"] = [len(places) for places in found]
    report = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    moments = exports["received_at"].repeat(exports["places"].tolist()).set_axis(report.index)
    for moment, together in report.groupby(moments):
        write_csv(settings().documents("receive-exports", moment) / "drift.csv", together)
    if len(exports):
        with engine().begin() as connection:
            note_reported(connection, exports)
            _warn(connection, exports, found)
    return report


def _warn(connection: Connection, exports: pd.DataFrame, found: list[pd.DataFrame]) -> None:
    """An alert for each export and merchant; one whose places a newer export spoke of is over."""
    before = import_alerts.of_drift(connection)
    again = before[~before["id"].isin(exports["id"])]
    every = pd.concat([exports, again], ignore_index=True)
    places = [*found, *(drift(connection, int(import_id)) for import_id in again["id"])]
    told = import_alerts.drift_alerts(connection, every, places)
    raise_alerts(connection, told)
    resolve_alerts(connection, AlertKind.DRIFT, told["cause"], exports["received_at"].max())
