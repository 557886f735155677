"""What a count says against the book as it was when counted, and what follows from it.

expected = ledger at the moment of the count - units picked by then that had not left the building. The difference is
what is posted, dated at the count, so that later movements stand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from tasks.domain.counting.count_plans import CLASSES, AbcRules, PlanRules

PLACE = ["location_id", "product_id", "condition", "lot"]


@dataclass(frozen=True)
class Tolerance:
    """How far a count may be off and still be posted: percent of the expected units, and value."""

    percent: float
    value_minor: int

    def __post_init__(self) -> None:
        if self.percent < 0 or self.value_minor < 0:
            raise ValueError("a tolerance is not negative")


@dataclass(frozen=True)
class Approval:
    """Whose word a difference needs that is worth more than `above_minor`."""

    above_minor: int
    role: str


@dataclass(frozen=True)
class CountPolicy:
    """What a difference leads to, from a day on: the newest whose day had come when a place was counted applies.

    `warehouses`: the tolerance of a warehouse that has its own. `supervisor` is asked where no value limit is crossed,
    and counts in the last round.
    """

    version: str
    effective_from: date
    tolerance: Mapping[str, Tolerance]
    approvals: tuple[Approval, ...]
    supervisor: str
    rounds_max: int
    warehouses: Mapping[str, Mapping[str, Tolerance]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in (self.tolerance, *self.warehouses.values()):
            if set(one) != set(CLASSES):
                raise ValueError("tolerance: expected one for each of A, B and C")
        if self.rounds_max < 1:
            raise ValueError("rounds_max: expected at least 1")
        limits = [one.above_minor for one in self.approvals]
        if not limits or limits != sorted(set(limits)):
            raise ValueError("approvals: expected at least one, by rising above_minor")

    def limits(self, warehouse: str, letter: str) -> tuple[Tolerance, str]:
        """The tolerance of an ABC class in a warehouse, and the name of that rule: version/warehouse/class."""
        own = self.warehouses.get(warehouse)
        where = "every" if own is None else warehouse
        return (self.tolerance if own is None else own)[letter], f"{self.version}/{where}/{letter}"

    def role(self, value_minor: int) -> str:
        """Who is asked about a difference of that absolute value."""
        crossed = [one.role for one in self.approvals if value_minor > one.above_minor]
        return crossed[-1] if crossed else self.supervisor


@dataclass(frozen=True)
class CountRules:
    """config/rules/counts.yaml."""

    versions: tuple[CountPolicy, ...]
    abc: AbcRules
    plan: PlanRules

    def __post_init__(self) -> None:
        days = [one.effective_from for one in self.versions]
        if not days or days != sorted(set(days)):
            raise ValueError("versions: expected at least one, by rising effective_from")
        if len({one.version for one in self.versions}) < len(days):
            raise ValueError("versions: expected each to have a version of its own")


def in_force(lines: pd.DataFrame, rules: CountRules) -> np.ndarray:
    """The number of the version of `rules` that applies to each line (int64): by the warehouse's day of the count.

    `lines`: counted_at, time_zone. What was counted before the first version is judged by that one.
    """
    since = pd.Series(pd.to_datetime([one.effective_from for one in rules.versions])).dt.as_unit("s")
    return np.clip(np.searchsorted(since.to_numpy(), local_days(lines).to_numpy(), side="right") - 1, 0, None)


def local_days(lines: pd.DataFrame) -> pd.Series:
    """The day on which each line was counted, on the clock of its warehouse (midnight without a zone)."""
    days = pd.Series(pd.NaT, index=lines.index, dtype="datetime64[s]")
    for zone in lines["time_zone"].unique():
        here = lines["time_zone"] == zone
        days[here] = lines.loc[here, "counted_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    return days


def picked_units(picks: pd.DataFrame, shipped: pd.DataFrame) -> pd.DataFrame:
    """When picked units left their place, and when they left the building or were given up.

    `picks`: order_id, location_id, product_id, lot, quantity int64, picked_at, closed_at (of the allocation, missing
    while open). `shipped`: the same key, quantity int64, shipped_at. Units of an order are taken to leave in the order
    they were picked. Gives location_id, product_id, condition, lot, quantity, picked_at, left_at (missing: still in
    the building), one row a run of units.
    """
    line = ["order_id", "location_id", "product_id", "lot"]
    taken, sent = _runs(picks, line, "picked_at"), _runs(shipped, line, "shipped_at")
    both = taken.reset_index(names="pick").merge(
        sent[[*line, "since", "until", "shipped_at"]], on=line, suffixes=("", "_sent")
    )
    overlap = np.minimum(both["until"], both["until_sent"]) - np.maximum(both["since"], both["since_sent"])
    gone = both.assign(quantity=overlap, left_at=both["shipped_at"])[overlap > 0]
    left = gone.groupby("pick")["quantity"].sum().reindex(taken.index, fill_value=0)
    rest = taken.assign(quantity=taken["quantity"] - left, left_at=taken["closed_at"])
    units = pd.concat([gone[rest.columns], rest[rest["quantity"] > 0]], ignore_index=True)
    return units.assign(condition="available")[[*PLACE, "quantity", "picked_at", "left_at"]]


def _runs(rows: pd.DataFrame, key: list[str], moment: str) -> pd.DataFrame:
    """Each row with the run of its order's units it stands for: since <= unit < until, in order of `moment`."""
    rows = rows.sort_values([*key, moment], kind="stable", ignore_index=True)
    until = rows.groupby(key)["quantity"].cumsum()
    return rows.assign(since=until - rows["quantity"], until=until)


def out_of_bin(lines: pd.DataFrame, units: pd.DataFrame) -> pd.Series:
    """Units of each counted line's place that were picked by counted_at and still in the building (int64).

    `lines`: line_id, counted_at and the place; `units` as `picked_units` gives them.
    """
    pairs = lines[["line_id", *PLACE, "counted_at"]].merge(units, on=PLACE)
    there = (pairs["picked_at"] <= pairs["counted_at"]) & ~(pairs["left_at"] <= pairs["counted_at"])
    sums = pairs[there].groupby("line_id")["quantity"].sum()
    return lines["line_id"].map(sums).fillna(0).astype("int64")


def record_accuracy(findings: pd.DataFrame) -> pd.DataFrame:
    """Inventory record accuracy of what was counted, over all and by ABC class.

    `findings`: abc_class str, expected, difference int64, unit_minor Int64, within_tolerance bool, one row a counted
    place. Hit or miss a place, never netted; stock found where the record said nothing is a miss. By value: the value
    recorded less the absolute value of every difference (not below 0). Gives abc_class, places, right, accuracy
    (part of one), value_minor, off_minor, accuracy_value (missing where nothing has a value).
    """
    unit = findings["unit_minor"].astype("Int64").fillna(0)
    hit = findings["within_tolerance"] & ((findings["expected"] > 0) | (findings["difference"] == 0))
    rows = pd.DataFrame(
        {
            "abc_class": findings["abc_class"].where(findings["abc_class"].isin(CLASSES), "C"),
            "places": 1,
            "right": hit.astype("int64"),
            "value_minor": (findings["expected"].clip(lower=0) * unit).astype("int64"),
            "off_minor": (findings["difference"].abs() * unit).astype("int64"),
        }
    )
    rows["kept"] = (rows["value_minor"] - rows["off_minor"]).clip(lower=0)
    every = pd.concat([rows, rows.assign(abc_class="all")]).groupby("abc_class", sort=True).sum().reset_index()
    accuracy = every["right"] / every["places"]
    by_value = (every["kept"] / every["value_minor"].where(every["value_minor"] > 0)).round(4)
    told = every.assign(accuracy=accuracy.round(4), accuracy_value=by_value)
    return told[["abc_class", "places", "right", "accuracy", "value_minor", "off_minor", "accuracy_value"]]
