"""An allocation that looks only at what can have changed does what one does that looks at everything."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from floor import AS_OF, PAID, Shop
from project import ROOT
from sqlalchemy import Engine, delete, insert, literal, select, update
from sqlalchemy.engine import make_url

from tasks.steps.ordering.allocate_orders import allocate_stock, release_cancelled
from tasks.store import schema
from tasks.store.database.engine import engine_of
from tasks.store.database.frames import read
from tasks.store.ordering.allocation_notes import ORDER, note
from tasks.store.ordering.allocations import release

GOODS = ("CUP", "TRAY", "BOWL", "SET")
RULES = "partial: false", "split: true"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The decisions, to be changed by the test."""
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("*.py"))
    monkeypatch.setenv("FULFILMENT_CONFIG", str(folder))
    return folder


def decide(config: Path, *, partial: bool, split: bool, cost: int) -> None:
    """Another rule."""
    path = config / "rules" / "allocation.yaml"
    text = (ROOT / "config" / "rules" / "allocation.yaml").read_text(encoding="utf-8")
    text = text.replace("partial: false ", f"partial: {str(partial).lower()} ")
    text = text.replace("split: true ", f"split: {str(split).lower()} ")
    text = text.replace("split_cost_minor: 0 ", f"split_cost_minor: {cost} ")
    path.write_text(text, encoding="utf-8")


class Days:
    """Anything that may make an order servable, drawn from a seed."""

    def __init__(self, store: Engine, seed: int) -> None:
        self.shop, self.chance, self.at, self.orders = Shop(store), np.random.default_rng(seed), AS_OF, 0
        for merchant in ("HEARTH", "OTHER"):
            for sku in GOODS[:3]:
                self.shop.product(sku, merchant)
                for number, warehouse in enumerate(("MAIN", "MAIN", "NORTH")):
                    self.shop.stock(sku, self.draw(6), f"A-{number}", warehouse, merchant)
            self.shop.product("SET", merchant, components={"CUP": 2, "TRAY": 1})

    def draw(self, most: int) -> int:
        """A number below `most`."""
        return int(self.chance.integers(0, most))

    def happen(self) -> None:
        """A quarter of an hour passes, and some things happen in it."""
        self.at += timedelta(minutes=15)
        every = (self.sell, self.sell, self.receive, self.change, self.edit, self.give_back, self.add)
        for number in self.chance.integers(0, len(every), 3):
            every[number]()

    def sell(self) -> None:
        """Orders come in; some are held, some are not paid, some name goods nobody knows."""
        for _ in range(3):
            self.orders += 1
            skus = self.chance.choice([*GOODS, "GHOST"], self.draw(3) + 1, replace=False, p=[0.3, 0.25, 0.2, 0.2, 0.05])
            until = self.at + timedelta(minutes=self.draw(60))
            held: dict[str, Any] = {"hold_reason": "address", "hold_until": until}
            facts = ({}, {}, {}, held, {"hold_reason": "fraud"}, {"paid_at": None})[self.draw(6)]
            paid: dict[str, Any] = {"paid_at": PAID + timedelta(minutes=self.draw(9)), **facts}
            self.shop.order(f"{self.orders:03}", {str(sku): self.draw(4) + 1 for sku in skus},
                            ["HEARTH", "OTHER"][self.draw(2)], **paid)  # fmt: skip

    def receive(self) -> None:
        """Goods of one product come."""
        sku, merchant = GOODS[self.draw(3)], ["HEARTH", "OTHER"][self.draw(2)]
        self.shop.receive(sku, self.draw(3) + 1, self.at, merchant)

    def change(self) -> None:
        """An order is paid, let go, held, refunded or cancelled."""
        facts: tuple[dict[str, object], ...] = (
            {"paid_at": PAID}, {"hold_reason": None, "hold_until": None}, {"hold_reason": "manual"},
            {"refunded_minor": 1000}, {"cancelled_at": self.at}, {"ship_by": self.at},
        )  # fmt: skip
        self.shop.change(self.draw(self.orders + 1), **facts[self.draw(len(facts))])
        release_cancelled.fn(self.at)

    def edit(self) -> None:
        """A line asks for more."""
        line = schema.order_lines
        with self.shop.store.begin() as connection:
            mine = line.c.order_id == self.draw(self.orders + 1)
            connection.execute(update(line).where(mine).values(quantity_ordered=line.c.quantity_ordered + 1))

    def give_back(self) -> None:
        """Some promise is given up."""
        with self.shop.store.begin() as connection:
            open_ = schema.allocations.c.state == "open"
            columns = schema.allocations.c
            rows = read(connection, select(columns.id.label("allocation_id"), columns.quantity).where(open_))
            if len(rows):
                release(connection, rows.sample(1, random_state=self.draw(99)), "test", self.at)

    def add(self) -> None:
        """A line is added to an order that was looked at."""
        known, line = self.draw(self.orders + 1), schema.order_lines
        if known:
            with self.shop.store.begin() as connection:
                new = {"order_id": known, "line_number": 100 + self.draw(10**6), "sku": "CUP", "quantity_ordered": 1}
                connection.execute(insert(line).values(**new))
                note(connection, ORDER, select(literal(known)))


def told(store: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Who has what."""
    with store.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in (schema.allocations, schema.order_lines, schema.stock_levels)
        }


def twin(store: Engine, monkeypatch: pytest.MonkeyPatch, at: datetime) -> dict[str, list[tuple[object, ...]]]:
    """What a run over everything makes of a copy of the database."""
    address, copy = str(store.url), Path(str(store.url.database)).with_name("twin.db")
    for left in copy.parent.glob("twin.db*"):
        left.unlink()
    with store.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("VACUUM INTO ?", (str(copy),))
        connection.exec_driver_sql("BEGIN")
    other = engine_of(str(make_url(address).set(database=str(copy))))
    other.dispose()
    with other.begin() as connection:
        connection.execute(delete(schema.allocation_passes))
    monkeypatch.setenv("FULFILMENT_DATABASE_URL", f"sqlite:///{copy}")
    allocate_stock.fn(at)
    monkeypatch.setenv("FULFILMENT_DATABASE_URL", address)
    found = told(other)
    other.dispose()
    return found


@pytest.mark.parametrize(("partial", "split", "cost"), [(False, True, 0), (True, True, 300), (True, False, 0)])
def test_looking_at_what_changed_is_as_good_as_looking_at_everything(
    home: Path, config: Path, monkeypatch: pytest.MonkeyPatch, partial: bool, split: bool, cost: int
) -> None:
    """The same promises, places and quantities, whatever came, changed or was given back in between (I8, I10)."""
    decide(config, partial=partial, split=split, cost=cost)
    address = f"sqlite:///{home / 'fulfilment.db'}"
    monkeypatch.setenv("FULFILMENT_DATABASE_URL", address)
    schema.metadata.create_all(engine_of(address))
    days = Days(engine_of(address), seed=17 + partial + 2 * split)
    allocate_stock.fn(days.at)
    for _ in range(6):
        days.happen()
        everything = twin(days.shop.store, monkeypatch, days.at)
        allocate_stock.fn(days.at)
        assert told(days.shop.store) == everything
        days.shop.audit()
        allocate_stock.fn(days.at)
        assert told(days.shop.store) == everything
    assert len(days.shop.open_promises()) > 3
    engine_of(address).dispose()
