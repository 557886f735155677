"""A backlog to release: a floor, goods that sell by Pareto, and allocated orders; the same for the same size and seed.

Twenty aisles of two sides and four levels, fast movers near the depot (with noise, as on a real floor); 79 % of the
orders ask for one line, the others for 7.7 in the mean; one product in thirty is bulky. Two carriers, four service
levels, three days to leave on.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection, insert

from tasks.store.database.frames import fill
from tasks.store.schema import (
    allocations,
    locations,
    merchants,
    order_lines,
    orders,
    products,
    stock_levels,
    warehouses,
)

AS_OF = datetime(2026, 3, 6, 9, tzinfo=UTC)  # a Friday morning in London
AISLES, LEVELS, SIDES = 20, 4, 2
AISLE_M, BAY_M = 3.6, 1.2
SINGLE = 0.79  # of the orders, as in the shoe sample
BULKY = 1 / 30  # of the products
TAIL = 0.95  # demand of the n-th best seller: n ** -TAIL; a fifth of 8,000 products makes 79 % of the lines
LINES_MAX = 40
LEVELS_OF_SERVICE = {"Standard": 0.62, "Economy": 0.15, "Express": 0.13, "Next Day": 0.10}
LEAVES = {"2026-03-06T17:00": 0.4, "2026-03-09T17:00": 0.35, "2026-03-10T16:00": 0.25}


@dataclass(frozen=True)
class BacklogSize:
    """How much is to be released."""

    orders: int
    lines: int
    places: int

    def scaled(self, part: float) -> "BacklogSize":
        """That part of the orders, from the same floor."""
        return BacklogSize(round(self.orders * part), round(self.lines * part), self.places)


def build(connection: Connection, size: BacklogSize, seed: int = 1) -> None:
    """Fill an empty database."""
    draw = np.random.default_rng(seed)
    connection.execute(insert(merchants).values(id=1, code="HEARTH", name="Hearth"))
    connection.execute(insert(warehouses).values(id=1, code="MAIN", name="Main", time_zone="Europe/London",
                                                 country="GB"))  # fmt: skip
    places = _places(size.places)
    fill(connection, locations, places)
    fill(connection, products, _products(size.places, draw))
    place_of = _slots(places, draw)
    lines = _lines(size, draw).assign(location_id=lambda rows: place_of[rows["product_id"] - 1])
    fill(connection, orders, _orders(size.orders, draw))
    _promise(connection, lines)


def _places(number: int) -> pd.DataFrame:
    at = np.arange(number)
    aisle, rest = at % AISLES, at // AISLES
    side, level, bay = rest % SIDES, rest // SIDES % LEVELS, rest // (SIDES * LEVELS)
    codes = [
        f"{a + 1:02}-{s}{b + 1:03}-{v + 1}"
        for a, s, b, v in zip(aisle, np.array(["L", "R"])[side], bay, level, strict=True)
    ]
    return pd.DataFrame({
        "id": at + 1, "warehouse_id": 1, "code": codes, "purpose": "pick",
        "aisle": pd.Series(aisle + 1).astype("str"), "bay": pd.Series(bay + 1).astype("str"),
        "level": pd.Series(level + 1).astype("str"),
        "x_m": AISLE_M * (aisle + 1) + np.where(side == 0, -0.9, 0.9), "y_m": 3.0 + BAY_M * bay,
    })  # fmt: skip


def _products(number: int, draw: np.random.Generator) -> pd.DataFrame:
    """Products by rank: the first sells best."""
    bulky = draw.random(number) < BULKY
    weight = np.where(bulky, draw.integers(8_000, 25_000, number), draw.lognormal(5.7, 0.9, number)).clip(5, 30_000)
    volume = np.where(bulky, draw.integers(30_000, 160_000, number), draw.lognormal(7.0, 0.8, number)).clip(10, 200_000)
    ids = pd.Series(range(1, number + 1))
    return pd.DataFrame({"id": ids, "merchant_id": 1, "sku": "SKU-" + ids.astype("str"), "name": "Product",
                         "weight_g": weight.astype("int64"), "volume_ml": volume.astype("int64")})  # fmt: skip


def _slots(places: pd.DataFrame, draw: np.random.Generator) -> np.ndarray:
    """The place (id) of each product, the best seller's first: the nearer the depot the sooner, give or take 25 m."""
    far = places["x_m"] + places["y_m"] + draw.normal(0, 25, len(places))
    return places["id"].to_numpy()[np.argsort(far.to_numpy(), kind="stable")]


def _lines(size: BacklogSize, draw: np.random.Generator) -> pd.DataFrame:
    """Lines: order_id, line_number, product_id, quantity; an order names a product once."""
    single = np.arange(size.orders) < round(SINGLE * size.orders)
    count = _counts(size.lines - int(single.sum()), size.orders - int(single.sum()), draw)
    each = np.ones(size.orders, dtype="int64")
    each[~single] = count
    each = draw.permutation(each)
    weights = np.arange(1, size.places + 1) ** -TAIL
    chosen = np.searchsorted(np.cumsum(weights) / weights.sum(), draw.random(int(each.sum()))).clip(0, size.places - 1)
    order = np.repeat(np.arange(size.orders), each)
    number = np.arange(len(order)) - np.repeat(np.cumsum(each) - each, each)
    rows = pd.DataFrame({"order_id": order + 1, "line_number": number + 1, "product_id": chosen + 1})
    while (twice := rows.duplicated(["order_id", "product_id"])).any():
        rows.loc[twice, "product_id"] = draw.integers(1, size.places + 1, int(twice.sum()))
    return rows.assign(quantity=draw.geometric(0.8, len(rows)))


def _counts(lines: int, of_orders: int, draw: np.random.Generator) -> np.ndarray:
    """Lines of each order of more than one, so many together."""
    count = (2 + draw.geometric(1 / (lines / of_orders - 1), of_orders) - 1).clip(2, LINES_MAX)
    while (off := lines - int(count.sum())) != 0:
        movable = np.flatnonzero(count < LINES_MAX if off > 0 else count > 2)
        count[draw.choice(movable, min(abs(off), len(movable)), replace=False)] += np.sign(off)
    return count


def _orders(number: int, draw: np.random.Generator) -> pd.DataFrame:
    ids = pd.Series(range(1, number + 1))
    level = draw.choice(list(LEVELS_OF_SERVICE), number, p=list(LEVELS_OF_SERVICE.values()))
    leaves = draw.choice(list(LEAVES), number, p=list(LEAVES.values()))
    at = pd.Timestamp("2026-03-05T10:00", tz="UTC").as_unit("s")
    return pd.DataFrame({
        "id": ids, "merchant_id": 1, "order_number": "#" + ids.astype("str"), "currency": "GBP", "created_at": at,
        "paid_at": at, "service_level": level, "total_minor": 2_500,
        "ship_by": pd.to_datetime(pd.Series(leaves), utc=True).dt.as_unit("s"),
    })  # fmt: skip


def _promise(connection: Connection, lines: pd.DataFrame) -> None:
    """Every line allocated in whole, and its stock."""
    fill(connection, order_lines, lines.assign(
        sku="SKU-" + lines["product_id"].astype("str"), quantity_ordered=lines["quantity"],
        quantity_allocated=lines["quantity"],
    )[["order_id", "line_number", "sku", "quantity_ordered", "quantity_allocated"]])  # fmt: skip
    sums = lines.groupby(["location_id", "product_id"], as_index=False)["quantity"].sum()
    fill(connection, stock_levels, sums.assign(
        condition="available", lot="", on_hand=sums["quantity"] + 10, allocated=sums["quantity"],
    )[["location_id", "product_id", "condition", "lot", "on_hand", "allocated"]])  # fmt: skip
    fill(connection, allocations, lines.assign(
        id=np.arange(1, len(lines) + 1), allocated_at=pd.Timestamp(AS_OF).as_unit("s"),
    )[["id", "order_id", "line_number", "location_id", "product_id", "quantity", "allocated_at"]])  # fmt: skip
