"""What an order gives back, and asks for, that the shop changed after it had been promised stock."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from floor import AS_OF, PAID, Shop
from inbox_run import as_csv, order, put, receive
from sqlalchemy import Engine, update

from tasks.steps.ordering.allocate_orders import allocate_stock
from tasks.store.schema import allocations, carts, order_lines, picks, quarantined_rows, stock_levels, waves

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own
HOUR = timedelta(hours=1)
PROMISED = "quantity_allocated"


@pytest.fixture
def shop(store: Engine) -> Shop:
    """A shop with a cup, a tray and a set of two cups and one tray."""
    made = Shop(store)
    for sku in ("CUP", "TRAY"):
        made.product(sku)
    made.product("SET", components={"CUP": 2, "TRAY": 1})
    made.stock("CUP", 9)
    made.stock("TRAY", 4, "A-02")
    return made


def later(home: Path, at: datetime, *lines: tuple[int, str, int]) -> None:
    """What the shop's next export says of order 1: line, SKU and quantity of each."""
    told = [
        order("1", line, sku=sku, quantity=units, created_at=PAID.isoformat(), paid_at=PAID.isoformat())
        for line, sku, units in lines
    ]
    put(home, "orders", as_csv(told), f"{at:%H%M}.csv")
    receive(at, ["orders"])


def test_a_line_that_shrinks_gives_back_once_what_it_no_longer_asks_for(shop: Shop, home: Path) -> None:
    """Five cups become two, three sets one: the next order has them; the same file again gives nothing back."""
    shop.order("1", {"CUP": 3, "SET": 3})
    shop.order("2", {"CUP": 5}, paid_at=PAID + HOUR)
    allocate_stock.fn(AS_OF)
    assert shop.rows(order_lines)[PROMISED].tolist() == [3, 3, 0]
    for hours in (1, 2):
        later(home, AS_OF + hours * HOUR, (1, "CUP", 2), (2, "SET", 1))
        assert shop.rows(order_lines)[PROMISED].tolist() == [2, 1, 0]
        shop.audit()
    released = shop.rows(allocations).query("state == 'released'")
    assert sorted(zip(released["quantity"], released["closed_reason"], strict=True)) == [
        (1, "edited"), (2, "edited"), (4, "edited"),
    ]  # fmt: skip
    allocate_stock.fn(AS_OF + 3 * HOUR)
    assert shop.rows(order_lines)[PROMISED].tolist() == [2, 1, 5]
    assert shop.rows(stock_levels)["allocated"].tolist() == [9, 1]


def test_what_is_picked_is_not_taken_off_an_order(shop: Shop, home: Path) -> None:
    """A row that asks for less than pickers have in hand waits for a person; what is only planned is let go."""
    shop.order("1", {"CUP": 5, "TRAY": 3})
    allocate_stock.fn(AS_OF)
    with shop.store.begin() as connection:
        wave = shop._put(connection, waves, warehouse_id=1, code="W", released_at=AS_OF)
        cart = shop._put(connection, carts, wave_id=wave, number=1)
        for number, (units, state) in enumerate(((5, "picked"), (3, "open")), 1):
            shop._put(connection, picks, cart_id=cart, stop_number=number, allocation_id=number, quantity=units,
                      quantity_picked=units if state == "picked" else None, state=state)  # fmt: skip
        connection.execute(update(order_lines).where(order_lines.c.sku == "CUP").values(quantity_picked=5))
    later(home, AS_OF + HOUR, (1, "CUP", 4), (2, "TRAY", 1))
    assert shop.rows(quarantined_rows)["reasons"].tolist() == [
        "quantity: found 4, expected at least 5, as units are picked or cancelled already"
    ]
    assert shop.rows(order_lines)[PROMISED].tolist() == [5, 1]
    assert shop.rows(picks)["quantity"].tolist() == [5, 1]
    shop.audit()


def test_what_is_added_or_exchanged_is_asked_for(shop: Shop, home: Path) -> None:
    """A line more, then another SKU in a line's place: the next allocation sees to it, and the old goods are free."""
    shop.order("1", {"CUP": 2})
    shop.order("2", {"TRAY": 9})
    allocate_stock.fn(AS_OF)
    later(home, AS_OF + HOUR, (1, "CUP", 2), (2, "CUP", 1))
    allocate_stock.fn(AS_OF + HOUR)
    assert shop.open_promises() == [("1", "A-01", 2), ("1", "A-01", 1)]
    later(home, AS_OF + 2 * HOUR, (1, "TRAY", 2), (2, "CUP", 1))
    assert shop.open_promises() == [("1", "A-01", 1)]
    allocate_stock.fn(AS_OF + 2 * HOUR)
    assert shop.open_promises() == [("1", "A-01", 1), ("1", "A-02", 2)]
    shop.audit()
