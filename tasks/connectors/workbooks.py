"""Spreadsheets (XLSX, XLS) as rows of text."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import python_calamine

CellValue = int | float | str | bool | time | date | datetime | timedelta
_XLS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def is_workbook(path: Path) -> bool:
    """Whether the file starts like an XLSX (a ZIP archive) or an XLS."""
    with path.open("rb") as stream:
        start = stream.read(8)
    return start.startswith(b"PK\x03\x04") or start == _XLS


def workbook_rows(path: Path) -> list[list[str | None]]:
    """The cells of the first visible sheet as text, None where empty, rows padded to the header's width.

    Raises ValueError or OSError when the file is no workbook.
    """
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            table = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        raise ValueError(str(error)) from None
    rows = [[_text(cell) for cell in row] for row in table]
    width = max((len(row) for row in rows), default=0)
    while width and not any(row[width - 1] for row in rows if len(row) >= width):
        width -= 1
    return [row[:width] + [None] * (width - len(row)) for row in rows]


def _text(cell: CellValue) -> str | None:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell) or None
