"""Blind count sheets on paper, to be read at arm's length and filled in by hand; the same bytes every time."""

from pathlib import Path
from typing import Any

import pandas as pd
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from tasks.documents.print_parts import barcode, write

WIDTH, HEIGHT = A4
MARGIN = 12 * mm
HEAD, FOOT = 42 * mm, 12 * mm  # what the head and the foot of a page take
ROW = 21.5 * mm
A_PAGE = int((HEIGHT - 2 * MARGIN - HEAD - FOOT) // ROW)
GOODS, QUANTITY, MOMENT = 68, 128, 158  # where these columns begin, in mm
FOUND_ROWS = 6  # to write down what is not on the sheet
HINT = "Count what lies there. Nothing there: write 0. Not counted: leave it empty. Always write the time."


def write_paper(path: Path, sheet: pd.DataFrame, note: str) -> Path:
    """Write a blind sheet (`counting.count_sheets.blind_sheet`) as a PDF; `note` says who must not count it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    rows = [{str(name): value for name, value in row.items()} for row in sheet.fillna("").to_dict("records")]
    blocks: list[dict[str, Any] | None] = [*rows, *[None] * FOUND_ROWS]
    pages = [blocks[start : start + A_PAGE] for start in range(0, len(blocks), A_PAGE)]
    canvas = Canvas(str(part), pagesize=A4, invariant=1, pageCompression=1)
    canvas.setTitle(rows[0]["count_id"])
    for number, page in enumerate(pages, 1):
        _head(canvas, rows, note)
        _page(canvas, page)
        _foot(canvas, rows[0]["count_id"], f"page {number} of {len(pages)}")
        canvas.showPage()
    canvas.save()
    part.replace(path)
    return path


def _head(canvas: Any, rows: list[dict[str, Any]], note: str) -> None:
    first, top = rows[0], HEIGHT - MARGIN
    write(canvas, first["count_id"], MARGIN, top - 9 * mm, 24, bold=True, within=106 * mm)
    barcode(canvas, first["count_id"], top - 12 * mm, 12 * mm, right=WIDTH - MARGIN, within=70 * mm)
    places = f"{len(rows)} place{'s' if len(rows) > 1 else ''}"
    start = f"{first['warehouse']} · start at {first['location']} · {places}"
    write(canvas, start, MARGIN, top - 18 * mm, 15, within=WIDTH - 2 * MARGIN)
    whom = f"for {first['counter']} {note}" if first["counter"] else note
    write(canvas, whom.strip(), MARGIN, top - 25 * mm, 15, bold=True, within=WIDTH - 2 * MARGIN)
    write(canvas, "Counted by " + "_" * 30 + "   on (day) " + "_" * 18, MARGIN, top - 33 * mm, 13)
    for words, left in (("place", 0), ("goods", GOODS), ("quantity", QUANTITY), ("time", MOMENT)):
        write(canvas, words, MARGIN + left * mm, top - HEAD + 1.5 * mm, 10)


def _page(canvas: Any, page: list[dict[str, Any] | None]) -> None:
    last = None
    for line, row in enumerate(page):
        top = HEIGHT - MARGIN - HEAD - line * ROW
        location = row["location"] if row else None
        _rule(canvas, top, again=bool(line and location and location == last))
        _boxes(canvas, top)
        if row:
            _row(canvas, row, top, again=bool(line and location == last))
        else:
            _blank_row(canvas, top)
        last = location


def _rule(canvas: Any, top: float, *, again: bool) -> None:
    canvas.setLineWidth(0.2 if again else 0.9)
    canvas.line(MARGIN + (GOODS * mm if again else 0), top, WIDTH - MARGIN, top)


def _boxes(canvas: Any, top: float) -> None:
    canvas.setLineWidth(0.9)
    for left, wide in ((QUANTITY, 28), (MOMENT, 28)):
        canvas.rect(MARGIN + left * mm, top - 18.5 * mm, wide * mm, 15.5 * mm)


def _row(canvas: Any, row: dict[str, Any], top: float, *, again: bool) -> None:
    """One place: its code and barcode once a location, the goods with theirs, and room for quantity and time."""
    goods, wide = MARGIN + GOODS * mm, (QUANTITY - GOODS - 4) * mm
    if not again:
        write(canvas, row["location"], MARGIN, top - 8 * mm, 22, bold=True, within=(GOODS - 4) * mm)
        barcode(canvas, row["location"], top - 19.5 * mm, 9 * mm, left=MARGIN, within=(GOODS - 10) * mm)
    write(canvas, row["sku"], goods, top - 5.5 * mm, 14, bold=True, within=wide)
    write(canvas, _about(row), goods, top - 10 * mm, 10.5, within=wide)
    barcode(canvas, row["barcode"] or row["sku"], top - 19.5 * mm, 7.5 * mm, left=goods, within=wide)


def _about(row: dict[str, Any]) -> str:
    """What tells goods of one SKU apart comes before the name, which may be cut."""
    lot = f"lot {row['lot']}" if row["lot"] else ""
    condition = "" if row["condition"] == "available" else row["condition"].upper()
    return " · ".join(word for word in (lot, condition, row["name"]) if word)


def _blank_row(canvas: Any, top: float) -> None:
    """Room for goods that lie where the sheet does not say so."""
    for words, left in (("found: place", 0), ("SKU or barcode", GOODS)):
        write(canvas, words, MARGIN + left * mm, top - 5 * mm, 10)
        end = (GOODS if left == 0 else QUANTITY) - 4
        canvas.line(MARGIN + left * mm, top - 18 * mm, MARGIN + end * mm, top - 18 * mm)


def _foot(canvas: Any, count_id: str, page: str) -> None:
    write(canvas, HINT, MARGIN, MARGIN + 4 * mm, 10.5, within=WIDTH - 2 * MARGIN)
    write(canvas, f"{count_id} · {page}", MARGIN, MARGIN - 1 * mm, 10.5)
