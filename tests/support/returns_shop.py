"""A shop whose customers send things back, written straight into the tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Engine, Table, insert, select

from tasks.domain.receiving.export_kinds import KINDS, Type
from tasks.store import schema
from tasks.store.database.engine import engine
from tasks.store.database.frames import staged
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.loaders.all_kinds import LOADERS

AS_OF = datetime(2026, 9, 7, 12, 0, tzinfo=UTC)
_TYPES = {Type.INTEGER: "Int64", Type.MONEY: "Int64", Type.INSTANT: "datetime64[s, UTC]"}


def ago(days: float) -> datetime:
    """That many days before the run."""
    return AS_OF - timedelta(seconds=round(days * 86400))


def load(kind: str, rows: list[dict[str, object]]) -> Loaded:
    """Stage rows of `kind` as receiving does, and load them."""
    frame = pd.DataFrame({"row_number": range(2, len(rows) + 2), "merchant_id": 1})
    for field in KINDS[kind].fields:
        if field.name != "merchant":
            values = [row.get(field.name, field.default) for row in rows]
            frame[field.column] = pd.Series(values, dtype=_TYPES.get(field.type, "str"))
    with engine().begin() as connection, staged(connection, frame) as table:
        return LOADERS[kind](connection, table, Intake(1, kind, f"{kind}.csv", AS_OF))


class Counter:
    """One merchant with orders that were delivered."""

    def __init__(self, store: Engine) -> None:
        self.store = store
        with store.begin() as connection:
            connection.execute(insert(schema.merchants).values(id=1, code="HEARTH", name="Hearth & Hook"))
            connection.execute(
                insert(schema.warehouses).values(
                    id=1, code="MAIN", name="London", time_zone="Europe/London", country="GB"
                )
            )
            for number, (code, purpose) in enumerate((("UNSPECIFIED", "pick"), ("RET-1", "returns")), 1):
                connection.execute(
                    insert(schema.locations).values(id=number, warehouse_id=1, code=code, purpose=purpose)
                )

    def product(self, sku: str, **facts: object) -> None:
        """A product."""
        self._put(schema.products, merchant_id=1, sku=sku, name=f"The {sku}", **facts)

    def order(self, number: str, *lines: tuple[str, int, int], delivered: float | None = 5, **facts: object) -> int:
        """An order of (sku, units, price of a unit), sent in one parcel and delivered that many days ago."""
        facts = {"total_minor": sum(units * price for _, units, price in lines), "country": "GB", "channel": "web",
                 "paid_at": ago(20), "email": "jane@mail.example", "customer_name": "Jane Doe", **facts}  # fmt: skip
        order = self._put(
            schema.orders, merchant_id=1, order_number=number, currency="GBP", created_at=ago(20), **facts
        )
        for line, (sku, units, price) in enumerate(lines, 1):
            done = {f"quantity_{name}": units for name in ("allocated", "picked", "packed", "shipped")}
            self._put(schema.order_lines, order_id=order, line_number=line, sku=sku, name=f"The {sku}",
                      unit_price_minor=price, quantity_ordered=units, **done)  # fmt: skip
        if delivered is not None:
            self._put(schema.shipments, merchant_id=1, parcel=f"P-{number}", order_id=order, state="delivered",
                      shipped_at=ago(delivered + 2), delivered_at=ago(delivered))  # fmt: skip
        return order

    def ask(
        self, request: str, order: str | None, sku: str, quantity: int = 1, days: float = 1, **facts: object
    ) -> Loaded:
        """A return request, made that many days ago."""
        row = {
            "request_id": request,
            "order_number": order,
            "sku": sku,
            "quantity": quantity,
            "requested_at": ago(days),
        }
        return load("return_requests", [row | facts])

    def arrive(self, rma: str | None, sku: str, quantity: int = 1, grade: str = "as_new", **facts: object) -> Loaded:
        """A box on the returns bench."""
        row = {"rma": rma, "sku": sku, "quantity": quantity, "grade": grade, "received_at": ago(0.1)}
        return load("return_receipts", [row | facts])

    def rows(self, table: Table, *columns: str) -> list[tuple[Any, ...]]:
        """What a table holds, in the order of its columns asked for."""
        chosen = [table.c[name] for name in columns]
        with self.store.connect() as connection:
            return [tuple(row) for row in connection.execute(select(*chosen).order_by(*chosen))]

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table."""
        with self.store.connect() as connection:
            return {
                name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
                for name, table in schema.metadata.tables.items()
            }

    def _put(self, table: Table, **values: object) -> int:
        with self.store.begin() as connection:
            done = connection.execute(insert(table).values(**values))
            key: Any = done.inserted_primary_key
            return int(key[0])
