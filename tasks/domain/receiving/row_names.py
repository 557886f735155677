"""What rows call things, by the names this installation uses: sites, merchants, order numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tasks.domain.sites.sites import Warehouse

NUMBERED = ("order_index", "is_first", "is_fulfilled")


def name_sites(typed: pd.DataFrame, warehouses: Sequence[Warehouse], *, fill_location: bool) -> pd.DataFrame:
    """Call warehouses by their codes instead of what exports call them, and place what is not placed.

    `typed` has warehouse and perhaps location (str). With `fill_location`, goods without a location lie in their
    warehouse's default location. A warehouse nobody configured keeps its name.
    """
    if "warehouse" not in typed:
        if len(warehouses) != 1:
            return typed
        typed = typed.assign(warehouse=warehouses[0].code)
    codes = {name.casefold(): one.code for one in warehouses for name in (one.code, one.name, *one.aliases)}
    named = typed["warehouse"].map(lambda name: codes.get(name.casefold(), name), na_action="ignore").astype("str")
    if len(warehouses) == 1:
        named = named.fillna(warehouses[0].code)
    typed = typed.assign(warehouse=named)
    if fill_location:
        default = named.map({one.code: one.default_location for one in warehouses}).astype("str")
        typed = typed.assign(location=typed["location"].fillna(default) if "location" in typed else default)
    return typed


def floor_zone(rows: pd.DataFrame, warehouses: Sequence[Warehouse], otherwise: str) -> str:
    """The time zone of the one warehouse a count sheet is about: what a counter writes is the time on that wall.

    `rows` has perhaps warehouse (str), as exports call it. A sheet of several buildings is read on the clock
    `otherwise`.
    """
    said = name_sites(rows, warehouses, fill_location=False)
    named = list(said["warehouse"].dropna().unique()) if "warehouse" in said else []
    zones = {one.code: one.time_zone for one in warehouses}
    return zones.get(named[0], otherwise) if len(named) == 1 else otherwise


def name_merchants(typed: pd.DataFrame, ids: Mapping[str, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put merchant_id (Int64) in the place of merchant; also the refused rows (row_number, reason) of unknown ones."""
    said = typed["merchant"] if "merchant" in typed else pd.Series(np.nan, index=typed.index, dtype="str")
    codes, names = pd.factorize(said)
    known = pd.array([ids.get(name) for name in names], dtype="Int64").take(codes, allow_fill=True)
    merchant_id = pd.Series(known, index=typed.index)
    unknown = typed[merchant_id.isna()]
    found = said[merchant_id.isna()].map("'{}'".format, na_action="ignore").astype("str").fillna("nothing")
    reason = "merchant: found " + found + ", expected one of " + ", ".join(sorted(ids))
    refused = pd.DataFrame({"row_number": unknown["row_number"], "reason": reason.astype("str")})
    return typed.drop(columns="merchant", errors="ignore").assign(merchant_id=merchant_id)[merchant_id.notna()], refused


@dataclass(frozen=True)
class LastOrder:
    """The order of the last row so far: its key, its number in the file, whether its first row says it is fulfilled."""

    merchant_id: int = 0
    order_number: str = ""
    index: int = 0
    fulfilled: bool = False


def number_orders(typed: pd.DataFrame, before: LastOrder) -> tuple[pd.DataFrame, LastOrder]:
    """Number the orders of a file, its blocks coming one after the other; `before` is the last order of the one before.

    Adds order_index (1 for the file's first order), is_first (1 in an order's first row, otherwise 0) and is_fulfilled
    (1 where that first row has a fulfilled_at), int64 all three. An order whose rows lie apart is numbered anew each
    time: its key tells. Gives the last order of this block, too.
    """
    if typed.empty:
        nothing = pd.Series(dtype="int64")
        return typed.assign(order_index=nothing, is_first=nothing, is_fulfilled=nothing), before
    merchants, numbers = typed["merchant_id"].to_numpy("int64"), typed["order_number"].array
    first = np.empty(len(typed), dtype=bool)
    first[0] = (merchants[0], numbers[0]) != (before.merchant_id, before.order_number)
    first[1:] = (merchants[1:] != merchants[:-1]) | np.asarray(numbers[1:] != numbers[:-1], dtype=bool)
    index = before.index + np.cumsum(first)
    said = typed["fulfilled_at"].notna().to_numpy() if "fulfilled_at" in typed else np.zeros(len(typed), dtype=bool)
    head = np.maximum.accumulate(np.where(first, np.arange(len(typed)), -1))
    fulfilled = np.where(head < 0, before.fulfilled, said[head])
    numbered = typed.assign(order_index=index, is_first=first.astype("int64"), is_fulfilled=fulfilled.astype("int64"))
    return numbered, LastOrder(int(merchants[-1]), str(numbers[-1]), int(index[-1]), bool(fulfilled[-1]))
