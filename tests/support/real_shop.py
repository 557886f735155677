"""A real gift shop in December 2010: its invoices as they are, and a floor that follows from them.

The invoices, credit notes and stock adjustments are the published ones ("Online Retail", UCI). What the files do not
say is derived from them and from what the flows decided: products, places, opening stock, and day by day what
pickers took, packers scanned, carriers collected, counters found and customers sent back. `Floor.shelf` is what
really lies where; the ledger learns of it only through the files.
"""

import csv
import shutil
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from sqlalchemy import Engine, text

PSEUDO = {"POST", "DOT", "M", "D", "S", "B", "C2", "BANK CHARGES", "AMAZONFEE", "CRUK", "PADS"}
HEADER = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
NOWHERE = "UNSPECIFIED"
CHECKS = "items_match=yes|condition_ok=yes|label_matches=yes"
GRADES = ("as_new", "as_new", "as_new", "opened", "damaged_in_transit", "defective")
SELLABLE = ("as_new", "opened")
CLOSES = time(18)  # the shop exports its invoices at six; later ones come with the next day's
UNIT_G, BOX_G = 50, 200
Row = dict[str, Any]


def draw(*words: object) -> int:
    """A number that depends on the words and on nothing else."""
    return zlib.crc32("/".join(map(str, words)).encode())


class Invoices:
    """The month's rows as the files say them, cut into the exports of the shop's days."""

    def __init__(self, folder: Path) -> None:
        rows: list[Row] = []
        self.days = []
        for file in sorted(folder.glob("2010-12-*.csv")):
            self.days.append(datetime.fromisoformat(file.stem).replace(tzinfo=UTC))
            with file.open(encoding="utf-8", newline="") as lines:
                rows += csv.DictReader(lines)
        free = {row["InvoiceNo"] for row in rows} - {
            row["InvoiceNo"] for row in rows if float(row["UnitPrice"]) or row["CustomerID"]
        }
        self.rows = [row | self._understood(row, free) for row in rows]

    @staticmethod
    def _understood(row: Row, free: set[str]) -> Row:
        quantity, code = int(row["Quantity"]), row["StockCode"].upper()
        credit = row["InvoiceNo"].startswith("C")
        kind = "credit" if credit else "adjust" if quantity < 0 or row["InvoiceNo"] in free else "order"
        goods = code not in PSEUDO and not code.startswith("GIFT_")
        return {
            "kind": kind if goods else "charge",
            "units": abs(quantity) if credit else quantity,
            "at": datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=UTC),  # London is on UTC in December
        }

    def of(self, *kinds: str) -> list[Row]:
        """The rows that are orders, credits or adjustments of goods, or charges."""
        return [row for row in self.rows if row["kind"] in kinds]

    def exported(self, number: int) -> list[Row]:
        """The rows of the export made on the evening of that day."""
        before = datetime.combine(self.days[number - 1], CLOSES, UTC) if number else datetime.min.replace(tzinfo=UTC)
        until = datetime.combine(self.days[number], CLOSES, UTC)
        return [row for row in self.rows if before < row["at"] <= until]


class Floor:
    """The building: where goods lie, and the papers of each day."""

    def __init__(self, invoices: Invoices, store: Engine, home: Path, work: Path) -> None:
        self.invoices, self.store, self.home, self.work = invoices, store, home, work
        self.asked, self.gone = Counter[str](), Counter[str]()
        for row in invoices.of("order", "adjust"):
            (self.asked if row["kind"] == "order" else self.gone)[row["StockCode"]] += row["units"]
        self.skus = sorted({row["StockCode"] for row in invoices.of("order", "credit", "adjust")})
        self.place = {sku: self._code(number) for number, sku in enumerate(self.skus)}
        self.opening = {sku: self._opening(sku) for sku in self.skus}
        self.shelf: Counter[tuple[str, str]] = Counter({(self.place[sku], sku): self.opening[sku] for sku in self.skus})
        self.away: Counter[tuple[str, str]] = Counter()  # in boxes that have not left yet
        self.shipped: Counter[str] = Counter()
        self.received: Counter[str] = Counter()
        self.returned: Counter[str] = Counter()
        self.spoilt: Counter[str] = Counter()  # came back, but not to be sold
        self.sheets: set[Path] = set()
        self.lost: dict[tuple[str, str], datetime] = {}  # where the ledger was last left behind, and on which day

    # ── what never changes ───────────────────────────────────────────────────────────────────────────────────────
    @staticmethod
    def _code(number: int) -> str:
        aisle, rest = divmod(number, 120)
        bay, level = divmod(rest, 3)
        return f"{aisle + 1:02}-{bay + 1:02}-{level + 1}"

    def is_short(self, sku: str) -> bool:
        """Whether too little of it was bought."""
        return draw("short", sku) % 40 == 0

    def _opening(self, sku: str) -> int:
        asked = self.asked[sku] * 6 // 10 if self.is_short(sku) else self.asked[sku] + 5
        return asked + max(0, -self.gone[sku])

    def _products(self) -> list[Row]:
        names: dict[str, str | None] = {}
        prices: dict[str, float] = {}
        for row in self.invoices.of("order", "credit", "adjust"):
            names.setdefault(row["StockCode"], row["Description"].strip() or None)
            prices[row["StockCode"]] = max(prices.get(row["StockCode"], 0.0), float(row["UnitPrice"]))
        return [
            {"sku": sku, "name": names[sku] or sku, "weight_g": UNIT_G, "volume_ml": 150, "currency": "GBP",
             "unit_price": f"{prices[sku]:.2f}", "unit_cost": f"{prices[sku] / 2:.2f}"}
            for sku in self.skus
        ]  # fmt: skip

    def _locations(self) -> list[Row]:
        """Aisles three metres apart, a bay a metre; goods without a place lie on the table at the door."""
        split = {code: code.split("-") for code in self.place.values()}
        made: list[tuple[object, ...]] = [(NOWHERE, "00", "", "", 0, 1)]
        made += [(code, *parts, 3 * int(parts[0]), int(parts[1])) for code, parts in split.items()]
        names = ("location", "aisle", "bay", "level", "x_m", "y_m")
        return [{"warehouse": "MAIN", "purpose": "pick"} | dict(zip(names, one, strict=True)) for one in made]

    # ── one day's papers ─────────────────────────────────────────────────────────────────────────────────────────
    def papers(self, number: int) -> Path:
        """Write what reaches the inbox on day `number` (from 0) to a folder as run-day takes it."""
        self.inbox = self.work / f"day-{number:02}" / "inbox"
        day, self.stamp = self.invoices.days[number], f"{self.invoices.days[number]:%Y-%m-%d}"
        if number == 0:
            self._write("products", self._products())
            self._write("locations", self._locations())
        if number % 7 == 0:
            self._export_stock(day)
        self._fill_sheets(day)
        self._export_invoices(number)
        self._restock(number, day)
        taken = self._pick(day)
        self._ship(day, self._pack(number, day, taken))
        self._track(day)
        self._take_back(day)
        self._lose(number)
        return self.inbox.parent

    def _write(self, kind: str, rows: Sequence[Row], name: str | None = None, header: Iterable[str] = ()) -> None:
        if not rows:
            return
        path = self.inbox / kind / f"{name or kind}-{self.stamp}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(header) or list(rows[0]), extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)

    def _ask(self, sql: str, **values: object) -> list[Row]:
        with self.store.connect() as connection:
            return [dict(row) for row in connection.execute(text(sql), values).mappings()]

    def _export_invoices(self, number: int) -> None:
        rows = self.invoices.exported(number)
        for kind in ("orders", "return_requests", "movements"):
            self._write(kind, rows, "retail", HEADER)
        for row in (row for row in rows if row["kind"] == "adjust"):
            self._adjust(row["StockCode"], row["units"], self.invoices.days[number])

    def _adjust(self, sku: str, units: int, day: datetime) -> None:
        """What was found lies on the table; what is gone is gone from its place, whatever the paper says."""
        if units > 0:
            self.shelf[NOWHERE, sku] += units
            return
        gone = min(-units, self.shelf[self.place[sku], sku])
        self.shelf[self.place[sku], sku] -= gone
        self.lost |= dict.fromkeys([(NOWHERE, sku), (self.place[sku], sku)], day)

    def _export_stock(self, day: datetime) -> None:
        there = self.shelf + self.away
        places = sorted(there.keys() | {(self.place[sku], sku) for sku in self.skus})
        rows = [(*here, "available", there[here]) for here in places]
        rows += [(NOWHERE, sku, "quarantine", units) for sku, units in sorted(self.spoilt.items())]
        names = ("location", "sku", "condition", "on_hand")
        made = {"warehouse": "MAIN", "snapshot_at": _say(day, 7, 30)}
        self._write("stock", [made | dict(zip(names, one, strict=True)) for one in rows])

    def _restock(self, number: int, day: datetime) -> None:
        """The supplier makes good on the tenth day what was short."""
        if number != 10:
            return
        rows = []
        for sku in filter(self.is_short, self.skus):
            units = self.asked[sku]
            self.shelf[self.place[sku], sku] += units
            self.received[sku] += units
            rows.append({"movement_id": f"GRN-{sku}", "warehouse": "MAIN", "location": self.place[sku], "sku": sku,
                         "quantity": units, "kind": "receipt", "occurred_at": _say(day, 8)})  # fmt: skip
        self._write("movements", [row for row in rows if row["quantity"]], "supplier")

    def _fill_sheets(self, day: datetime) -> None:
        """Counters fill the sheets the flows wrote on the days before; a recount is done by someone else."""
        for sheet in sorted((self.home / "outgoing").glob("*counts/*/CC-*.xlsx")):
            if sheet in self.sheets:
                continue
            self.sheets.add(sheet)
            rows = pd.read_excel(sheet, dtype=str, keep_default_na=False)
            rows = rows[rows["location"] != ""]  # nothing is found that is not listed
            turn = 1 + max((int(one) for one in rows["count_id"].str.extract(r"-R(\d)$")[0].dropna()), default=0)
            rows["quantity"] = [
                str(self.shelf[location, sku]) for location, sku in zip(rows["location"], rows["sku"], strict=True)
            ]
            rows["counter"], rows["counted_at"] = ("Ada", "Ben", "Cleo", "Dora")[turn], _say(day, 7, turn)
            target = self.inbox / "counts" / sheet.name
            target.parent.mkdir(parents=True, exist_ok=True)
            rows.to_excel(target, index=False)

    def _lose(self, number: int) -> None:
        """In the night things get lost or turn up: a unit of a few goods, a fifth of fewer."""
        for sku in self.skus:
            chance, here = draw("night", number, sku) % 1500, (self.place[sku], sku)
            change = {0: -1, 1: -1, 2: -(self.shelf[here] // 5), 3: 2}.get(chance, 0)
            if change and self.shelf[here] + change >= 0:
                self.shelf[here] += change
                self.lost[here] = self.invoices.days[number]

    # ── picking, packing, shipping ───────────────────────────────────────────────────────────────────────────────
    def _pick(self, day: datetime) -> dict[str, Counter[tuple[str, str]]]:
        """Take what the waves planned, as far as it is there: units by order, place and SKU."""
        planned = self._ask(
            "SELECT order_number, locations.code AS location, products.sku AS sku, SUM(picks.quantity) AS units"
            " FROM picks JOIN allocations ON allocations.id = picks.allocation_id"
            " JOIN orders ON orders.id = allocations.order_id JOIN locations ON locations.id = allocations.location_id"
            " JOIN products ON products.id = allocations.product_id WHERE picks.state = 'open'"
            " GROUP BY order_number, locations.code, products.sku ORDER BY 1, 2, 3"
        )
        places = Counter((row["order_number"], row["sku"]) for row in planned)
        taken: dict[str, Counter[tuple[str, str]]] = {}
        rows = []
        for one in planned:
            here, number, units = (one["location"], one["sku"]), one["order_number"], int(one["units"])
            got = min(units, self.shelf[here])
            self.shelf[here] -= got
            self.away[here] += got
            taken.setdefault(number, Counter())[here] += got
            told = places[number, one["sku"]] > 1 or draw("told", number, one["sku"]) % 2
            rows.append({"order_number": number, "sku": one["sku"], "location": one["location"] if told else "",
                         "quantity": got, "short_reason": "not there" if got < units else "", "picker": "Eve",
                         "picked_at": _say(day, 9)})  # fmt: skip
        self._write("picks", rows)
        return taken

    def _pack(self, number: int, day: datetime, taken: dict[str, Counter[tuple[str, str]]]) -> list[Row]:
        """A box an order; in a few a step is not confirmed, or a stranger lies. Gives the boxes that may go."""
        rows, gone = [], []
        for order, held in taken.items():
            units: Counter[str] = Counter()
            for (_, sku), many in held.items():
                units[sku] += many
            units = +units
            if not units:
                continue
            parcel, trouble = f"P{order}-{number:02}", draw("bench", order) % 60
            checks = CHECKS.replace("label_matches=yes", "label_matches=no") if trouble == 0 else CHECKS
            stranger = {next(sku for sku in self.skus if sku not in units): 1} if trouble == 1 else {}
            box = {"parcel": parcel, "order_number": order, "packer": "Finn", "packed_at": _say(day, 11),
                   "weight_g": BOX_G + UNIT_G * (sum(units.values()) + len(stranger)), "checks": checks}  # fmt: skip
            rows += [box | {"sku": sku, "quantity": many} for sku, many in (units | Counter(stranger)).items()]
            if trouble > 1:
                gone.append({"parcel": parcel, "order": order, "held": held, "units": units})
        self._write("packs", rows)
        return gone

    def _ship(self, day: datetime, boxes: list[Row]) -> None:
        rows = []
        for box in boxes:
            self.away -= box["held"]
            self.shipped += box["units"]
            rows.append({"parcel": box["parcel"], "order_number": box["order"], "carrier": "Royal Mail",
                         "tracking_number": f"RM{box['parcel']}", "shipped_at": _say(day, 16)})  # fmt: skip
        self._write("shipments", rows)

    def _track(self, day: datetime) -> None:
        """Parcels arrive two days after they left; some are seen on the way only, a few not at all."""
        on_their_way = self._ask(
            "SELECT tracking_number FROM shipments WHERE state IN ('shipped', 'in_transit') AND shipped_at < :since"
            " ORDER BY tracking_number", since=_bound(self.store, day - timedelta(days=1))
        )  # fmt: skip
        rows = []
        for one in on_their_way:
            luck = draw("post", one["tracking_number"]) % 50
            event = {0: None, 1: "exception", 2: "in_transit"}.get(luck, "delivered")
            if event:
                rows.append({"carrier": "Royal Mail", "tracking_number": one["tracking_number"], "event": event,
                             "occurred_at": _say(day, 13)})  # fmt: skip
        self._write("tracking", rows)

    def _take_back(self, day: datetime) -> None:
        """What was agreed to come back arrives the day after, in all states."""
        agreed = self._ask(
            "SELECT rma, return_lines.sku AS sku, return_lines.quantity AS quantity FROM returns"
            " JOIN return_lines ON return_lines.return_id = returns.id"
            " WHERE returns.state = 'approved' AND received_at IS NULL ORDER BY rma, return_lines.sku"
        )
        rows = []
        for one in agreed:
            sku, units = one["sku"], one["quantity"]
            grade = GRADES[draw("grade", one["rma"], sku) % len(GRADES)]
            self.returned[sku] += units
            if grade in SELLABLE:
                self.shelf[NOWHERE, sku] += units
            else:
                self.spoilt[sku] += units
            rows.append(
                {"rma": one["rma"], "sku": sku, "quantity": units, "grade": grade, "received_at": _say(day, 14)}
            )
        self._write("return_receipts", rows)


def _say(day: datetime, hour: int, minute: int = 0) -> str:
    return f"{day + timedelta(hours=hour, minutes=minute):%Y-%m-%dT%H:%M:%SZ}"


def _bound(store: Engine, at: datetime) -> object:
    return at if store.dialect.name == "postgresql" else f"{at:%Y-%m-%d %H:%M:%S}"


def configure(root: Path, folder: Path) -> Path:
    """The shipped configuration for this shop: its own merchant, and pallets instead of trolleys."""
    shutil.copytree(root / "config", folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    (folder / "merchants" / "HEARTH.yaml").unlink()
    merchant = {
        "code": "GIFTS", "name": "Gifts by the Dozen", "language": "en", "currency": "GBP",
        "time_zone": "Europe/London", "sender_email": "orders@gifts.example", "sender_name": "Gifts",
    }  # fmt: skip
    (folder / "merchants" / "GIFTS.yaml").write_text(yaml.safe_dump(merchant), encoding="utf-8")
    main = folder / "warehouses" / "MAIN.yaml"
    site = yaml.safe_load(main.read_text(encoding="utf-8"))
    site["carts"] = [{"name": "pallet", "positions": 12, "weight_g_max": 600_000, "volume_ml_max": 2_000_000,
                      "lines_max": 900}]  # fmt: skip
    main.write_text(yaml.safe_dump(site), encoding="utf-8")
    return folder
