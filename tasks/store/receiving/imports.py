"""Imported files, and their rows in quarantine."""

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, insert, select, update

from tasks.domain.states import ImportState, QuarantineState
from tasks.store.database.frames import changed, fill, read, staged
from tasks.store.schema import imports, quarantined_rows


@dataclass(frozen=True)
class Delivery:
    """The identity of a delivered file: the same content of the same kind and source is the same delivery."""

    kind: str
    source: str
    sha256: str
    file_name: str


def loaded_import(connection: Connection, delivery: Delivery) -> int | None:
    """The id of the import that loaded this very file, if there is one."""
    return connection.scalar(select(imports.c.id).where(_is_delivery(delivery), imports.c.state == ImportState.LOADED))


def open_import(connection: Connection, delivery: Delivery, layout: str | None, received_at: object) -> int:
    """Insert the import of a file that is about to be loaded or refused. Returns its id.

    An earlier refusal of the same file is deleted.
    """
    connection.execute(delete(imports).where(_is_delivery(delivery), imports.c.state == ImportState.REFUSED))
    row = insert(imports).values(
        kind=delivery.kind,
        source=delivery.source,
        sha256=delivery.sha256,
        file_name=delivery.file_name,
        layout=layout,
        state=ImportState.LOADED,
        received_at=received_at,
    )
    return int(connection.scalar(row.returning(imports.c.id)) or 0)


def close_import(connection: Connection, import_id: int, counts: dict[str, int], reason: str | None = None) -> None:
    """Store the row counts of an import; with a reason the file is refused."""
    state = ImportState.REFUSED if reason else ImportState.LOADED
    connection.execute(update(imports).where(imports.c.id == import_id).values(**counts, state=state, reason=reason))


def refusal_reason(connection: Connection, delivery: Delivery) -> str | None:
    """The reason why this very file was refused before, if it was."""
    return connection.scalar(
        select(imports.c.reason).where(_is_delivery(delivery), imports.c.state == ImportState.REFUSED)
    )


def usual_rows(connection: Connection, import_id: int, imports_min: int) -> float | None:
    """The median number of rows of the last ten files of the same kind, source and layout before `import_id`.

    None when fewer than `imports_min` were loaded.
    """
    current, earlier = imports.alias("current"), imports.c
    is_alike = (earlier[name] == current.c[name] for name in ("kind", "source", "layout"))
    recent = (
        select(earlier.rows_in)
        .join_from(imports, current, and_(*is_alike, earlier.id < current.c.id))
        .where(current.c.id == import_id, earlier.state == ImportState.LOADED, earlier.rows_in > 0)
        .order_by(earlier.received_at.desc(), earlier.id.desc())
        .limit(10)
    )
    rows = read(connection, recent)["rows_in"]
    return float(rows.median()) if len(rows) >= imports_min else None


def quarantine_rows(connection: Connection, rows: pd.DataFrame) -> None:
    """Store refused rows: import_id, row_number, merchant_id, subject, raw, cells, reasons."""
    fill(connection, quarantined_rows, rows)


def close_corrected_rows(connection: Connection, import_id: int, corrected: pd.DataFrame) -> int:
    """Close the quarantined rows that file `import_id` delivers again. Returns the number of rows closed.

    `corrected`: sha256 str (the file the rows were refused from), refused_row int64. A row that is still wrong is
    quarantined again as a row of the new file.
    """
    if corrected.empty:
        return 0
    with staged(connection, corrected) as corrections:
        is_corrected = exists().where(
            imports.c.id == quarantined_rows.c.import_id,
            imports.c.sha256 == corrections.c.sha256,
            quarantined_rows.c.row_number == corrections.c.refused_row,
        )
        statement = update(quarantined_rows).where(quarantined_rows.c.state == QuarantineState.OPEN, is_corrected)
        return changed(connection, statement.values(state=QuarantineState.CORRECTED, corrected_by_import_id=import_id))


def open_quarantine(connection: Connection, import_id: int) -> pd.DataFrame:
    """The rows of a file that are in quarantine: row_number, reasons, raw, cells, sha256, file_name."""
    return read(
        connection,
        select(
            quarantined_rows.c.row_number,
            quarantined_rows.c.reasons,
            quarantined_rows.c.raw,
            quarantined_rows.c.cells,
            imports.c.sha256,
            imports.c.file_name,
        )
        .join(imports, imports.c.id == quarantined_rows.c.import_id)
        .where(quarantined_rows.c.import_id == import_id, quarantined_rows.c.state == QuarantineState.OPEN)
        .order_by(quarantined_rows.c.row_number),
    )


def _is_delivery(delivery: Delivery) -> ColumnElement[bool]:
    return and_(
        imports.c.kind == delivery.kind, imports.c.source == delivery.source, imports.c.sha256 == delivery.sha256
    )
