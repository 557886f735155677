"""Step of allocate-orders: tell the channels what they may sell, in files of the lines that changed.

What a feed is about to say is committed before its file is written, and confirmed after it lies there. A run killed in
between leaves lines that are due: the next one writes them again, whatever they say by then. Numbers are absolute, so
a line that is read twice does no harm.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from config.settings import settings
from tasks.configured import warehouses
from tasks.documents.run_folder import add_rows
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.stock import availability, feeds
from tasks.domain.stock.feeds import Feed, FeedLayout, FeedRules
from tasks.runs.step import step
from tasks.steps.ordering.explain_backorders import AllocationView
from tasks.store.database.engine import engine
from tasks.store.stock.feeds import published_lines, record_due_lines, record_published_lines

FILE_KEY = {FeedLayout.CANONICAL: ["merchant", "warehouse", "sku"], FeedLayout.SHOPIFY: ["SKU", "Location"]}


@dataclass(frozen=True)
class _SellableStock:
    """What every channel may sell, and the names a feed uses.

    `pools`: as in `availability.with_kits`, with waiting. `unsellable`: units by product_id and warehouse_id.
    `products`: as in `catalogue`. `codes`, `shop_names`: of each warehouse, by warehouse_id.
    """

    pools: pd.DataFrame
    unsellable: pd.Series
    products: pd.DataFrame
    codes: pd.Series
    shop_names: pd.Series


@step(task_run_name="tell the channels what they may sell")
def publish_feeds(view: AllocationView, as_of: datetime, *, whole: bool = False) -> int:
    """Write what changed since each feed's last file, or all of it. Returns the number of lines written."""
    rules, stock = read("rules/feeds.yaml", FeedRules), _sellable_stock(view)
    with engine().begin() as connection:
        lines = {name: _lines(connection, name, feed, stock, whole=whole) for name, feed in rules.feeds.items()}
    folder = settings().documents("allocate-orders", as_of) / "availability"
    for name, rows in lines.items():
        _write(folder, name + "-full" * whole, rules.feeds[name], stock, rows)
    with engine().begin() as connection:
        for name, rows in lines.items():
            record_published_lines(connection, name, rows.reset_index(), as_of)
    return sum(map(len, lines.values()))


def _sellable_stock(view: AllocationView) -> _SellableStock:
    rules, ids = read("rules/allocation.yaml", AllocationRules), view.warehouse_ids
    pools = availability.stock_pools(view.places, view.free_places, rules.purposes)
    order = [ids[code] for code in rules.warehouses if code in ids]
    pools = availability.with_waiting(pools, view.waiting_units, order)
    names = {ids[site.code]: next(iter(site.aliases), site.name) for site in warehouses() if site.code in ids}
    return _SellableStock(
        pools=availability.with_kits(pools, view.parts),
        unsellable=view.unsellable.set_index(feeds.FEED_LINE_KEY)["units"],
        products=view.products,
        codes=pd.Series({number: code for code, number in ids.items()}),
        shop_names=pd.Series(names),
    )


def _lines(connection: Connection, name: str, feed: Feed, stock: _SellableStock, *, whole: bool) -> pd.DataFrame:
    """The lines to be written; those that differ from what the feed said last are recorded as due."""
    goods = stock.products
    product_ids = goods.loc[goods["merchant"].isin(feed.merchants or goods["merchant"].unique()), "product_id"]
    pools = stock.pools[stock.pools.index.get_level_values("product_id").isin(product_ids)]
    offered = feeds.offered_lines(pools, stock.unsellable, feed)
    changed = feeds.changed_lines(offered, published_lines(connection, name), feed)
    record_due_lines(connection, name, changed.reset_index())
    return pd.concat([changed, offered[~offered.index.isin(changed.index)]]) if whole else changed


def _write(folder: Path, name: str, feed: Feed, stock: _SellableStock, rows: pd.DataFrame) -> None:
    """One file per merchant, added to what an earlier run as of the same moment wrote: SKUs of two never meet."""
    for merchant, goods in stock.products.groupby("merchant"):
        lines = rows[rows.index.get_level_values("product_id").isin(goods["product_id"])]
        if feed.layout is FeedLayout.CANONICAL:
            table = feeds.canonical_feed(lines, goods, stock.codes)
        else:
            unsellable = stock.unsellable.reindex(lines.index).fillna(0).astype("int64")
            total = lines["available"] + lines["committed"] + lines["unavailable"]
            table = feeds.shopify_feed(lines.assign(on_hand=total - unsellable), goods, stock.shop_names, unsellable)
        add_rows(folder / f"{name}-{merchant}.csv", table, FILE_KEY[feed.layout])
