"""Causes of warning that lie in the files taken in: refused ones, rows in quarantine, stock that drifts."""

import pandas as pd
from sqlalchemy import Connection, exists, func, literal, select

from tasks.domain.states import AlertKind, AlertState, ImportState, QuarantineState
from tasks.store.database.frames import read
from tasks.store.schema import alerts, imports, merchants, quarantined_rows

COLUMNS = ("cause", "kind", "subject", "detail", "merchant_id", "opened_at")


def refused(connection: Connection) -> pd.DataFrame:
    """Files refused as a whole of which none of that name was loaded since: COLUMNS, one row a file name."""
    one, later = imports.c, imports.alias("later")
    since = exists().where(*(later.c[name] == one[name] for name in ("kind", "source", "file_name")),
                           later.c.state == ImportState.LOADED, later.c.id > one.id)  # fmt: skip
    found = read(
        connection,
        select(("refused_file:" + one.kind + ":" + one.source + ":" + one.file_name).label("cause"),
               literal(str(AlertKind.REFUSED_FILE)).label("kind"), one.file_name.label("subject"),
               one.reason.label("detail"), merchants.c.id.label("merchant_id"), one.received_at.label("opened_at"))
        .outerjoin_from(imports, merchants, merchants.c.code == one.source)
        .where(one.state == ImportState.REFUSED, ~since)
        .order_by(one.id),
    )  # fmt: skip
    return found.drop_duplicates("cause", keep="last").astype({"merchant_id": "Int64"})


def quarantined(connection: Connection) -> pd.DataFrame:
    """Files of which rows wait in quarantine, by merchant: COLUMNS without detail, of (its kind), rows int64."""
    one, row = imports.c, quarantined_rows.c
    of_row, of_file = merchants.alias("of_row"), merchants.alias("of_file")
    owner, code = func.coalesce(of_row.c.id, of_file.c.id), func.coalesce(of_row.c.code, of_file.c.code, "")
    cause = literal("quarantined_rows:") + one.kind + ":" + one.sha256 + ":" + code
    found = read(
        connection,
        select(cause.label("cause"), literal(str(AlertKind.QUARANTINED_ROWS)).label("kind"),
               one.file_name.label("subject"), owner.label("merchant_id"), one.received_at.label("opened_at"),
               one.kind.label("of"), func.count().label("rows"))
        .join_from(quarantined_rows, imports, one.id == row.import_id)
        .outerjoin(of_row, of_row.c.id == row.merchant_id)
        .outerjoin(of_file, of_file.c.code == one.source)
        .where(row.state == QuarantineState.OPEN)
        .group_by(one.id, one.kind, one.sha256, one.file_name, one.received_at, owner, code)
        .order_by(one.id),
    )  # fmt: skip
    return found.astype({"merchant_id": "Int64"})


def of_drift(connection: Connection) -> pd.DataFrame:
    """Stock exports of whose drift an alert is open: id, received_at, sha256, file_name."""
    warned = exists().where(alerts.c.kind == AlertKind.DRIFT, alerts.c.state != AlertState.RESOLVED,
                            alerts.c.cause.startswith("drift:" + imports.c.sha256 + ":"))  # fmt: skip
    one = imports.c
    return read(
        connection,
        select(one.id, one.received_at, one.sha256, one.file_name).where(warned, one.kind == "stock").order_by(one.id),
    )


def drift_alerts(connection: Connection, exports: pd.DataFrame, places: list[pd.DataFrame]) -> pd.DataFrame:
    """An alert for each export and merchant that drifts: COLUMNS. `places`: the drift of each of `exports`."""
    ids = read(connection, select(merchants.c.code, merchants.c.id)).set_index("code")["id"]
    rows = [
        (f"drift:{sha256}:{merchant}", str(AlertKind.DRIFT), name, _apart(mine), ids[merchant], moment)
        for sha256, name, moment, found in zip(
            exports["sha256"], exports["file_name"], exports["received_at"], places, strict=True)
        for merchant, mine in found.groupby("merchant")
    ]  # fmt: skip
    told = pd.DataFrame(rows, columns=list(COLUMNS))
    return told.astype({"merchant_id": "Int64", "opened_at": exports["received_at"].dtype, "cause": "str"})


def _apart(places: pd.DataFrame) -> str:
    many, units = len(places), int(places["drift"].abs().sum())
    return f"{many:,} place{'' if many == 1 else 's'}, {units:,} unit{'' if units == 1 else 's'} apart; see drift.csv"
