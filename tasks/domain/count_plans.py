"""Which places are counted today, by whom, and in which order they are walked."""

import numpy as np
import pandas as pd

from tasks.domain.counts import CLASSES, AbcRules, PlanRules

REASONS = ("short pick", "negative stock", "stock export disagrees", "periodic")  # the most urgent first
_WALK = ["zone", "aisle", "bay", "level", "location"]
_PLACE = ["location_id", "product_id", "condition", "lot"]


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


def due(places: pd.DataFrame, rules: PlanRules, as_of: pd.Timestamp, *, empty: bool = False) -> pd.DataFrame:
    """The places to count, with why, the most urgent first.

    `places`: the place, abc_class, on_hand int64, short_at (last short pick), counted_at (last count), export_at and
    export_off (when the last stock export was made, and by how many units it differed from the book then; may be
    missing). Adds reason str and urgency int64 (index of REASONS). Within a reason class A first, then what was
    counted longest ago (never counted before all), then the place. Periodically, places the book has empty are
    counted only when asked for (`empty`).
    """
    never = pd.Timestamp(0, tz="UTC").as_unit("s")
    last = places["counted_at"].fillna(never)
    days = places["abc_class"].map(dict(rules.days_between)).astype("int64")
    short = (places["short_at"] > last).astype(bool)
    off = (places["export_off"].fillna(0) != 0) & (places["export_at"] > last).astype(bool)
    old = (empty | (places["on_hand"] != 0)) & (last <= as_of - pd.to_timedelta(days, unit="D"))
    urgency = np.select([short, places["on_hand"] < 0, off, old], range(len(REASONS)), -1)
    told = places.assign(urgency=urgency, last=last)[urgency >= 0]
    told = told.sort_values(["urgency", "abc_class", "last", *_PLACE], ignore_index=True)
    return told.drop(columns="last").assign(reason=told["urgency"].map(dict(enumerate(REASONS))).astype("str"))


def sheets(places: pd.DataFrame, counters: int, places_per_counter: int) -> pd.DataFrame:
    """Today's places, one sheet a counter, in walking order.

    `places` as `due` gives them, with zone, aisle, bay, level, location and sku. Only as many as the counters can do,
    the most urgent; they are cut into stretches of the walk of equal length, so that two counters do not cross. Adds
    sheet int64, from 1.
    """
    today = walking_order(places.head(counters * places_per_counter))
    number = max(1, min(counters, -(-len(today) // places_per_counter)))
    size = -(-len(today) // number) if len(today) else 1
    return today.assign(sheet=np.arange(len(today)) // size + 1)


def walking_order(places: pd.DataFrame) -> pd.DataFrame:
    """By zone, aisle, bay, level, location and goods; numbers inside codes count as numbers (A-2 before A-10)."""
    names = [*_WALK, *(name for name in ("code", "round", "merchant", "sku", "condition", "lot") if name in places)]
    keys = pd.DataFrame({name: _natural(places[name]) for name in names}, index=places.index)
    order = keys.sort_values(names, kind="stable").index
    return places.loc[order].reset_index(drop=True)


def _natural(codes: pd.Series) -> pd.Series:
    return codes.astype("str").fillna("").str.replace(r"\d+", lambda found: found[0].zfill(12), regex=True)
