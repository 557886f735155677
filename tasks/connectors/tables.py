"""Tables written for people: CSV and XLSX in which no cell executes and the same rows give the same bytes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from tasks.domain.money import in_units

CREATED = datetime(2000, 1, 1, tzinfo=UTC)  # a workbook says when it was made; ours must not differ between runs
_WIDTH_MAX = 60
# Rows go to disk as they are written, so that a long sheet takes no more memory than a short one.
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}


def write_csv(path: Path, frame: pd.DataFrame) -> Path:
    """Write `frame` as UTF-8 CSV for people: times as ISO 8601 UTC, money in units, formula cells made text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    in_units(frame.apply(_harmless)).to_csv(part, index=False, lineterminator="\n", encoding="utf-8")
    part.replace(path)
    return path


def write_xlsx(path: Path, sheets: Mapping[str, pd.DataFrame]) -> Path:
    """Write each frame to a sheet of its own: header frozen and filtered, every text a text cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with xlsxwriter.Workbook(str(part), _OPTIONS) as book:
        book.set_properties({"created": CREATED})
        bold = book.add_format({"bold": True, "bottom": 1})
        for name, frame in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            sheet.autofilter(0, 0, len(frame), max(0, len(frame.columns) - 1))
            for number, label in enumerate(frame.columns):
                sheet.write_string(0, number, str(label), bold)
                sheet.set_column(number, number, _width(str(label), frame[label]))
            _write_rows(sheet, frame)
    part.replace(path)
    return path


def _write_rows(sheet: Worksheet, frame: pd.DataFrame) -> None:
    for row, values in enumerate(zip(*(_cells(frame[label]) for label in frame.columns), strict=True), start=1):
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
    return text.where(~risky, "'" + text)


def _cells(values: pd.Series) -> list[object]:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    plain = values.astype(object)
    return list(plain.where(values.notna(), None))


def _width(label: str, values: pd.Series) -> int:
    longest = max((len(str(value)) for value in _cells(values.head(200)) if value is not None), default=0)
    return min(_WIDTH_MAX, max(len(label), longest) + 2)
