"""What may be promised and sold: on hand, less what is promised, doubtful or kept back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from tasks.domain.states import Purpose

POOL_KEY = ["product_id", "warehouse_id"]


@dataclass(frozen=True)
class BufferRules:
    """Units of a SKU that each warehouse keeps back; the narrowest rule counts: SKU, then ABC class, then all."""

    units: int = 0
    by_class: dict[str, int] = field(default_factory=dict)
    by_sku: dict[str, int] = field(default_factory=dict)  # MERCHANT:SKU
    by_age_h: dict[int, int] = field(default_factory=dict)  # further units once a warehouse was silent for so long

    def __post_init__(self) -> None:
        if min([self.units, *self.by_class.values(), *self.by_sku.values(), *self.by_age_h.values()]) < 0:
            raise ValueError("buffer: units cannot be negative")


def buffer_units(products: pd.DataFrame, rules: BufferRules) -> pd.Series:
    """Units kept back of each product, int64, indexed by product_id.

    `products`: product_id, merchant, sku, abc_class.
    """
    own = (products["merchant"] + ":" + products["sku"]).map(rules.by_sku)
    units = own.fillna(products["abc_class"].map(rules.by_class)).fillna(rules.units).astype("int64")
    return pd.Series(units.to_numpy(), index=pd.Index(products["product_id"], name="product_id"))


def silence_units(heard: pd.Series, rules: BufferRules, as_of: datetime) -> pd.Series:
    """Units of every SKU each warehouse keeps back beyond the buffer while nothing is heard of it, by warehouse_id.

    `heard`: when each warehouse was last heard of, by warehouse_id; missing where it never was. The longest age of
    `by_age_h` that has passed counts.
    """
    age_h = (pd.Timestamp(as_of) - heard).dt.total_seconds().fillna(np.inf) / 3600
    steps = sorted(rules.by_age_h.items())
    units = [max((buffer for after_h, buffer in steps if age > after_h), default=0) for age in age_h]
    return pd.Series(units, index=heard.index, dtype="int64")


def promisable_places(
    places: pd.DataFrame, buffer: pd.Series, purposes: Sequence[Purpose], order: Sequence[str], as_of: datetime,
    silent_units: pd.Series | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The units each place may still promise, in the order in which places are emptied.

    `places`: product_id, location_id, warehouse_id, lot, on_hand, allocated, location, purpose, expires_on, blocked,
    and received_at where `order` names it. `buffer`: units by product_id, kept back in every warehouse; `silent_units`:
    as in `silence_units`. `purposes`: what a place must be for, the first emptied first. `order`: what decides among
    places of one purpose: expiry, received, lot, smallest, location; ties go to the location's code, then to the ids.

    A lot is promised up to the day it expires. Gives product_id, warehouse_id, location_id, lot, units (int64, > 0).
    What is kept back, and what a place owes because its book is below zero, is taken from the places emptied last: so
    for each product and warehouse promised <= max(0, on hand - unavailable - buffer) (I3).
    """
    rank = {str(purpose): number for number, purpose in enumerate(purposes)}
    rows = usable_places(places, purposes, as_of)
    unpromised = rows["on_hand"] - rows["allocated"]
    rows = rows.assign(
        units=unpromised.clip(lower=0), owed=(-unpromised).clip(lower=0), purpose=rows["purpose"].map(rank)
    )
    rows = rows.assign(smallest=rows["units"])
    by = [*POOL_KEY, "purpose", *(_COLUMN.get(name, name) for name in order if name != "purpose"), "location",
          "location_id", "lot"]  # fmt: skip
    rows = rows.take(_sorting_positions(rows, list(dict.fromkeys(by)))).reset_index(drop=True)
    pools = rows.groupby(POOL_KEY, sort=False)
    kept_back = rows["product_id"].map(buffer).fillna(0).astype("int64") + pools["owed"].transform("sum")
    if silent_units is not None and silent_units.any():
        kept_back += rows["warehouse_id"].map(silent_units).fillna(0).astype("int64")
    promisable = (pools["units"].transform("sum") - kept_back).clip(lower=0)
    before = pools["units"].cumsum() - rows["units"]
    rows["units"] = (promisable - before).clip(lower=0, upper=rows["units"]).astype("int64")
    return rows.loc[rows["units"] > 0, [*POOL_KEY, "location_id", "lot", "units"]].reset_index(drop=True)


_COLUMN = {"expiry": "expires_on", "received": "received_at"}


def usable_places(places: pd.DataFrame, purposes: Sequence[Purpose], as_of: datetime) -> pd.DataFrame:
    """The places that may be promised from: of such a purpose, not doubted, of a lot that has not expired."""
    has_purpose = places["purpose"].isin([str(one) for one in purposes])
    return places[has_purpose & ~places["blocked"] & ~is_expired(places, as_of)]


def is_expired(places: pd.DataFrame, as_of: datetime) -> pd.Series:
    """Whether the last day of each place's lot has passed; `places`: expires_on (datetime64, may be missing)."""
    return pd.Series(places["expires_on"] < pd.Timestamp(as_of.date()), index=places.index)


def _sorting_positions(rows: pd.DataFrame, by: list[str]) -> np.ndarray:
    """Positions that sort `rows` by the columns `by`; missing values come last."""
    keys = []
    for name in by:
        codes, _ = pd.factorize(rows[name], sort=True)
        keys.append(np.where(codes < 0, len(rows), codes))
    return np.lexsort(keys[::-1])


def stock_pools(places: pd.DataFrame, promisable_places: pd.DataFrame, purposes: Sequence[Purpose]) -> pd.DataFrame:
    """Units of each product in each warehouse; indexed by product_id and warehouse_id, all int64.

    Columns: on_hand, allocated, free (on hand less allocated, doubtful places included) and available (what may be
    promised).
    """
    usable = places[places["purpose"].isin([str(one) for one in purposes])]
    pools = places.groupby(POOL_KEY)[["on_hand", "allocated"]].sum()
    sums = usable.groupby(POOL_KEY)[["on_hand", "allocated"]].sum()
    pools["free"] = sums["on_hand"] - sums["allocated"]
    pools["available"] = promisable_places.groupby(POOL_KEY)["units"].sum()
    return pools.fillna(0).astype("int64")


def with_waiting(pools: pd.DataFrame, waiting: pd.Series, warehouses: Sequence[int]) -> pd.DataFrame:
    """`stock_pools` less what waiting orders need of `available`; that is the new column `waiting`.

    `waiting`: as in `backorders.waiting_units`. Units are taken from the warehouses in the order of
    `warehouses`; no warehouse gives more than it has.
    """
    rank = {warehouse: number for number, warehouse in enumerate(warehouses)}
    rows = pools.reset_index()
    rows = rows.assign(rank=rows["warehouse_id"].map(rank).fillna(len(rank))).sort_values(["product_id", "rank"])
    units = rows["product_id"].map(waiting).fillna(0).astype("int64")
    before = rows.groupby("product_id")["available"].cumsum() - rows["available"]
    rows["waiting"] = (units - before).clip(lower=0, upper=rows["available"]).astype("int64")
    rows["available"] -= rows["waiting"]
    return rows.drop(columns="rank").sort_values(POOL_KEY).set_index(POOL_KEY)


def with_kits(pools: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """`stock_pools` with a row for each kit and warehouse: as many as the scarcest component makes.

    `parts`: product_id, part_id, quantity. A kit and its components share one pool: selling one lowers the other.
    """
    kits = parts[parts["product_id"] != parts["part_id"]]
    warehouses = pools.index.get_level_values("warehouse_id").unique()
    rows = kits.merge(pd.DataFrame({"warehouse_id": warehouses}), how="cross")
    available = pools["available"].reindex(pd.MultiIndex.from_arrays([rows["part_id"], rows["warehouse_id"]])).fillna(0)
    rows["available"] = available.to_numpy(dtype="int64") // rows["quantity"]
    kit_pools = rows.groupby(POOL_KEY)[["available"]].min().assign(on_hand=lambda kit: kit["available"])
    other_pools = pools[~pools.index.get_level_values("product_id").isin(kits["product_id"])]
    all_pools: pd.DataFrame = pd.concat([other_pools, kit_pools])
    return all_pools.fillna(0).astype("int64").sort_index()
