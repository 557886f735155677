"""By when what waits can be promised: open lines against stock that is on its way, first come first promised."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class IncomingRules:
    """When goods on their way can be promised."""

    put_away_h: int = 24  # hours from the expected arrival until the goods lie where they can be picked
    overdue_h: int = 48  # hours after which an arrival that did not come is believed no more

    def __post_init__(self) -> None:
        if min(self.put_away_h, self.overdue_h) < 0:
            raise ValueError("incoming: hours cannot be negative")


def arrivals(incoming: pd.DataFrame, as_of: datetime, rules: IncomingRules) -> pd.DataFrame:
    """Goods on their way that may be promised: product_id, units (int64), at (datetime64[s, UTC]), by product and time.

    `incoming`: product_id, units (still to come), expected_at, and what the caller wants back. What is overdue by
    less than `overdue_h` is taken to come today; beyond that nobody knows when, and nothing is promised of it.
    """
    believed = incoming["expected_at"] >= pd.Timestamp(as_of) - timedelta(hours=rules.overdue_h)
    rows, today = incoming[believed & (incoming["units"] > 0)], _today(as_of)
    at = rows["expected_at"]
    rows = rows.assign(at=at.where(at > today, today) + timedelta(hours=rules.put_away_h))
    return rows.drop(columns="expected_at").sort_values(["product_id", "at", "units"], ignore_index=True)


def _today(as_of: datetime) -> pd.Timestamp:
    """The beginning of the day, so that what is promised does not move with every run."""
    return pd.Timestamp(as_of).floor("D")


def promised_days(
    waits: pd.DataFrame, wants: pd.DataFrame, free: pd.Series, coming: pd.DataFrame, as_of: datetime, *, partial: bool
) -> pd.Series:
    """When each waiting line can have all it lacks (datetime64[s, UTC], missing where nothing on its way covers it).

    `waits`: lines by number, with order_id, created_at, merchant, order_number, line_number. `wants`: line, product_id,
    units they lack. `free`: units by product_id that are there already. `coming`: as of `arrivals`.

    Units go to lines in the order in which their orders came, whoever is served first today: a later order never
    moves the day of an earlier one. A kit comes when its last component does; unless orders are served in part, so
    does an order.
    """
    came = waits.sort_values(["created_at", "merchant", "order_number", "order_id", "line_number"])
    turn = pd.Series(np.arange(len(came)), index=came.index)
    asked = wants[wants["line"].isin(waits.index)]
    asked = asked.assign(turn=turn.reindex(asked["line"]).to_numpy()).sort_values(["product_id", "turn"])
    asked["until"] = asked.groupby("product_id")["units"].cumsum()
    at = _covered(asked, _supply(asked, free, coming, as_of))
    unknown = at.isna().groupby(asked["line"]).any()
    lines = at.groupby(asked["line"]).max().mask(unknown).reindex(waits.index)
    if partial:
        return lines
    of_order = lines.groupby(waits["order_id"])
    return of_order.transform("max").mask(lines.isna().groupby(waits["order_id"]).transform("any"))


def _supply(asked: pd.DataFrame, free: pd.Series, coming: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Units there are by when: product_id, at, until (their running sum), of the products that are asked for."""
    products = asked["product_id"].unique()
    there = free.reindex(products).fillna(0).astype("int64").to_numpy()
    now = pd.DataFrame({"product_id": products, "units": there, "at": _today(as_of)})
    later = coming.loc[coming["product_id"].isin(products), ["product_id", "units", "at"]]
    rows = pd.concat([now.astype({"at": "datetime64[s, UTC]"}), later])
    rows = rows.sort_values(["product_id", "at"], kind="stable", ignore_index=True)
    rows = rows.astype({"product_id": "int64", "units": "int64"})
    return rows.assign(until=rows.groupby("product_id")["units"].cumsum())


def _covered(asked: pd.DataFrame, supply: pd.DataFrame) -> pd.Series:
    """When the running supply of each product reaches the running demand: an as-of join over units."""
    left = asked.assign(row=asked.index).sort_values("until")
    right = supply.sort_values(["until", "at"]).drop_duplicates(["product_id", "until"])
    met = pd.merge_asof(left[["row", "product_id", "until"]], right[["product_id", "until", "at"]], on="until",
                        by="product_id", direction="forward")  # fmt: skip
    return pd.Series(met.set_index("row")["at"]).reindex(asked.index)
