"""Files taken in, and the rows they could not bring."""

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, select, update

from tasks.domain.states import ImportState, QuarantineState
from tasks.store.database.frames import changed, fill, read, staged
from tasks.store.schema import imports, quarantined_rows


@dataclass(frozen=True)
class Delivery:
    """What makes a delivered file the file it is."""

    kind: str
    source: str
    sha256: str
    file_name: str


def already_loaded(connection: Connection, delivery: Delivery) -> int | None:
    """The import that took this very file in before, if any."""
    return connection.scalar(select(imports.c.id).where(_same(delivery), imports.c.state == ImportState.LOADED))


def open_import(connection: Connection, delivery: Delivery, layout: str | None, received_at: object) -> int:
    """The id of this file's import, about to be loaded or refused; a refusal of before is forgotten."""
    connection.execute(delete(imports).where(_same(delivery), imports.c.state == ImportState.REFUSED))
    row = insert(imports).values(
        kind=delivery.kind, source=delivery.source, sha256=delivery.sha256, file_name=delivery.file_name,
        layout=layout, state=ImportState.LOADED, received_at=received_at,
    )  # fmt: skip
    return int(connection.scalar(row.returning(imports.c.id)) or 0)


def close_import(connection: Connection, import_id: int, counts: dict[str, int], reason: str | None = None) -> None:
    """Write down what became of the file's rows; with a reason the file is refused."""
    state = ImportState.REFUSED if reason else ImportState.LOADED
    connection.execute(update(imports).where(imports.c.id == import_id).values(**counts, state=state, reason=reason))


def refusal(connection: Connection, delivery: Delivery) -> str | None:
    """Why this very file was refused before, if it was."""
    return connection.scalar(select(imports.c.reason).where(_same(delivery), imports.c.state == ImportState.REFUSED))


def usual_rows(connection: Connection, import_id: int, imports_min: int) -> float | None:
    """The median of rows in the last ten files loaded before `import_id` of its kind, source and layout.

    None with fewer than `imports_min` of them.
    """
    this, before = imports.alias("this"), imports.c
    same = (before[name] == this.c[name] for name in ("kind", "source", "layout"))
    recent = (
        select(before.rows_in)
        .join_from(imports, this, and_(*same, before.id < this.c.id))
        .where(this.c.id == import_id, before.state == ImportState.LOADED, before.rows_in > 0)
        .order_by(before.received_at.desc(), before.id.desc())
        .limit(10)
    )
    rows = read(connection, recent)["rows_in"]
    return float(rows.median()) if len(rows) >= imports_min else None


def quarantine(connection: Connection, rows: pd.DataFrame) -> None:
    """Keep refused rows: import_id, row_number, merchant_id, subject, raw, cells, reasons."""
    fill(connection, quarantined_rows, rows)


def correct(connection: Connection, import_id: int, corrected: pd.DataFrame) -> int:
    """Close the quarantined rows that file `import_id` brings again; what is wrong again waits as a row of that file.

    `corrected`: sha256 str (the file they were refused from), refused_row int64. Returns how many were open.
    """
    if corrected.empty:
        return 0
    with staged(connection, corrected) as said:
        mine = exists().where(
            imports.c.id == quarantined_rows.c.import_id,
            imports.c.sha256 == said.c.sha256,
            quarantined_rows.c.row_number == said.c.refused_row,
        )
        closed = update(quarantined_rows).where(quarantined_rows.c.state == QuarantineState.OPEN, mine)
        return changed(connection, closed.values(state=QuarantineState.CORRECTED, corrected_by_import_id=import_id))


def open_quarantine(connection: Connection, import_id: int) -> pd.DataFrame:
    """The rows of a file that still wait for a correction: row_number, reasons, raw, cells, sha256, file_name."""
    return read(
        connection,
        select(quarantined_rows.c.row_number, quarantined_rows.c.reasons, quarantined_rows.c.raw,
               quarantined_rows.c.cells, imports.c.sha256, imports.c.file_name)
        .join(imports, imports.c.id == quarantined_rows.c.import_id)
        .where(quarantined_rows.c.import_id == import_id, quarantined_rows.c.state == QuarantineState.OPEN)
        .order_by(quarantined_rows.c.row_number),
    )  # fmt: skip


def open_quarantine_count(connection: Connection) -> int:
    """How many rows wait for a correction."""
    waiting = select(func.count()).select_from(quarantined_rows).where(quarantined_rows.c.state == QuarantineState.OPEN)
    return int(connection.scalar(waiting) or 0)


def _same(delivery: Delivery) -> ColumnElement[bool]:
    return and_(
        imports.c.kind == delivery.kind, imports.c.source == delivery.source, imports.c.sha256 == delivery.sha256
    )
