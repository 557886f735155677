"""A floor that was counted: stock places, movements, picks and count lines, the same for the same size and seed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, insert, literal, select

from tasks.store.database.frames import fill
from tasks.store.schema import (
    allocations,
    carts,
    count_lines,
    counts,
    locations,
    merchants,
    order_lines,
    orders,
    picks,
    products,
    stock_levels,
    stock_moves,
    warehouses,
    waves,
)

MORNING = datetime(2026, 3, 6, 6, tzinfo=UTC)
AS_OF = MORNING + timedelta(hours=14)
BINS_OF_A_SKU = 10
LINES_OF_A_SHEET = 500


@dataclass(frozen=True)
class Size:
    """How much lies on the floor. A twentieth of the counted places are counted by two people."""

    places: int
    lines: int
    moves: int

    def scaled(self, part: float) -> "Size":
        """That part of it."""
        return Size(round(self.places * part), round(self.lines * part), round(self.moves * part))


def build(connection: Connection, size: Size, seed: int = 1) -> None:
    """Fill an empty database: 1 % of the counts are off by a lot, 4 % by a little, 2 % saw picked units gone."""
    draw = np.random.default_rng(seed)
    skus = size.places // BINS_OF_A_SKU
    connection.execute(insert(merchants).values(id=1, code="HEARTH", name="Hearth"))
    connection.execute(insert(warehouses).values(id=1, code="MAIN", name="Main", time_zone="Europe/London",
                                                 country="GB"))  # fmt: skip
    bins = pd.Series(range(1, size.places + 1))
    fill(connection, locations, pd.DataFrame({"id": bins, "warehouse_id": 1, "code": "B-" + bins.astype("str")}))
    goods = pd.Series(range(1, skus + 1))
    letters = np.array(["A", "B", "B", "C", "C"])[goods % 5]
    fill(connection, products, pd.DataFrame({
        "id": goods, "merchant_id": 1, "sku": "SKU-" + goods.astype("str"), "abc_class": letters,
        "unit_cost_minor": draw.integers(10, 2_000, skus), "currency": "GBP",
    }))  # fmt: skip
    opened = _opened(connection, size, draw)
    moved = _moved(connection, size, draw)
    taken = _picked(connection, size)
    _levels(connection)
    _counted(connection, size, opened, moved, taken)


def _place(bins: pd.Series) -> dict[str, object]:
    """Bin and SKU: a SKU lies in bins that follow one another."""
    return {"location_id": bins, "product_id": (bins - 1) // BINS_OF_A_SKU + 1, "condition": "available", "lot": ""}


def _moves(bins: pd.Series, units: object, kind: str, at: object, cause: pd.Series) -> pd.DataFrame:
    rows = pd.DataFrame({**_place(bins), "quantity": units, "kind": kind, "effective_at": at, "cause": cause})
    return rows.assign(recorded_at=pd.Timestamp(AS_OF), effective_at=rows["effective_at"].dt.as_unit("s"))


def _opened(connection: Connection, size: Size, draw: np.random.Generator) -> np.ndarray:
    bins = pd.Series(range(1, size.places + 1))
    units = draw.integers(20, 400, size.places)
    at = pd.Series(pd.Timestamp(MORNING), index=bins.index)
    fill(connection, stock_moves, _moves(bins, units, "opening", at, "opening:" + bins.astype("str")))
    return units


def _moved(connection: Connection, size: Size, draw: np.random.Generator) -> pd.DataFrame:
    numbers = pd.Series(range(size.moves))
    bins = pd.Series(draw.integers(1, size.places + 1, size.moves))
    units = draw.integers(1, 4, size.moves) * np.where(draw.random(size.moves) < 0.5, 1, -1)
    at = pd.Timestamp(MORNING) + pd.Series(pd.to_timedelta(draw.integers(60, 13 * 3600, size.moves), unit="s"))
    rows = _moves(bins, units, "adjust", at, "movement:HEARTH:" + numbers.astype("str"))
    fill(connection, stock_moves, rows)
    return rows


def _picked(connection: Connection, size: Size) -> pd.Series:
    """Every fiftieth counted place has units in a picker's hands: 3 of an order of its own. Gives the bins."""
    bins = pd.Series(range(1, size.lines // 2, 50))
    ids = pd.Series(range(1, len(bins) + 1))
    at = {"created_at": pd.Timestamp(MORNING).as_unit("s")}
    fill(connection, orders, pd.DataFrame({"id": ids, "merchant_id": 1, "order_number": "#" + ids.astype("str"),
                                           "currency": "GBP", **at}))  # fmt: skip
    place = _place(bins)
    fill(connection, order_lines, pd.DataFrame({
        "order_id": ids, "line_number": 1, "sku": "SKU-" + pd.Series(place["product_id"]).astype("str"),
        "quantity_ordered": 3, "quantity_allocated": 3, "quantity_picked": 3,
    }))  # fmt: skip
    one = {name: place[name] for name in ("location_id", "product_id", "lot")}
    fill(connection, allocations, pd.DataFrame({"id": ids, "order_id": ids, "line_number": 1, **one, "quantity": 3,
                                                "allocated_at": at["created_at"]}))  # fmt: skip
    connection.execute(insert(waves).values(id=1, warehouse_id=1, code="W-1", released_at=MORNING))
    connection.execute(insert(carts).values(id=1, wave_id=1, number=1))
    taken = {"quantity": 3, "quantity_picked": 3, "state": "picked", "picked_at": at["created_at"]}
    fill(connection, picks, pd.DataFrame({"cart_id": 1, "stop_number": ids, "allocation_id": ids, **taken}))
    return bins


def _levels(connection: Connection) -> None:
    place = [stock_moves.c[name] for name in ("location_id", "product_id", "condition", "lot")]
    promised = select(func.coalesce(func.sum(allocations.c.quantity), literal(0))).where(
        allocations.c.location_id == stock_moves.c.location_id
    )
    sums = select(*place, func.sum(stock_moves.c.quantity), promised.scalar_subquery()).group_by(*place)
    names = ["location_id", "product_id", "condition", "lot", "on_hand", "allocated"]
    connection.execute(insert(stock_levels).from_select(names, sums))


def _counted(connection: Connection, size: Size, opened: np.ndarray, moved: pd.DataFrame, taken: pd.Series) -> None:
    twice = size.lines // 20
    bins = pd.Series([*range(1, size.lines - twice + 1), *range(1, twice + 1)])
    second = np.arange(size.lines) >= size.lines - twice
    at = pd.Timestamp(MORNING) + pd.Series(pd.to_timedelta(7 * 3600 + bins % 3600, unit="s"))
    before = moved.merge(pd.DataFrame({"location_id": bins, "counted_at": at}).drop_duplicates(), on="location_id")
    net = before[before["effective_at"] <= before["counted_at"]].groupby("location_id")["quantity"].sum()
    there = opened[bins - 1] + bins.map(net).fillna(0).astype("int64") - 3 * bins.isin(taken)
    wrong = np.select([bins % 100 == 0, bins % 25 == 0], [12, 1], 0) + (second & (bins % 10 == 0).to_numpy())
    sheet = (np.arange(size.lines) // LINES_OF_A_SHEET) % max(1, (size.lines - twice) // LINES_OF_A_SHEET) + 1
    codes = pd.Series(np.where(second, (bins - 1) // LINES_OF_A_SHEET + 1, sheet))
    fill(connection, counts, pd.DataFrame({"id": codes.unique(), "warehouse_id": 1, "reason": "sheet",
                                           "code": "CC-" + pd.Series(codes.unique()).astype("str"),
                                           "state": "counted"}))  # fmt: skip
    place = _place(bins)
    fill(connection, count_lines, pd.DataFrame({
        "count_id": codes, **place, "sku": "SKU-" + pd.Series(place["product_id"]).astype("str"),
        "quantity": (there - wrong).clip(lower=0), "counter": np.where(second, "Bob", "Ann"),
        "counted_at": at.dt.as_unit("s"), "state": "counted",
    }))  # fmt: skip
