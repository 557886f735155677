"""What channels are told: only what changed, all of it on demand, and never a number that a crash made untrue."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pandas as pd
import pytest
from allocation_run import run
from floor import AS_OF, Shop
from sqlalchemy import Engine, event, update

from config.settings import settings
from tasks.steps.ordering.allocate_orders import allocate_stock
from tasks.steps.ordering.explain_backorders import AllocationView, explain_backorders
from tasks.steps.ordering.publish_feeds import publish_feeds
from tasks.store import schema


@pytest.fixture
def shop(store: Engine) -> Shop:
    """Two merchants whose cups are called alike, in two warehouses."""
    made = Shop(store)
    for merchant, units in (("HEARTH", 5), ("OTHER", 7)):
        made.product("CUP", merchant)
        made.stock("CUP", units, merchant=merchant)
    made.product("POT")
    made.stock("POT", 3, "B-01", warehouse="NORTH")
    return made


def told(hours: float, name: str = "availability-HEARTH.csv") -> dict[tuple[str, str], int] | None:
    """What a feed says in the folder of a run: units by warehouse and SKU; None where the run wrote no file."""
    path = settings().documents("allocate-orders", AS_OF + timedelta(hours=hours)) / "availability" / name
    if not path.exists():
        return None
    rows = pd.read_csv(path)
    return dict(zip(zip(rows["warehouse"], rows["sku"], strict=True), rows["on_hand"].tolist(), strict=True))


def sell(shop: Shop, sku: str, left: int) -> None:
    """So many units of HEARTH's are left."""
    goods = shop.rows(schema.products)
    number = int(goods[(goods["sku"] == sku) & (goods["merchant_id"] == 1)]["id"].iloc[0])
    with shop.store.begin() as connection:
        level = update(schema.stock_levels).where(schema.stock_levels.c.product_id == number)
        connection.execute(level.values(on_hand=left))


def publish(hours: float, *, whole: bool = False) -> int:
    """The step alone, with nothing waiting."""
    return publish_feeds.fn(_view(hours), AS_OF + timedelta(hours=hours), whole=whole)


def _view(hours: float) -> AllocationView:
    as_of = AS_OF + timedelta(hours=hours)
    allocate_stock.fn(as_of)
    return explain_backorders.fn(as_of)


@contextmanager
def _killed_at_commit(store: Engine, number: int) -> Iterator[None]:
    """The process ends at its commit of that number, which does not come to pass."""
    commits = iter(range(1, number + 1))

    def count(_: object) -> None:
        if next(commits) == number:
            raise KeyboardInterrupt

    event.listen(store, "commit", count)
    yield
    event.remove(store, "commit", count)


def test_a_feed_says_what_changed_and_everything_on_demand(shop: Shop) -> None:
    """First all, then the one line that differs, then nothing; two merchants' cups never meet; a kept SKU is told."""
    run()
    assert told(0) == {("MAIN", "CUP"): 5, ("NORTH", "POT"): 3}
    assert told(0, "availability-OTHER.csv") == {("MAIN", "CUP"): 7}
    sell(shop, "CUP", 4)
    run(AS_OF + timedelta(hours=1))
    assert told(1) == {("MAIN", "CUP"): 4}
    assert told(1, "availability-OTHER.csv") is None
    before = shop.everything()
    run(AS_OF + timedelta(hours=2))
    assert (told(2), shop.everything() == before) == (None, True)
    assert publish(3, whole=True) == 6
    assert told(3, "availability-full-HEARTH.csv") == {("MAIN", "CUP"): 4, ("NORTH", "POT"): 3}
    assert shop.everything() == before


@pytest.mark.both_databases
def test_two_runs_as_of_one_moment_keep_both_their_lines(shop: Shop) -> None:
    """A day that is run again by hand adds to the file of its moment, and takes nothing out of it."""
    publish(0)
    sell(shop, "POT", 0)
    publish(0)
    assert told(0) == {("MAIN", "CUP"): 5, ("NORTH", "POT"): 0}


def test_a_crash_between_file_and_record_is_made_good(shop: Shop) -> None:
    """A killed run's file may have been read: its line is written again, though the stock is what it was before."""
    publish(0)
    sell(shop, "CUP", 4)
    view = _view(1)
    with _killed_at_commit(shop.store, 2), pytest.raises(KeyboardInterrupt):
        publish_feeds.fn(view, AS_OF + timedelta(hours=1))
    assert told(1) == {("MAIN", "CUP"): 4}
    sell(shop, "CUP", 5)
    assert publish(2) == 2
    assert told(2) == {("MAIN", "CUP"): 5}
    assert publish(3) == 0
    assert set(shop.rows(schema.feed_lines)["state"]) == {"published"}


def test_a_run_that_could_write_no_file_is_made_good(shop: Shop) -> None:
    """What was to be said and was not is said by the next run."""
    publish(0)
    sell(shop, "CUP", 4)
    folder = settings().documents("allocate-orders", AS_OF + timedelta(hours=1))
    folder.mkdir(parents=True)
    (folder / "availability").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="availability"):
        publish(1)
    sell(shop, "CUP", 4)
    assert publish(2) == 2
    assert told(2) == {("MAIN", "CUP"): 4}
