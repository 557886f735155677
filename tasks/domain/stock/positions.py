"""Stock positions: what is on hand, allocated, unavailable, kept back and on its way, and what may be promised when.

On hand = allocated + unavailable + kept back + available, in each warehouse, unless its book is below zero.
"""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from tasks.domain.states import Purpose
from tasks.domain.stock.availability import POOL_KEY, usable_places

NOW = pd.Timestamp(0, tz="UTC")  # so that what is there now is the same in the next run
UNITS = ["on_hand", "unavailable", "allocated", "kept_back", "available", "incoming"]


def positions(
    places: pd.DataFrame, free_places: pd.DataFrame, unsellable: pd.DataFrame, arrivals: pd.DataFrame,
    purposes: Sequence[Purpose], as_of: datetime,
) -> pd.DataFrame:  # fmt: skip
    """UNITS (int64) of each product and warehouse, and next_arrival (datetime64[s, UTC], may be missing).

    `places`: every place of available stock, as in `availability.promisable_places`. `free_places`: its result.
    `unsellable`: product_id, warehouse_id, units on hand in another condition. `arrivals`: the same columns, and at.
    Unavailable is what is damaged, on hold or expired, is stored where nothing is picked, or where a picker found less;
    kept back is the buffer, as far as there is stock for it.
    """
    sums, usable = places.groupby(POOL_KEY)[["on_hand", "allocated"]].sum(), usable_places(places, purposes, as_of)
    other_units, incoming = unsellable.groupby(POOL_KEY)["units"].sum(), arrivals.groupby(POOL_KEY)
    pools = sums.index.union(other_units.index).union(incoming["units"].sum().index)
    rows = pd.DataFrame({"on_hand": other_units.reindex(pools).fillna(0)}, index=pools).add(sums, fill_value=0)
    rows["usable"] = (usable["on_hand"] - usable["allocated"]).groupby([usable[name] for name in POOL_KEY]).sum()
    rows["available"], rows["incoming"] = free_places.groupby(POOL_KEY)["units"].sum(), incoming["units"].sum()
    rows = rows.fillna(0).astype("int64")
    rows["unavailable"] = rows["on_hand"] - rows["allocated"] - rows["usable"]
    rows["kept_back"] = rows["usable"].clip(lower=0) - rows["available"]
    return rows[UNITS].assign(next_arrival=incoming["at"].min())


def kit_positions(position: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """`available` and `incoming` of each kit and warehouse, as many as the scarcest component makes.

    `position`: as in `positions`. `parts`: product_id, part_id, quantity. A kit and its components are one pool; it
    lies nowhere by itself, so nothing else is said of it.
    """
    kits = parts[parts["product_id"] != parts["part_id"]]
    sites = position.index.get_level_values("warehouse_id").unique()
    rows = kits.merge(pd.DataFrame({"warehouse_id": sites}), how="cross")
    units = position[["available", "incoming"]].reindex(pd.MultiIndex.from_frame(rows[["part_id", "warehouse_id"]]))
    units = units.fillna(0).astype("int64").set_axis(rows.index)
    rows["available"] = units["available"] // rows["quantity"]
    rows["later"] = (units["available"] + units["incoming"]) // rows["quantity"]
    kits = rows.groupby(POOL_KEY)[["available", "later"]].min()
    return kits.assign(incoming=kits["later"] - kits["available"])[["available", "incoming"]]


def available_to_promise(position: pd.DataFrame, waiting: pd.Series, arrivals: pd.DataFrame) -> pd.DataFrame:
    """How much may be promised from when on: product_id, at (datetime64[s, UTC]), units (int64, the running sum).

    Cumulative available-to-promise (APICS), with all waiting orders asking for their units now: what arrives serves
    them before any later order. `position`: as in `positions`. `waiting`: units by product_id.
    `arrivals`: product_id, units, at. There is a row for each arrival, and one for now, at the epoch.
    """
    now = position.groupby("product_id")["available"].sum().rename("units").reset_index().assign(at=NOW)
    rows = pd.concat([now.astype({"at": "datetime64[s, UTC]"}), arrivals[["product_id", "at", "units"]]])
    rows = rows.groupby(["product_id", "at"], as_index=False)[["units"]].sum()
    waiting_units = rows["product_id"].map(waiting).fillna(0).astype("int64")
    rows["units"] = (rows.groupby("product_id")["units"].cumsum() - waiting_units).clip(lower=0)
    return rows


def kits_available_to_promise(supply: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """The same for kits: as many as the scarcest component makes, from each day on which a component arrives."""
    kits = parts[parts["product_id"] != parts["part_id"]].reset_index(drop=True)
    days = kits.merge(supply[["product_id", "at"]].rename(columns={"product_id": "part_id"}), on="part_id")
    days = days[["product_id", "at"]].drop_duplicates().merge(kits, on="product_id").sort_values("at")
    part_supply = supply.rename(columns={"product_id": "part_id"}).sort_values("at")
    rows = pd.merge_asof(days, part_supply, on="at", by="part_id")
    kit_units = rows["units"].fillna(0).astype("int64") // rows["quantity"]
    return rows.assign(units=kit_units).groupby(["product_id", "at"], as_index=False)[["units"]].min()
