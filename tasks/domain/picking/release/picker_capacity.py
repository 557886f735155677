"""Which of the orders that can be picked go to the floor now, when the pickers cannot pick them all before the pickup.

What must leave with the next pickup goes first, in the order of priority and with the earliest pickup before the
others; nothing that can wait takes its room. Of what can wait, those orders go along that make the wave densest: the
most lines per aisle visited, an aisle that urgent orders lead to counting no more (`dense_wave`).
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

SEED = 1
SEARCHES, WAVES_MAX = 2, 3  # searches at the same time, and one after the other for the room the last one left
WAITS = "can wait for the next pickup: pickers are busy until this one"
BUSY = "pickers are busy until the pickup, and more urgent orders come first"


@dataclass(frozen=True)
class PickerCapacity:
    """What a picker does, and until when."""

    lines_an_hour: int
    hours_max: float  # of picking one wave may take
    packing_minutes: int  # before the pickup the last cart must have come in

    def __post_init__(self) -> None:
        if self.lines_an_hour < 1 or self.hours_max <= 0 or self.packing_minutes < 0:
            raise ValueError("capacity: lines and hours are more than 0, packing_minutes at least 0")

    def lines(self, pickers: int, pickup: datetime, as_of: datetime) -> int:
        """The lines so many pickers take until a pickup."""
        left = pickup - timedelta(minutes=self.packing_minutes) - as_of
        return int(pickers * self.lines_an_hour * max(0.0, min(self.hours_max, left.total_seconds() / 3600)))


@dataclass(frozen=True)
class DensityRules:
    """How long the densest wave is sought."""

    rounds: int  # of the search; 0 takes what can wait in the order of its priority
    fill_least: float  # so much of the room is filled, as a share

    def __post_init__(self) -> None:
        if self.rounds < 0 or not 0 <= self.fill_least <= 1:
            raise ValueError("density: rounds is at least 0, fill_least is from 0 to 1")


def with_wait_reasons(
    orders: pd.DataFrame, places: pd.DataFrame, lines_max: Mapping[str, int], orders_max: int, density: DensityRules
) -> pd.DataFrame:
    """`orders` with reason (str): empty for those released now, otherwise why they wait.

    `orders`: of one warehouse in order of priority, with order_id, carrier, lines (int64) and urgent (bool: must leave
    with this pickup). `places`: order_id, location_id and aisle of everything to be picked. `lines_max`: what pickers
    take until each carrier's pickup, the earliest first, less what they have in hand; the same pickers for all. No
    carrier's wave has more than `orders_max` orders.
    """
    reasons = pd.Series("", index=orders.index, dtype="str")
    lines_used = np.zeros(len(lines_max), dtype="int64")
    capacity_lines = np.array(list(lines_max.values()), dtype="int64")
    groups = {carrier: orders[orders["carrier"] == carrier] for carrier in lines_max}
    for number, group in enumerate(groups.values()):
        urgent = group[group["urgent"]]
        goes = _first_that_fit(urgent, _room(capacity_lines, lines_used, number), orders_max)
        wait_reasons = np.where(np.arange(len(urgent)) < orders_max, BUSY, _full(orders_max))
        reasons.loc[urgent.index] = np.where(goes, "", wait_reasons)
        lines_used[number] += int(urgent["lines"][goes].sum())
    for number, group in enumerate(groups.values()):
        can_wait, going = group[~group["urgent"]], group[group["urgent"] & (reasons.loc[group.index] == "")]
        room = _room(capacity_lines, lines_used, number)
        goes = _densest_choice(can_wait, going, places, room, orders_max - len(going), density)
        reasons.loc[can_wait.index] = np.where(goes, "", WAITS if can_wait["lines"].sum() > room else _full(orders_max))
        lines_used[number] += int(can_wait["lines"][goes].sum())
    return orders.assign(reason=reasons)


def _full(orders_max: int) -> str:
    return f"the wave is full: {orders_max} orders, and others come first"


def _room(capacity_lines: np.ndarray, lines_used: np.ndarray, number: int) -> int:
    """The lines a wave may still have: no wave that is picked up later may come short."""
    return int((capacity_lines - lines_used.cumsum())[number:].min())


def _first_that_fit(orders: pd.DataFrame, lines: int, orders_max: int) -> np.ndarray:
    """Which orders go, one after the other as long as there is room."""
    goes: np.ndarray = (orders["lines"].cumsum().to_numpy() <= lines) & (np.arange(len(orders)) < orders_max)
    return goes


def _densest_choice(
    waiting: pd.DataFrame, going: pd.DataFrame, places: pd.DataFrame, lines: int, orders_max: int, density: DensityRules
) -> np.ndarray:
    """Which of the orders that can wait go along (bool for each): dense waves one on the other, then by priority."""
    line_counts = waiting["lines"].to_numpy()
    goes = np.zeros(len(waiting), dtype=bool)
    if line_counts.sum() <= lines and len(waiting) <= orders_max:
        return ~goes
    for _ in range(WAVES_MAX if density.rounds else 0):
        room = min(lines - int(line_counts[goes].sum()), int((orders_max - goes.sum()) * line_counts.mean()))
        chosen = (
            _densest_positions(waiting[~goes], pd.concat([going, waiting[goes]]), places, room, density)
            if room > 0
            else None
        )
        if chosen is None:
            break
        goes[np.flatnonzero(~goes)[chosen]] = True
    goes &= goes.cumsum() <= orders_max
    goes |= _fitting(np.where(goes, 0, line_counts), lines - int(line_counts[goes].sum()), orders_max - int(goes.sum()))
    return goes


def _fitting(line_counts: np.ndarray, lines: int, orders_max: int) -> np.ndarray:
    """Which orders of so many lines (0 for none) go, in their order; one that finds no room lets the next have it."""
    goes = np.zeros(len(line_counts), dtype=bool)
    for order in np.flatnonzero((line_counts > 0) & (line_counts <= lines)):
        if orders_max and line_counts[order] <= lines:
            goes[order], lines, orders_max = True, lines - int(line_counts[order]), orders_max - 1
    return goes


def _densest_positions(
    waiting: pd.DataFrame, going: pd.DataFrame, places: pd.DataFrame, lines: int, density: DensityRules
) -> np.ndarray | None:  # fmt: skip
    """The orders (by position) of the densest wave of at most so many lines.

    None where none was found, or none to be sought: a wave that visits every aisle anyway is as dense with any of them.
    """
    from tasks.domain.picking.release.dense_wave import (  # with SciPy and HiGHS, which only a search needs
        OrderPool,
        densest_wave,
    )

    pool = OrderPool(*_order_pool(waiting, going, places, lines, density.fill_least))
    if pool.stock.shape[0] == 1:
        return None
    with ThreadPoolExecutor(SEARCHES) as threads:
        wave = densest_wave(
            pool, seed=SEED, searches=SEARCHES, run=threads.map, stop=lambda done: done >= density.rounds
        )
    return None if wave is None else wave.orders


def _order_pool(
    waiting: pd.DataFrame, going: pd.DataFrame, places: pd.DataFrame, lines: int, fill_least: float
) -> tuple[Any, Any, int, int]:
    """The orders as lines at places; the aisles that orders already going lead to are one, the first."""
    waiting_places = places[places["order_id"].isin(waiting["order_id"])]
    order = pd.Series(range(len(waiting)), index=waiting["order_id"]).loc[waiting_places["order_id"]].to_numpy()
    item, locations = pd.factorize(waiting_places["location_id"])
    demand = _counted(order, item, (len(waiting), len(locations)))
    visited = set(places["aisle"][places["order_id"].isin(going["order_id"])])
    aisle = pd.factorize(
        pd.concat([pd.Series([np.nan]), waiting_places["aisle"].where(~waiting_places["aisle"].isin(visited))]),
        use_na_sentinel=False,
    )[0][1:]
    stock = _counted(aisle, item, (int(aisle.max(initial=0)) + 1, len(locations)))
    lines_min = min(int(fill_least * lines), int(demand.sum()))
    return demand, stock, lines_min, lines


def _counted(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> Any:
    from scipy.sparse import coo_array

    return coo_array((np.ones(len(row), dtype="int64"), (row, column)), shape).tocsr()
