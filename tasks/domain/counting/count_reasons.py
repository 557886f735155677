"""Why a place is counted today: each rule is one small function and one line of RULES.

Every function takes the places (`counting.count_plans.countable_places`, with abc_class), the rule's numbers and the
moment of the run, and returns a bool Series. For a place that was never counted, everything is "since the last count".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

NEVER = pd.Timestamp(0, tz="UTC").as_unit("s")
_CLASSES = {"A", "B", "C"}


class CountReason(StrEnum):
    """Why a place is counted: the rules, by their names in config/rules/counts.yaml."""

    SHORT_PICK = "short_pick"
    NEGATIVE_STOCK = "negative_stock"
    DOUBTFUL_RECORD = "doubtful_record"
    EMPTY_BIN = "empty_bin"
    LOW_ACCURACY = "low_accuracy"
    TURNOVER = "turnover"
    NEW_PLACE = "new_place"
    PERIODIC = "periodic"

    def words(self) -> str:
        """The reason as people read it."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What every rule has: its rank (1 is the most urgent), and whether it is applied at all."""

    urgency: int
    active: bool = True


@dataclass(frozen=True, kw_only=True)
class ShortPicks(Rule):
    """Picks that found less than planned, and those of them that found nothing, since the last count."""

    short_picks_min: int
    zero_picks_min: int


@dataclass(frozen=True, kw_only=True)
class DoubtfulRecords(Rule):
    """Units by which the last stock export must differ from the ledger."""

    units_off_min: int


@dataclass(frozen=True, kw_only=True)
class EmptyBins(Rule):
    """Units the ledger may have left in a bin that was picked from: 0 confirms empty bins, more also nearly empty."""

    units_left_max: int


@dataclass(frozen=True)
class Target:
    """The share of the last `counts` counts that must have found the record right; fewer counts decide nothing."""

    accuracy: float
    counts: int

    def __post_init__(self) -> None:
        if not 0 <= self.accuracy <= 1 or self.counts < 1:
            raise ValueError("expected an accuracy from 0 to 1 over at least 1 count")


@dataclass(frozen=True, kw_only=True)
class LowAccuracy(Rule):
    """Targets for a place, a SKU and a zone.

    `days_between`: for so long after a count a place is not counted again; `days_max`: older counts are ignored.
    """

    place: Target
    sku: Target
    zone: Target
    days_between: int
    days_max: int


@dataclass(frozen=True, kw_only=True)
class Turnover(Rule):
    """Units, or value in minor units, that went in and out since the last count; more makes a place due."""

    units_above: int | None = None
    value_above_minor: int | None = None


@dataclass(frozen=True, kw_only=True)
class NewPlaces(Rule):
    """How many days a place counts as new to its goods."""

    days_max: int


@dataclass(frozen=True, kw_only=True)
class Periodic(Rule):
    """Days between two counts by ABC class, and whether places the ledger has empty are counted too."""

    days_between: Mapping[str, int]
    include_empty: bool = False

    def __post_init__(self) -> None:
        if set(self.days_between) != _CLASSES:
            raise ValueError("days_between: expected one number for each of A, B and C")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Every rule by its name."""

    short_pick: ShortPicks
    negative_stock: Rule
    doubtful_record: DoubtfulRecords
    empty_bin: EmptyBins
    low_accuracy: LowAccuracy
    turnover: Turnover
    new_place: NewPlaces
    periodic: Periodic

    def __post_init__(self) -> None:
        ranks = [getattr(self, name).urgency for name in RULES]
        if len(set(ranks)) < len(ranks):
            raise ValueError("urgency: expected another number for each rule")

    def by_urgency(self) -> list[CountReason]:
        """The names of the active rules, the most urgent first."""
        active = [name for name in RULES if getattr(self, name).active]
        return sorted(active, key=lambda name: int(getattr(self, name).urgency))


def short_pick(places: pd.DataFrame, rule: ShortPicks, _as_of: pd.Timestamp) -> pd.Series:
    """Pickers found less than planned, or nothing. `short_picks` includes `zero_picks`, both int64."""
    return (places["short_picks"] >= rule.short_picks_min) | (places["zero_picks"] >= rule.zero_picks_min)


def negative_stock(places: pd.DataFrame, _rule: Rule, _as_of: pd.Timestamp) -> pd.Series:
    """The ledger has less than 0 units at the place. `on_hand` int64."""
    return places["on_hand"] < 0


def doubtful_record(places: pd.DataFrame, rule: DoubtfulRecords, _as_of: pd.Timestamp) -> pd.Series:
    """A later stock export differs, or the last count settled nothing: it was refused, or rejected by a person.

    `export_at`, `unsettled_at`: moments; `export_off` Int64: export less ledger at that moment.
    """
    last = _last_count(places)
    is_off = places["export_off"].fillna(0).abs() >= rule.units_off_min
    return (is_off & _is_later(places["export_at"], last)) | _is_later(places["unsettled_at"], last)


def empty_bin(places: pd.DataFrame, rule: EmptyBins, _as_of: pd.Timestamp) -> pd.Series:
    """The units taken since the last count should have emptied the bin.

    `picked_at`, `shipped_at` (left with a parcel), `issued_at` (left otherwise): the latest of each; `in_building`
    int64: picked units that the ledger still has at the place. Units leave the bin when they are picked: where picks
    are known, the day on which they leave the building says nothing about the bin.
    """
    last, units_left = _last_count(places), places["on_hand"] - places["in_building"]
    taken = places["picked_at"].fillna(places["shipped_at"])
    return (units_left <= rule.units_left_max) & (_is_later(taken, last) | _is_later(places["issued_at"], last))


def low_accuracy(places: pd.DataFrame, rule: LowAccuracy, as_of: pd.Timestamp) -> pd.Series:
    """The last counts of the place, the SKU or the zone found the record wrong too often.

    `place_accuracy`, `sku_accuracy`, `zone_accuracy`: float64, 0 to 1; missing where there were too few counts.
    """
    is_below = [places[f"{name}_accuracy"] < getattr(rule, name).accuracy for name in ("place", "sku", "zone")]
    is_rested = _last_count(places) <= as_of - pd.to_timedelta(rule.days_between, unit="D")
    low: pd.Series = (is_below[0] | is_below[1] | is_below[2]) & is_rested
    return low


def with_accuracy(places: pd.DataFrame, findings: pd.DataFrame, rule: LowAccuracy) -> pd.DataFrame:
    """Add place_accuracy, sku_accuracy and zone_accuracy: the share of the last counts that found the record right.

    `findings`: the place, zone, is_right bool, the earliest first. Missing where there are fewer than the target needs.
    """
    keys = {"place": ["location_id", "product_id", "condition", "lot"], "sku": ["product_id"], "zone": ["zone"]}
    for name, key in keys.items():
        counts: int = getattr(rule, name).counts
        last = findings.groupby(key).tail(counts).groupby(key)["is_right"].agg(["mean", "size"])
        accuracy = last["mean"].where(last["size"] == counts).astype("float64").rename(f"{name}_accuracy")
        places = places.join(accuracy, on=key)
    return places


def turnover(places: pd.DataFrame, rule: Turnover, _as_of: pd.Timestamp) -> pd.Series:
    """Many units, or much value, went in and out since the last count. `units_moved` int64, `unit_minor` Int64."""
    is_due = pd.Series(data=False, index=places.index)
    if rule.units_above is not None:
        is_due |= places["units_moved"] > rule.units_above
    if rule.value_above_minor is not None:
        is_due |= places["units_moved"] * places["unit_minor"].fillna(0) > rule.value_above_minor
    return is_due.astype(bool)


def new_place(places: pd.DataFrame, rule: NewPlaces, as_of: pd.Timestamp) -> pd.Series:
    """Goods came to a place where they were not before, or by transfer (`arrived_at`), and were not counted since."""
    is_recent = places["arrived_at"] >= as_of - pd.to_timedelta(rule.days_max, unit="D")
    return is_recent.astype(bool) & _is_later(places["arrived_at"], _last_count(places)) & (places["on_hand"] != 0)


def periodic(places: pd.DataFrame, rule: Periodic, as_of: pd.Timestamp) -> pd.Series:
    """The last count is older than the ABC class allows."""
    days = places["abc_class"].map(dict(rule.days_between)).astype("int64")
    is_old = _last_count(places) <= as_of - pd.to_timedelta(days, unit="D")
    return is_old & (rule.include_empty | (places["on_hand"] != 0))


def _last_count(places: pd.DataFrame) -> pd.Series:
    return places["counted_at"].fillna(NEVER)


def _is_later(moments: pd.Series, last: pd.Series) -> pd.Series:
    return (moments > last).astype(bool)  # what never happened is not later


RULES: Mapping[CountReason, Callable[[pd.DataFrame, Any, pd.Timestamp], pd.Series]] = {
    CountReason.SHORT_PICK: short_pick,
    CountReason.NEGATIVE_STOCK: negative_stock,
    CountReason.DOUBTFUL_RECORD: doubtful_record,
    CountReason.EMPTY_BIN: empty_bin,
    CountReason.LOW_ACCURACY: low_accuracy,
    CountReason.TURNOVER: turnover,
    CountReason.NEW_PLACE: new_place,
    CountReason.PERIODIC: periodic,
}


def choose_places(places: pd.DataFrame, rules: Rules, as_of: pd.Timestamp) -> pd.DataFrame:
    """The rules that choose each place: urgency int64 (0 is the most urgent, -1: no rule), reasons and reason str.

    `reasons` is a tuple of every CountReason that chose the place, the most urgent first; `reason` says them in words.
    """
    names = rules.by_urgency()
    answers = [RULES[name](places, getattr(rules, name), as_of).to_numpy(dtype=bool) for name in names]
    is_chosen = np.column_stack(answers) if answers else np.zeros((len(places), 0), dtype=bool)
    urgency = np.where(is_chosen.any(axis=1), is_chosen.argmax(axis=1), -1) if answers else np.full(len(places), -1)
    sets, position = np.unique(is_chosen @ (1 << np.arange(len(names))), return_inverse=True)
    reasons = [tuple(name for bit, name in enumerate(names) if number >> bit & 1) for number in sets.tolist()]
    words = [", ".join(reason.words() for reason in several) for several in reasons]
    return pd.DataFrame(
        {
            "urgency": urgency,
            "reasons": pd.Series(reasons, dtype=object).take(position).to_numpy(),
            "reason": pd.Series(words, dtype="str").take(position).to_numpy(),
        },
        index=places.index,
    ).astype({"reason": "str"})
