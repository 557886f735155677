"""Refused rows: how quarantine keeps them, the sheet to correct them in, and the corrections that come back."""

import csv
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pandas as pd

from tasks.domain.receiving.cells import bare
from tasks.domain.receiving.export_kinds import Kind

FILE_COLUMN, ROW_COLUMN, REASONS_COLUMN = "quarantine_file", "quarantine_row", "quarantine_reasons"
_SUBJECTS = ("order_number", "request_id", "movement_id", "rma", "parcel", "tracking_number", "sku", "location")


def quarantine_rows(kind: Kind, rows: pd.DataFrame, cells: pd.DataFrame, reasons: pd.DataFrame) -> pd.DataFrame:
    """Refused rows as quarantine keeps them, one row per row_number.

    `rows`: canonical texts with row_number; `cells`: the file's own cells by row number; `reasons`: row_number and
    reason, one row per reason. Returns row_number, merchant, subject, raw (the row as CSV), cells (JSON list of
    canonical texts, one object per record) and reasons (joined).
    """
    by_number: dict[int, dict[str, None]] = {}
    for number, reason in zip(reasons["row_number"], reasons["reason"], strict=True):
        by_number.setdefault(number, {})[reason] = None
    numbers = sorted(by_number)
    raw = cells.loc[cells.index.isin(numbers)]
    lines = dict(zip(raw.index, _csv_lines(raw), strict=True))
    records = _records(kind, rows[rows["row_number"].isin(numbers)])
    row_records = [records.get(number, []) for number in numbers]
    return pd.DataFrame(
        {
            "row_number": pd.Series(numbers, dtype="int64"),
            "merchant": pd.Series([_first_text(texts, ("merchant",)) for texts in row_records], dtype="str"),
            "subject": pd.Series([_first_text(texts, _SUBJECTS) for texts in row_records], dtype="str"),
            "raw": pd.Series([lines.get(number, "") for number in numbers], dtype="str"),
            "cells": pd.Series(
                [json.dumps(texts, ensure_ascii=False, sort_keys=True) for texts in row_records], dtype="str"
            ),
            "reasons": pd.Series(["; ".join(by_number[number]) for number in numbers], dtype="str"),
        }
    )


def merge_refused_rows(refused: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The frames of `quarantine_rows` as one with unique row numbers, reasons joined; NUL is shown as a symbol."""
    frames = [rows for rows in refused if len(rows)]
    if not frames:
        return pd.DataFrame()
    rows = pd.concat(frames, ignore_index=True)
    if not rows["row_number"].is_unique:
        first: dict[str, Any] = dict.fromkeys(("merchant", "subject", "raw", "cells"), "first")
        rows = rows.groupby("row_number", as_index=False).agg(first | {"reasons": "; ".join})
    shown = {name: rows[name].str.replace("\x00", "\N{SYMBOL FOR NULL}") for name in ("subject", "raw", "reasons")}
    return rows.assign(**shown)


def subjects(rows: pd.DataFrame) -> pd.Series:
    """The subjects of `rows` (canonical texts with row_number) by row number: an order, a movement or a SKU."""
    names = [name for name in _SUBJECTS if name in rows]
    subject: dict[int, str | None] = {}
    for number, *texts in zip(rows["row_number"], *(_texts(rows[name]) for name in names), strict=True):
        subject[number] = _first_text([{name: text for name, text in zip(names, texts, strict=True) if text}], names)
    return pd.Series(subject, dtype="str")


def _records(kind: Kind, rows: pd.DataFrame) -> dict[int, list[dict[str, str]]]:
    """The canonical texts by row number: one dictionary per record, without missing texts."""
    fields = [field.name for field in kind.fields if field.name in rows]
    records: dict[int, list[dict[str, str]]] = {}
    for number, *texts in zip(rows["row_number"], *(_texts(rows[name]) for name in fields), strict=True):
        record = {name: text for name, text in zip(fields, texts, strict=True) if text is not None}
        records.setdefault(number, []).append(record)
    return records


def _csv_lines(rows: pd.DataFrame) -> list[str]:
    """Each row as one CSV record, even if its cells have several lines."""
    lines: list[str] = []
    writer = csv.writer(SimpleNamespace(write=lines.append), lineterminator="")
    writer.writerows(zip(*(_texts(rows[name]) for name in rows.columns), strict=True))
    return lines


def _texts(values: pd.Series) -> list[str | None]:
    return list(values.to_numpy(dtype="object", na_value=None))  # type: ignore[call-overload]


def quarantine_sheet(kind: Kind, refused: pd.DataFrame) -> pd.DataFrame:
    """The rows of the spreadsheet for corrections: the reasons, every canonical column as delivered, and the origin.

    `refused`: row_number, reasons, raw, cells (JSON), sha256, file_name. Once corrected, the sheet can be dropped in
    the inbox, where it loads as a canonical file.
    """
    fields = [field.name for field in kind.fields]
    lines = [
        {REASONS_COLUMN: reasons, FILE_COLUMN: sha256, ROW_COLUMN: number, **record, "quarantine_raw": raw}
        for number, reasons, raw, cells, sha256 in zip(
            refused["row_number"], refused["reasons"], refused["raw"], refused["cells"], refused["sha256"], strict=True
        )
        for record in json.loads(cells) or [{}]
    ]
    return pd.DataFrame(lines, columns=[REASONS_COLUMN, *fields, FILE_COLUMN, ROW_COLUMN, "quarantine_raw"])


def corrections(cells: pd.DataFrame) -> pd.DataFrame:
    """The quarantined rows that a file corrects: row_number (its own), sha256 str and refused_row int64 (theirs)."""
    if FILE_COLUMN not in cells or ROW_COLUMN not in cells:
        return pd.DataFrame(
            {
                "row_number": pd.Series(dtype="int64"),
                "sha256": pd.Series(dtype="str"),
                "refused_row": pd.Series(dtype="int64"),
            }
        )
    numbers = cells[ROW_COLUMN].where(cells[ROW_COLUMN].str.fullmatch(r"\d{1,9}").fillna(value=False).astype(bool))
    rows = pd.DataFrame({"row_number": cells.index, "sha256": cells[FILE_COLUMN].array, "refused_row": numbers.array})
    return rows.dropna().astype({"refused_row": "int64"})


def _first_text(records: list[dict[str, str]], names: Sequence[str]) -> str | None:
    """The first of the fields `names` that the first record has, without spreadsheet quotes."""
    return next((bare(record[name]) for name in names for record in records[:1] if name in record), None)
