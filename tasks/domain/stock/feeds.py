"""Feeds: what every channel may sell now, and which lines differ from what its feed said last."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from tasks.domain.sites.adjustment_files import SHOPIFY_COLUMNS
from tasks.domain.states import FeedState
from tasks.domain.stock.availability import POOL_KEY

FEED_LINE_KEY = ["product_id", "warehouse_id"]
FEED_UNITS = ["available", "committed", "unavailable"]


class FeedLayout(StrEnum):
    """In which layout a feed is written."""

    CANONICAL = "canonical"
    SHOPIFY = "shopify"


@dataclass(frozen=True)
class Feed:
    """One channel, or several that read the same file."""

    layout: FeedLayout
    merchants: tuple[str, ...] = ()  # every merchant when empty
    keep_back: int = 0  # units of each SKU and warehouse this channel does not get to see

    def __post_init__(self) -> None:
        if self.keep_back < 0:
            raise ValueError(f"keep_back must not be negative, found {self.keep_back}")


@dataclass(frozen=True)
class FeedRules:
    """The schema of config/rules/feeds.yaml."""

    feeds: dict[str, Feed]

    def __post_init__(self) -> None:
        bad = [name for name in self.feeds if not name.replace("-", "").isalnum() or name.endswith("-full")]
        if bad:
            raise ValueError(f"a feed is called by letters, digits and hyphens, found {bad}")


def offered_lines(pools: pd.DataFrame, unsellable: pd.Series, feed: Feed) -> pd.DataFrame:
    """`pools` as the channel may see them, with the columns committed and unavailable (int64).

    `pools`: on_hand, allocated, waiting, available by product_id and warehouse_id, as in `availability.with_kits`.
    `unsellable`: units on hand in another condition. What is kept back of the channel is unavailable to it, so that
    available + committed + unavailable is what is on hand.
    """
    other = unsellable.reindex(pools.index).fillna(0).astype("int64")
    committed = pools["allocated"] + pools["waiting"]
    total = np.maximum(pools["on_hand"] + other, committed + pools["available"])
    available = (pools["available"] - feed.keep_back).clip(lower=0)
    return pools.assign(available=available, committed=committed, unavailable=total - committed - available)


def changed_lines(now: pd.DataFrame, before: pd.DataFrame, feed: Feed) -> pd.DataFrame:
    """The rows of `now` a feed must write: those that differ from `before`.

    `now`: as in `offered_lines`. `before`: product_id, warehouse_id, FEED_UNITS, state, what the feed said last; a
    line whose file is not known to be written is due again, whatever it said. A canonical feed has available alone.
    A line that is no longer offered is written once, with 0 units.
    """
    last_lines = before.set_index(FEED_LINE_KEY)
    lines = now.reindex(now.index.union(last_lines.index)).fillna(0).astype("int64")
    compared = FEED_UNITS if feed.layout is FeedLayout.SHOPIFY else FEED_UNITS[:1]
    last_lines = last_lines.reindex(lines.index)
    is_unchanged = (last_lines[compared] == lines[compared]).all(axis="columns")
    return pd.DataFrame(lines[~(is_unchanged & (last_lines["state"] == FeedState.PUBLISHED))])


def canonical_feed(lines: pd.DataFrame, products: pd.DataFrame, codes: pd.Series) -> pd.DataFrame:
    """What may be sold now, in the canonical layout of stock exports: on_hand is what is available.

    `lines`: as in `offered_lines`. `products`: product_id, merchant, sku. `codes`: warehouse code by warehouse_id.
    """
    rows = lines.reset_index().merge(products, on="product_id")
    rows["warehouse"] = rows["warehouse_id"].map(codes)
    feed = pd.DataFrame(
        {
            "merchant": rows["merchant"], "warehouse": rows["warehouse"], "location": "", "sku": rows["sku"],
            "condition": "available", "lot": "", "on_hand": rows["available"],
        }
    )  # fmt: skip
    return feed.sort_values(["merchant", "sku", "warehouse"], ignore_index=True)


def shopify_feed(lines: pd.DataFrame, products: pd.DataFrame, names: pd.Series, unsellable: pd.Series) -> pd.DataFrame:
    """The same for Shopify's inventory import: available + committed + unavailable = on hand, row by row.

    `names`: what the shop calls each warehouse, by warehouse_id. `unsellable`: units on hand in another condition,
    by product_id and warehouse_id. Cells Shopify alone can fill (Handle, options) stay empty.
    """
    rows = lines.reset_index().merge(products, on="product_id")
    key = pd.MultiIndex.from_frame(rows[POOL_KEY])
    other = unsellable.reindex(key).fillna(0).to_numpy(dtype="int64")
    committed = (rows["allocated"] + rows["waiting"]).to_numpy()
    on_hand = np.maximum(rows["on_hand"].to_numpy() + other, committed + rows["available"].to_numpy())
    feed = pd.DataFrame("", index=rows.index, columns=list(SHOPIFY_COLUMNS)).assign(
        **{
            "Title": rows["name"].fillna(""), "SKU": rows["sku"], "COO": rows["country_of_origin"].fillna(""),
            "Location": rows["warehouse_id"].map(names), "Incoming (not editable)": 0,
            "Unavailable (not editable)": on_hand - committed - rows["available"],
            "Committed (not editable)": committed, "Available (not editable)": rows["available"],
            "On hand (current)": on_hand, "On hand (new)": on_hand,
        }
    )  # fmt: skip
    return feed.sort_values(["SKU", "Location"], ignore_index=True)
