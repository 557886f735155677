"""Pick lists on paper: a page or more a cart, a stop a block, readable at arm's length; the same bytes every time."""

from pathlib import Path
from typing import Any

import pandas as pd
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from tasks.connectors.paper import barcode, write

WIDTH, HEIGHT = A4
MARGIN = 12 * mm
HEAD = 36 * mm  # what the head of a page takes
ROW = 19 * mm
TAKE, ONTO = 84, 109  # where these columns begin, in mm


def picker_rows(stops: pd.DataFrame) -> pd.DataFrame:
    """The canonical `picks` layout with empty cells for what only the picker knows, and what was planned beside it.

    `stops`: as of the store's `pick_list`.
    """
    empty = dict.fromkeys(("quantity", "short_reason", "picker", "picked_at"), "")
    rows = stops.assign(**empty).rename(columns={"planned": "planned_quantity"})
    names = ["merchant", "order_number", "sku", "location", *empty, "planned_quantity", "stop", "position", "cart"]
    return rows[[*names, "wave"]]


def write_pick_list(path: Path, stops: pd.DataFrame) -> Path:
    """Write one wave's list: its carts in their order, each beginning a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    canvas = Canvas(str(part), pagesize=A4, invariant=1, pageCompression=1)
    canvas.setTitle(str(stops["wave"].iloc[0]))
    for _, cart in stops.groupby("cart"):
        _cart(canvas, [{str(name): value for name, value in row.items()} for row in cart.to_dict("records")])
    canvas.save()
    part.replace(path)
    return path


def _cart(canvas: Any, rows: list[dict[str, Any]]) -> None:
    a_page = int((HEIGHT - 2 * MARGIN - HEAD) // ROW)
    pages = [rows[start : start + a_page] for start in range(0, len(rows), a_page)]
    last_stop = None
    for number, page in enumerate(pages, 1):
        _head(canvas, rows, f"page {number} of {len(pages)}")
        for line, row in enumerate(page):
            _row(canvas, row, HEIGHT - MARGIN - HEAD - line * ROW, again=bool(line and row["stop"] == last_stop))
            last_stop = row["stop"]
        canvas.showPage()


def _head(canvas: Any, rows: list[dict[str, Any]], page: str) -> None:
    first, top = rows[0], HEIGHT - MARGIN
    write(canvas, f"Cart {first['cart']}", MARGIN, top - 9 * mm, 30, bold=True)
    write(canvas, first["wave"], MARGIN, top - 17 * mm, 15, bold=True, within=82 * mm)
    orders = len({(row["merchant"], row["order_number"]) for row in rows})
    units = sum(row["planned"] for row in rows)
    told = f"{rows[-1]['stop']} stops · {orders} orders · {units} units · {first['walk_m']:.0f} m · {page}"
    write(canvas, told, MARGIN, top - 23 * mm, 12)
    write(canvas, _pickup(first), MARGIN, top - 29 * mm, 12)
    barcode(canvas, f"{first['wave']}/{first['cart']}", top - 14 * mm, 12 * mm, right=WIDTH - MARGIN, within=100 * mm)
    for words, left in (("stop", 0), ("place", 20), ("take", TAKE), ("onto", ONTO), ("scan", 130)):
        write(canvas, words, MARGIN + left * mm, top - HEAD + 1.5 * mm, 9)


def _row(canvas: Any, row: dict[str, Any], top: float, *, again: bool) -> None:
    """One stop: its number, the place with its barcode, what to take, how many, and where on the cart it goes."""
    base = top - ROW
    left = MARGIN + 20 * mm
    canvas.setLineWidth(0.2 if again else 0.9)
    canvas.line(left if again else MARGIN, top, WIDTH - MARGIN, top)
    if not again:
        write(canvas, str(row["stop"]), MARGIN, base + 7 * mm, 30, bold=True, within=18 * mm)
        write(canvas, row["location"], left, base + 11.5 * mm, 20, bold=True, within=(TAKE - 22) * mm)
        barcode(canvas, row["location"], base + 7.5 * mm, 9.5 * mm, right=WIDTH - MARGIN, within=54 * mm)
    write(canvas, row["sku"], left, base + 5.8 * mm, 13, within=(TAKE - 22) * mm)
    write(canvas, _name(row), left, base + 1.6 * mm, 10, within=WIDTH - 2 * MARGIN - 20 * mm)
    write(canvas, f"{row['planned']} ×", MARGIN + TAKE * mm, base + 9 * mm, 26, bold=True, within=22 * mm)
    canvas.setLineWidth(0.9)
    canvas.roundRect(MARGIN + ONTO * mm, base + 7.5 * mm, 14 * mm, 9.5 * mm, 2 * mm)
    write(canvas, str(row["position"]), MARGIN + (ONTO + 3) * mm, base + 9.5 * mm, 20, within=9 * mm)


def _pickup(first: dict[str, Any]) -> str:
    at = first["cut_off_at"]
    if not first["carrier"] or pd.isna(at):
        return ""
    local = at.tz_convert(first["time_zone"])
    return f"{first['carrier']} · ready by {local:%A} {local.day} {local:%B %H:%M}"


def _name(row: dict[str, Any]) -> str:
    lot = f"lot {row['lot']} · " if row["lot"] else ""
    return lot + (row["name"] if isinstance(row["name"], str) else "")
