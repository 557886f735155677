"""Pick lists on paper: one page per cart with the map of its tour, readable at arm's length; the bytes repeat."""

from pathlib import Path
from typing import Any

import pandas as pd
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from tasks.documents.print_parts import barcode, write
from tasks.documents.tour_maps import draw_tour
from tasks.domain.picking.routing.floor import Floor

WIDTH, HEIGHT = A4
MARGIN = 11 * mm
HEAD, MAP = 35 * mm, 54 * mm  # what the head of a page and, on the first one, the map at its foot take at least
MAP_MAX = 120 * mm
ROW = 15.4 * mm
WRITABLE = WIDTH - 2 * MARGIN
TAKE, ONTO, WALL, SCAN = 92, 118, 134, 180  # where these columns begin, in mm
Rows = list[dict[str, Any]]


def picker_rows(stops: pd.DataFrame) -> pd.DataFrame:
    """The canonical `picks` layout with empty cells for what only the picker knows, and what was planned beside it.

    `stops`: as in the store's `pick_list`.
    """
    empty = dict.fromkeys(("quantity", "short_reason", "picker", "picked_at"), "")
    rows = stops.assign(**empty).rename(columns={"planned": "planned_quantity"})
    names = ["merchant", "order_number", "sku", "location", *empty, "planned_quantity", "stop", "position", "cart"]
    return rows[[*names, "wave", "zone", "wall_position"]]


def write_pick_list(path: Path, stops: pd.DataFrame, floor: Floor, aisles: list[str]) -> Path:
    """Write one wave's list: its carts in their order, each beginning a page.

    `stops`: as in the store's `pick_list`, with across_m and along_m (float64, missing off the floor), note (str: what
    a revision changed) and, of a revision, standing_across_m and standing_along_m: where the picker stands. `aisles`:
    what each aisle of the floor is called.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    canvas = Canvas(str(part), pagesize=A4, invariant=1, pageCompression=1)
    canvas.setTitle(str(stops["wave"].iloc[0]))
    for _, cart in stops.groupby("cart"):
        rows = [{str(name): value for name, value in row.items()} for row in cart.to_dict("records")]
        _cart(canvas, rows, floor, aisles)
    canvas.save()
    part.replace(path)
    return path


def _cart(canvas: Any, rows: Rows, floor: Floor, aisles: list[str]) -> None:
    pages = _pages(rows)
    for number, page in enumerate(pages, 1):
        _head(canvas, rows, f"page {number} of {len(pages)}")
        last_stop = None
        for line, row in enumerate(page):
            _row(canvas, row, HEIGHT - MARGIN - HEAD - line * ROW, again=row["stop"] == last_stop)
            last_stop = row["stop"]
        if number == 1:
            _map(canvas, rows, floor, aisles, HEIGHT - 2 * MARGIN - HEAD - len(page) * ROW)
        canvas.showPage()


def _pages(rows: Rows) -> list[Rows]:
    """The first page leaves room for the map."""
    first, other = (int((HEIGHT - 2 * MARGIN - HEAD - reserved) // ROW) for reserved in (MAP, 0.0))
    ahead = [row for row in rows if row["state"] == "open"]
    following_pages = [ahead[start : start + other] for start in range(first, len(ahead), other)]
    return [ahead[:first], *following_pages]


def _map(canvas: Any, rows: Rows, floor: Floor, aisles: list[str], height: float) -> None:
    """The tour in what the rows leave of the page."""
    ahead = {row["stop"]: (row["across_m"], row["along_m"]) for row in rows
             if row["state"] == "open" and pd.notna(row["across_m"])}  # fmt: skip
    standing = (rows[0]["standing_across_m"], rows[0]["standing_along_m"])
    box = (MARGIN, MARGIN, WRITABLE, min(height - 4 * mm, MAP_MAX))
    draw_tour(canvas, floor, aisles, list(ahead.items()), box, standing if pd.notna(standing[0]) else None)


def _head(canvas: Any, rows: Rows, page: str) -> None:
    first, top = rows[0], HEIGHT - MARGIN
    name = f"Cart {first['cart']}" + (f" · zone {first['zone']}" if isinstance(first["zone"], str) else "")
    write(canvas, name, MARGIN, top - 9 * mm, 30, bold=True, within=100 * mm)
    write(canvas, first["wave"], MARGIN, top - 16 * mm, 15, bold=True, within=84 * mm)
    write(canvas, _summary(rows) + f" · {page}", MARGIN, top - 22 * mm, 12, within=WRITABLE)
    write(
        canvas,
        first["note"] or _tour_summary(first),
        MARGIN,
        top - 28 * mm,
        12,
        bold=bool(first["note"]),
        within=WRITABLE,
    )
    barcode(canvas, f"{first['wave']}/{first['cart']}", top - 13 * mm, 12 * mm, right=WIDTH - MARGIN, within=84 * mm)
    wall = any(pd.notna(row["wall_position"]) for row in rows)
    names = [("stop", 0), ("place", 17), ("take", TAKE), ("onto", ONTO), *[("wall", WALL)] * wall, ("scan", SCAN)]
    for words, left in names:
        write(canvas, words, MARGIN + left * mm, top - HEAD + 1.2 * mm, 9)


def _summary(rows: Rows) -> str:
    """What is ahead, and by when."""
    ahead = [row for row in rows if row["state"] == "open"]
    orders = len({(row["merchant"], row["order_number"]) for row in ahead})
    units, stops = sum(row["planned"] for row in ahead), len({row["stop"] for row in ahead})
    counted = (f"{count} {word}{'s' if count != 1 else ''}" for count, word in
               ((stops, "stop"), (orders, "order"), (units, "unit")))  # fmt: skip
    return " · ".join([*counted, *([pickup] if (pickup := _pickup(rows[0])) else [])])


def _tour_summary(first: dict[str, Any]) -> str:
    """The metres and minutes, and what habit or a search without proof may cost."""
    words = [f"{first['walk_m']:.0f} m"]
    if pd.notna(first["walk_s"]):
        words.append(f"about {first['walk_s'] / 60:.0f} min")
    if pd.notna(first["shortest_m"]) and first["walk_m"] - first["shortest_m"] >= 0.5:
        words.append(f"{first['walk_m'] - first['shortest_m']:.0f} m of it by habit")
    if pd.notna(first["least_m"]) and first["shortest_m"] - first["least_m"] >= 0.5:
        words.append(f"no tour under {first['least_m']:.0f} m")
    return " · ".join(words)


def _row(canvas: Any, row: dict[str, Any], top: float, *, again: bool) -> None:
    """One stop: its number, the place with its barcode, what to take, how many, and where on the cart it goes."""
    base, left = top - ROW, MARGIN + 17 * mm
    canvas.setLineWidth(0.2 if again else 0.9)
    canvas.line(left if again else MARGIN, top, WIDTH - MARGIN, top)
    if not again:
        write(canvas, str(row["stop"]), MARGIN, base + 4.5 * mm, 28, bold=True, within=15 * mm)
        write(canvas, row["location"], left, base + 8 * mm, 20, bold=True, within=(TAKE - 19) * mm)
        barcode(canvas, row["location"], base + 4.5 * mm, 9.5 * mm, right=WIDTH - MARGIN, within=36 * mm)
    write(canvas, _goods(row), left, base + 1.8 * mm, 12, within=(ONTO - 19) * mm)
    write(canvas, f"{row['planned']} ×", MARGIN + TAKE * mm, base + 6.2 * mm, 24, bold=True, within=24 * mm)
    canvas.setLineWidth(0.9)
    canvas.roundRect(MARGIN + ONTO * mm, base + 3 * mm, 14 * mm, 10 * mm, 2 * mm)
    write(canvas, str(row["position"]), MARGIN + (ONTO + 3) * mm, base + 5.4 * mm, 20, bold=True, within=9 * mm)
    if pd.notna(row["wall_position"]):
        write(
            canvas, f"W {int(row['wall_position'])}", MARGIN + WALL * mm, base + 5.4 * mm, 16, bold=True, within=16 * mm
        )


def _pickup(first: dict[str, Any]) -> str:
    at = first["cut_off_at"]
    if not first["carrier"] or pd.isna(at):
        return ""
    local = at.tz_convert(first["time_zone"])
    return f"{first['carrier']} by {local:%A} {local.day} {local:%B %H:%M}"


def _goods(row: dict[str, Any]) -> str:
    lot = f" · lot {row['lot']}" if row["lot"] else ""
    return str(row["sku"]) + lot + (f" · {row['name']}" if isinstance(row["name"], str) else "")
