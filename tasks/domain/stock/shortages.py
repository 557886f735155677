"""Shortages as alerts somebody can act on: SKUs that are oversold, unknown or below their reorder point."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from tasks.domain.states import AlertKind, AlertState
from tasks.domain.stock.stock_alerts import ACTIVE, AlertRules, next_states

ORDERS_NAMED_MAX = 50  # an alert's text stays readable; oversell.csv names every order


def oversold(lines: pd.DataFrame, parts: pd.DataFrame, pools: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """SKUs of which orders that may be served ask for more than there is.

    `lines`: as in `backorders.servable_lines`. `parts`: product_id, part_id, quantity. `pools`: as in
    `availability.stock_pools`. `products`: as in the store's catalogue. A place whose record is doubted still counts:
    a count decides.

    Gives the product's columns, asked, free, short (int64 units) and orders (numbers in order of service, separated by
    a blank), by merchant and SKU.
    """
    rows = lines.merge(parts, on="product_id", sort=False)
    rows["units"] = rows["missing"] * rows["quantity"]
    by_part = rows.groupby("part_id")
    units = by_part["units"].sum().rename("asked").to_frame()
    units["free"] = pools.groupby("product_id")["free"].sum().clip(lower=0).reindex(units.index)
    units["free"] = units["free"].fillna(0).astype("int64")
    units["short"] = units["asked"] - units["free"]
    units["orders"] = by_part["order_number"].agg(lambda numbers: " ".join(dict.fromkeys(numbers)))
    short = units[units["short"] > 0].rename_axis("product_id").reset_index()
    return products.merge(short, on="product_id").sort_values(["merchant", "sku"], ignore_index=True)


def oversell_alerts(shortages: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """An alert for each row of `oversold`, worth what the missing units sell for."""
    orders = shortages["orders"].map(lambda numbers: _first_orders(numbers.split()))
    detail = shortages["asked"].astype("str") + " asked for, " + shortages["free"].astype("str") + " there: "
    detail += shortages["short"].astype("str") + " short for orders " + orders.astype("str")
    value = shortages["short"].astype("Int64") * shortages["unit_price_minor"].astype("Int64")
    cause = "oversell:" + shortages["merchant"] + ":" + shortages["sku"]
    return _alerts(shortages, AlertKind.OVERSELL, cause, detail, as_of).assign(
        value_minor=value, currency=shortages["currency"]
    )


def _first_orders(numbers: list[str]) -> str:
    more = len(numbers) - ORDERS_NAMED_MAX
    return ", ".join(numbers[:ORDERS_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def unknown_sku_alerts(lines: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """An alert for each SKU that open orders name and no product file does.

    `lines`: as in `backorders.waiting_lines`, without lines of refunded orders.
    """
    rows = lines[lines["product_id"].isna()]
    numbers = rows.groupby(["merchant_id", "merchant", "sku"])["order_number"].agg(
        lambda orders: _first_orders(list(dict.fromkeys(orders)))
    )
    skus = numbers.reset_index()
    detail = "no product file names it; asked for by orders " + skus["order_number"].astype("str")
    return _alerts(skus, AlertKind.UNKNOWN_SKU, "unknown_sku:" + skus["merchant"] + ":" + skus["sku"], detail, as_of)


@dataclass(frozen=True)
class StockLevels:
    """Units by product_id that decide whether a product runs low.

    `free`: promised to nobody. `waiting`: as in `backorders.waiting_units`. `coming`: on its way in time.
    `reorder_points`: the computed ones.
    """

    free: pd.Series
    waiting: pd.Series
    coming: pd.Series
    reorder_points: pd.Series


def low_stock(
    products: pd.DataFrame, levels: StockLevels, alerts: pd.DataFrame, rules: AlertRules, as_of: datetime
) -> pd.DataFrame:
    """Products that run low, or did until now, over all warehouses.

    Gives the product's columns, cause, free, waiting, coming, reorder_point (int64), was (str: the state before,
    missing for a new alert), state, opened_at, snoozed_until.

    `products`: as in the store's catalogue; a reorder_point there wins over that of `levels`. `alerts`: cause, state,
    snoozed_until, opened_at of the low-stock alerts there are. A kit never runs low itself: its components do.
    """
    rows = products[~products["is_kit"]].copy()
    for name in ("free", "waiting", "coming"):
        rows[name] = rows["product_id"].map(getattr(levels, name)).fillna(0).astype("int64")
    computed = rows["product_id"].map(levels.reorder_points).astype("Int64")
    rows["reorder_point"] = rows["reorder_point"].astype("Int64").fillna(computed).fillna(0).astype("int64")
    rows["cause"] = "low_stock:" + rows["merchant"] + ":" + rows["sku"]
    rows = rows.merge(alerts, on="cause", how="left").rename(columns={"state": "was"})
    rows["state"] = next_states(rows.rename(columns={"was": "state"}), rules, as_of)
    wakes = (rows["state"] == AlertState.OPEN) & (rows["was"].fillna("") != AlertState.OPEN)
    begins = rows["state"].notna() & ~rows["was"].isin([str(state) for state in ACTIVE])
    begins &= rows["state"] != AlertState.RESOLVED
    rows["opened_at"] = rows["opened_at"].mask(wakes | begins, pd.Timestamp(as_of))
    rows = rows[rows["state"].notna() & ((rows["state"] != AlertState.RESOLVED) | (rows["was"] != rows["state"]))]
    return rows.sort_values(["merchant", "sku"], ignore_index=True)


def low_stock_alerts(products: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The alert of each row of `low_stock`, with its state."""
    detail = products["free"].astype("str") + " free, reorder point " + products["reorder_point"].astype("str")
    detail += (", paid orders wait for " + products["waiting"].astype("str")).where(products["waiting"] > 0, "")
    detail += (", " + products["coming"].astype("str") + " on their way").where(products["coming"] > 0, "")
    alerts = _alerts(products, AlertKind.LOW_STOCK, products["cause"], detail, as_of)
    return alerts.assign(state=products["state"], opened_at=products["opened_at"])


def _alerts(skus: pd.DataFrame, kind: AlertKind, cause: pd.Series, detail: pd.Series, as_of: datetime) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cause": cause.astype("str"), "kind": str(kind), "subject": skus["sku"], "detail": detail.astype("str"),
            "merchant_id": skus["merchant_id"].astype("Int64"), "opened_at": pd.Timestamp(as_of),
        }
    )  # fmt: skip
