"""The oversell audit: each planted wrong is found once, with its orders and what to do; a sound shop has none."""

from datetime import timedelta

import pytest
from allocation_run import run
from floor import AS_OF, PAID, Shop
from sqlalchemy import Engine, update

from config.settings import settings
from tasks.steps.ordering.audit_oversell import audit_oversell
from tasks.store import schema


@pytest.fixture
def shop(store: Engine) -> Shop:
    """Four cups, and orders for seven of them from two channels."""
    made = Shop(store)
    made.product("CUP")
    made.product("POT")
    made.stock("CUP", 4)
    made.stock("POT", 9, "A-02")
    for number, units, channel in (("1", 2, "web"), ("2", 2, "amazon"), ("3", 1, "amazon"), ("4", 2, None)):
        made.order(number, {"CUP": units}, channel=channel, ship_by=AS_OF + timedelta(days=int(number)))
    made.order("5", {"POT": 2})
    return made


def found() -> list[list[object]]:
    """Fault, SKU, expected, found, orders and action of every finding."""
    rows = audit_oversell.fn(AS_OF)
    return rows[["fault", "sku", "expected", "found", "orders", "action"]].to_numpy().tolist()


OVERSOLD = ["sold more often than it exists", "CUP", 4, 7, "3 4",
            "buy 3 or tell those who wait; the last unit goes to 2, the next would be 3"]  # fmt: skip


def test_what_is_sold_across_channels_names_who_gets_the_last_unit(shop: Shop) -> None:
    """Seven are sold, four exist: two orders have them, two wait; the file is written once."""
    run()
    rows = audit_oversell.fn(AS_OF)
    assert found() == [OVERSOLD]
    assert rows["channels"].tolist() == ["amazon 3, no channel 2, web 2"]
    run(AS_OF + timedelta(hours=1))
    assert len(list(settings().folder("outgoing").rglob("oversell-audit.csv"))) == 1


def test_a_more_urgent_order_that_came_later_is_proposed_the_unit(shop: Shop) -> None:
    """An order that must leave today finds the cups promised to one of next week, which nobody has picked."""
    run()
    shop.order("6", {"CUP": 1}, ship_by=AS_OF + timedelta(hours=1), paid_at=PAID + timedelta(hours=20))
    run(AS_OF + timedelta(hours=1))
    turned = ["a less urgent order has what a more urgent one waits for", "CUP", 1, 0, "6 2",
              "hold 2 for stock, and 6 gets its units"]  # fmt: skip
    assert found()[1] == turned


def test_records_that_do_not_add_up_are_found_with_their_orders(shop: Shop) -> None:
    """A leaked unit, a line that says too much, a book below zero, a promise of an order that is gone."""
    run()
    with shop.store.begin() as connection:
        connection.execute(
            update(schema.stock_levels).where(schema.stock_levels.c.location_id == 2).values(allocated=3)
        )
        one = schema.order_lines.c
        connection.execute(update(schema.order_lines).where(one.order_id == 5).values(quantity_allocated=1))
        connection.execute(update(schema.orders).where(schema.orders.c.id == 1).values(cancelled_at=AS_OF))
    shop.stock("POT", -2, "A-03")
    told = {(fault, sku): [expected, counted, orders] for fault, sku, expected, counted, orders, _ in found()}
    assert told == {
        ("sold more often than it exists", "CUP"): [4, 5, "3 4"],
        ("the record is below zero", "POT"): [0, -2, ""],
        ("stock says more or less is promised than orders were promised", "POT"): [2, 3, "5"],
        ("an order line says another quantity than was promised to it", "POT"): [2, 1, "5"],
        ("promised to an order that needs it no more", "CUP"): [0, 2, "1"],
    }
