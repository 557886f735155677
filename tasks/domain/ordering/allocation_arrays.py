"""What orders ask for, as plain numbers a kernel can walk."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class Asked(NamedTuple):
    """What orders ask for, in order of service; arrays of int64.

    An order's lines and a line's parts lie side by side, and `…_at[n]` is where those of number n begin.

    A line asks for `need` units worth `price` each; whole, it takes `units` of each of its parts, otherwise `per` a
    unit. `used`: the warehouses (bits) that have promised something to the order already.
    """

    lines_at: Any
    need: Any
    price: Any
    parts_at: Any
    product: Any
    per: Any
    units: Any
    used: Any


class Terms(NamedTuple):
    """Whether lines are served in part or apart, several warehouses serve an order, and what each further one costs."""

    partial: bool
    split: bool
    split_cost: int


def asked(lines: pd.DataFrame, wants: pd.DataFrame, products: np.ndarray, warehouses: list[int],
           promised: pd.DataFrame) -> Asked:  # fmt: skip
    """The lines as plain numbers."""
    ids = lines["order_id"].to_numpy()
    first = np.flatnonzero(np.r_[len(ids) > 0, ids[1:] != ids[:-1]]) if len(ids) else np.empty(0, dtype="int64")
    bits = {number: 1 << place for place, number in enumerate(warehouses)}
    had = promised[["order_id", "warehouse_id"]].drop_duplicates()
    used = had["warehouse_id"].map(bits).fillna(0).astype("int64").groupby(had["order_id"]).sum()  # each bit once
    parts_at = np.searchsorted(wants["line"], np.r_[lines.index.to_numpy(), np.iinfo("int64").max])
    return Asked(
        np.r_[first, len(ids)].astype("int64"), lines["need"].to_numpy(dtype="int64"),
        lines["unit_price_minor"].to_numpy(dtype="int64", na_value=0), parts_at.astype("int64"),
        np.searchsorted(products, wants["product_id"]).astype("int64"), wants["per"].to_numpy(dtype="int64"),
        wants["units"].to_numpy(dtype="int64"), pd.Series(ids[first]).map(used).fillna(0).to_numpy(dtype="int64"),
    )  # fmt: skip
