"""Move an imported file out of the inbox, and write the sheet in which its refused rows can be corrected."""

import filecmp
from datetime import datetime
from pathlib import Path

from config.settings import settings
from tasks.documents.tables import write_xlsx
from tasks.domain.receiving.export_kinds import KINDS
from tasks.domain.receiving.quarantine import quarantine_sheet
from tasks.steps.receiving.file_job import FileState, Outcome
from tasks.steps.receiving.quarantine_sheet import SHEET_NAME
from tasks.store.database.engine import reading
from tasks.store.receiving import imports


def archive_file(path: Path, outcome: Outcome, as_of: datetime) -> None:
    """Write the quarantine sheet or the reason for refusal, then move the file to the archive or the quarantine."""
    if outcome.state is FileState.REFUSED:
        folder = settings().folder("quarantine") / outcome.kind / "refused"
        folder.mkdir(parents=True, exist_ok=True)
        reason_file = folder / f"{outcome.file_name}.reason.txt"
        reason_file.write_text(f"{outcome.file_name}: {outcome.reason}\n", encoding="utf-8")
    else:
        folder = settings().folder("archive") / outcome.kind / f"{as_of:%Y-%m-%d}"
        folder.mkdir(parents=True, exist_ok=True)
        write_quarantine_sheet(outcome)
    target = folder / path.name
    number = 1
    while target.exists() and not filecmp.cmp(target, path, shallow=False):
        number += 1
        target = folder / f"{path.stem}-{number}{path.suffix}"
    path.replace(target)


def sheet_path(kind: str, file_name: str, import_id: int) -> Path:
    """The path of the spreadsheet with a file's refused rows."""
    return settings().folder("quarantine") / kind / f"{Path(file_name).name}.{import_id}.xlsx"


def write_quarantine_sheet(outcome: Outcome) -> Path | None:
    """Write the spreadsheet in which the file's refused rows can be corrected; None when no row is in quarantine."""
    path = sheet_path(outcome.kind, outcome.file_name, outcome.import_id)
    if outcome.sheet:
        path.parent.mkdir(parents=True, exist_ok=True)
        return outcome.sheet.replace(path)
    with reading().connect() as connection:
        rows = imports.open_quarantine(connection, outcome.import_id)
    if rows.empty or path.exists():
        return None
    return write_xlsx(path, {SHEET_NAME: quarantine_sheet(KINDS[outcome.kind], rows)})
