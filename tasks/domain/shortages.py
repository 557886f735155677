"""What is missing, said so that someone can act: oversold SKUs, SKUs nobody knows, orders that will be late."""

from datetime import datetime

import pandas as pd

from tasks.domain.orders import ShipByRules, urgency
from tasks.domain.replenishment import ReplenishmentRules, low, reorder_points
from tasks.domain.states import AlertKind

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
    found["free"] = pool.groupby("product_id")["free"].sum().clip(lower=0)
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


def low_stock(
    products: pd.DataFrame, pool: pd.DataFrame, demand: pd.Series, warned: pd.Series, rules: ReplenishmentRules
) -> pd.DataFrame:
    """Products that run low, over all warehouses: the product's columns, cause, available, reorder_point.

    `demand`: units by product_id over the rules' days. `warned`: causes already open. A kit never runs low itself:
    its components do.
    """
    rows = products[~products["is_kit"]].copy()
    rows["reorder_point"] = reorder_points(rows, demand, rules).astype("int64")
    available = rows["product_id"].map(pool.groupby("product_id")["available"].sum())
    rows["available"] = available.fillna(0).astype("int64")
    rows["cause"] = "low_stock:" + rows["merchant"] + ":" + rows["sku"]
    found = low(rows.assign(warned=rows["cause"].isin(warned)), rules)
    return found.drop(columns="warned").sort_values(["merchant", "sku"], ignore_index=True)


def low_stock_alerts(found: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """An alert for each row of `low_stock`."""
    detail = found["available"].astype("str") + " available, reorder point " + found["reorder_point"].astype("str")
    return _alerts(found, AlertKind.LOW_STOCK, found["cause"], detail, as_of)


def _alerts(found: pd.DataFrame, kind: AlertKind, cause: pd.Series, detail: pd.Series, as_of: datetime) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cause": cause.astype("str"), "kind": str(kind), "subject": found["sku"], "detail": detail.astype("str"),
            "merchant_id": found["merchant_id"].astype("Int64"), "opened_at": pd.Timestamp(as_of),
        }
    )  # fmt: skip


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
