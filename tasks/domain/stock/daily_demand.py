"""Daily demand: mean and standard deviation, without days that say nothing and with outliers cut."""

import numpy as np
import pandas as pd


def days_observed(stock: pd.DataFrame, orders: pd.DataFrame, days: int) -> pd.Series:
    """On how many of the days a customer could have asked for each product (int64 by product_id).

    `stock`: product_id, day, units, the change of stock on that day; day -1 sums up what was before. `orders`:
    product_id, day, units (> 0), one row per product and day; days are numbered from 0 to `days` - 1.

    A day without stock, without a move and without an order says nothing of demand: out of stock is not the same as
    unwanted, and a product that was not in stock yet was not unwanted either.
    """
    ids = pd.Index(pd.concat([stock["product_id"], orders["product_id"]]).unique())
    before = pd.DataFrame({"product_id": ids, "day": -1, "units": 0})
    daily = pd.concat([before, stock]).groupby(["product_id", "day"])["units"].sum()
    levels = daily.reset_index()
    levels["level"] = levels.groupby("product_id")["units"].cumsum()
    next_day = levels.groupby("product_id")["day"].shift(-1).fillna(days)
    empty_days = (next_day - levels["day"] - 1).where(levels["level"] <= 0, 0)  # whole days until the next move
    empty: pd.Series = empty_days.groupby(levels["product_id"]).sum()
    observed = days - empty + _days_ordered_while_empty(levels, orders).reindex(empty.index).fillna(0)
    return pd.Series(observed.astype("int64"))


def _days_ordered_while_empty(levels: pd.DataFrame, orders: pd.DataFrame) -> pd.Series:
    """The number of days on which a product was ordered that had no stock and no move, by product_id."""
    if orders.empty:
        return pd.Series(dtype="int64")
    span = int(max(levels["day"].max(), orders["day"].max())) + 2
    events = levels["product_id"].to_numpy() * span + levels["day"].to_numpy() + 1
    keys = orders["product_id"].to_numpy() * span + orders["day"].to_numpy() + 1
    last = np.searchsorted(events, keys, side="right") - 1  # every product has an event before its first day
    empty = (events[last] != keys) & (levels["level"].to_numpy()[last] <= 0)
    return pd.Series(1, index=orders["product_id"].to_numpy()[empty]).groupby(level=0).sum()


def daily_demand(orders: pd.DataFrame, days_by_product: pd.Series, outlier_deviations: float) -> pd.DataFrame:
    """Mean and standard deviation of each product's daily demand.

    Gives daily_units, daily_deviation_units (float64) and days_counted (int64) by product_id.

    `orders`: as in `days_observed`; `days_by_product`: its result. A day above the mean by more than
    `outlier_deviations` standard deviations counts as if it were just that high; a single order of a reseller makes no
    trend. The deviation is that of a sample (n - 1); that of a single day is 0.
    """
    ids = np.asarray(days_by_product.index, dtype="int64")
    number = pd.Index(ids).get_indexer(pd.Index(orders["product_id"]))
    units = orders["units"].to_numpy(dtype="float64")[number >= 0]
    number = number[number >= 0]
    days = days_by_product.to_numpy(dtype="float64")
    mean, deviation = _moments(number, units, days)
    cut = np.minimum(units, (mean + outlier_deviations * deviation)[number])
    mean, deviation = _moments(number, cut, days)
    columns = {
        "daily_units": mean.round(6),
        "daily_deviation_units": deviation.round(6),
        "days_counted": days_by_product.to_numpy(),
    }
    return pd.DataFrame(columns, index=pd.Index(ids, name="product_id"))


def _moments(number: np.ndarray, units: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation over `days` days of each product, of which only those with demand are listed."""
    sums = np.bincount(number, units, len(days))
    squares = np.bincount(number, units * units, len(days))
    mean = np.divide(sums, days, out=np.zeros(len(days)), where=days > 0)
    spread = np.clip(squares - sums * mean, 0, None)
    return mean, np.sqrt(np.divide(spread, days - 1, out=np.zeros(len(days)), where=days > 1))
