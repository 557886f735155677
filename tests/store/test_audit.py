"""Each audit finds what breaks its invariant, and nothing in books that are in order."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from floor import Shop
from invariants import broken
from sqlalchemy import Connection, Engine, Table, insert, update

from tasks.store import schema

NOW = datetime(2026, 3, 6, 18, tzinfo=UTC)


def _put(connection: Connection, table: Table, **values: object) -> int:
    made: Any = connection.execute(insert(table).values(**values)).inserted_primary_key
    return int(made[0])


@pytest.fixture
def books(store: Engine, home: object) -> Connection:
    """Books in order: a product of which five lie at a place, two of them promised, picked and on a cart."""
    shop = Shop(store)
    mug = shop.product("MUG", unit_cost_minor=100)
    shop.stock("MUG", 5)
    order = shop.order("#1", {"MUG": 3})
    connection = store.connect()
    move = {"kind": "opening", "effective_at": NOW, "recorded_at": NOW}
    _put(connection, schema.stock_moves, product_id=mug, location_id=1, quantity=5, cause="a", **move)
    promise = _put(connection, schema.allocations, order_id=order, line_number=1, location_id=1, product_id=mug,
                   quantity=2, allocated_at=NOW)  # fmt: skip
    connection.execute(update(schema.stock_levels).values(allocated=2))
    connection.execute(update(schema.order_lines).values(quantity_allocated=2, quantity_picked=2))
    wave = _put(connection, schema.waves, warehouse_id=1, code="W-1", released_at=NOW)
    cart = _put(connection, schema.carts, wave_id=wave, number=1)
    _put(connection, schema.picks, cart_id=cart, stop_number=1, allocation_id=promise, quantity=2, quantity_picked=2,
         state="picked")  # fmt: skip
    return connection


def _found(books: Connection) -> list[tuple[str, str, int, int]]:
    rows = broken(books, NOW)
    return [tuple(row) for row in rows[["invariant", "fault", "expected", "found"]].to_numpy()]


def test_books_in_order_break_nothing(books: Connection) -> None:
    """Every audit is empty."""
    with books:
        assert _found(books) == []


def _quarantined_row_gone(books: Connection) -> None:
    _put(books, schema.imports, kind="orders", source="s", sha256="x", file_name="a.csv", state="loaded",
         received_at=NOW, rows_in=3, rows_loaded=2, rows_quarantined=1)  # fmt: skip


def _level_without_a_move(books: Connection) -> None:
    books.execute(update(schema.stock_levels).values(on_hand=6))


def _move_without_a_level(books: Connection) -> None:
    _put(books, schema.stock_moves, product_id=1, location_id=1, condition="damaged", quantity=1, kind="adjust",
         cause="b", effective_at=NOW, recorded_at=NOW)  # fmt: skip


def _more_allocated_than_promised(books: Connection) -> None:
    books.execute(update(schema.stock_levels).values(allocated=4))


def _message(books: Connection, key: str, **values: object) -> None:
    told = {"kind": "order_confirmed", "merchant_id": 1, "order_id": 1, "recipient": "jane@mail.example", "facts": "{}"}
    _put(books, schema.messages, dedupe_key=key, **(told | {"created_at": NOW} | values))


def _same_news_under_two_keys(books: Connection) -> None:
    _message(books, "a", state="sent", sent_at=NOW)
    _message(books, "b", state="delivered", sent_at=NOW)


def _claimed_and_never_closed(books: Connection) -> None:
    _message(books, "a", state="sending")


def _cart_with_a_gap(books: Connection) -> None:
    books.execute(update(schema.picks).values(stop_number=2))


def _cart_too_heavy(books: Connection) -> None:
    books.execute(update(schema.products).values(weight_g=100_000))


def _line_of_broken_promises(books: Connection) -> None:
    books.execute(update(schema.order_lines).values(quantity_allocated=3))


def _left_without_a_move(books: Connection) -> None:
    closed = {"state": "consumed", "closed_at": NOW, "closed_reason": "shipped"}
    books.execute(update(schema.allocations).values(closed))
    books.execute(update(schema.stock_levels).values(allocated=0))


def _more_paid_back_than_paid(books: Connection) -> None:
    for key in ("a", "b"):
        _put(books, schema.refunds, refund_key=key, order_id=1, amount_minor=600, currency="GBP", rule="r",
             created_at=NOW)  # fmt: skip


def _came_back_without_a_move(books: Connection) -> None:
    back = _put(books, schema.returns, merchant_id=1, rma="RMA-1", request_id="1", order_id=1, requested_at=NOW)
    _put(books, schema.return_lines, return_id=back, sku="MUG", quantity=1, quantity_received=1, disposition="restock")


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (_quarantined_row_gone, ("I1", "quarantined rows are missing", 1, 0)),
        (_level_without_a_move, ("I2", "on hand differs from the sum of the moves", 5, 6)),
        (_move_without_a_level, ("I2", "on hand differs from the sum of the moves", 1, 0)),
        (_more_allocated_than_promised, ("I3", "allocated differs from the open allocations", 2, 4)),
        (_same_news_under_two_keys, ("I4", "the same message was sent more than once", 0, 2)),
        (_claimed_and_never_closed, ("I4", "a message is stuck", 0, 1)),
        (_cart_with_a_gap, ("I5", "stop numbers are missing", 2, 1)),
        (_cart_too_heavy, ("I5", "a cart holds more than it can take", 0, 1)),
        (_line_of_broken_promises, ("I6", "the allocated quantity differs from the allocations", 2, 3)),
        (_left_without_a_move, ("I6", "shipped allocations differ from the ledger", 2, 0)),
        (_more_paid_back_than_paid, ("I7", "more was refunded than paid", 0, 200)),
        (_came_back_without_a_move, ("I7", "returned goods differ from the ledger", 1, 0)),
    ],
)
def test_what_breaks_an_invariant_is_found(
    books: Connection, breaks: Callable[[Connection], None], told: tuple[str, str, int, int]
) -> None:
    """One broken fact gives one finding, with what was expected and what was found."""
    with books:
        breaks(books)
        assert _found(books) == [told]
