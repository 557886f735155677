"""Which places are counted today, by whom, and in which order they are walked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from tasks.domain.counting.count_reasons import NEVER, Rules, choose_places
from tasks.domain.sites.calendars import WEEKDAYS, public_holidays

CLASSES = ("A", "B", "C")
OTHERWISE = "otherwise"
_WALK = ["zone", "aisle", "bay", "level", "location"]
_PLACE = ["location_id", "product_id", "condition", "lot"]


@dataclass(frozen=True)
class AbcRules:
    """Pareto cut-offs on the value of demand."""

    demand_days: int
    a_until: float
    b_until: float

    def __post_init__(self) -> None:
        if not 0 <= self.a_until <= self.b_until <= 1:
            raise ValueError("expected 0 <= a_until <= b_until <= 1")


@dataclass(frozen=True)
class Capacity:
    """Who counts on a day and how much one of them can do.

    `minutes_per_place`: by zone, `otherwise` for the rest. Never by what the ledger says lies there: how long a sheet
    is must not tell the counter anything.
    """

    counters: int
    places_per_counter: int
    minutes_per_counter: float
    minutes_per_place: Mapping[str, float]
    counter_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.counters, self.places_per_counter) < 1:
            raise ValueError("counters and places_per_counter: expected at least 1")
        if OTHERWISE not in self.minutes_per_place:
            raise ValueError(f"minutes_per_place: expected a number for '{OTHERWISE}'")
        if not all(0 < minutes <= self.minutes_per_counter for minutes in self.minutes_per_place.values()):
            raise ValueError("minutes_per_place: expected more than 0 and at most minutes_per_counter")
        if len({name.strip().casefold() for name in self.counter_names} - {""}) < len(self.counter_names):
            raise ValueError("counter_names: expected a different name for each counter")

    def seconds(self, zones: pd.Series) -> pd.Series:
        """How long a place of each zone takes, int64."""
        minutes = zones.map(dict(self.minutes_per_place)).fillna(self.minutes_per_place[OTHERWISE])
        return (minutes.astype("float64") * 60).round().astype("int64")

    def name_of(self, sheet: int, day: date) -> str | None:
        """Who counts a sheet (from 1); the names move on each day, so that no one always counts the same aisle."""
        if sheet > len(self.counter_names):
            return None
        return self.counter_names[(sheet - 1 + day.toordinal()) % len(self.counter_names)]


@dataclass(frozen=True)
class WarehousePlan:
    """What one warehouse does otherwise; what it leaves out is as for all."""

    capacity: Capacity | None = None
    working_days: tuple[str, ...] | None = None
    rules: Rules | None = None


@dataclass(frozen=True)
class PlanRules:
    """Which places are due, how many are counted on a day, and on which days."""

    rules: Rules
    capacity: Capacity
    working_days: tuple[str, ...]
    sheet_valid_days: int
    warehouses: Mapping[str, WarehousePlan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = [self.working_days, *(one.working_days or () for one in self.warehouses.values())]
        if strange := {day for days in named for day in days} - set(WEEKDAYS):
            raise ValueError(f"working_days: found {sorted(strange)}, expected some of {', '.join(WEEKDAYS)}")

    def at(self, warehouse: str) -> "PlanRules":
        """The rules of one warehouse."""
        own = self.warehouses.get(warehouse, WarehousePlan())
        return replace(self, rules=own.rules or self.rules, capacity=own.capacity or self.capacity,
                       working_days=self.working_days if own.working_days is None else own.working_days)  # fmt: skip

    def is_open(self, day: date, country: str, region: str | None = None) -> bool:
        """Whether people count on `day`: a working day that is no public holiday of the country or its region."""
        return WEEKDAYS[day.weekday()] in self.working_days and day not in public_holidays(country, region, day.year)


def abc_classes(goods: pd.DataFrame, demand: pd.DataFrame, rules: AbcRules) -> pd.Series:
    """The ABC class of each product: the one its export names, otherwise by Pareto on the value of demand.

    `goods`: product_id, abc_class str; `demand`: product_id, value_minor. The dearest products that make up `a_until`
    of the value are A, up to `b_until` B, the rest C. Ties go to the lower product_id. Indexed by product_id.
    """
    ranked = demand.sort_values(["value_minor", "product_id"], ascending=[False, True], ignore_index=True)
    value = ranked["value_minor"].clip(lower=0).astype("float64")
    before = (value.cumsum() - value) / (value.sum() or 1.0)
    letter = np.select(
        [(value > 0) & (before < rules.a_until), (value > 0) & (before < rules.b_until)], ["A", "B"], "C"
    )
    computed = pd.Series(letter, index=pd.Index(ranked["product_id"]), dtype="str")
    named = goods.set_index("product_id")["abc_class"]
    named = named.where(named.isin(CLASSES))
    return named.fillna(computed.reindex(named.index)).fillna("C").astype("str")


def due_places(places: pd.DataFrame, rules: Rules, as_of: pd.Timestamp) -> pd.DataFrame:
    """The places to count, each once, with every rule that chose it, the most urgent first.

    `places`: the place, abc_class, counted_at (last count) and what the rules of `counting.count_reasons` look at.
    Adds urgency int64 and reason str. Within a rule class A first, then what was counted longest ago (never counted
    before all), then the place.
    """
    chosen = places.assign(**choose_places(places, rules, as_of), last=places["counted_at"].fillna(NEVER))
    chosen = chosen[chosen["urgency"] >= 0].sort_values(["urgency", "abc_class", "last", *_PLACE], ignore_index=True)
    return chosen.drop(columns="last")


def on_sheets(places: pd.DataFrame, capacity: Capacity) -> pd.DataFrame:
    """Today's places, one sheet a counter, in walking order.

    `places` as `due` gives them, with zone, aisle, bay, level, location and sku. Only as many as the counters can do,
    the most urgent; they are cut into stretches of the walk that take about equally long, so that two counters do not
    cross; a location is cut only where it alone is more than a counter can do. As few sheets as it takes. Adds sheet
    int64, from 1.
    """
    most = places.head(capacity.counters * capacity.places_per_counter)
    walk = walking_order(most.assign(rank=np.arange(len(most)), seconds=capacity.seconds(most["zone"])))
    limit = round(capacity.minutes_per_counter * 60)
    fits = _last_that_fits(len(walk), lambda n: _sheets_of(walk[walk["rank"] < n], capacity, limit) is not None)
    today = walk[walk["rank"] < fits].reset_index(drop=True)
    return today.drop(columns=["rank", "seconds"]).assign(sheet=_balanced(today, capacity, limit))


def _last_that_fits(most: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `most` that fits; what is less than one that fits is taken to fit."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _sheets_of(walk: pd.DataFrame, capacity: Capacity, seconds_max: int) -> np.ndarray | None:
    """The sheet (from 1) of each place of a walk when each counter does as much as he can; None: too few counters."""
    first = _first_of_location(walk)
    until = np.concatenate([[0], walk["seconds"].to_numpy().cumsum()])
    ends = [0]
    while ends[-1] < len(walk):
        if len(ends) > capacity.counters:
            return None
        start = ends[-1]
        in_time = int(np.searchsorted(until, until[start] + seconds_max, side="right")) - 1
        end = min(in_time, start + capacity.places_per_counter)
        ends.append(int(first[end]) if first[end] > start else end)
    return np.repeat(np.arange(1, len(ends)), np.diff(ends))


def _first_of_location(walk: pd.DataFrame) -> np.ndarray:
    """For each row, and for the end, the first row of its location: where a sheet may end."""
    starts = np.flatnonzero((walk["location"] != walk["location"].shift()).to_numpy())
    runs = np.diff([*starts, len(walk)])
    return np.append(np.repeat(starts, runs), len(walk)).astype("int64")


def _balanced(walk: pd.DataFrame, capacity: Capacity, limit: int) -> np.ndarray:
    """The same number of sheets, the longest of them as short as can be."""
    cut = _sheets_of(walk, capacity, limit)
    if cut is None or not len(cut):
        return np.zeros(0, dtype="int64")
    few = replace(capacity, counters=int(cut[-1]))
    spare = _last_that_fits(limit - int(walk["seconds"].max()), lambda n: _sheets_of(walk, few, limit - n) is not None)
    balanced = _sheets_of(walk, few, limit - spare)
    return cut if balanced is None else balanced


def walking_order(places: pd.DataFrame) -> pd.DataFrame:
    """By zone, aisle, bay, level, location and goods; numbers inside codes count as numbers (A-2 before A-10)."""
    names = [*_WALK, *(name for name in ("code", "round", "merchant", "sku", "condition", "lot") if name in places)]
    keys = pd.DataFrame({name: _natural(places[name]) for name in names}, index=places.index)
    order = keys.sort_values(names, kind="stable").index
    return places.loc[order].reset_index(drop=True)


def _natural(codes: pd.Series) -> pd.Series:
    return codes.astype("str").fillna("").str.replace(r"\d+", lambda digits: digits[0].zfill(12), regex=True)
