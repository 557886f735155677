"""Where every SKU stands: what lies there, what is spoken for or unfit, what comes, what may be promised when.

On hand = allocated + unavailable + kept back + available, in each warehouse, unless its book is below zero.
"""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from tasks.domain.states import Purpose
from tasks.domain.stock.availability import POOL, usable_places

NOW = pd.Timestamp(0, tz="UTC")  # so that what is there now is the same in the next run
UNITS = ["on_hand", "unavailable", "allocated", "kept_back", "available", "incoming"]


def positions(
    places: pd.DataFrame, free: pd.DataFrame, others: pd.DataFrame, coming: pd.DataFrame, purposes: Sequence[Purpose],
    as_of: datetime,
) -> pd.DataFrame:  # fmt: skip
    """UNITS (int64) of each product and warehouse, and next_arrival (datetime64[s, UTC], may be missing).

    `places`: every place of available stock, as of `availability.promisable`. `free`: what `promisable` gives.
    `others`: product_id, warehouse_id, units on hand in another condition. `coming`: the same, and at.
    Unavailable is what is damaged, on hold or expired, lies where nothing is picked, or where a picker found less;
    kept back is the buffer, as far as there is stock for it.
    """
    there, fit = places.groupby(POOL)[["on_hand", "allocated"]].sum(), usable_places(places, purposes, as_of)
    unfit, on_its_way = others.groupby(POOL)["units"].sum(), coming.groupby(POOL)
    each = there.index.union(unfit.index).union(on_its_way["units"].sum().index)
    told = pd.DataFrame({"on_hand": unfit.reindex(each).fillna(0)}, index=each).add(there, fill_value=0)
    told["left"] = (fit["on_hand"] - fit["allocated"]).groupby([fit[name] for name in POOL]).sum()
    told["available"], told["incoming"] = free.groupby(POOL)["units"].sum(), on_its_way["units"].sum()
    told = told.fillna(0).astype("int64")
    told["unavailable"] = told["on_hand"] - told["allocated"] - told["left"]
    told["kept_back"] = told["left"].clip(lower=0) - told["available"]
    return told[UNITS].assign(next_arrival=on_its_way["at"].min())


def of_kits(position: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """`available` and `incoming` of each kit and warehouse, as many as the scarcest component makes.

    `position`: as of `positions`. `parts`: product_id, part_id, quantity. A kit and its components are one pool; it
    lies nowhere by itself, so nothing else is said of it.
    """
    kits = parts[parts["product_id"] != parts["part_id"]]
    sites = position.index.get_level_values("warehouse_id").unique()
    rows = kits.merge(pd.DataFrame({"warehouse_id": sites}), how="cross")
    have = position[["available", "incoming"]].reindex(pd.MultiIndex.from_frame(rows[["part_id", "warehouse_id"]]))
    have = have.fillna(0).astype("int64").set_axis(rows.index)
    rows["available"] = have["available"] // rows["quantity"]
    rows["later"] = (have["available"] + have["incoming"]) // rows["quantity"]
    least = rows.groupby(POOL)[["available", "later"]].min()
    return least.assign(incoming=least["later"] - least["available"])[["available", "incoming"]]


def promisable_from(position: pd.DataFrame, waiting: pd.Series, coming: pd.DataFrame) -> pd.DataFrame:
    """What may be promised from when on: product_id, at (datetime64[s, UTC]), units (int64, the running sum).

    Cumulative available-to-promise (APICS), with all that waits asking for its units now: what arrives serves the
    orders that wait before anybody who comes later. `position`: as of `positions`. `waiting`: units by product_id.
    `coming`: product_id, units, at. There is a row for each arrival, and one for now, at the epoch.
    """
    now = position.groupby("product_id")["available"].sum().rename("units").reset_index().assign(at=NOW)
    rows = pd.concat([now.astype({"at": "datetime64[s, UTC]"}), coming[["product_id", "at", "units"]]])
    rows = rows.groupby(["product_id", "at"], as_index=False)[["units"]].sum()
    asked = rows["product_id"].map(waiting).fillna(0).astype("int64")
    rows["units"] = (rows.groupby("product_id")["units"].cumsum() - asked).clip(lower=0)
    return rows


def kits_from(supply: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """The same for kits: as many as the scarcest component makes, on each day a component comes."""
    kits = parts[parts["product_id"] != parts["part_id"]].reset_index(drop=True)
    days = kits.merge(supply[["product_id", "at"]].rename(columns={"product_id": "part_id"}), on="part_id")
    days = days[["product_id", "at"]].drop_duplicates().merge(kits, on="product_id").sort_values("at")
    have = supply.rename(columns={"product_id": "part_id"}).sort_values("at")
    met = pd.merge_asof(days, have, on="at", by="part_id")
    made = met["units"].fillna(0).astype("int64") // met["quantity"]
    return met.assign(units=made).groupby(["product_id", "at"], as_index=False)[["units"]].min()
