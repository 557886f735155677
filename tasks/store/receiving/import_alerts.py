"""Alerts that come from imported files: refused files, rows in quarantine, stock that drifts."""

import pandas as pd
from sqlalchemy import Connection, exists, func, literal, select

from tasks.domain.states import AlertKind, AlertState, ImportState, QuarantineState
from tasks.store.database.frames import read
from tasks.store.schema import alerts, imports, merchants, quarantined_rows

ALERT_COLUMNS = ("cause", "kind", "subject", "detail", "merchant_id", "opened_at")


def refused_files(connection: Connection) -> pd.DataFrame:
    """Files refused as a whole with no later file of the same name loaded: ALERT_COLUMNS, one row per file name."""
    file, later = imports.c, imports.alias("later")
    is_replaced = exists().where(
        *(later.c[name] == file[name] for name in ("kind", "source", "file_name")),
        later.c.state == ImportState.LOADED,
        later.c.id > file.id,
    )
    files = read(
        connection,
        select(
            ("refused_file:" + file.kind + ":" + file.source + ":" + file.file_name).label("cause"),
            literal(str(AlertKind.REFUSED_FILE)).label("kind"),
            file.file_name.label("subject"),
            file.reason.label("detail"),
            merchants.c.id.label("merchant_id"),
            file.received_at.label("opened_at"),
        )
        .outerjoin_from(imports, merchants, merchants.c.code == file.source)
        .where(file.state == ImportState.REFUSED, ~is_replaced)
        .order_by(file.id),
    )
    return files.drop_duplicates("cause", keep="last").astype({"merchant_id": "Int64"})


def quarantined_files(connection: Connection) -> pd.DataFrame:
    """Files with rows in quarantine, one row per file and merchant.

    Returns ALERT_COLUMNS without detail, import_kind str and rows int64, the number of rows in quarantine.
    """
    file, row = imports.c, quarantined_rows.c
    row_merchant, file_merchant = merchants.alias("row_merchant"), merchants.alias("file_merchant")
    merchant_id = func.coalesce(row_merchant.c.id, file_merchant.c.id)
    code = func.coalesce(row_merchant.c.code, file_merchant.c.code, "")
    cause = literal("quarantined_rows:") + file.kind + ":" + file.sha256 + ":" + code
    files = read(
        connection,
        select(
            cause.label("cause"),
            literal(str(AlertKind.QUARANTINED_ROWS)).label("kind"),
            file.file_name.label("subject"),
            merchant_id.label("merchant_id"),
            file.received_at.label("opened_at"),
            file.kind.label("import_kind"),
            func.count().label("rows"),
        )
        .join_from(quarantined_rows, imports, file.id == row.import_id)
        .outerjoin(row_merchant, row_merchant.c.id == row.merchant_id)
        .outerjoin(file_merchant, file_merchant.c.code == file.source)
        .where(row.state == QuarantineState.OPEN)
        .group_by(file.id, file.kind, file.sha256, file.file_name, file.received_at, merchant_id, code)
        .order_by(file.id),
    )
    return files.astype({"merchant_id": "Int64"})


def exports_with_drift_alert(connection: Connection) -> pd.DataFrame:
    """Stock exports with an open alert about drift: id, received_at, sha256, file_name."""
    has_alert = exists().where(
        alerts.c.kind == AlertKind.DRIFT,
        alerts.c.state != AlertState.RESOLVED,
        alerts.c.cause.startswith("drift:" + imports.c.sha256 + ":"),
    )
    export = imports.c
    exports = select(export.id, export.received_at, export.sha256, export.file_name)
    return read(connection, exports.where(has_alert, export.kind == "stock").order_by(export.id))


def drift_alerts(connection: Connection, exports: pd.DataFrame, drifts: list[pd.DataFrame]) -> pd.DataFrame:
    """One alert per export and merchant that drifts: ALERT_COLUMNS.

    `exports`: columns as in `exports_with_drift_alert`; `drifts`: for each of them, one row per place that disagrees.
    """
    ids = read(connection, select(merchants.c.code, merchants.c.id)).set_index("code")["id"]
    rows = [
        (f"drift:{sha256}:{merchant}", str(AlertKind.DRIFT), name, _apart(places), ids[merchant], moment)
        for sha256, name, moment, drift in zip(
            exports["sha256"], exports["file_name"], exports["received_at"], drifts, strict=True
        )
        for merchant, places in drift.groupby("merchant")
    ]
    return pd.DataFrame(rows, columns=list(ALERT_COLUMNS)).astype(
        {"merchant_id": "Int64", "opened_at": exports["received_at"].dtype, "cause": "str"}
    )


def _apart(places: pd.DataFrame) -> str:
    count, units = len(places), int(places["drift"].abs().sum())
    return f"{count:,} place{'' if count == 1 else 's'}, {units:,} unit{'' if units == 1 else 's'} apart; see drift.csv"
