"""The products that play a part in what was planted: of low rank, so that nobody else orders them."""

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.sample.catalogue import Product

CAST = {  # part -> rank, and units in London on Friday at six
    "oversold": (540, 4),
    "backordered": (541, 0),
    "low": (542, 9),
    "lower": (543, 6),
    "short": (544, 8),
    "final sale": (545, 20),
    "wrong ordered": (546, 20),
    "wrong packed": (547, 20),
    "missing": (548, 20),
    "unconfirmed": (549, 20),
    "extra": (550, 20),
    "near": (551, 40),
    "far": (552, 30),
    "found": (553, 12),
    "uncounted": (554, 15),
    "untimed": (555, 15),
    "moved": (556, 24),
    "contradicted": (557, 20),
    "wrong barcode": (558, 20),
    "rounded barcode": (559, 20),
    "drifted": (560, 18),
    "drifted away": (561, 22),
    "agreed": (562, 26),
    "torn": (563, 25),
    "dear": (564, 60),
    "held and shipped": (565, 20),
    "lost": (566, 20),
    "sent back": (567, 20),
    "delayed": (568, 20),
    "damaged": (569, 20),
    "empty": (570, 20),
    "over": (571, 20),
    "late": (572, 20),
}
REORDER = {"low": 10, "lower": 6, "short": 0}
COST = {"near": 600, "dear": 2_900}


def cast(products: Sequence[Product]) -> tuple[list[Product], dict[str, Product]]:
    """The products with those of the cast made up for their parts, and the cast by part."""
    cast_products = list(products)
    for part, (rank, _) in CAST.items():
        cast_products[rank] = replace(
            cast_products[rank],
            is_final_sale=part == "final sale",
            reorder_point=REORDER.get(part),
            unit_cost=COST.get(part, cast_products[rank].unit_cost),
        )
    return cast_products, {part: cast_products[rank] for part, (rank, _) in CAST.items()}
