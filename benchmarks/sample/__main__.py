"""One week of a shop that does not exist, in the exports its systems would write.

The same seed gives the same bytes. What is wrong with the files is wrong on purpose, and listed in manifest.yaml.
"""

import argparse
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.sample.catalogue import Product, places, products
from benchmarks.sample.inbox_files import Inbox
from benchmarks.sample.orders import Market, Order, market, number_orders, week
from benchmarks.sample.planted_orders import planted
from benchmarks.sample.planted_products import cast
from benchmarks.sample.trouble_list import TroubleList
from benchmarks.sample.warehouse_exports import Floor, floor
from benchmarks.sample.write_orders import marketplace, trade, write_orders
from benchmarks.sample.write_parcels import write_bench, write_messages, write_returns, write_shipments
from benchmarks.sample.write_warehouse import write_counts, write_floor, write_movements, write_products, write_stock

SEED = 20260306
HOME = Path("data/sample")


@dataclass(frozen=True)
class Week:
    """Everything that is drawn before the first file is written."""

    goods: list[Product]
    cast: Mapping[str, Product]
    floor: Floor
    market: Market
    web: list[Order]
    amazon: list[Order]
    trade: list[Order]


def draw(seed: int = SEED) -> Week:
    """Draw the week; each part from a generator of its own, so that one can change without the others."""
    random = [np.random.default_rng([seed, part]) for part in range(5)]
    goods, parts = cast(products(random[0]))
    buying = market(random[2], goods)
    web = number_orders([*week(buying), *planted(buying, parts)])
    return Week(goods, parts, floor(random[1], goods, places()), buying, web, marketplace(buying), trade(buying))


def write(home: Path, seed: int = SEED) -> TroubleList:
    """Write every file of the sample below `home`, and the list of what is wrong with them."""
    shutil.rmtree(home / "inbox", ignore_errors=True)
    drawn, manifest, inbox = draw(seed), TroubleList(), Inbox(home / "inbox")
    random = np.random.default_rng([seed, 9])
    write_products(inbox, manifest, drawn.goods, drawn.cast)
    write_floor(inbox, manifest, drawn.floor)
    write_stock(inbox, manifest, drawn.floor, drawn.cast)
    write_movements(inbox, manifest, drawn.floor, drawn.cast)
    write_orders(inbox, manifest, drawn.web, drawn.amazon, drawn.trade)
    write_counts(inbox, manifest, drawn.floor, drawn.cast)
    worked = [one for one in (*drawn.web, *drawn.amazon, *drawn.trade) if one.worked_on_friday]
    write_bench(inbox, manifest, random, worked, drawn.cast, {one.sku: one for one in drawn.goods})
    write_shipments(inbox, manifest, random, drawn.web, worked)
    write_returns(inbox, manifest, np.random.default_rng([seed, 11]), drawn.web)
    write_messages(inbox, manifest, drawn.web, drawn.amazon, drawn.trade)
    (home / "day.yaml").write_text(
        "# The moment the week is looked at.\nas_of: 2026-03-06T18:00:00Z\n", encoding="utf-8"
    )
    manifest.write(home / "manifest.yaml")
    return manifest


def main(arguments: list[str]) -> None:
    """Write the sample into the folder that is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sample", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=HOME, metavar="FOLDER",
                        help=f"where to write; its inbox is written anew ({HOME})")  # fmt: skip
    folder = parser.parse_args(arguments).folder
    troubles = write(folder)
    size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size_bytes:,} bytes, {len(troubles.entries)} troubles")


if __name__ == "__main__":
    main(sys.argv[1:])
