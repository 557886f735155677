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
from tasks.domain.stock import availability, feeds, shortages
from tasks.domain.stock.feeds import Feed, FeedLayout, FeedRules
from tasks.runs.step import step
from tasks.steps.ordering.explain_backorders import Served
from tasks.steps.ordering.open_demand import free_places
from tasks.store.database.engine import engine
from tasks.store.sites import warehouse_ids
from tasks.store.stock import places
from tasks.store.stock.feeds import published_lines, record_due_lines, record_published_lines

FILE_KEY = {FeedLayout.CANONICAL: ["merchant", "warehouse", "sku"], FeedLayout.SHOPIFY: ["SKU", "Location"]}


@dataclass(frozen=True)
class _Shelf:
    """What lies where, and what things are called."""

    pool: pd.DataFrame
    unsellable: pd.Series
    products: pd.DataFrame
    codes: pd.Series
    shop_names: pd.Series


@step(task_run_name="tell the channels what they may sell")
def publish_feeds(served: Served, as_of: datetime, *, whole: bool = False) -> int:
    """Write what changed since each feed's last file, or all of it; says how many lines were written."""
    rules = read("rules/feeds.yaml", FeedRules)
    with engine().begin() as connection:
        shelf = _shelf(connection, served, as_of)
        lines = {name: _lines(connection, name, feed, shelf, whole=whole) for name, feed in rules.feeds.items()}
    folder = settings().documents("allocate-orders", as_of) / "availability"
    for name, rows in lines.items():
        _write(folder, name + "-full" * whole, rules.feeds[name], shelf, rows)
    with engine().begin() as connection:
        for name, rows in lines.items():
            record_published_lines(connection, name, rows.reset_index(), as_of)
    return sum(map(len, lines.values()))


def _shelf(connection: Connection, served: Served, as_of: datetime) -> _Shelf:
    rules = read("rules/allocation.yaml", AllocationRules)
    products, parts = places.catalogue(connection), places.kit_parts(connection)
    ids, sites = warehouse_ids(connection), warehouses()
    here, free = places.stock_places(connection), free_places(connection, rules, as_of)
    pool = availability.stock_pools(here, free, rules.purposes)
    order = [ids[code] for code in rules.warehouses if code in ids]
    pool = availability.with_waiting(pool, shortages.waiting_units(served.waiting, parts), order)
    unsellable = places.unsellable_places(connection).set_index(feeds.KEY)["units"]
    names = {ids[one.code]: next(iter(one.aliases), one.name) for one in sites if one.code in ids}
    codes = pd.Series({number: code for code, number in ids.items()})
    return _Shelf(availability.with_kits(pool, parts), unsellable, products, codes, pd.Series(names))


def _lines(connection: Connection, name: str, feed: Feed, shelf: _Shelf, *, whole: bool) -> pd.DataFrame:
    """What is to be written; what differs from what was said is written down as due."""
    goods = shelf.products
    mine = goods.loc[goods["merchant"].isin(feed.merchants or goods["merchant"].unique()), "product_id"]
    now = shelf.pool[shelf.pool.index.get_level_values("product_id").isin(mine)]
    offered = feeds.offered_lines(now, shelf.unsellable, feed)
    changed = feeds.changed_lines(offered, published_lines(connection, name), feed)
    record_due_lines(connection, name, changed.reset_index())
    return pd.concat([changed, offered[~offered.index.isin(changed.index)]]) if whole else changed


def _write(folder: Path, name: str, feed: Feed, shelf: _Shelf, rows: pd.DataFrame) -> None:
    """One file a merchant, beside what an earlier run as of the same moment wrote: SKUs of two never meet."""
    for merchant, goods in shelf.products.groupby("merchant"):
        mine = rows[rows.index.get_level_values("product_id").isin(goods["product_id"])]
        if feed.layout is FeedLayout.CANONICAL:
            table = feeds.canonical_feed(mine, goods, shelf.codes)
        else:
            kept_back = shelf.unsellable.reindex(mine.index).fillna(0).astype("int64")
            here = mine["available"] + mine["committed"] + mine["unavailable"]
            table = feeds.shopify_feed(mine.assign(on_hand=here - kept_back), goods, shelf.shop_names, kept_back)
        add_rows(folder / f"{name}-{merchant}.csv", table, FILE_KEY[feed.layout])
