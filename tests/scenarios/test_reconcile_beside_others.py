"""Counts are settled while other processes promise and ship; and customers hear of it once."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from count_workers import allocate, count, furnish, ship, start
from floor import AS_OF, Shop
from invariants import hold
from killed_runs import context, finish
from sqlalchemy import Engine, insert

from tasks.steps.counting.reconcile_counts import reconcile
from tasks.steps.ordering.allocate_orders import allocate_stock
from tasks.steps.ordering.explain_backorders import explain_backorders
from tasks.steps.ordering.order_notices import confirm_orders, notify_delays
from tasks.store import audit, schema
from tasks.store.database.engine import reading

pytestmark = pytest.mark.usefixtures("home")


def test_the_books_hold_at_every_commit(store: Engine, home: Path) -> None:
    """I2 and I3, as a reader sees them again and again while four processes count, promise and ship."""
    shop = Shop(store)
    furnish(shop)
    address = store.url.set(drivername=store.dialect.name).render_as_string(hide_password=False)
    together = context().Barrier(4)
    running = [start(work, home, address, together) for work in (allocate, ship, count)]
    together.wait()
    looks = 0
    while any(process.is_alive() for process in running):
        with reading().connect() as connection:
            found = [audit.levels_off_the_ledger(connection), audit.promises_without_stock(connection)]
        assert [one.to_dict("records") for one in found] == [[], []]
        looks += 1
        time.sleep(0.05)
    assert [finish(process) for process in running] == [0, 0, 0]
    assert looks > 2
    assert {"count", "ship"} <= set(shop.rows(schema.stock_moves)["kind"])
    hold(store, AS_OF)


def test_customers_are_not_told_twice_that_they_wait(store: Engine) -> None:
    """Told of the delay, then promised, then given back by a count: the order waits again, and nobody writes again."""
    shop = Shop(store)
    mug = shop.product("MUG", unit_cost_minor=10, currency="GBP", abc_class="C")
    shop.order("1", {"MUG": 3}, ship_by=AS_OF - timedelta(hours=1))
    _served(0)
    shop.stock("MUG", 5)
    with store.begin() as connection:
        moved = {"kind": "opening", "quantity": 5, "effective_at": AS_OF - timedelta(hours=2), "recorded_at": AS_OF}
        connection.execute(insert(schema.stock_moves).values(product_id=mug, location_id=1, cause="a", **moved))
    _served(1)
    assert shop.open_promises() == [("1", "A-01", 3)]
    with store.begin() as connection:
        count_id = shop._put(connection, schema.counts, warehouse_id=1, code="CC-1", reason="sheet", state="counted")
        for who in ("Ann", "Bob"):
            shop._put(connection, schema.count_lines, count_id=count_id, location_id=1, product_id=mug, sku="MUG",
                      quantity=0, counter=who, counted_at=AS_OF, state="counted")  # fmt: skip
    assert reconcile.fn(None, AS_OF + timedelta(hours=2)).units_released == 3
    _served(3)
    assert shop.open_promises() == []
    told = shop.rows(schema.messages)["dedupe_key"].tolist()
    assert sorted(told) == ["order_confirmed:HEARTH:1", "order_delayed:HEARTH:1"]


def _served(hours: int) -> None:
    """The steps of allocate-orders that write to customers."""
    as_of = AS_OF + timedelta(hours=hours)
    confirm_orders.fn(as_of)
    allocate_stock.fn(as_of)
    notify_delays.fn(explain_backorders.fn(as_of), as_of)
