"""What documents on paper are made of: a line of text that fits, a barcode a scanner reads."""

from typing import Any

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth

FONTS = ("Helvetica", "Helvetica-Bold")
_MODULE = 0.42 * mm  # the width of the thinnest bar, where there is room


def write(
    canvas: Any, text: str, left: float, base: float, size: float, *, bold: bool = False, within: float | None = None
) -> None:
    """One line of text; smaller, then cut short, when it would not fit."""
    font = FONTS[bold]
    text = text.encode("cp1252", "replace").decode("cp1252")  # what the built-in fonts can show
    while within and size > 8 and stringWidth(text, font, size) > within:
        size -= 0.5
    while within and len(text) > 1 and stringWidth(text, font, size) > within:
        text = text[:-2] + "…"
    canvas.setFont(font, size)
    canvas.drawString(left, base, text)


def barcode(
    canvas: Any, text: str, base: float, height: float, *, within: float, left: float | None = None, right: float = 0
) -> None:
    """A Code 128 that begins at `left`, or ends at `right`; text it cannot say is left to be read."""
    if not text or not text.isascii():
        return
    code = Code128(text, barWidth=1, barHeight=height, quiet=0)
    code = Code128(text, barWidth=min(_MODULE, within / code.width), barHeight=height, quiet=0)
    code.drawOn(canvas, right - code.width if left is None else left, base)
