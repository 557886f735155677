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


def versions_in_force(lines: pd.DataFrame, rules: CountRules) -> np.ndarray:
    """The number of the version of `rules` that applies to each line (int64): by the warehouse's day of the count.

    `lines`: counted_at, time_zone. What was counted before the first version is judged by that one.
    """
    since = pd.Series(pd.to_datetime([one.effective_from for one in rules.versions])).dt.as_unit("s")
    return np.clip(np.searchsorted(since.to_numpy(), local_days(lines).to_numpy(), side="right") - 1, 0, None)


def local_days(lines: pd.DataFrame) -> pd.Series:
    """The day on which each line was counted, on the clock of its warehouse (midnight without a zone)."""
    days = pd.Series(pd.NaT, index=lines.index, dtype="datetime64[s]")
    for zone in lines["time_zone"].unique():
        in_zone = lines["time_zone"] == zone
        days[in_zone] = lines.loc[in_zone, "counted_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    return days
