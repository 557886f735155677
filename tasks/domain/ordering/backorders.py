"""Backorders: the lines that wait for stock, why each waits, and how many units they wait for."""

from datetime import datetime
from enum import StrEnum

import numpy as np
import pandas as pd

from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.order_states import Standing
from tasks.domain.ordering.ship_by import ShipByRules, urgency


class BackorderReason(StrEnum):
    """Why a line waits: the standing of its order, or what is wrong with the stock."""

    UNPAID = "unpaid"
    REFUNDED = "refunded"
    HELD = "held"
    UNKNOWN_SKU = "unknown SKU"
    NO_STOCK = "no stock"
    OTHER_LINES = "waits for other lines of the order"
    PARCEL_COST = "a further parcel would cost more than it brings"
    NO_WAREHOUSE = "no warehouse has all of it"


REASON_OF_STANDING = {
    Standing.UNPAID: BackorderReason.UNPAID,
    Standing.REFUNDED: BackorderReason.REFUNDED,
    Standing.HELD: BackorderReason.HELD,
}


def waiting_lines(
    lines: pd.DataFrame, wants: pd.DataFrame, free_units: pd.Series, rules: AllocationRules
) -> pd.DataFrame:
    """Lines that still need units, with `missing` (units of the line), `reason_kind` and `reason`, in order of service.

    `lines`: as in `allocation.prioritised`, with need, standing, hold_reason and product_id (Int64). `wants`: as in
    `allocation.explode`. `free_units`: units by product_id that can still be promised. `reason_kind` is a
    BackorderReason; `reason` is its text for people, with the numbers or the kind of hold beside it.
    """
    rows = lines.assign(missing=lines["need"])
    shortages = _shortages(rows, wants, free_units)
    kind = _reason_kind(rows, shortages.index, rules)
    reason = kind.copy()
    is_short, is_held = kind == BackorderReason.NO_STOCK, kind == BackorderReason.HELD
    numbers = shortages.reindex(rows.index[is_short]).astype("int64").astype("str")
    reason[is_short] = reason[is_short] + ": " + numbers["free"] + " of " + numbers["wanted"] + " free"
    reason[is_held] = reason[is_held] + ": " + rows.loc[is_held, "hold_reason"]
    return rows.assign(reason_kind=kind, reason=reason.astype("str"))


def _reason_kind(rows: pd.DataFrame, short: pd.Index, rules: AllocationRules) -> pd.Series:
    """The BackorderReason of each line; `short`: the lines of which there is not enough stock."""
    kind = pd.Series(str(BackorderReason.NO_WAREHOUSE), index=rows.index, dtype="str")
    is_unknown = rows["product_id"].isna()
    if rules.split and rules.split_cost_minor:
        kind[:] = BackorderReason.PARCEL_COST
    if not rules.partial:
        blocking = rows.loc[is_unknown | rows.index.isin(short), "order_id"]
        kind[rows["order_id"].isin(blocking)] = BackorderReason.OTHER_LINES
    kind[short] = BackorderReason.NO_STOCK
    kind[is_unknown] = BackorderReason.UNKNOWN_SKU
    for standing, reason in REASON_OF_STANDING.items():
        kind[rows["standing"] == standing] = reason
    return kind


def _shortages(rows: pd.DataFrame, wants: pd.DataFrame, free_units: pd.Series) -> pd.DataFrame:
    """The lines, by number, whose order wants more of a product than is free: how much is `free` and `wanted`."""
    wants = wants.assign(order_id=rows["order_id"].to_numpy()[wants["line"].to_numpy()])
    wants = wants.assign(wanted=wants.groupby(["order_id", "product_id"])["units"].transform("sum"))
    position = pd.Index(free_units.index.to_numpy()).get_indexer(wants["product_id"])
    wants["free"] = np.r_[free_units.to_numpy(dtype="int64"), 0][position]
    short = wants[wants["wanted"] > wants["free"]].drop_duplicates("line")
    return short.set_index("line")[["free", "wanted"]]


def servable_lines(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines that nothing but stock keeps waiting: their order may be served and their product (int64) is known.

    `lines`: with standing and product_id (Int64). Lines of unpaid, refunded and held orders are not among them.
    """
    rows = lines[(lines["standing"] == Standing.SERVABLE) & lines["product_id"].notna()]
    return rows.astype({"product_id": "int64"})


def waiting_units(lines: pd.DataFrame, parts: pd.DataFrame) -> pd.Series:
    """Units that orders wait for which may be served, by product_id (int64); a kit waits for its components.

    This is what "waiting" means in alerts, feeds, available-to-promise and proposals of purchases: orders that are
    unpaid, refunded or held wait for no units. `lines`: order_id, product_id (Int64), need, standing. `parts`:
    product_id, part_id, quantity.
    """
    rows = servable_lines(lines)[["product_id", "need"]].merge(parts, on="product_id", sort=False)
    return (rows["need"] * rows["quantity"]).groupby(rows["part_id"]).sum().astype("int64")


def delayed_orders(lines: pd.DataFrame, as_of: datetime, rules: ShipByRules) -> pd.Series:
    """The ids of orders that may be served, lack stock and are late, or will be before stock can help."""
    lacking = lines[lines["standing"] == Standing.SERVABLE]
    return lacking.loc[urgency(lacking["ship_by"], as_of, rules) != "", "order_id"].drop_duplicates()


def backorders(lines: pd.DataFrame, as_of: datetime, rules: ShipByRules) -> pd.DataFrame:
    """What waits and why, for people: merchant, order, line, sku, missing, reason, ship_by, urgency, promised_at.

    `lines`: as in `waiting_lines`, with promised_at.
    """
    rows = lines.assign(urgency=urgency(lines["ship_by"], as_of, rules)).rename(columns={"order_number": "order"})
    columns = ["merchant", "order", "line_number", "sku", "missing", "reason", "ship_by", "urgency", "promised_at"]
    return rows[columns].sort_values(["merchant", "order", "line_number"], ignore_index=True)
