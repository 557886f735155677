"""A shop with a backlog: open order lines by the hundred thousand, and the stock they are to be served from."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, Table, insert

from tasks.store import schema
from tasks.store.database.frames import staged
from tasks.store.stock.post_moves import post_moves

AS_OF = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
WAREHOUSES = ("MAIN", "NORTH")
_ORDER_SIZES, _ORDER_SHARES = [1, 2, 3, 4], [0.79, 0.13, 0.05, 0.03]  # four orders in five have one line


def furnish(engine: Engine, stock_rows: int, *, units_a_place: int = 3, seed: int = 1) -> int:
    """Two warehouses and as many products as give `stock_rows` stocked places; says how many products."""
    random = np.random.default_rng(seed)
    products = stock_rows // 2
    with engine.begin() as connection:
        connection.execute(insert(schema.merchants).values(code="HEARTH", name="Hearth"))
        for code in WAREHOUSES:
            site = {"code": code, "name": code, "time_zone": "Europe/London", "country": "GB"}
            connection.execute(insert(schema.warehouses).values(**site))
        number = pd.Series(np.arange(1, products + 1))
        goods = pd.DataFrame({"merchant_id": 1, "sku": "SKU-" + number.astype("str")})
        _copy(connection, schema.products, goods)
        place = pd.Series(np.arange(1, stock_rows + 1))
        places = pd.DataFrame({"warehouse_id": (place - 1) % 2 + 1, "code": "P-" + place.astype("str")})
        _copy(connection, schema.locations, places)
        moves = pd.DataFrame(
            {
                "product_id": (place - 1) // 2 + 1, "location_id": place, "condition": "available", "lot": "",
                "quantity": random.integers(1, 2 * units_a_place, stock_rows), "kind": "opening", "reason": None,
                "document": "opening", "effective_at": pd.Timestamp(AS_OF - timedelta(days=9)),
                "recorded_at": pd.Timestamp(AS_OF - timedelta(days=9)), "cause": "opening:" + place.astype("str"),
            }
        )  # fmt: skip
        post_moves(connection, moves)
    return products


def sell(engine: Engine, lines: int, products: int, *, first: int = 1, seed: int = 2) -> None:
    """Paid orders with `lines` lines in all; their numbers begin at `first`. A tenth of the SKUs sell the most."""
    random = np.random.default_rng(seed)
    sizes = random.choice(_ORDER_SIZES, lines, p=_ORDER_SHARES)
    ends = np.cumsum(sizes)
    order = np.searchsorted(ends, np.arange(lines), side="right")
    number = np.arange(first, first + order[-1] + 1)
    placed = pd.Series(pd.Timestamp(AS_OF - timedelta(days=8)) + pd.to_timedelta(number % 600_000, unit="s"))
    orders = pd.DataFrame(
        {
            "id": number, "merchant_id": 1, "order_number": "HH-" + pd.Series(number).astype("str"), "currency": "GBP",
            "created_at": placed, "paid_at": placed + pd.Timedelta(seconds=90),
            "ship_by": (placed + pd.Timedelta(days=2)).dt.floor("D"),
            "service_level": random.choice(["Standard", "Express"], len(number), p=[0.9, 0.1]), "total_minor": 2000,
        }
    )  # fmt: skip
    popular = random.random(lines) < 0.5
    product = np.where(popular, random.integers(0, products // 10, lines), random.integers(0, products, lines)) + 1
    sold = pd.DataFrame(
        {
            "order_id": number[order], "line_number": np.arange(lines) - (ends[order] - sizes[order]) + 1,
            "sku": "SKU-" + pd.Series(product).astype("str"), "unit_price_minor": 999,
            "quantity_ordered": random.choice([1, 2, 3], lines, p=[0.8, 0.15, 0.05]),
        }
    )  # fmt: skip
    with engine.begin() as connection:
        _copy(connection, schema.orders, orders)
        _copy(connection, schema.order_lines, sold)


def _copy(connection: Connection, table: Table, rows: pd.DataFrame) -> None:
    with staged(connection, rows, like=table) as new:
        columns: list[Any] = list(new.c)
        connection.execute(insert(table).from_select([column.key for column in columns], new.select()))
