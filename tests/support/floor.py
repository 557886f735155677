"""A small shop written straight into the tables: what tests of allocating and picking start from."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, Table, func, insert, select, update

from tasks.store import schema
from tasks.store.database.frames import read
from tasks.store.stock.post_moves import post_moves

AS_OF = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
PAID = datetime(2026, 3, 5, 10, 0, tzinfo=UTC)


class Shop:
    """Two merchants and two warehouses; goods, orders and places are put in by name."""

    def __init__(self, store: Engine) -> None:
        self.store = store
        with store.begin() as connection:
            for code in ("HEARTH", "OTHER"):
                self._put(connection, schema.merchants, code=code, name=code)
            for code in ("MAIN", "NORTH"):
                self._put(connection, schema.warehouses, code=code, name=code, time_zone="Europe/London", country="GB")

    def product(self, sku: str, merchant: str = "HEARTH", components: dict[str, int] | None = None,
                **facts: object) -> int:  # fmt: skip
        """A product; a kit when it has components."""
        with self.store.begin() as connection:
            own = self._id(connection, schema.merchants, merchant)
            made = self._put(connection, schema.products, merchant_id=own, sku=sku, name=f"{sku} of {merchant}",
                             is_kit=bool(components), **facts)  # fmt: skip
            for component, quantity in (components or {}).items():
                part = self._sku(connection, component, merchant)
                connection.execute(
                    insert(schema.kit_components).values(kit_id=made, component_id=part, quantity=quantity)
                )
        return made

    def stock(self, sku: str, on_hand: int, location: str = "A-01", warehouse: str = "MAIN", merchant: str = "HEARTH",
              lot: str = "", condition: str = "available", **place: object) -> None:  # fmt: skip
        """Units of a product at a place, which is made when it is not there."""
        with self.store.begin() as connection:
            where = self.place(connection, location, warehouse, **place)
            connection.execute(
                insert(schema.stock_levels).values(
                    location_id=where, product_id=self._sku(connection, sku, merchant), condition=condition, lot=lot,
                    on_hand=on_hand,
                )
            )  # fmt: skip

    def receive(self, sku: str, units: int, at: datetime = AS_OF, merchant: str = "HEARTH") -> None:
        """Units of a product come to the first place that has it; the ledger says so."""
        level, place = schema.stock_levels.c, ["location_id", "product_id", "condition", "lot"]
        with self.store.begin() as connection:
            own = level.product_id == self._sku(connection, sku, merchant)
            found = read(connection, select(*(level[name] for name in place)).where(own).order_by(level.location_id))
            now = pd.Timestamp(at)
            told = {"kind": "receipt", "reason": None, "document": None, "effective_at": now, "recorded_at": now}
            post_moves(connection, found.head(1).assign(quantity=units, cause=f"receipt:{sku}:{merchant}:{at}", **told))

    def place(self, connection: Connection, code: str, warehouse: str = "MAIN", **facts: object) -> int:
        """A location; without other words it lies at x = its aisle's number x 4 m, y = its number."""
        own = self._id(connection, schema.warehouses, warehouse)
        place = schema.locations
        known = connection.scalar(select(place.c.id).where(place.c.warehouse_id == own, place.c.code == code))
        if known is not None:
            return int(known)
        aisle, _, number = code.partition("-")
        told = {"aisle": aisle, "x_m": 4.0 * (ord(aisle[0]) - 64), "y_m": float(number or 0), **facts}
        return self._put(connection, place, warehouse_id=own, code=code, **told)

    def order(self, number: str, lines: dict[str, int], merchant: str = "HEARTH", **facts: object) -> int:
        """A paid order with a line for each SKU."""
        with self.store.begin() as connection:
            own = self._id(connection, schema.merchants, merchant)
            email = f"buyer-{number}@mail.example"  # each order its own customer, unless told otherwise
            told = {"created_at": PAID, "paid_at": PAID, "email": email, "total_minor": 1000, **facts}
            made = self._put(connection, schema.orders, merchant_id=own, order_number=number, currency="GBP", **told)
            for line, (sku, quantity) in enumerate(lines.items(), 1):
                connection.execute(
                    insert(schema.order_lines).values(
                        order_id=made, line_number=line, sku=sku, name=sku, quantity_ordered=quantity
                    )
                )
        return made

    def change(self, order: int, **facts: object) -> None:
        """What a later export says of an order."""
        with self.store.begin() as connection:
            connection.execute(update(schema.orders).where(schema.orders.c.id == order).values(**facts))

    def rows(self, table: Table) -> pd.DataFrame:
        """Every row of a table."""
        with self.store.connect() as connection:
            return read(connection, select(table).order_by(*table.primary_key.columns))

    def open_promises(self) -> list[tuple[str, str, int]]:
        """Order number, place and units of every open promise."""
        a, o, place = schema.allocations.c, schema.orders.c, schema.locations.c
        statement = (
            select(o.order_number, place.code, a.quantity)
            .join_from(schema.allocations, schema.orders, o.id == a.order_id)
            .join(schema.locations, place.id == a.location_id)
            .where(a.state == "open")
            .order_by(o.order_number, place.code, a.lot, a.id)
        )
        with self.store.connect() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(statement)]

    def everything(self) -> dict[str, str]:
        """Every row of every table, to compare two states of the database."""
        return {table.name: self.rows(table).to_json(date_format="iso") for table in schema.metadata.sorted_tables}

    def audit(self) -> None:
        """I3 and I6 as an auditor checks them, from the rows alone."""
        levels, promises = self.rows(schema.stock_levels), self.rows(schema.allocations)
        key = ["location_id", "product_id", "lot"]
        promised = promises[promises["state"] == "open"].groupby(key)["quantity"].sum()
        stored = levels[levels["condition"] == "available"].set_index(key)
        assert stored["allocated"][stored["allocated"] > 0].to_dict() == promised.to_dict()
        assert (stored["allocated"] <= stored["on_hand"].clip(lower=0)).all()
        lines = self.rows(schema.order_lines)
        assert (lines["quantity_picked"] <= lines["quantity_allocated"]).all()
        assert (lines["quantity_allocated"] <= lines["quantity_ordered"] - lines["quantity_cancelled"]).all()

    @staticmethod
    def _put(connection: Connection, table: Table, **values: object) -> int:
        key: Any = connection.execute(insert(table).values(**values)).inserted_primary_key
        return int(key[0])

    @staticmethod
    def _id(connection: Connection, table: Table, code: str) -> int:
        return int(connection.execute(select(table.c.id).where(table.c.code == code)).scalar_one())

    def _sku(self, connection: Connection, sku: str, merchant: str) -> int:
        product = schema.products.c
        own = self._id(connection, schema.merchants, merchant)
        found = select(product.id).where(product.merchant_id == own, product.sku == sku)
        return int(connection.execute(found).scalar_one())

    def units(self, table: Table, column: str) -> int:
        """The sum of a column."""
        with self.store.connect() as connection:
            return int(connection.scalar(select(func.coalesce(func.sum(table.c[column]), 0))) or 0)
