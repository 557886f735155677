"""Friday afternoon: what was picked, what was scanned into which parcel, what the carriers took."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from benchmarks.sample.catalogue import Product
from benchmarks.sample.order_exports import Row
from benchmarks.sample.orders import FRIDAY, Order, at
from benchmarks.sample.warehouse_exports import utc

PICKS = ("merchant", "order_number", "sku", "location", "quantity", "short_reason", "picker", "picked_at")
PACKS = ("merchant", "parcel", "order_number", "sku", "quantity", "packer", "packed_at", "weight_g", "checks")
MANIFEST = ("merchant", "parcel", "order_number", "carrier", "tracking_number", "shipped_at")
PICKERS = ("Anwen", "Bodhi", "Carys", "Elowen", "Idris")
PACKERS = ("Greta", "Jonas", "Quill")
DONE = {"items_match": "yes", "condition_ok": "yes", "label_matches": "yes", "filled": "yes"}
HELD = ("wrong ordered", "missing", "unconfirmed", "extra")  # parcels that stay at the bench
CARRIERS = {"Express": ("DPD", "1550{:010}", "16:10"), "Standard": ("Royal Mail", "HR{:09}GB", "17:05")}
CARDBOARD_G = 140


def carrier_of(order: Order) -> tuple[str, str, str]:
    """Who carries it, the pattern of its tracking numbers, and when the van leaves."""
    return CARRIERS["Express" if order.service == "Express" else "Standard"]


def tracking_number(order: Order) -> str:
    """The carrier's number of the order's only parcel."""
    digits = "".join(letter for letter in order.number if letter.isdigit())
    return carrier_of(order)[1].format(int(digits[-9:]))


def parcel(order: Order) -> str:
    """The code on the parcel."""
    return f"P{order.number.removeprefix('#')}-1"


def pick_rows(orders: Sequence[Order]) -> list[Row]:
    """One stop after the other, where the wave had planned it; one shelf held less than the book said."""
    rows = []
    for number, order in enumerate(orders):
        for one in order.lines:
            short = order.part == "short"
            rows.append(
                {
                    "merchant": "HEARTH", "order_number": order.number, "sku": one.sku,
                    "quantity": "1" if short else str(one.quantity),
                    "short_reason": "only one on the shelf" if short else "", "picker": PICKERS[number % 5],
                    "picked_at": utc(at(FRIDAY, "14:20") + timedelta(seconds=12 * number)),
                }
            )  # fmt: skip
    return rows


def pack_rows(random: np.random.Generator, orders: Sequence[Order], cast: Mapping[str, Product],
              products: Mapping[str, Product]) -> list[Row]:  # fmt: skip
    """The scans at the benches, one parcel an order; now and then the barcode is scanned and not the label."""
    rows = []
    for number, order in enumerate(orders):
        scans = _scanned(order, cast)
        checks = DONE | ({"label_matches": "no"} if order.part == "unconfirmed" else {})
        weight = CARDBOARD_G + sum(products[sku].weight_g * units for sku, units in scans.items())
        for sku, units in scans.items():
            rows.append(
                {
                    "merchant": "HEARTH", "parcel": parcel(order), "order_number": order.number,
                    "sku": products[sku].barcode if random.random() < 0.2 else sku, "quantity": str(units),
                    "packer": PACKERS[number % 3],
                    "packed_at": utc(at(FRIDAY, "14:40") + timedelta(seconds=13 * number)),
                    "weight_g": str(weight), "checks": "|".join(f"{step}={answer}" for step, answer in checks.items()),
                }
            )  # fmt: skip
    return rows


def _scanned(order: Order, cast: Mapping[str, Product]) -> dict[str, int]:
    """What went into the box."""
    scans = {one.sku: one.quantity for one in order.lines}
    only = order.lines[0].sku
    wrong = {cast["wrong packed"].sku: 1}
    scans_by_part = {
        "short": {only: 1},
        "wrong ordered": wrong,
        "missing": {only: 2},
        "extra": {only: 2},
        "held and shipped": {only: 1},
    }
    return scans_by_part.get(order.part, scans)


def manifest_rows(orders: Sequence[Order]) -> list[Row]:
    """Both carriers' manifests of Friday: every parcel but those the bench kept back."""
    rows = []
    for order in orders:
        if order.part in HELD:
            continue
        name, _, leaves = carrier_of(order)
        rows.append(
            {
                "merchant": "HEARTH", "parcel": parcel(order), "order_number": order.number, "carrier": name,
                "tracking_number": tracking_number(order), "shipped_at": utc(at(FRIDAY, leaves)),
            }
        )  # fmt: skip
    return rows
