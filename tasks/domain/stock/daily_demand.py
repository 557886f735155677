"""What is asked for in a day: its mean and how far days differ, without days that say nothing and without outliers."""

import numpy as np
import pandas as pd


def days_seen(stock: pd.DataFrame, asked: pd.DataFrame, days: int) -> pd.Series:
    """On how many of the days a customer could have asked for each product (int64 by product_id).

    `stock`: product_id, day, units, what came (+) and went (-) that day; day -1 sums up what was before. `asked`:
    product_id, day, units (> 0), one row a product and day; days are numbered from 0 to `days` - 1.

    A day on which nothing lay there, nothing moved and nobody asked says nothing of demand: out of stock is not the
    same as unwanted, and a product that was not there yet was not unwanted either.
    """
    ids = pd.Index(pd.concat([stock["product_id"], asked["product_id"]]).unique())
    before = pd.DataFrame({"product_id": ids, "day": -1, "units": 0})
    daily = pd.concat([before, stock]).groupby(["product_id", "day"])["units"].sum()
    moved = daily.reset_index()
    moved["level"] = moved.groupby("product_id")["units"].cumsum()
    of_next = moved.groupby("product_id")["day"].shift(-1).fillna(days)
    empty_days = (of_next - moved["day"] - 1).where(moved["level"] <= 0, 0)  # whole days until something moves again
    empty: pd.Series = empty_days.groupby(moved["product_id"]).sum()
    seen = days - empty + _asked_while_empty(moved, asked).reindex(empty.index).fillna(0)
    return pd.Series(seen.astype("int64"))


def _asked_while_empty(moved: pd.DataFrame, asked: pd.DataFrame) -> pd.Series:
    """On how many days somebody asked for a product of which nothing lay there and nothing moved."""
    if asked.empty:
        return pd.Series(dtype="int64")
    span = int(max(moved["day"].max(), asked["day"].max())) + 2
    events = moved["product_id"].to_numpy() * span + moved["day"].to_numpy() + 1
    keys = asked["product_id"].to_numpy() * span + asked["day"].to_numpy() + 1
    last = np.searchsorted(events, keys, side="right") - 1  # every product has an event before its first day
    empty = (events[last] != keys) & (moved["level"].to_numpy()[last] <= 0)
    return pd.Series(1, index=asked["product_id"].to_numpy()[empty]).groupby(level=0).sum()


def daily_demand(asked: pd.DataFrame, seen: pd.Series, outlier_deviations: float) -> pd.DataFrame:
    """Mean and standard deviation of each product's daily demand.

    Gives daily_units, daily_deviation_units (float64) and days_counted (int64) by product_id.

    `asked`: as of `days_seen`; `seen`: its answer. A day above the mean by more than `outlier_deviations` standard
    deviations counts as if it were just that high; a single order of a reseller makes no trend. The deviation is
    that of a sample (n - 1); that of a single day is 0.
    """
    ids = np.asarray(seen.index, dtype="int64")
    number = pd.Index(ids).get_indexer(pd.Index(asked["product_id"]))
    units = asked["units"].to_numpy(dtype="float64")[number >= 0]
    number = number[number >= 0]
    days = seen.to_numpy(dtype="float64")
    mean, deviation = _moments(number, units, days)
    cut = np.minimum(units, (mean + outlier_deviations * deviation)[number])
    mean, deviation = _moments(number, cut, days)
    told = {"daily_units": mean.round(6), "daily_deviation_units": deviation.round(6), "days_counted": seen.to_numpy()}
    return pd.DataFrame(told, index=pd.Index(ids, name="product_id"))


def _moments(number: np.ndarray, units: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation over `days` days of each product, of which only those with demand are listed."""
    sums = np.bincount(number, units, len(days))
    squares = np.bincount(number, units * units, len(days))
    mean = np.divide(sums, days, out=np.zeros(len(days)), where=days > 0)
    spread = np.clip(squares - sums * mean, 0, None)
    return mean, np.sqrt(np.divide(spread, days - 1, out=np.zeros(len(days)), where=days > 1))
