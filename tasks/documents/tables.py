"""Tables written for people: CSV and XLSX in which no cell executes and the same rows give the same bytes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tasks.domain.money import in_major_units

CREATED = datetime(2000, 1, 1, tzinfo=UTC)  # a workbook says when it was made; ours must not differ between runs
_WIDTH_MAX, _WIDTH_ROWS = 60, 200  # a column is as wide as its first rows need
# Rows go to disk as they are written, so that a long sheet takes no more memory than a short one.
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}


def write_csv(path: Path, frame: pd.DataFrame) -> Path:
    """Write `frame` as UTF-8 CSV for people: times as ISO 8601 UTC, money in units, formula cells made text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    harmless = pd.DataFrame({name: _harmless(values) for name, values in frame.items()})
    in_major_units(harmless).to_csv(part, index=False, lineterminator="\n", encoding="utf-8")
    part.replace(path)
    return path


def write_xlsx(path: Path, sheets: Mapping[str, pd.DataFrame]) -> Path:
    """Write each frame to a sheet of its own: header frozen and filtered, every text a text cell."""
    book = OpenWorkbook(path)
    for name, frame in sheets.items():
        book.sheet(name).add(frame)
    return book.close()


class OpenWorkbook:
    """A workbook that is written while its rows come; nothing lies at `path` before it is closed."""

    def __init__(self, path: Path) -> None:
        import xlsxwriter

        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._book = xlsxwriter.Workbook(str(self._part), _OPTIONS)
        self._book.set_properties({"created": CREATED})
        self._bold = self._book.add_format({"bold": True, "bottom": 1})
        self._sheets: list[OpenSheet] = []

    def sheet(self, name: str) -> "OpenSheet":
        """A further sheet; the ones before it take no more rows."""
        self._sheets.append(OpenSheet(self._book.add_worksheet(name), self._bold))
        return self._sheets[-1]

    def close(self) -> Path:
        """The workbook is at its path, in place of an older one."""
        for sheet in self._sheets:
            sheet.finish()
        self._book.close()
        return self._part.replace(self._path)

    def discard(self) -> None:
        """There shall be no such workbook."""
        self._book.close()
        self._part.unlink()


class OpenSheet:
    """A sheet of an open workbook."""

    def __init__(self, sheet: Any, bold: Any) -> None:
        self._sheet, self._bold = sheet, bold
        self._rows = 0
        self._widths: list[int] = []

    def add(self, frame: pd.DataFrame) -> None:
        """Add rows; the columns of the first are those of all."""
        if not self._widths:
            self._widths = [len(str(label)) for label in frame.columns]
            for number, label in enumerate(frame.columns):
                self._sheet.write_string(0, number, str(label), self._bold)
        seen = frame.head(max(0, _WIDTH_ROWS - self._rows))
        self._widths = [max(width, _longest(seen[label])) for width, label in zip(self._widths, seen, strict=True)]
        _write_rows(self._sheet, frame, self._rows + 1)
        self._rows += len(frame)

    def finish(self) -> None:
        """Fit the columns to what was written, freeze the header and let it filter."""
        self._sheet.freeze_panes(1, 0)
        self._sheet.autofilter(0, 0, self._rows, max(0, len(self._widths) - 1))
        for number, width in enumerate(self._widths):
            self._sheet.set_column(number, number, min(_WIDTH_MAX, width + 2))


def _write_rows(sheet: Any, frame: pd.DataFrame, first: int) -> None:
    for row, values in enumerate(zip(*(_cells(frame[label]) for label in frame.columns), strict=True), start=first):
        for column, value in enumerate(values):
            if isinstance(value, str):
                sheet.write_string(row, column, value)
            elif value is not None:
                sheet.write(row, column, value)


def _harmless(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return pd.Series(values.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    if not (pd.api.types.is_string_dtype(values.dtype) or values.dtype == object):
        return values
    text = values.astype("str")
    risky = text.str.match(r"^[=+\-@\t\r]").fillna(value=False).astype(bool)
    return text.where(~risky, "'" + text) if risky.any() else text


def _cells(values: pd.Series) -> list[object]:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return list(values.to_numpy(dtype="object", na_value=None))  # type: ignore[call-overload]


def _longest(values: pd.Series) -> int:
    return max((len(str(value)) for value in _cells(values) if value is not None), default=0)
