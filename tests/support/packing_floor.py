"""A small warehouse for tests of parcels: one merchant, one building, a few places, and the real loaders."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, Table, func, insert, select, update

from config.settings import settings
from tasks.domain.receiving.export_kinds import KINDS, Type
from tasks.store import schema
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.loaders.all_kinds import LOADERS
from tasks.store.receiving.staging import staging
from tasks.store.stock.post_moves import post_moves

NOW = datetime(2026, 9, 10, 16, 0, tzinfo=UTC)
CHECKS = "items_match=yes|condition_ok=yes|label_matches=yes"


def ago(hours: float) -> datetime:
    """So many hours before the tests' now."""
    return NOW - timedelta(hours=hours)


def put(connection: Connection, table: Table, **values: object) -> int:
    """One row; its id."""
    made: Any = connection.execute(insert(table).values(**values)).inserted_primary_key
    return int(made[0])


class Floor:
    """The warehouse and what may happen in it."""

    def __init__(self, store: Engine) -> None:
        self.store = store
        self.lines = count(1)
        with store.begin() as connection:
            self.merchant = put(connection, schema.merchants, code="HEARTH", name="Hearth & Hook")
            self.warehouse = put(
                connection, schema.warehouses, code="MAIN", name="London", time_zone="Europe/London", country="GB"
            )

    def product(self, sku: str, on_hand: int = 10, **more: object) -> int:
        """A product with `on_hand` units at a place of its own."""
        with self.store.begin() as connection:
            made = put(connection, schema.products, merchant_id=self.merchant, sku=sku, name=f"The {sku}", **more)
            place = put(connection, schema.locations, warehouse_id=self.warehouse, code=f"AT-{sku}")
            move = {
                "product_id": made, "location_id": place, "condition": "available", "lot": "", "quantity": on_hand,
                "kind": "opening", "reason": None, "document": "floor", "cause": f"opening:{sku}",
                "effective_at": pd.Timestamp(ago(100)), "recorded_at": pd.Timestamp(ago(100)),
            }  # fmt: skip
            if on_hand:
                post_moves(connection, pd.DataFrame([move]))
        return made

    def kit(self, sku: str, **components: int) -> None:
        """A kit of `components`, which are products already."""
        with self.store.begin() as connection:
            made = put(connection, schema.products, merchant_id=self.merchant, sku=sku, is_kit=True)
            for component, quantity in components.items():
                found = connection.scalar(select(schema.products.c.id).where(schema.products.c.sku == component))
                connection.execute(
                    insert(schema.kit_components).values(kit_id=made, component_id=found, quantity=quantity)
                )

    def order(self, number: str, *lines: tuple[str, int], picked: bool = True, **more: object) -> int:
        """An order promised from stock and, unless told otherwise, picked; kits from their components' places."""
        facts: dict[str, Any] = {"paid_at": ago(60), "email": "jane@mail.example", "language": "en", **more}
        with self.store.begin() as connection:
            made = put(
                connection, schema.orders, merchant_id=self.merchant, order_number=number, currency="GBP",
                created_at=ago(60), **facts,
            )  # fmt: skip
            for line, (sku, quantity) in enumerate(lines, start=1):
                done = quantity if picked else 0
                put_line = {"order_id": made, "line_number": line, "sku": sku, "quantity_ordered": quantity}
                connection.execute(
                    insert(schema.order_lines).values(**put_line, quantity_allocated=quantity, quantity_picked=done)
                )
                self._promise(connection, made, line, sku, quantity)
        return made

    def _promise(self, connection: Connection, order: int, line: int, sku: str, quantity: int) -> None:
        goods, part = schema.products.c, schema.kit_components.c
        whole = connection.execute(select(goods.id, goods.is_kit).where(goods.sku == sku)).one()
        inside = connection.execute(select(part.component_id, part.quantity).where(part.kit_id == whole.id)).all()
        for product, per in [(row[0], row[1]) for row in inside] or [(whole.id, 1)]:
            level = schema.stock_levels.c
            place = connection.scalar(select(level.location_id).where(level.product_id == product))
            put(connection, schema.allocations, order_id=order, line_number=line, location_id=place,
                product_id=product, quantity=quantity * per, allocated_at=ago(50))  # fmt: skip
            here = update(schema.stock_levels).where(level.location_id == place, level.product_id == product)
            connection.execute(here.values(allocated=level.allocated + quantity * per))

    def elsewhere(self, number: str, *lines: tuple[str, int]) -> int:
        """An order the shop had fulfilled when it was first seen."""
        with self.store.begin() as connection:
            made = put(
                connection, schema.orders, merchant_id=self.merchant, order_number=number, currency="GBP",
                created_at=ago(60), paid_at=ago(60), fulfilled_at=ago(20), email="sam@mail.example",
            )  # fmt: skip
            for line, (sku, quantity) in enumerate(lines, start=1):
                names = ("ordered", "allocated", "picked", "packed", "shipped")
                values = {f"quantity_{name}": quantity for name in names}
                connection.execute(
                    insert(schema.order_lines).values(order_id=made, line_number=line, sku=sku, **values)
                )
        return made

    def load(self, kind: str, *rows: dict[str, object], as_of: datetime = NOW) -> Loaded:
        """Take rows of `kind` in, as receive-exports does once they are judged."""
        extra = () if kind == "tracking" else ("merchant_id",)
        scratch = settings().folder(".staging")
        with staging(KINDS[kind], scratch, extra) as stage:
            stage.add(self._typed(kind, rows))
            with stage.merge() as connection:
                return LOADERS[kind](connection, stage.rows, Intake(1, kind, f"{kind}.csv", as_of))

    def _typed(self, kind: str, rows: tuple[dict[str, object], ...]) -> pd.DataFrame:
        frame = pd.DataFrame({"row_number": range(1, len(rows) + 1)})
        for one in KINDS[kind].fields:
            values = [row.get(one.name) for row in rows]
            if one.type is Type.INSTANT:
                frame[one.column] = pd.to_datetime(pd.Series(values), utc=True).dt.as_unit("s")
            else:
                frame[one.column] = pd.Series(values, dtype="Int64" if one.type is Type.INTEGER else "str")
        return frame if kind == "tracking" else frame.assign(merchant_id=self.merchant)

    def pack(self, parcel: str, order: str, *scans: tuple[str, int], **more: object) -> Loaded:
        """Scans of one parcel with every step of the procedure confirmed."""
        facts = {
            "parcel": parcel,
            "order_number": order,
            "packed_at": ago(5),
            "checks": CHECKS,
            "packer": "Ann",
            **more,
        }
        return self.load("packs", *({**facts, "sku": sku, "quantity": quantity} for sku, quantity in scans))

    def manifest(self, order: str, parcel: str | None = None, **more: object) -> Loaded:
        """A carrier took a parcel."""
        facts = {"parcel": parcel, "order_number": order, "carrier": "DPD", "tracking_number": f"T-{parcel or order}",
                 "shipped_at": ago(4)}  # fmt: skip
        return self.load("shipments", {**facts, **more})

    def scan(self, number: str, *events: tuple[str, float], carrier: str = "DPD") -> Loaded:
        """The carrier's events, each so many hours ago."""
        facts = {"carrier": carrier, "tracking_number": number}
        return self.load("tracking", *({**facts, "event": event, "occurred_at": ago(at)} for event, at in events))

    def rows(self, table: Table, *columns: str) -> list[tuple[Any, ...]]:
        """The rows of a table, in order."""
        with self.store.begin() as connection:
            wanted = [table.c[name] for name in columns]
            return [tuple(row) for row in connection.execute(select(*wanted).order_by(*wanted))]

    def line(self, order: str, number: int = 1) -> dict[str, int]:
        """What a line counts: allocated, picked, packed, shipped, delivered."""
        line = schema.order_lines
        with self.store.begin() as connection:
            found = connection.execute(
                select(line).join(schema.orders, schema.orders.c.id == line.c.order_id)
                .where(schema.orders.c.order_number == order, line.c.line_number == number)
            ).mappings().one()  # fmt: skip
        return {name: found[f"quantity_{name}"] for name in ("allocated", "picked", "packed", "shipped", "delivered")}

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        with self.store.begin() as connection:
            return {
                table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
                for table in schema.metadata.sorted_tables
            }

    def books_balance(self) -> bool:
        """I2 and I3: on hand is the sum of the moves, allocated the sum of the open promises."""
        move, level, promise = schema.stock_moves.c, schema.stock_levels.c, schema.allocations.c
        with self.store.begin() as connection:
            moved = connection.execute(
                select(move.location_id, move.product_id, func.sum(move.quantity)).group_by(
                    move.location_id, move.product_id
                )
            )
            open_ = connection.execute(
                select(promise.location_id, promise.product_id, func.sum(promise.quantity))
                .where(promise.state == "open").group_by(promise.location_id, promise.product_id)
            )  # fmt: skip
            hand = {(row[0], row[1]): int(row[2]) for row in moved}
            held = {(row[0], row[1]): int(row[2]) for row in open_}
            levels = connection.execute(select(level.location_id, level.product_id, level.on_hand, level.allocated))
            return all(
                hand.get((row[0], row[1]), 0) == row[2] and held.get((row[0], row[1]), 0) == row[3] for row in levels
            )
