"""The expected day of waiting lines: open lines against stock on its way, first come, first served."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class IncomingRules:
    """When goods on their way can be promised."""

    put_away_h: int = 24  # hours from the expected arrival until the goods lie where they can be picked
    overdue_h: int = 48  # hours after which an overdue arrival is not expected any more

    def __post_init__(self) -> None:
        if min(self.put_away_h, self.overdue_h) < 0:
            raise ValueError("incoming: hours cannot be negative")


def arrivals(incoming: pd.DataFrame, as_of: datetime, rules: IncomingRules) -> pd.DataFrame:
    """Goods on their way that may be promised: product_id, units (int64), at (datetime64[s, UTC]), by product and time.

    `incoming`: product_id, units (still to come), expected_at, and further columns. What is overdue by less than
    `overdue_h` is expected today; beyond that no day is known, and no line gets a day from it.
    """
    is_expected = incoming["expected_at"] >= pd.Timestamp(as_of) - timedelta(hours=rules.overdue_h)
    rows, today = incoming[is_expected & (incoming["units"] > 0)], _today(as_of)
    at = rows["expected_at"]
    rows = rows.assign(at=at.where(at > today, today) + timedelta(hours=rules.put_away_h))
    return rows.drop(columns="expected_at").sort_values(["product_id", "at", "units"], ignore_index=True)


def _today(as_of: datetime) -> pd.Timestamp:
    """The beginning of the day, so that expected days do not move with every run."""
    return pd.Timestamp(as_of).floor("D")


def promised_days(
    lines: pd.DataFrame,
    wants: pd.DataFrame,
    free_units: pd.Series,
    arrivals: pd.DataFrame,
    as_of: datetime,
    *,
    partial: bool,
) -> pd.Series:
    """When each waiting line can have all it lacks (datetime64[s, UTC], missing where nothing on its way covers it).

    `lines`: by number, with order_id, created_at, merchant, order_number, line_number. `wants`: line, product_id,
    units they lack. `free_units`: by product_id, in stock already. `arrivals`: as in `arrivals`.

    Units go to lines in the order in which their orders came, whoever is served first today: a later order never
    moves the day of an earlier one. A kit comes when its last component does; unless orders are served in part, so
    does an order.
    """
    by_age = lines.sort_values(["created_at", "merchant", "order_number", "order_id", "line_number"])
    turn = pd.Series(np.arange(len(by_age)), index=by_age.index)
    demand = wants[wants["line"].isin(lines.index)]
    demand = demand.assign(turn=turn.reindex(demand["line"]).to_numpy()).sort_values(["product_id", "turn"])
    demand["until"] = demand.groupby("product_id")["units"].cumsum()
    at = _covered_at(demand, _supply(demand, free_units, arrivals, as_of))
    is_uncovered = at.isna().groupby(demand["line"]).any()
    days = at.groupby(demand["line"]).max().mask(is_uncovered).reindex(lines.index)
    if partial:
        return days
    by_order = days.groupby(lines["order_id"])
    return by_order.transform("max").mask(days.isna().groupby(lines["order_id"]).transform("any"))


def _supply(demand: pd.DataFrame, free_units: pd.Series, arrivals: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Units in stock by when: product_id, at, until (their running sum), of the products in `demand`."""
    products = demand["product_id"].unique()
    in_stock = free_units.reindex(products).fillna(0).astype("int64").to_numpy()
    now = pd.DataFrame({"product_id": products, "units": in_stock, "at": _today(as_of)})
    later = arrivals.loc[arrivals["product_id"].isin(products), ["product_id", "units", "at"]]
    rows = pd.concat([now.astype({"at": "datetime64[s, UTC]"}), later])
    rows = rows.sort_values(["product_id", "at"], kind="stable", ignore_index=True)
    rows = rows.astype({"product_id": "int64", "units": "int64"})
    return rows.assign(until=rows.groupby("product_id")["units"].cumsum())


def _covered_at(demand: pd.DataFrame, supply: pd.DataFrame) -> pd.Series:
    """When the running supply of each product reaches the running demand: an as-of join over units."""
    running_demand = demand.assign(row=demand.index).sort_values("until")
    running_supply = supply.sort_values(["until", "at"]).drop_duplicates(["product_id", "until"])
    covered = pd.merge_asof(
        running_demand[["row", "product_id", "until"]], running_supply[["product_id", "until", "at"]],
        on="until", by="product_id", direction="forward",
    )  # fmt: skip
    return pd.Series(covered.set_index("row")["at"]).reindex(demand.index)
