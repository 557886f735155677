"""The oversell audit: compare what is promised with what orders ask for and what is on hand.

Each finding names its orders, in order of service, and proposes one action. The audit changes nothing.
"""

import numpy as np
import pandas as pd

FINDINGS = ("fault", "merchant", "sku", "warehouse", "location", "expected", "found", "orders", "channels", "action")
ORDERS_NAMED_MAX = 50
LEAK = "stock says more or less is promised than orders were promised"
LINE = "an order line says another quantity than was promised to it"
NEGATIVE = "the record is below zero"
DONE = "promised to an order that needs it no more"
OVERSOLD = "sold more often than it exists"
URGENT = "a less urgent order has what a more urgent one waits for"


def mismatched_places(places: pd.DataFrame) -> pd.DataFrame:
    """Places whose stored allocation is not the sum of their open promises.

    `places`: merchant, sku, warehouse, location, stored, promised (int64), orders (str, separated by a blank).
    """
    rows = places[places["stored"] != places["promised"]]
    more = rows["stored"] > rows["promised"]
    action = np.where(more, "release the units nobody was promised: run allocate-orders, then count the place",
                      "run allocate-orders; if it stays, count the place before it is picked")  # fmt: skip
    return _findings(rows, LEAK, rows["promised"], rows["stored"], action)


def mismatched_lines(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines whose quantity is not that of their promises: merchant, sku, expected, found (int64), orders."""
    return _findings(lines, LINE, lines["expected"], lines["found"], "hold the order and have its promises looked at")


def negative_places(places: pd.DataFrame) -> pd.DataFrame:
    """Places whose book quantity is below zero.

    `places`: merchant, sku, warehouse, location, on_hand, orders (those with promises there).
    """
    rows = places[places["on_hand"] < 0]
    return _findings(rows, NEGATIVE, pd.Series(0, index=rows.index), rows["on_hand"],
                 "count the place: goods left that were never booked in")  # fmt: skip


def promises_to_closed_orders(promises: pd.DataFrame) -> pd.DataFrame:
    """Open promises of orders that are cancelled, refunded or fulfilled elsewhere.

    `promises`: merchant, sku, warehouse, location, quantity (int64), picked (bool), orders.
    """
    action = np.where(promises["picked"], "put the picked units back and book the return",
                      "release them: run allocate-orders")  # fmt: skip
    return _findings(promises, DONE, pd.Series(0, index=promises.index), promises["quantity"], action)


def oversold_products(lines: pd.DataFrame, sellable_units: pd.Series) -> pd.DataFrame:
    """SKUs of which paid open orders of all channels together ask for more than is on hand: who gets the last unit.

    `lines`: product_id, merchant, sku, order_number, channel, units (still to be sent) and promised (of them), both
    int64, in the order of service. `sellable_units`: on hand, by product_id.
    """
    rows = (
        lines.groupby("product_id", sort=False)
        .agg(merchant=("merchant", "first"), sku=("sku", "first"), found=("units", "sum"))
        .reset_index()
    )
    rows["expected"] = rows["product_id"].map(sellable_units).fillna(0).clip(lower=0).astype("int64")
    rows = rows[rows["found"] > rows["expected"]].set_index("product_id", drop=False)
    waits = lines[(lines["promised"] < lines["units"]) & lines["product_id"].isin(rows.index)]
    served = lines[(lines["promised"] > 0) & lines["product_id"].isin(rows.index)]
    last = served.groupby("product_id", sort=False)["order_number"].last().reindex(rows.index)
    first = waits.groupby("product_id", sort=False)["order_number"].first().reindex(rows.index)
    rows["orders"] = waits.groupby("product_id", sort=False)["order_number"].agg(_joined).reindex(rows.index).fillna("")
    by_channel = lines.assign(channel=lines["channel"].fillna("no channel")).groupby(["product_id", "channel"])
    units = by_channel["units"].sum()
    words = units.index.get_level_values("channel") + " " + units.astype("str")
    rows["channels"] = words.groupby(level="product_id").agg(", ".join).reindex(rows.index)
    short = (rows["found"] - rows["expected"]).astype("str")
    action = "buy " + short + " or tell those who wait; the last unit goes to " + last + ", the next would be " + first
    nobody = "buy " + short + " or tell those who wait; the next unit goes to " + first
    return _findings(
        rows, OVERSOLD, rows["expected"], rows["found"], action.where(last.notna(), nobody).fillna("buy " + short)
    )


def overtaken_orders(lines: pd.DataFrame) -> pd.DataFrame:
    """SKUs of which an order that ranks later has units nobody has picked, and one that ranks before it waits.

    `lines`: as in `oversold_products`, with free (int64, units promised and not yet in a wave). An order that waits for
    another of its lines as well is reported all the same: a person sees more than one SKU.
    """
    ranked = lines.assign(rank=np.arange(len(lines)))
    waits = ranked[ranked["promised"] < ranked["units"]].groupby("product_id", sort=False).first()
    gives = ranked[ranked["free"] > 0].groupby("product_id", sort=False).last()
    pairs = waits.merge(gives, left_index=True, right_index=True, suffixes=("", "_later"))
    rows = pairs[pairs["rank_later"] > pairs["rank"]].reset_index()
    rows = rows.assign(orders=rows["order_number"] + " " + rows["order_number_later"])
    action = "hold " + rows["order_number_later"] + " for stock, and " + rows["order_number"] + " gets its units"
    return _findings(rows, URGENT, rows["units"], rows["promised"], action)


def all_findings(*findings: pd.DataFrame) -> pd.DataFrame:
    """All findings, columns FINDINGS, the worst kind first, then by merchant, SKU and place."""
    rank = {fault: number for number, fault in enumerate((OVERSOLD, URGENT, NEGATIVE, LEAK, LINE, DONE))}
    rows = pd.concat(findings, ignore_index=True)
    rows = rows.assign(rank=rows["fault"].map(rank))
    by = ["rank", "merchant", "sku", "warehouse", "location", "orders"]
    return rows.sort_values(by, ignore_index=True)[list(FINDINGS)]


def _findings(rows: pd.DataFrame, fault: str, expected: pd.Series, actual: pd.Series, action: object) -> pd.DataFrame:
    texts = {name: rows[name].fillna("") if name in rows else "" for name in FINDINGS[1:5] + FINDINGS[7:9]}
    columns = {"fault": fault, **texts, "expected": expected, "found": actual, "action": action}
    findings = pd.DataFrame(columns, index=rows.index)
    kinds = {name: "int64" if name in {"expected", "found"} else "str" for name in FINDINGS}
    return findings[list(FINDINGS)].astype(kinds)


def _joined(numbers: pd.Series) -> str:
    distinct = list(dict.fromkeys(numbers))
    more = len(distinct) - ORDERS_NAMED_MAX
    return " ".join(distinct[:ORDERS_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
