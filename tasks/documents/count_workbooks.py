"""Blind count sheets as workbooks: filled in by the counter and dropped in the inbox as they are."""

import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import barcode
import pandas as pd
import PIL.Image
import xlsxwriter
from barcode.writer import ImageWriter
from xlsxwriter.utility import xl_rowcol_to_cell

from tasks.documents.tables import CREATED
from tasks.domain.counting.count_sheets import TO_FILL
from tasks.domain.states import Condition

FOUND_ROWS = 12  # for goods that lie where the sheet does not say so
_WIDTHS = {  # in characters; what a counter needs is printed, the rest stands right of it
    "location": 24, "sku": 26, "name": 24, "condition": 10, "lot": 10, "expires_on": 11, "quantity": 10, "counter": 13,
    "counted_at": 16, "comment": 17, "barcode": 16, "merchant": 12, "warehouse": 12, "count_id": 24,
}  # fmt: skip
_PRINTED = 10
_FOUND = (*TO_FILL, "location", "sku", "condition", "lot")  # what a counter says of what he found
_SHOWN = {"quantity": "0", "counted_at": "yyyy-mm-dd hh:mm", "expires_on": "yyyy-mm-dd"}
_ROW_HEIGHT, _ROW_PIXELS, _TEXT_PIXELS = 42, 56, 20
_MODULE = {"module_width": 0.254, "module_height": 7.0, "quiet_zone": 2.54, "write_text": False, "dpi": 300}  # 3 dots
_WIDER = 1.5  # bars of a short code may grow so much to fill their cell
_SCREEN_DPI = 96
_HINT = "Nothing there: 0. Not counted: leave the quantity empty. Goods that are not listed: the rows at the end."


def write_sheet(path: Path, sheet: pd.DataFrame) -> Path:
    """Write a blind sheet (`tasks.domain.counting.count_sheets.blind_sheet`) as a workbook.

    Only what the counter fills in can be changed, and the empty rows at the end. The layout is `count_sheet`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    rows = sheet[list(_WIDTHS)].astype("str").fillna("")
    with xlsxwriter.Workbook(str(part), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": CREATED})
        page = book.add_worksheet("count")
        _set_up(page, rows)
        for number, name in enumerate(_WIDTHS):
            page.write_string(0, number, name, book.add_format({"bold": True, "bottom": 1, "valign": "vcenter"}))
            page.set_column(number, number, _WIDTHS[name])
            _column(book, page, number, [*rows[name], *_empty(rows, name)], found_from=len(rows))
        _barcodes(page, "location", rows["location"].tolist())
        _barcodes(page, "sku", rows["barcode"].where(rows["barcode"] != "", rows["sku"]).tolist())
        _guide(book, page, len(rows) + FOUND_ROWS, rows)
    part.replace(path)
    return path


def _set_up(page: Any, rows: pd.DataFrame) -> None:
    first = rows.iloc[0].str.replace("&", "&&")
    page.protect("", {"format_columns": True, "format_rows": True, "select_locked_cells": True})
    page.freeze_panes(1, 1)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.set_margins(left=0.4, right=0.4, top=0.75, bottom=0.6)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    page.print_area(0, 0, len(rows) + FOUND_ROWS, _PRINTED - 1)
    whom = first["counter"] or "________________"
    page.set_header(f"&L&14&B{first['count_id']}&C&12start at {first['location']}&R&12counted by {whom}")
    page.set_footer(f"&L{_HINT}&R{first['warehouse']} · page &P of &N")
    for row in range(1, len(rows) + FOUND_ROWS + 1):
        page.set_row(row, _ROW_HEIGHT)


def _empty(rows: pd.DataFrame, name: str) -> list[str]:
    """The rows for found goods: they say of which count they are, and whose goods where there is one merchant."""
    is_shared = name in {"count_id", "warehouse", "counter"} or (name == "merchant" and len(set(rows[name])) == 1)
    return [rows[name].iloc[0] if is_shared else "found, not listed" if name == "name" else ""] * FOUND_ROWS


def _column(book: Any, page: Any, number: int, values: Sequence[str], found_from: int) -> None:
    name = list(_WIDTHS)[number]
    free = name in _FOUND or (name == "merchant" and not values[-1])
    forms = [book.add_format(_form(name, free=one)) for one in (name in TO_FILL, free)]
    for row, value in enumerate(values):
        form = forms[row >= found_from]
        if value:
            page.write_string(row + 1, number, value, form)
        else:
            page.write_blank(row + 1, number, None, form)


def _form(name: str, *, free: bool) -> dict[str, object]:
    up = "top" if name in {"location", "sku"} else "vcenter"  # the barcode is below
    form: dict[str, object] = {
        "valign": up, "bold": up == "top", "num_format": "@", "text_wrap": name == "name", "bottom": 1,
        "bottom_color": "#B0B0B0",
    }  # fmt: skip
    if not free:
        return form
    return form | {"locked": False, "border": 1, "bg_color": "#FFFBE0", "num_format": _SHOWN.get(name, "@")}


# ── barcodes ─────────────────────────────────────────────────────────────────────────────────────────────────────
def _barcodes(page: Any, name: str, codes: Sequence[str]) -> None:
    number, wide = list(_WIDTHS).index(name), 7 * _WIDTHS[name] - 4  # pixels of the cell, less a little air
    for row, code in enumerate(codes, start=1):
        if code and code.isascii():  # Code 128 has no other letters
            image = _image(code)
            placed = {"image_data": image, "x_offset": 2, "y_offset": _TEXT_PIXELS, "description": code}
            page.insert_image(row, number, f"{code}.png", placed | _fitted(image, wide))


def _fitted(image: io.BytesIO, wide: int) -> dict[str, float]:
    """How much smaller the bars must be to stay in their cell, off the code beside them and the row below."""
    with PIL.Image.open(image) as bars:
        dots = bars.info.get("dpi", (_SCREEN_DPI, _SCREEN_DPI))
        size = [pixels * _SCREEN_DPI / per_inch for pixels, per_inch in zip(bars.size, dots, strict=True)]
    high = _ROW_PIXELS - _TEXT_PIXELS - 3
    return {"x_scale": min(_WIDER, wide / size[0]), "y_scale": min(1.0, high / size[1])}


def _image(code: str) -> io.BytesIO:
    """Code 128, as a PNG."""
    image = io.BytesIO()
    barcode.Code128(code, writer=ImageWriter()).write(image, options=dict(_MODULE))
    return image


# ── what may be written, and what is missing ─────────────────────────────────────────────────────────────────────
def _guide(book: Any, page: Any, last: int, rows: pd.DataFrame) -> None:
    """Say what belongs into a cell, refuse what cannot be read, and colour what a counted row lacks."""
    at = {name: number for number, name in enumerate(_WIDTHS)}
    for name, rule in _validations().items():
        page.data_validation(1, at[name], last, at[name], rule)
    conditions = [str(condition) for condition in Condition]
    page.data_validation(len(rows) + 1, at["condition"], last, at["condition"],
                         {"validate": "list", "source": conditions, "error_title": "Condition",
                          "error_message": f"One of {', '.join(conditions)}; empty means available."})  # fmt: skip
    lacking = book.add_format({"bg_color": "#F8C9C4"})
    for name in ("counter", "counted_at"):
        cells = [xl_rowcol_to_cell(1, at[one], col_abs=True) for one in ("quantity", name)]
        rule = {"type": "formula", "criteria": f'=AND({cells[0]}<>"",{cells[1]}="")', "format": lacking}
        page.conditional_format(1, at[name], last, at[name], rule)


def _validations() -> dict[str, dict[str, object]]:
    day: dict[str, object] = {"validate": "date", "criteria": ">=", "value": date(2000, 1, 1), "error_type": "stop"}
    return {
        "quantity": {
            "validate": "integer", "criteria": "between", "minimum": 0, "maximum": 9_999_999,
            "input_title": "Quantity", "input_message": "Every unit that lies there. 0 when nothing does; "
            "empty when you did not count.",
            "error_title": "Quantity", "error_message": "A whole number, 0 or more, without letters.",
        },
        "expires_on": day | {"error_title": "Expires on", "error_message": "A day, such as 2026-03-06."},
        "counted_at": day | {
            "error_type": "warning",
            "input_title": "Counted at", "input_message": "Day and time on the wall, such as 2026-03-06 07:45. "
            "Needed wherever you wrote a quantity.",
            "error_title": "Counted at", "error_message": "A day and a time, such as 2026-03-06 07:45. In the hour "
            "that the clocks repeat say which: 2026-10-25 01:30+01:00. Keep what you wrote?",
        },
    }  # fmt: skip
