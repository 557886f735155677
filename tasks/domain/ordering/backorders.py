"""What waits for stock, and why."""

from datetime import datetime

import numpy as np
import pandas as pd

from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.ship_by import ShipByRules, urgency


def waiting(lines: pd.DataFrame, wants: pd.DataFrame, left: pd.Series, rules: AllocationRules) -> pd.DataFrame:
    """Lines that still need units, with `missing` (units of the line) and `reason`, in the order of service.

    `lines`: as of `allocation.prioritised`, with standing (str) and product_id (Int64). `wants`: as of
    `allocation.explode`. `left`: units by product_id that can still be promised. The reason is the order's standing,
    an unknown SKU, no stock, or that the line waits for others.
    """
    rows = lines.assign(missing=lines["need"])
    short, unknown = short_lines(rows, wants, left), rows["product_id"].isna()
    reason = pd.Series("no warehouse has all of it", index=rows.index, dtype="str")
    if rules.split and rules.split_cost_minor:
        reason[:] = "a further parcel would cost more than it brings"
    if not rules.partial:
        blocking = rows["order_id"].isin(rows.loc[unknown | rows.index.isin(short.index), "order_id"])
        reason[blocking] = "waits for other lines of the order"
    reason[short.index] = short
    reason[unknown] = "unknown SKU"
    return rows.assign(reason=reason.mask(rows["standing"] != "", rows["standing"]).astype("str"))


def short_lines(rows: pd.DataFrame, wants: pd.DataFrame, left: pd.Series) -> pd.Series:
    """Of the lines (by number) whose order asks for more of a product than is left: how much there is."""
    asked = wants.assign(order_id=rows["order_id"].to_numpy()[wants["line"].to_numpy()])
    asked = asked.assign(of_order=asked.groupby(["order_id", "product_id"])["units"].transform("sum"))
    products, have = left.index.to_numpy(), np.r_[left.to_numpy(dtype="int64"), 0]
    asked["have"] = have[pd.Index(products).get_indexer(asked["product_id"])]
    short = asked[asked["of_order"] > asked["have"]].drop_duplicates("line")
    told = "no stock: " + short["have"].astype("str") + " of " + short["of_order"].astype("str") + " free"
    return pd.Series(told.to_numpy(), index=short["line"], dtype="str")


def delayed(waits: pd.DataFrame, as_of: datetime, rules: ShipByRules) -> pd.Series:
    """The ids of paid orders that lack stock and are late, or will be before stock can help."""
    lacking = waits[waits["standing"] == ""]
    return lacking.loc[urgency(lacking["ship_by"], as_of, rules) != "", "order_id"].drop_duplicates()


def backorders(waits: pd.DataFrame, as_of: datetime, rules: ShipByRules) -> pd.DataFrame:
    """What waits and why, for people: merchant, order, line, sku, missing, reason, ship_by, urgency, promised_at."""
    rows = waits.assign(urgency=urgency(waits["ship_by"], as_of, rules)).rename(columns={"order_number": "order"})
    names = ["merchant", "order", "line_number", "sku", "missing", "reason", "ship_by", "urgency",
             "promised_at"]  # fmt: skip
    return rows[names].sort_values(["merchant", "order", "line_number"], ignore_index=True)
