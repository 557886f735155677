"""What the sample's shop sells and where it can lie: 600 products, 1,500 places in two warehouses."""

from dataclasses import dataclass, field

import numpy as np

from benchmarks.sample.export_headers import words

WARES = {  # category -> ware, its short code, pence, grams, millilitres
    "Kitchen": (("Mug", "MUG", 1200, 380, 600), ("Serving Bowl", "BWL", 2400, 900, 3200),
                ("Tea Towel", "TTW", 950, 120, 500), ("Oven Glove", "OVG", 1650, 210, 1500)),
    "Living": (("Cushion", "CUS", 2900, 650, 9000), ("Wool Throw", "THR", 5900, 1300, 12000),
               ("Basket", "BSK", 3400, 1100, 18000), ("Picture Frame", "FRM", 1850, 700, 2600)),
    "Light": (("Candle", "CND", 1450, 420, 700), ("Table Lamp", "LMP", 6900, 2400, 14000)),
    "Hall": (("Coat Hook", "HOK", 1100, 180, 300), ("Doormat", "DMT", 3200, 2100, 11000)),
}  # fmt: skip
GLAZES = words("Slate Moss Clay Oat Ink Rust Chalk Fern Plum Amber")
MAKES = words("Hollow Ridge Tarn Gable Kiln")
PRODUCTS = 600
A_CLASS, B_CLASS = 120, 300  # the first 120 by demand are A, the next 180 B, the rest C


@dataclass(frozen=True)
class Product:
    """One SKU; money in pence."""

    sku: str
    name: str
    category: str
    barcode: str
    weight_g: int
    volume_ml: int
    abc_class: str
    unit_cost: int
    unit_price: int
    is_final_sale: bool = False
    reorder_point: int | None = None


@dataclass(frozen=True)
class Place:
    """One location; metres from the depot at the dock."""

    warehouse: str
    code: str
    purpose: str
    zone: str
    aisle: str
    bay: str
    level: str
    x_m: float
    y_m: float


@dataclass
class Stock:
    """Units by (warehouse, place, SKU) on Friday at six, before anyone has counted."""

    units: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def places(self, warehouse: str, sku: str) -> list[str]:
        """Where the SKU lies in a warehouse."""
        return [place for house, place, one in self.units if house == warehouse and one == sku]


def gtin(number: int) -> str:
    """A GTIN-13 of the range that shops use in their own four walls (prefix 20), check digit and all."""
    digits = f"20{number:010}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return digits + str(-total % 10)


def products(random: np.random.Generator) -> list[Product]:
    """The products, by falling demand."""
    wares = [(category, *ware) for category, each in WARES.items() for ware in each]
    named = [(ware, make, glaze) for ware in wares for make in MAKES for glaze in GLAZES]
    order = random.permutation(len(named))[:PRODUCTS]
    return [_product(random, rank, named[number]) for rank, number in enumerate(order)]


def _product(
    random: np.random.Generator, rank: int, named: tuple[tuple[str, str, str, int, int, int], str, str]
) -> Product:
    (category, ware, code, pence, weight, volume), make, glaze = named
    price = pence + 50 * int(random.integers(-4, 9))
    abc = "A" if rank < A_CLASS else "B" if rank < B_CLASS else "C"
    return Product(
        sku=f"HH-{code}-{make[:2].upper()}{glaze[:3].upper()}",
        name=f"{make} {ware}, {glaze}",
        category=category,
        barcode=gtin(4_100_000 + rank * 7),
        weight_g=weight + 10 * int(random.integers(-5, 6)),
        volume_ml=volume,
        abc_class=abc,
        unit_cost=price * int(random.integers(32, 48)) // 100,
        unit_price=price,
        reorder_point=12 if abc == "A" and rank % 2 == 0 else None,
    )


def places() -> list[Place]:
    """A thousand places in London (two zones of six aisles), five hundred in Leeds (one zone)."""
    floors = [("MAIN", "A", 0.0), ("MAIN", "B", 30.0), ("NORTH", "C", 0.0)]
    shelves = [place for warehouse, zone, x_m in floors for place in _zone(warehouse, zone, x_m)]
    return shelves + _grounds("MAIN", (10, 12, 8, 10)) + _grounds("NORTH", (5, 6, 4, 5))


def _zone(warehouse: str, zone: str, x_m: float) -> list[Place]:
    """Six aisles four metres apart, ten bays 1.4 m wide on either side, three pick levels and a reserve level."""
    return [
        Place(
            warehouse, f"{zone}-{aisle:02}-{bay:02}-{level}", "reserve" if level == 4 else "pick", zone,
            f"{zone}-{aisle:02}", f"{bay:02}", str(level), x_m + 6.0 + 4.0 * aisle,
            round(4.0 + 1.4 * ((bay - 1) // 2), 1),
        )
        for aisle in range(1, 7)
        for bay in range(1, 21)
        for level in range(1, 5)
    ]  # fmt: skip


def _grounds(warehouse: str, counts: tuple[int, int, int, int]) -> list[Place]:
    """The ground places near the dock: receiving, packing, quarantine, returns."""
    purposes = (("receiving", "R"), ("packing", "P"), ("quarantine", "Q"), ("returns", "T"))
    return [
        Place(warehouse, f"{letter}-{number:02}", purpose, "DOCK", "", "", "", float(2 * number), -2.0 * (row + 1))
        for row, ((purpose, letter), count) in enumerate(zip(purposes, counts, strict=True))
        for number in range(1, count + 1)
    ]
