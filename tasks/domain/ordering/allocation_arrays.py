"""Orders and stock as plain numbers that a compiled kernel can walk."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class DemandArrays(NamedTuple):
    """What orders ask for, in order of service; arrays of int64.

    An order's lines lie side by side, and so do a line's parts: those of order n are `first_line[n]` up to
    `first_line[n + 1]`, those of line n `first_part[n]` up to `first_part[n + 1]`.

    Per line: `need` units, each worth `price`. Per part: its `product`, the units of it in `per_unit` of the line, and
    in the `whole` line, which is less where some of the part is promised already. Per order: `used_warehouses`, as
    bits, that have promised something to it already.
    """

    first_line: Any
    need: Any
    price: Any
    first_part: Any
    product: Any
    per_unit: Any
    whole: Any
    used_warehouses: Any


class ServiceTerms(NamedTuple):
    """How an order may be served.

    `partial`: lines are served while others of their order wait. `split`: several warehouses may serve an order.
    `split_cost`: what a further warehouse must at least send, in the unit of `DemandArrays.price`.
    """

    partial: bool
    split: bool
    split_cost: int


class ServiceState(NamedTuple):
    """What a kernel works on while it serves one order after the other.

    `free`: units by warehouse (rows, the preferred first) and product (columns); what is served is taken off.
    `served`: units by line (rows) and warehouse (columns).
    """

    demand: DemandArrays
    terms: ServiceTerms
    free: Any
    served: Any


def demand_arrays(
    lines: pd.DataFrame, wants: pd.DataFrame, products: np.ndarray, warehouses: list[int], promised: pd.DataFrame
) -> DemandArrays:
    """Lines and what they want as plain numbers; products and warehouses are known by their position.

    `lines`, `wants`, `promised`: as in `allocation.allocate`, `wants` of these lines only. `products`: ids, sorted.
    """
    ids = lines["order_id"].to_numpy()
    first = np.flatnonzero(np.r_[len(ids) > 0, ids[1:] != ids[:-1]]) if len(ids) else np.empty(0, dtype="int64")
    bits = {number: 1 << position for position, number in enumerate(warehouses)}
    pairs = promised[["order_id", "warehouse_id"]].drop_duplicates()
    used = pairs["warehouse_id"].map(bits).fillna(0).astype("int64").groupby(pairs["order_id"]).sum()  # each bit once
    first_part = np.searchsorted(wants["line"], np.r_[lines.index.to_numpy(), np.iinfo("int64").max])
    return DemandArrays(
        first_line=np.r_[first, len(ids)].astype("int64"),
        need=lines["need"].to_numpy(dtype="int64"),
        price=lines["unit_price_minor"].to_numpy(dtype="int64", na_value=0),
        first_part=first_part.astype("int64"),
        product=np.searchsorted(products, wants["product_id"]).astype("int64"),
        per_unit=wants["per"].to_numpy(dtype="int64"),
        whole=wants["units"].to_numpy(dtype="int64"),
        used_warehouses=pd.Series(ids[first]).map(used).fillna(0).to_numpy(dtype="int64"),
    )


def as_int64(demand: DemandArrays) -> DemandArrays:
    """The same numbers in fresh arrays of one type and layout, so that a kernel is compiled once."""
    return DemandArrays(*(np.array(numbers, dtype=np.int64) for numbers in demand))
