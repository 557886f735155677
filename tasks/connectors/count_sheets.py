"""Blind count sheets: a protected workbook to fill in and drop in the inbox again, and the same on paper."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import barcode
import pandas as pd
import PIL.Image
import xlsxwriter
from barcode.writer import ImageWriter
from reportlab.graphics.barcode import code128
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

from tasks.connectors.tables import CREATED
from tasks.domain.count_sheets import TO_FILL

_HINT = "Count what lies there, write the quantity (0 where there is nothing), your name and the time."
_SIGNED = "Counted by: " + "_" * 30 + " &nbsp; Day: " + "_" * 16
_WIDTHS = {"location_barcode": 34, "name": 36, "counted_at": 18, "comment": 30, "sku": 18, "count_id": 22}
_IMAGE = {"module_width": 0.25, "module_height": 6.0, "quiet_zone": 2.0, "write_text": False, "dpi": 200}
_SCREEN_DPI = 96
_CELL = (236, 36)  # pixels: a column 34 wide, a row 30 high
_PAPER = ("location", "sku", "name", "condition", "lot")


def write_sheet(path: Path, sheet: pd.DataFrame) -> Path:
    """Write a blind sheet (`tasks.domain.count_sheets.blind_sheet`) as a workbook.

    Only the columns to be filled in can be changed. The header is the canonical layout of count sheets.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with xlsxwriter.Workbook(str(part), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": CREATED})
        page = book.add_worksheet("count")
        page.protect("", {"format_columns": True, "select_locked_cells": True})
        page.freeze_panes(1, 0)
        page.set_landscape()
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        page.repeat_rows(0)
        page.set_footer(f"&L{_HINT}&RPage &P of &N")
        for number, name in enumerate(sheet.columns):
            _column(book, page, number, name, sheet[name].astype("str").fillna("").tolist())
        for row in range(1, len(sheet) + 1):
            page.set_row(row, 30)
    part.replace(path)
    return path


def _column(book: Any, page: Any, number: int, name: str, values: list[str]) -> None:
    form = book.add_format(_form(name))
    page.write_string(0, number, name, book.add_format({"bold": True, "bottom": 1}))
    page.set_column(number, number, _WIDTHS.get(name, 12))
    for row, value in enumerate(values, start=1):
        if name == "location_barcode":
            page.write_blank(row, number, None, form)
            _insert_barcode(page, row, number, value)
        elif value:
            page.write_string(row, number, value, form)
        else:
            page.write_blank(row, number, None, form)
    if name == "quantity" and values:
        whole = {"validate": "integer", "criteria": ">=", "value": 0, "error_message": "a whole number, 0 or more"}
        page.data_validation(1, number, len(values), number, whole)


def _insert_barcode(page: Any, row: int, number: int, code: str) -> None:
    if code.isascii():  # Code 128 has no other letters
        image = _image(code)
        page.insert_image(row, number, f"{code}.png", {"image_data": image, "y_offset": 2, **_fitted(image)})


def _fitted(image: io.BytesIO) -> dict[str, float]:
    """How much smaller the bars must be to stay in their cell, off the SKU beside them and the row below."""
    with PIL.Image.open(image) as bars:
        dots = bars.info.get("dpi", (_SCREEN_DPI, _SCREEN_DPI))
        size = [pixels * _SCREEN_DPI / per_inch for pixels, per_inch in zip(bars.size, dots, strict=True)]
    return {"x_scale": min(1.0, _CELL[0] / size[0]), "y_scale": min(1.0, _CELL[1] / size[1])}


def _form(name: str) -> Mapping[str, object]:
    if name not in TO_FILL:
        return {"valign": "vcenter", "num_format": "@"}
    shown = {"quantity": "0", "counted_at": "yyyy-mm-dd hh:mm", "expires_on": "yyyy-mm-dd"}.get(name, "@")
    return {"locked": False, "valign": "vcenter", "border": 1, "num_format": shown}


def _image(code: str) -> io.BytesIO:
    """Code 128, as a PNG."""
    image = io.BytesIO()
    barcode.Code128(code, writer=ImageWriter()).write(image, options=dict(_IMAGE))
    return image


def write_paper(path: Path, sheet: pd.DataFrame, note: str) -> Path:
    """Write the same sheet as a PDF with a barcode a place, to be filled in by hand."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    style = getSampleStyleSheet()
    document = SimpleDocTemplate(
        str(part),
        pagesize=landscape(A4),
        invariant=1,
        leftMargin=28,
        rightMargin=28,
        topMargin=36,
        bottomMargin=36,
        title=str(sheet["count_id"].iloc[0]),
    )
    head = Paragraph(f"Count {_escaped(document.title)} {_escaped(note)}", style["Heading2"])
    rows = [[*_PAPER, "barcode", "quantity", "counted at"]]
    rows += [_paper_row(row, style["BodyText"]) for row in sheet[list(_PAPER)].astype("str").fillna("").to_numpy()]
    widths = [70, 105, 185, 60, 60, 160, 60, 80]
    grid = Table(rows, colWidths=widths, repeatRows=1, style=[("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
                                                              ("VALIGN", (0, 0), (-1, -1), "MIDDLE")])  # fmt: skip
    document.build(
        [head, Paragraph(_HINT, style["BodyText"]), Paragraph(_SIGNED, style["BodyText"]), Spacer(1, 8), grid]
    )
    part.replace(path)
    return path


def _paper_row(row: Any, style: Any) -> list[Any]:
    words = [Paragraph(_escaped(word), style) for word in row]
    bars = code128.Code128(row[0], barHeight=18, barWidth=0.8) if row[0].isascii() else ""
    return [*words, bars, "", ""]


def _escaped(word: str) -> str:
    return word.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
