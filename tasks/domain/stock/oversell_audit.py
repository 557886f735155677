"""The oversell audit: what is promised against what is asked for and what lies there, with the orders and what to do.

Each finding names its orders, in the order in which they are served, and proposes one action. What it looks at are the
rows as they are; nothing is changed by it.
"""

import numpy as np
import pandas as pd

FINDINGS = ("fault", "merchant", "sku", "warehouse", "location", "expected", "found", "orders", "channels", "action")
ORDERS_TOLD_MAX = 50
LEAK = "stock says more or less is promised than orders were promised"
LINE = "an order line says another quantity than was promised to it"
NEGATIVE = "the record is below zero"
DONE = "promised to an order that needs it no more"
OVERSOLD = "sold more often than it exists"
URGENT = "a less urgent order has what a more urgent one waits for"


def mismatched_places(places: pd.DataFrame) -> pd.DataFrame:
    """Places whose stored allocation is not the sum of their open promises.

    `places`: merchant, sku, warehouse, location, stored, promised (int64), orders (str, a blank between).
    """
    rows = places[places["stored"] != places["promised"]]
    more = rows["stored"] > rows["promised"]
    action = np.where(more, "release the units nobody was promised: run allocate-orders, then count the place",
                      "run allocate-orders; if it stays, count the place before it is picked")  # fmt: skip
    return _told(rows, LEAK, rows["promised"], rows["stored"], action)


def mismatched_lines(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines that say another quantity than their promises do: merchant, sku, expected, found (int64), orders."""
    return _told(lines, LINE, lines["expected"], lines["found"], "hold the order and have its promises looked at")


def negative_places(places: pd.DataFrame) -> pd.DataFrame:
    """Places of which the book says less than nothing.

    `places`: merchant, sku, warehouse, location, on_hand, orders (promised something there).
    """
    rows = places[places["on_hand"] < 0]
    return _told(rows, NEGATIVE, pd.Series(0, index=rows.index), rows["on_hand"],
                 "count the place: goods left that were never booked in")  # fmt: skip


def promises_to_closed_orders(promises: pd.DataFrame) -> pd.DataFrame:
    """Open promises of orders that are cancelled, refunded or fulfilled elsewhere.

    `promises`: merchant, sku, warehouse, location, quantity (int64), picked (bool), orders.
    """
    action = np.where(promises["picked"], "put the picked units back and book the return",
                      "release them: run allocate-orders")  # fmt: skip
    return _told(promises, DONE, pd.Series(0, index=promises.index), promises["quantity"], action)


def oversold_products(asked: pd.DataFrame, exists: pd.Series) -> pd.DataFrame:
    """SKUs of which paid open orders of all channels together ask for more than lies there: who gets the last unit.

    `asked`: product_id, merchant, sku, order_number, channel, units (still to be sent) and promised (of them), both
    int64, in the order of service. `exists`: sellable units on hand by product_id.
    """
    of = asked.groupby("product_id", sort=False)
    rows = of.agg(merchant=("merchant", "first"), sku=("sku", "first"), found=("units", "sum")).reset_index()
    rows["expected"] = rows["product_id"].map(exists).fillna(0).clip(lower=0).astype("int64")
    rows = rows[rows["found"] > rows["expected"]].set_index("product_id", drop=False)
    waits = asked[(asked["promised"] < asked["units"]) & asked["product_id"].isin(rows.index)]
    served = asked[(asked["promised"] > 0) & asked["product_id"].isin(rows.index)]
    last = served.groupby("product_id", sort=False)["order_number"].last().reindex(rows.index)
    first = waits.groupby("product_id", sort=False)["order_number"].first().reindex(rows.index)
    rows["orders"] = waits.groupby("product_id", sort=False)["order_number"].agg(_joined).reindex(rows.index).fillna("")
    per = asked.assign(channel=asked["channel"].fillna("no channel")).groupby(["product_id", "channel"])["units"].sum()
    words = per.index.get_level_values("channel") + " " + per.astype("str")
    rows["channels"] = words.groupby(level="product_id").agg(", ".join).reindex(rows.index)
    short = (rows["found"] - rows["expected"]).astype("str")
    action = "buy " + short + " or tell those who wait; the last unit goes to " + last + ", the next would be " + first
    nobody = "buy " + short + " or tell those who wait; the next unit goes to " + first
    return _told(
        rows, OVERSOLD, rows["expected"], rows["found"], action.where(last.notna(), nobody).fillna("buy " + short)
    )


def overtaken_orders(asked: pd.DataFrame) -> pd.DataFrame:
    """SKUs of which an order that ranks later has units nobody has picked, and one that ranks before it waits.

    `asked`: as of `oversold`, with free (int64, units promised and not yet in a wave). An order that waits for other
    lines of it as well is told of all the same: a person sees more than one SKU.
    """
    ranked = asked.assign(rank=np.arange(len(asked)))
    waits = ranked[ranked["promised"] < ranked["units"]].groupby("product_id", sort=False).first()
    gives = ranked[ranked["free"] > 0].groupby("product_id", sort=False).last()
    both = waits.merge(gives, left_index=True, right_index=True, suffixes=("", "_later"))
    rows = both[both["rank_later"] > both["rank"]].reset_index()
    rows = rows.assign(orders=rows["order_number"] + " " + rows["order_number_later"])
    action = "hold " + rows["order_number_later"] + " for stock, and " + rows["order_number"] + " gets its units"
    return _told(rows, URGENT, rows["units"], rows["promised"], action)


def all_findings(*found: pd.DataFrame) -> pd.DataFrame:
    """All findings, columns FINDINGS, the worst kind first, then by merchant, SKU and place."""
    rank = {one: number for number, one in enumerate((OVERSOLD, URGENT, NEGATIVE, LEAK, LINE, DONE))}
    rows = pd.concat(found, ignore_index=True)
    rows = rows.assign(rank=rows["fault"].map(rank))
    by = ["rank", "merchant", "sku", "warehouse", "location", "orders"]
    return rows.sort_values(by, ignore_index=True)[list(FINDINGS)]


def _told(rows: pd.DataFrame, fault: str, expected: pd.Series, found: pd.Series, action: object) -> pd.DataFrame:
    said = {name: rows[name].fillna("") if name in rows else "" for name in FINDINGS[1:5] + FINDINGS[7:9]}
    told = pd.DataFrame({"fault": fault, **said, "expected": expected, "found": found, "action": action},
                        index=rows.index)  # fmt: skip
    kinds = {name: "int64" if name in {"expected", "found"} else "str" for name in FINDINGS}
    return told[list(FINDINGS)].astype(kinds)


def _joined(numbers: pd.Series) -> str:
    each = list(dict.fromkeys(numbers))
    rest = len(each) - ORDERS_TOLD_MAX
    return " ".join(each[:ORDERS_TOLD_MAX]) + (f" and {rest} more" if rest > 0 else "")
