"""A shop in which anything happens in any order: the books hold after every step."""

from datetime import timedelta
from itertools import product

import numpy as np
import pandas as pd
import pytest
from floor import AS_OF, PAID, Shop
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from tasks.configured import warehouses
from tasks.steps.ordering.allocate_orders import allocate_stock, release_cancelled
from tasks.steps.picking.plan_waves import release_waves
from tasks.steps.picking.replan_carts import replan_carts
from tasks.store import schema
from tasks.store.audit import waves_off_the_floor
from tasks.store.database.engine import engine
from tasks.store.database.frames import read, staged
from tasks.store.ordering.allocations import promise
from tasks.store.picking.pick_lists import pick_list
from tasks.store.receiving.loader import Intake
from tasks.store.receiving.loaders.picks import load_picks

GOODS = ("CUP", "TRAY", "BOWL", "SET")


class Week:
    """Steps of a week, drawn from a seed; `at` is the moment of the step."""

    def __init__(self, store: Engine, seed: int) -> None:
        self.shop, self.chance, self.at, self.orders = Shop(store), np.random.default_rng(seed), AS_OF, 0
        self.replanned = 0
        for merchant in ("HEARTH", "OTHER"):
            for sku in GOODS[:3]:
                self.shop.product(sku, merchant)
                for place in range(2):
                    self.shop.stock(sku, int(self.chance.integers(0, 12)), f"A-{place}", merchant=merchant)
                self.shop.stock(sku, int(self.chance.integers(0, 12)), "B-1", "NORTH", merchant=merchant)
            self.shop.product("SET", merchant, components={"CUP": 2, "TRAY": 1})

    def step(self) -> None:
        """One thing happens, an hour later."""
        self.at += timedelta(hours=1)
        steps = (self.sell, self.cancel, self.allocate, self.release, self.pick, self.count)
        for happens in self.chance.integers(0, len(steps), 2):
            steps[happens]()
            self.shop.audit()

    def sell(self) -> None:
        """A few orders come in."""
        for _ in range(4):
            self.orders += 1
            skus = self.chance.choice(GOODS, self.chance.integers(1, 4), replace=False)
            lines = {str(sku): int(self.chance.integers(1, 4)) for sku in skus}
            self.shop.order(str(self.orders), lines, str(self.chance.choice(["HEARTH", "OTHER"])),
                            paid_at=PAID + timedelta(minutes=self.orders))  # fmt: skip

    def cancel(self) -> None:
        """Some order is cancelled, refunded, or both."""
        if self.orders:
            facts: list[dict[str, object]] = [{"cancelled_at": self.at}, {"refunded_minor": 1000}]
            self.shop.change(int(self.chance.integers(1, self.orders + 1)), **facts[int(self.chance.integers(0, 2))])
            release_cancelled.fn(self.at)

    def allocate(self) -> None:
        """Stock is promised."""
        allocate_stock.fn(self.at)

    def release(self) -> None:
        """Carts under way are planned again, then waves are planned."""
        self.replanned += replan_carts.fn(self.at).carts
        release_waves.fn(None, None, self.at)

    def pick(self) -> None:
        """A picker reports some stops of open waves, one in four short."""
        with engine().connect() as connection:
            moments = schema.waves.select().with_only_columns(schema.waves.c.released_at).distinct()
            lists = [pick_list(connection, at) for at in connection.scalars(moments)]
        if not lists:
            return
        stops = (
            pd.concat(lists).groupby(["merchant", "order_number", "sku", "location"], as_index=False)["planned"].sum()
        )
        stops = stops.sample(frac=0.5, random_state=int(self.chance.integers(99)))
        short = self.chance.random(len(stops)) < 0.25
        rows = pd.DataFrame(
            {
                "row_number": range(2, len(stops) + 2), "merchant_id": stops["merchant"].map({"HEARTH": 1, "OTHER": 2}),
                "order_number": stops["order_number"], "sku": stops["sku"], "location": stops["location"],
                "quantity": np.where(short, stops["planned"] // 2, stops["planned"]), "short_reason": "gone",
                "picker": "Ann", "picked_at": pd.Timestamp(self.at),
            }
        )  # fmt: skip
        with engine().begin() as connection, staged(connection, rows) as table:
            told = load_picks(connection, table, Intake(1, "picks", "picks.csv", self.at))
        assert told.loaded + told.unchanged + len(told.refused) == len(rows)

    def hurry(self) -> None:
        """Goods come in; of what is sold and released at once one order is cancelled, and others are picked short."""
        for merchant, sku, place in product(("HEARTH", "OTHER"), GOODS[:3], ("C-1", "C-2")):
            self.shop.stock(sku, 20, place, merchant=merchant)
        for act in (self.sell, self.allocate, self.release):
            act()
        self.shop.change(self.orders, cancelled_at=self.at)
        release_cancelled.fn(self.at)
        for act in (self.pick, self.allocate, self.release):
            act()
            self.shop.audit()

    def count(self) -> None:
        """Someone counts every place: short picks are settled."""
        self.at += timedelta(minutes=2)
        with engine().begin() as connection:
            count = self.shop._put(connection, schema.counts, warehouse_id=1, code=f"{self.at}", reason="zero")
            levels = read(connection, schema.stock_levels.select())
            for level in levels.itertuples():
                self.shop._put(connection, schema.count_lines, count_id=count, location_id=level.location_id,
                               product_id=level.product_id, sku="CUP", quantity=0, state="matched",
                               counted_at=self.at + timedelta(minutes=1))  # fmt: skip


@pytest.mark.parametrize("seed", [1, 3])
def test_the_books_hold_whatever_happens(store: Engine, seed: int) -> None:
    """I3, I5 and I6 after every step; once nothing more happens, a second run of everything changes nothing (I8)."""
    week = Week(store, seed)
    for _ in range(12):
        week.step()
    week.hurry()
    picks = week.shop.rows(schema.picks)
    assert len(picks) > 0
    assert not picks.loc[picks["state"] != "cancelled", "allocation_id"].duplicated().any()
    assert week.replanned > 0
    with store.connect() as connection:
        assert waves_off_the_floor(connection, {site.code: site.carts for site in warehouses()}).empty
    for _ in range(2):
        before = week.shop.everything()
        week.allocate()
        week.release()
    assert week.shop.everything() == before


def test_a_refused_promise_leaves_nothing(store: Engine) -> None:
    """I9: when a line refuses what was promised to it, no promise and no level of the same transaction stays."""
    shop = Shop(store)
    shop.product("CUP")
    shop.stock("CUP", 5)
    shop.order("1", {"CUP": 3})
    before = shop.everything()
    too_many = {"order_id": 1, "line_number": 1, "location_id": 1, "product_id": 1, "lot": "", "quantity": 4}
    with pytest.raises(DBAPIError), store.begin() as connection:
        promise(connection, pd.DataFrame([too_many]), pd.DataFrame([too_many]), AS_OF)
    with pytest.raises(DBAPIError), store.begin() as connection:
        promise(connection, pd.DataFrame([too_many | {"quantity": 6}]), pd.DataFrame([too_many]), AS_OF)
    assert shop.everything() == before
