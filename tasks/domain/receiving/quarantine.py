"""Between a row that was read and a row that can be stored: sites, first rows of orders, quarantine sheets."""

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
    """What is kept of refused rows.

    `rows`: canonical texts with row_number; `cells`: the file's own cells by row number; `reasons`: row_number,
    reason, one row a reason. Gives row_number, merchant, subject, raw (the row as CSV), cells (JSON list of canonical
    texts, one object a record), reasons (joined); one row a row_number.
    """
    why: dict[int, dict[str, None]] = {}
    for number, reason in zip(reasons["row_number"], reasons["reason"], strict=True):
        why.setdefault(number, {})[reason] = None
    numbers = sorted(why)
    raw = cells.loc[cells.index.isin(numbers)]
    texts = dict(zip(raw.index, _csv_lines(raw), strict=True))
    records = _records(kind, rows[rows["row_number"].isin(numbers)])
    told = [records.get(number, []) for number in numbers]
    return pd.DataFrame(
        {
            "row_number": pd.Series(numbers, dtype="int64"),
            "merchant": pd.Series([_say(each, ("merchant",)) for each in told], dtype="str"),
            "subject": pd.Series([_say(each, _SUBJECTS) for each in told], dtype="str"),
            "raw": pd.Series([texts.get(number, "") for number in numbers], dtype="str"),
            "cells": pd.Series([json.dumps(each, ensure_ascii=False, sort_keys=True) for each in told], dtype="str"),
            "reasons": pd.Series(["; ".join(why[number]) for number in numbers], dtype="str"),
        }
    )


def refused_once(refused: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row a row_number of what `quarantine_rows` gave, all its reasons joined; NUL is shown as a sign."""
    kept = [each for each in refused if len(each)]
    if not kept:
        return pd.DataFrame()
    rows = pd.concat(kept, ignore_index=True)
    if not rows["row_number"].is_unique:
        said: dict[str, Any] = dict.fromkeys(("merchant", "subject", "raw", "cells"), "first") | {"reasons": "; ".join}
        rows = rows.groupby("row_number", as_index=False).agg(said)
    shown = {name: rows[name].str.replace("\x00", "\N{SYMBOL FOR NULL}") for name in ("subject", "raw", "reasons")}
    return rows.assign(**shown)


def subjects(rows: pd.DataFrame) -> pd.Series:
    """What rows (canonical texts with row_number) are about, by row number: an order, a movement, a SKU."""
    names = [name for name in _SUBJECTS if name in rows]
    said: dict[int, str | None] = {}
    for number, *texts in zip(rows["row_number"], *(_texts(rows[name]) for name in names), strict=True):
        said[number] = _say([{name: text for name, text in zip(names, texts, strict=True) if text}], names)
    return pd.Series(said, dtype="str")


def _records(kind: Kind, rows: pd.DataFrame) -> dict[int, list[dict[str, str]]]:
    """The canonical texts of each row number: one object a record, without what is missing."""
    fields = [field.name for field in kind.fields if field.name in rows]
    records: dict[int, list[dict[str, str]]] = {}
    for number, *texts in zip(rows["row_number"], *(_texts(rows[name]) for name in fields), strict=True):
        said = {name: text for name, text in zip(fields, texts, strict=True) if text is not None}
        records.setdefault(number, []).append(said)
    return records


def _csv_lines(rows: pd.DataFrame) -> list[str]:
    """Each row as one record of CSV, however many lines its cells have."""
    lines: list[str] = []
    writer = csv.writer(SimpleNamespace(write=lines.append), lineterminator="")
    writer.writerows(zip(*(_texts(rows[name]) for name in rows.columns), strict=True))
    return lines


def _texts(values: pd.Series) -> list[str | None]:
    return list(values.to_numpy(dtype="object", na_value=None))  # type: ignore[call-overload]


def quarantine_sheet(kind: Kind, waiting: pd.DataFrame) -> pd.DataFrame:
    """The spreadsheet to correct refused rows in: why, where from, and every canonical column as it was found.

    `waiting`: row_number, reasons, raw, cells (JSON), sha256, file_name. Corrected and dropped in the inbox again,
    it loads as a canonical file.
    """
    fields = [field.name for field in kind.fields]
    lines = [
        {REASONS_COLUMN: reasons, FILE_COLUMN: sha256, ROW_COLUMN: number, **record, "quarantine_raw": raw}
        for number, reasons, raw, cells, sha256 in zip(
            waiting["row_number"], waiting["reasons"], waiting["raw"], waiting["cells"], waiting["sha256"], strict=True
        )
        for record in json.loads(cells) or [{}]
    ]
    return pd.DataFrame(lines, columns=[REASONS_COLUMN, *fields, FILE_COLUMN, ROW_COLUMN, "quarantine_raw"])


def corrections(cells: pd.DataFrame) -> pd.DataFrame:
    """Which quarantined rows a file says it brings again: row_number (its own), sha256 str, refused_row int64."""
    if FILE_COLUMN not in cells or ROW_COLUMN not in cells:
        return pd.DataFrame({"row_number": pd.Series(dtype="int64"), "sha256": pd.Series(dtype="str"),
                             "refused_row": pd.Series(dtype="int64")})  # fmt: skip
    numbers = cells[ROW_COLUMN].where(cells[ROW_COLUMN].str.fullmatch(r"\d{1,9}").fillna(value=False).astype(bool))
    said = pd.DataFrame({"row_number": cells.index, "sha256": cells[FILE_COLUMN].array, "refused_row": numbers.array})
    return said.dropna().astype({"refused_row": "int64"})


def _say(records: list[dict[str, str]], names: Sequence[str]) -> str | None:
    return next((bare(record[name]) for name in names for record in records[:1] if name in record), None)
