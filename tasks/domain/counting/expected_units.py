"""How many units a count should find in a bin: the book, less what was picked and has not left."""

import numpy as np
import pandas as pd

from tasks.domain.counting.count_rules import PLACE


def picked_units(picks: pd.DataFrame, shipped: pd.DataFrame) -> pd.DataFrame:
    """When picked units left their place, and when they left the building or were given up.

    `picks`: order_id, location_id, product_id, lot, quantity int64, picked_at, closed_at (of the allocation, missing
    while open). `shipped`: the same key, quantity int64, shipped_at. Units of an order are taken to leave in the order
    they were picked. Gives location_id, product_id, condition, lot, quantity, picked_at, left_at (missing: still in
    the building), one row a run of units.
    """
    line = ["order_id", "location_id", "product_id", "lot"]
    taken, sent = _runs(picks, line, "picked_at"), _runs(shipped, line, "shipped_at")
    both = taken.reset_index(names="pick").merge(
        sent[[*line, "since", "until", "shipped_at"]], on=line, suffixes=("", "_sent")
    )
    overlap = np.minimum(both["until"], both["until_sent"]) - np.maximum(both["since"], both["since_sent"])
    shipped_units = both.assign(quantity=overlap, left_at=both["shipped_at"])[overlap > 0]
    shipped_sums = shipped_units.groupby("pick")["quantity"].sum().reindex(taken.index, fill_value=0)
    unshipped = taken.assign(quantity=taken["quantity"] - shipped_sums, left_at=taken["closed_at"])
    units = pd.concat([shipped_units[unshipped.columns], unshipped[unshipped["quantity"] > 0]], ignore_index=True)
    return units.assign(condition="available")[[*PLACE, "quantity", "picked_at", "left_at"]]


def _runs(rows: pd.DataFrame, key: list[str], moment: str) -> pd.DataFrame:
    """Each row with the run of its order's units it stands for: since <= unit < until, in order of `moment`."""
    rows = rows.sort_values([*key, moment], kind="stable", ignore_index=True)
    until = rows.groupby(key)["quantity"].cumsum()
    return rows.assign(since=until - rows["quantity"], until=until)


def out_of_bin(lines: pd.DataFrame, units: pd.DataFrame) -> pd.Series:
    """Units of each counted line's place that were picked by counted_at and still in the building (int64).

    `lines`: line_id, counted_at and the place; `units` as `picked_units` gives them.
    """
    pairs = lines[["line_id", *PLACE, "counted_at"]].merge(units, on=PLACE)
    there = (pairs["picked_at"] <= pairs["counted_at"]) & ~(pairs["left_at"] <= pairs["counted_at"])
    sums = pairs[there].groupby("line_id")["quantity"].sum()
    return lines["line_id"].map(sums).fillna(0).astype("int64")
