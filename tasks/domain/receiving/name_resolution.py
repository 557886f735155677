"""Replaces the names in rows by ours: codes of warehouses, ids of merchants, numbers of orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tasks.domain.receiving.export_kinds import Kind
from tasks.domain.sites.sites import Warehouse

ORDER_NUMBERING = ("order_index", "is_first", "is_fulfilled")


def added_columns(kind: Kind) -> tuple[str, ...]:
    """The integer columns that name resolution adds to the fields of a kind."""
    return ("merchant_id", *(ORDER_NUMBERING if kind.numbers_orders else ()))


def name_sites(typed: pd.DataFrame, warehouses: Sequence[Warehouse], *, fill_location: bool) -> pd.DataFrame:
    """Replace names and aliases of warehouses by their codes.

    `typed` may have warehouse and location (str); with one configured warehouse, rows without a warehouse are in it.
    With `fill_location`, rows without a location get the default location of their warehouse. The name of a warehouse
    that is not configured stays as it is.
    """
    if "warehouse" not in typed:
        if len(warehouses) != 1:
            return typed
        typed = typed.assign(warehouse=warehouses[0].code)
    codes = {
        name.casefold(): warehouse.code
        for warehouse in warehouses
        for name in (warehouse.code, warehouse.name, *warehouse.aliases)
    }
    named = typed["warehouse"].map(lambda name: codes.get(name.casefold(), name), na_action="ignore").astype("str")
    if len(warehouses) == 1:
        named = named.fillna(warehouses[0].code)
    typed = typed.assign(warehouse=named)
    if fill_location:
        default = named.map({warehouse.code: warehouse.default_location for warehouse in warehouses}).astype("str")
        typed = typed.assign(location=typed["location"].fillna(default) if "location" in typed else default)
    return typed


def warehouse_zone(rows: pd.DataFrame, warehouses: Sequence[Warehouse], default: str) -> str:
    """The time zone of the one warehouse that `rows` are about; `default` where they are about several or none.

    `rows` may have warehouse (str), as exports name it. What a counter writes down is the time on that wall.
    """
    rows = name_sites(rows, warehouses, fill_location=False)
    codes = list(rows["warehouse"].dropna().unique()) if "warehouse" in rows else []
    zones = {warehouse.code: warehouse.time_zone for warehouse in warehouses}
    return zones.get(codes[0], default) if len(codes) == 1 else default


def name_merchants(typed: pd.DataFrame, ids: Mapping[str, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replace merchant by merchant_id (Int64). Also returns the rows of unknown merchants: row_number, reason."""
    merchants = typed["merchant"] if "merchant" in typed else pd.Series(np.nan, index=typed.index, dtype="str")
    codes, names = pd.factorize(merchants)
    distinct_ids = pd.array([ids.get(name) for name in names], dtype="Int64")
    merchant_id = pd.Series(distinct_ids.take(codes, allow_fill=True), index=typed.index)
    unknown = typed[merchant_id.isna()]
    quotes = merchants[merchant_id.isna()].map("'{}'".format, na_action="ignore").astype("str").fillna("nothing")
    reason = "merchant: found " + quotes + ", expected one of " + ", ".join(sorted(ids))
    refused = pd.DataFrame({"row_number": unknown["row_number"], "reason": reason.astype("str")})
    return typed.drop(columns="merchant", errors="ignore").assign(merchant_id=merchant_id)[merchant_id.notna()], refused


@dataclass(frozen=True)
class LastOrder:
    """The order of the last row so far: its key, its number in the file, and whether its first row is fulfilled."""

    merchant_id: int = 0
    order_number: str = ""
    index: int = 0
    fulfilled: bool = False


def number_orders(typed: pd.DataFrame, before: LastOrder) -> tuple[pd.DataFrame, LastOrder]:
    """Number the orders of a file, block by block; `before` is the last order of the block before.

    Adds three int64 columns: order_index (1 for the file's first order), is_first (1 in an order's first row, otherwise
    0) and is_fulfilled (1 where that first row has a fulfilled_at). An order whose rows lie apart gets a new number
    each time. Also returns the last order of this block.
    """
    if typed.empty:
        nothing = pd.Series(dtype="int64")
        return typed.assign(order_index=nothing, is_first=nothing, is_fulfilled=nothing), before
    merchants, numbers = typed["merchant_id"].to_numpy("int64"), typed["order_number"].array
    first = np.empty(len(typed), dtype=bool)
    first[0] = (merchants[0], numbers[0]) != (before.merchant_id, before.order_number)
    first[1:] = (merchants[1:] != merchants[:-1]) | np.asarray(numbers[1:] != numbers[:-1], dtype=bool)
    index = before.index + np.cumsum(first)
    has_date = typed["fulfilled_at"].notna().to_numpy() if "fulfilled_at" in typed else np.zeros(len(typed), dtype=bool)
    head = np.maximum.accumulate(np.where(first, np.arange(len(typed)), -1))
    fulfilled = np.where(head < 0, before.fulfilled, has_date[head])
    numbered = typed.assign(order_index=index, is_first=first.astype("int64"), is_fulfilled=fulfilled.astype("int64"))
    return numbered, LastOrder(int(merchants[-1]), str(numbers[-1]), int(index[-1]), bool(fulfilled[-1]))
