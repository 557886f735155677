"""What is missing, said so that someone can act: oversold SKUs, SKUs nobody knows, orders that will be late."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from tasks.domain.states import AlertKind, AlertState
from tasks.domain.stock.stock_alerts import ACTIVE, AlertRules, next_states

ORDERS_TOLD_MAX = 50  # an alert's text stays readable; oversell.csv names every order


def oversold(waits: pd.DataFrame, parts: pd.DataFrame, pool: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """SKUs of which paid open orders ask for more than there is.

    `waits`: as of `allocation.waiting`. `parts`: product_id, part_id, quantity. `pool`: as of `availability.pools`.
    `products`: as of the store's catalogue. What a place is doubted to hold still counts: a count decides.

    Gives the product's columns, asked, free, short (int64 units) and orders (numbers in order of service, a blank
    between), by merchant and SKU.
    """
    asking = waits[(waits["standing"] == "") & waits["product_id"].notna()].astype({"product_id": "int64"})
    rows = asking.merge(parts, on="product_id", sort=False)
    rows["units"] = rows["missing"] * rows["quantity"]
    of_part = rows.groupby("part_id")
    found = of_part["units"].sum().rename("asked").to_frame()
    found["free"] = pool.groupby("product_id")["free"].sum().clip(lower=0).reindex(found.index)
    found["free"] = found["free"].fillna(0).astype("int64")
    found["short"] = found["asked"] - found["free"]
    found["orders"] = of_part["order_number"].agg(lambda numbers: " ".join(dict.fromkeys(numbers)))
    short = found[found["short"] > 0].rename_axis("product_id").reset_index()
    return products.merge(short, on="product_id").sort_values(["merchant", "sku"], ignore_index=True)


def oversell_alerts(found: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """An alert for each row of `oversold`, worth what the missing units sell for."""
    told = found["orders"].map(lambda numbers: _first(numbers.split()))
    detail = found["asked"].astype("str") + " asked for, " + found["free"].astype("str") + " there: "
    detail += found["short"].astype("str") + " short for orders " + told.astype("str")
    worth = found["short"].astype("Int64") * found["unit_price_minor"].astype("Int64")
    cause = "oversell:" + found["merchant"] + ":" + found["sku"]
    return _alerts(found, AlertKind.OVERSELL, cause, detail, as_of).assign(
        value_minor=worth, currency=found["currency"]
    )


def _first(numbers: list[str]) -> str:
    rest = len(numbers) - ORDERS_TOLD_MAX
    return ", ".join(numbers[:ORDERS_TOLD_MAX]) + (f" and {rest} more" if rest > 0 else "")


def unknown_sku_alerts(waits: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """An alert for each SKU that open orders name and no product file does."""
    rows = waits[waits["product_id"].isna() & (waits["standing"] != "refunded")]
    key = ["merchant_id", "merchant", "sku"]
    numbers = rows.groupby(key)["order_number"].agg(lambda those: _first(list(dict.fromkeys(those))))
    found = numbers.reset_index()
    detail = "no product file names it; asked for by orders " + found["order_number"].astype("str")
    return _alerts(found, AlertKind.UNKNOWN_SKU, "unknown_sku:" + found["merchant"] + ":" + found["sku"], detail, as_of)


def waiting_units(waits: pd.DataFrame, parts: pd.DataFrame) -> pd.Series:
    """Units paid open orders wait for, by product_id (int64); a kit waits for its components.

    `waits`: as of `allocation.waiting`. `parts`: product_id, part_id, quantity.
    """
    asking = waits[(waits["standing"] == "") & waits["product_id"].notna()].astype({"product_id": "int64"})
    rows = asking.merge(parts, on="product_id", sort=False)
    return (rows["missing"] * rows["quantity"]).groupby(rows["part_id"]).sum().astype("int64")


@dataclass(frozen=True)
class Levels:
    """Units by product_id: promised to nobody, what paid orders wait for, on its way in time, and the reorder point."""

    free: pd.Series
    waiting: pd.Series
    coming: pd.Series
    points: pd.Series


def low_stock(products: pd.DataFrame, levels: Levels, alerts: pd.DataFrame, rules: AlertRules, as_of: datetime
              ) -> pd.DataFrame:  # fmt: skip
    """Products that run low, or did until now, over all warehouses.

    Gives the product's columns, cause, free, waiting, coming, reorder_point (int64), was (str: the state before,
    missing for a new alert), state, opened_at, snoozed_until.

    `products`: as of the store's catalogue; what its reorder_point says wins over `levels.points`. `alerts`: cause,
    state, snoozed_until, opened_at of the low-stock alerts there are. A kit never runs low itself: its components do.
    """
    rows = products[~products["is_kit"]].copy()
    for name in ("free", "waiting", "coming"):
        rows[name] = rows["product_id"].map(getattr(levels, name)).fillna(0).astype("int64")
    computed = rows["product_id"].map(levels.points).astype("Int64")
    rows["reorder_point"] = rows["reorder_point"].astype("Int64").fillna(computed).fillna(0).astype("int64")
    rows["cause"] = "low_stock:" + rows["merchant"] + ":" + rows["sku"]
    rows = rows.merge(alerts, on="cause", how="left").rename(columns={"state": "was"})
    rows["state"] = next_states(rows.rename(columns={"was": "state"}), rules, as_of)
    awakes = (rows["state"] == AlertState.OPEN) & (rows["was"].fillna("") != AlertState.OPEN)
    begins = rows["state"].notna() & ~rows["was"].isin([str(one) for one in ACTIVE])
    begins &= rows["state"] != AlertState.RESOLVED
    rows["opened_at"] = rows["opened_at"].mask(awakes | begins, pd.Timestamp(as_of))
    rows = rows[rows["state"].notna() & ((rows["state"] != AlertState.RESOLVED) | (rows["was"] != rows["state"]))]
    return rows.sort_values(["merchant", "sku"], ignore_index=True)


def low_stock_alerts(found: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The alert of each row of `low_stock`, with its state."""
    detail = found["free"].astype("str") + " free, reorder point " + found["reorder_point"].astype("str")
    detail += (", paid orders wait for " + found["waiting"].astype("str")).where(found["waiting"] > 0, "")
    detail += (", " + found["coming"].astype("str") + " on their way").where(found["coming"] > 0, "")
    told = _alerts(found, AlertKind.LOW_STOCK, found["cause"], detail, as_of)
    return told.assign(state=found["state"], opened_at=found["opened_at"])


def _alerts(found: pd.DataFrame, kind: AlertKind, cause: pd.Series, detail: pd.Series, as_of: datetime) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cause": cause.astype("str"), "kind": str(kind), "subject": found["sku"], "detail": detail.astype("str"),
            "merchant_id": found["merchant_id"].astype("Int64"), "opened_at": pd.Timestamp(as_of),
        }
    )  # fmt: skip
