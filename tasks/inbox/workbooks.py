"""Spreadsheets (XLSX, XLS) as rows of text."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import python_calamine

CellValue = int | float | str | bool | time | date | datetime | timedelta
NO_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
CELLS_MAX = 50_000_000
_CHUNK_BYTES = 1 << 20
_OVERLAP_BYTES = 64
_XLS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def is_workbook(path: Path) -> bool:
    """Whether the file starts like an XLSX (a ZIP archive) or an XLS."""
    with path.open("rb") as stream:
        start = stream.read(8)
    return start.startswith(b"PK\x03\x04") or start == _XLS


def workbook_rows(path: Path, *, unpacked_bytes_max: int) -> list[list[str | None]]:
    """The cells of the first visible sheet as text, None where empty, rows padded to the header's width.

    Raises ValueError, OSError or one of NO_ARCHIVE when the file is no workbook, or one too large to be read.
    """
    with path.open("rb") as stream:
        if stream.read(4) == b"PK\x03\x04":
            _refuse_large(path, unpacked_bytes_max)
    try:
        with python_calamine.CalamineWorkbook.from_path(path) as book:
            table = book.get_sheet_by_name(_first_visible(book)).to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        raise ValueError(str(error)) from None
    rows = [[_text(cell) for cell in row] for row in table]
    width = max((len(row) for row in rows), default=0)
    while width and not any(row[width - 1] for row in rows if len(row) >= width):
        width -= 1
    return [row[:width] + [None] * (width - len(row)) for row in rows]


def _first_visible(book: python_calamine.CalamineWorkbook) -> str:
    sheets, shown = python_calamine.SheetTypeEnum.WorkSheet, python_calamine.SheetVisibleEnum.Visible
    names = [sheet.name for sheet in book.sheets_metadata if sheet.typ == sheets and sheet.visible == shown]
    if not names:
        raise ValueError("it has no visible sheet")
    return names[0]


def _refuse_large(path: Path, bytes_max: int) -> None:
    """Refuse a workbook that is too large: the reader allocates every cell up to the last one, however far out."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > bytes_max:
            raise ValueError(f"it unpacks to more than {bytes_max:,} bytes")
        sheets = [part for part in parts if re.fullmatch(r"/?xl/worksheets/[^/]+\.xml", part.filename, re.IGNORECASE)]
        if not sheets:
            raise ValueError("it is no XLSX")
        for part in sheets:
            rows, columns = _extent(archive, part)
            if rows * columns > CELLS_MAX:
                raise ValueError(f"a sheet reaches to row {rows:,} and column {columns:,}: delete what lies far out")


def _extent(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> tuple[int, int]:
    """The highest row and column of the cells of a sheet."""
    rows: set[int] = {1}
    names: set[bytes] = {b"A"}
    for chunk in _chunks(archive, part):
        names.update(re.findall(rb"""\br\s*=\s*["']([A-Za-z]{1,3})[0-9]""", chunk))
        rows.add(max(map(int, re.findall(rb"""\br\s*=\s*["'][A-Za-z]{0,3}([0-9]{1,7})["']""", chunk)), default=1))
    return max(rows), max(map(_column, names))


def _chunks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    before = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield before + chunk
            before = chunk[-_OVERLAP_BYTES:]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


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
