"""Each rule of tasks/store/sql_rules.py says the same as the domain's, row by row, on both databases."""

import itertools
from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import Engine, insert, select

from tasks.domain.ordering.order_states import is_refunded
from tasks.store.database.frames import read
from tasks.store.schema import merchants, orders, products
from tasks.store.sql_rules import IS_CLOSED, IS_REFUNDED, NEEDS_NOTHING, UNIT_VALUE_MINOR

NOW = datetime(2026, 3, 6, 9, tzinfo=UTC)
AMOUNTS = (0, 1, 499, 500, 501, 2**40)


def _orders(store: Engine) -> pd.DataFrame:
    """Every combination of amounts and moments, a missing order (by an outer join), and what the rules say of each."""
    combinations = itertools.product(AMOUNTS, (None, *AMOUNTS), (None, NOW), (None, NOW))
    rows = [
        {
            "merchant_id": 1, "order_number": str(number), "currency": "GBP", "created_at": NOW,
            "refunded_minor": refunded, "total_minor": total, "cancelled_at": cancelled, "fulfilled_at": fulfilled,
        }
        for number, (refunded, total, cancelled, fulfilled) in enumerate(combinations)
    ]  # fmt: skip
    order = orders.c
    rules = {"is_refunded": IS_REFUNDED, "is_closed": IS_CLOSED, "needs_nothing": NEEDS_NOTHING}
    facts = (order.id, order.refunded_minor, order.total_minor, order.cancelled_at, order.fulfilled_at)
    statement = select(*facts, *(rule.label(name) for name, rule in rules.items()))
    with store.begin() as connection:
        connection.execute(insert(merchants), [{"code": code, "name": code} for code in ("HEARTH", "WITHOUT-ORDERS")])
        connection.execute(insert(orders), rows)
        found = read(
            connection, statement.join_from(merchants, orders, order.merchant_id == merchants.c.id, isouter=True)
        )
    assert len(found) == len(rows) + 1
    return found.astype({"refunded_minor": "Int64", "total_minor": "Int64"} | dict.fromkeys(rules, "boolean"))


def test_an_order_is_refunded_in_sql_as_in_the_domain(store: Engine) -> None:
    """IS_REFUNDED is never missing and equals order_states.is_refunded; both answers occur."""
    found = _orders(store)
    assert found["is_refunded"].tolist() == is_refunded(found).tolist()
    assert set(found["is_refunded"]) == {True, False}


def test_nothing_is_sent_for_an_order_that_is_closed_or_refunded(store: Engine) -> None:
    """IS_CLOSED is cancelled or fulfilled; NEEDS_NOTHING adds the orders that order_states.is_refunded names."""
    found = _orders(store)
    is_closed = found["cancelled_at"].notna() | found["fulfilled_at"].notna()
    assert found["is_closed"].tolist() == is_closed.tolist()
    assert found["needs_nothing"].tolist() == (is_closed | is_refunded(found)).tolist()


def test_a_unit_is_worth_its_cost_or_else_its_price(store: Engine) -> None:
    """UNIT_VALUE_MINOR takes the cost wherever it is known, even 0; it is missing where both are."""
    pairs = list(itertools.product((None, *AMOUNTS), repeat=2))
    rows = [
        {"merchant_id": 1, "sku": str(number), "unit_cost_minor": cost, "unit_price_minor": price}
        for number, (cost, price) in enumerate(pairs)
    ]
    columns = products.c.unit_cost_minor, products.c.unit_price_minor, UNIT_VALUE_MINOR.label("unit_value_minor")
    with store.begin() as connection:
        connection.execute(insert(merchants).values(code="HEARTH", name="Hearth"))
        connection.execute(insert(products), rows)
        found = read(connection, select(*columns).order_by(products.c.id)).astype("Int64")
    expected = found["unit_cost_minor"].fillna(found["unit_price_minor"])
    pd.testing.assert_series_equal(found["unit_value_minor"], expected, check_names=False)
