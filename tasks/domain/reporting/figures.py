"""Figures of the operations report: a numerator over a denominator, or percentiles of durations.

A figure carries the rows it counts, or the reason why it cannot be computed. A day is a day in the report's time zone.
The figures themselves (K1 to K12) are in order_figures, floor_figures and service_figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

PERCENTILES = (50, 90, 95)


class Mistake(StrEnum):
    """The five areas of mistakes; each figure watches one."""

    RECORDS = "Inventory records"
    QUALITY = "Quality control"
    PROCEDURES = "Order processing"
    SILENCE = "Customer messages"
    RETURNS = "Returns"


@dataclass(frozen=True)
class Target:
    """The limits a figure should stay within."""

    at_least: float | None = None
    at_most: float | None = None

    def missed(self, value: float | None) -> bool:
        """Whether `value` is outside the limits; a missing value is not."""
        if value is None:
            return False
        return (self.at_least is not None and value < self.at_least) or (
            self.at_most is not None and value > self.at_most
        )


@dataclass(frozen=True)
class KpiRules:
    """The schema of config/rules/kpis.yaml."""

    time_zone: str
    window_days: int
    trend_days: int
    promise_days: int
    about_to_be_late_h: int
    rows_shown_max: int
    targets: dict[str, Target] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ZoneInfo(self.time_zone)
        for name in ("window_days", "trend_days", "promise_days", "about_to_be_late_h", "rows_shown_max"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")


@dataclass(frozen=True)
class Period:
    """The days of the report in their zone: from the start of `first` to the end of `last`, as known at `as_of`."""

    first: date
    last: date
    as_of: datetime
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        """The first moment of the period."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=self.zone)

    @property
    def until(self) -> datetime:
        """The first moment after the period, or `as_of` if the last day is not over."""
        after = self.last + timedelta(days=1)
        return min(datetime(after.year, after.month, after.day, tzinfo=self.zone), self.as_of)

    def contains(self, moments: pd.Series) -> pd.Series:
        """Whether each moment is in the period (bool)."""
        return moments.notna() & (moments >= self.since) & (moments <= self.until)

    def days(self, moments: pd.Series) -> pd.Series:
        """The day of each moment, as ISO text."""
        return pd.Series(moments.dt.tz_convert(self.zone).dt.strftime("%Y-%m-%d"))


def period(rules: KpiRules, as_of: datetime, day: date | None) -> Period:
    """The period that ends with `day`, or with the day of `as_of`."""
    zone = ZoneInfo(rules.time_zone)
    last = day or as_of.astimezone(zone).date()
    return Period(last - timedelta(days=rules.window_days - 1), last, as_of, zone)


@dataclass(frozen=True, eq=False)
class Figure:
    """One figure. `drill`: one row per thing it counts, with `counted` true for the numerator.

    `unit` is share, hours, count or money and a currency. `by_day`: day str, numerator, denominator float64.
    """

    key: str
    name: str
    mistake: Mistake
    definition: str
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    unit: str = "share"
    missing: str = ""
    note: str = ""
    rows_key: str = ""  # figures with the same rows share one list
    drill: pd.DataFrame = field(default_factory=pd.DataFrame)
    by_day: pd.DataFrame = field(default_factory=pd.DataFrame)


def share(
    key: str, name: str, mistake: Mistake, definition: str, rows: pd.DataFrame, *,
    day: pd.Series | None = None, weight: str = "", counted_weight: str = "", nothing: str = "", note: str = "",
) -> Figure:  # fmt: skip
    """The share of rows with `counted` (or the sum of `counted_weight`) in all rows (or the sum of `weight`)."""
    if rows.empty:
        return Figure(key, name, mistake, definition, missing=nothing or "nothing in these days", drill=rows)
    whole = rows[weight].astype("float64") if weight else pd.Series(1.0, index=rows.index)
    part = rows[counted_weight].astype("float64") if counted_weight else whole.where(rows["counted"], 0.0)
    if not whole.sum():
        return Figure(key, name, mistake, definition, missing=nothing or "there is nothing to divide by", drill=rows)
    by_day = pd.DataFrame()
    if day is not None:
        sums = pd.DataFrame({"day": day, "numerator": part, "denominator": whole})
        by_day = sums.groupby("day", as_index=False).sum()
    value = float(part.sum() / whole.sum())
    return Figure(
        key, name, mistake, definition, value, float(part.sum()), float(whole.sum()),
        note=note, drill=rows, by_day=by_day,
    )  # fmt: skip


def durations(
    key: str, name: str, mistake: Mistake, definition: str, rows: pd.DataFrame, start: str, end: str
) -> list[Figure]:
    """Percentiles of `end` - `start` in hours, one figure each; rows without either are left out.

    The q-th percentile is the shortest time within which at least q % were done.
    """
    complete = rows[rows[start].notna() & rows[end].notna()]
    hours = (complete[end] - complete[start]).dt.total_seconds() / 3600
    drill = complete.assign(hours=hours.round(2), counted=True)
    figures = []
    for percent in PERCENTILES:
        title, about = f"{name}, {percent} % within", f"{definition} {percent} % took no longer than this."
        if complete.empty:
            figures.append(Figure(f"{key}_p{percent}", title, mistake, about, unit="hours",
                                  missing="nothing with both moments in these days"))  # fmt: skip
            continue
        value = float(np.percentile(hours, percent, method="inverted_cdf"))
        figures.append(Figure(f"{key}_p{percent}", title, mistake, about, value, value, float(len(complete)),
                              unit="hours", rows_key=key, drill=drill))  # fmt: skip
    return figures


def restated(before: pd.DataFrame, now: Sequence[Figure]) -> pd.DataFrame:
    """Figures of days that differ from an earlier report, because of late data.

    `before`: key, day str, numerator, denominator float64. Returns key, name, day, before, now (shares, float64).
    """
    columns = ["key", "name", "day", "before", "now"]
    frames = [one.by_day.assign(key=one.key, name=one.name) for one in now if len(one.by_day)]
    if before.empty or not frames:
        return pd.DataFrame(columns=columns)
    both = before.merge(pd.concat(frames), on=["key", "day"], suffixes=("_before", ""))
    both["before"] = both["numerator_before"] / both["denominator_before"]
    both["now"] = both["numerator"] / both["denominator"]
    moved = (both["before"] - both["now"]).abs() > 5e-4
    return both.loc[moved, columns].sort_values(["day", "key"], ignore_index=True)
