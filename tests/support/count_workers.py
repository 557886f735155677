"""A floor on which counts are settled while other processes promise and ship; each worker is a process of its own."""

import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from floor import AS_OF, Shop
from killed_runs import context
from project import ROOT
from sqlalchemy import Select, insert, select

from tasks.steps.counting.reconcile_counts import reconcile
from tasks.steps.ordering.allocate_orders import allocate_stock
from tasks.steps.parcels.track_shipments import ship_parcels
from tasks.store import schema
from tasks.store.database.engine import engine, reading
from tasks.store.stock.post_moves import post_moves

SKUS = tuple(f"CUP-{number}" for number in range(6))
PLACES = tuple(f"A-{number:02}" for number in range(4))
ROUNDS = 3
MORNING = AS_OF - timedelta(hours=3)


def furnish(shop: Shop, orders: int = 60) -> None:
    """Goods of one merchant at a few places, and more orders than there is stock for."""
    chance = np.random.default_rng(1)
    for sku in SKUS:
        shop.product(sku, unit_cost_minor=10, currency="GBP", abc_class="C")
    with shop.store.begin() as connection:
        for code in PLACES:
            shop.place(connection, code)
        post_moves(connection, _moves(chance, "opening", MORNING, 12, 40))
    for number in range(1, orders + 1):
        lines = {str(sku): int(chance.integers(1, 5)) for sku in chance.choice(SKUS, 2, replace=False)}
        shop.order(f"#{number}", lines)


def _moves(chance: np.random.Generator, cause: str, at: datetime, least: int, most: int) -> pd.DataFrame:
    """A movement at every place."""
    every = [(place, product) for place in range(1, len(PLACES) + 1) for product in range(1, len(SKUS) + 1)]
    rows = pd.DataFrame(every, columns=["location_id", "product_id"]).assign(
        condition="available", lot="", quantity=chance.integers(least, most, len(every)), reason=None, document=None,
        kind="opening" if cause == "opening" else "adjust", effective_at=pd.Timestamp(at).as_unit("s"),
        recorded_at=pd.Timestamp(AS_OF).as_unit("s"), cause=[f"{cause}:{place}:{product}" for place, product in every],
    )  # fmt: skip
    return rows[rows["quantity"] != 0]


def start(work: Callable[[int], None], home: Path, address: str, together: Barrier) -> ForkServerProcess:
    """A process that does `work` again and again, from the moment the others are ready."""
    process = context().Process(target=_run, args=(work, str(home), address, together))
    process.start()
    return process


def _run(work: Callable[[int], None], home: str, address: str, together: Barrier) -> None:
    os.environ |= {"FULFILMENT_HOME": home, "FULFILMENT_DATABASE_URL": address,
                   "FULFILMENT_CONFIG": str(ROOT / "config")}  # fmt: skip
    together.wait()
    for number in range(ROUNDS):
        work(number)


def allocate(number: int) -> None:
    """Promise what is free."""
    allocate_stock.fn(AS_OF + timedelta(minutes=number))


def ship(number: int) -> None:
    """A carrier takes parcels of orders that were promised something; some left before the last count."""
    one, line = schema.allocations.c, schema.order_lines.c
    sent = select(schema.shipments.c.order_id)
    ready = select(one.order_id).where(one.state == "open", one.order_id.not_in(sent)).distinct()
    _wait_for(ready)
    with engine().begin() as connection:
        for order in connection.scalars(ready.order_by(one.order_id).limit(6)).all():
            parcel = {"merchant_id": 1, "parcel": f"P{order}", "order_id": order, "state": "packed",
                      "shipped_at": AS_OF - timedelta(minutes=30 * (order % 4))}  # fmt: skip
            made = connection.execute(insert(schema.shipments).values(**parcel).returning(schema.shipments.c.id))
            shipment_id = made.scalar_one()
            content = connection.execute(
                select(line.line_number, line.sku, line.quantity_ordered).where(line.order_id == order)
            ).all()
            connection.execute(insert(schema.shipment_lines), [
                {"shipment_id": shipment_id, "order_id": order, "line_number": number, "sku": sku, "quantity": units}
                for number, sku, units in content
            ])  # fmt: skip
    ship_parcels.fn(AS_OF + timedelta(minutes=number))


def _wait_for(rows: Select[Any]) -> None:
    """Until there are any, or half a minute is over: the first promises may take longer than the parcels."""
    for _ in range(300):
        with reading().connect() as connection:
            if connection.execute(rows.limit(1)).first() is not None:
                return
        time.sleep(0.1)


def count(number: int) -> None:
    """Two people agree on what lies everywhere; and movements come in that their counts should have known of."""
    chance = np.random.default_rng(number)
    at = MORNING + timedelta(minutes=20 * number + 20)
    with engine().begin() as connection:
        new = insert(schema.counts).values(warehouse_id=1, code=f"CC-{number}", round=1, reason="sheet",
                                           state="counted")  # fmt: skip
        count_id = connection.execute(new.returning(schema.counts.c.id)).scalar_one()
        rows = _moves(chance, "count", at, 5, 30)
        lines = [
            {"count_id": count_id, "location_id": place, "product_id": product, "sku": SKUS[product - 1],
             "quantity": units, "counter": who, "counted_at": at, "state": "counted"}
            for place, product, units in rows[["location_id", "product_id", "quantity"]].to_numpy().tolist()
            for who in ("Ann", "Bob")
        ]  # fmt: skip
        connection.execute(insert(schema.count_lines), lines)
    reconcile.fn(None, AS_OF)
    with engine().begin() as connection:
        late = _moves(chance, f"late:{number}", at - timedelta(minutes=5), -3, 3)
        post_moves(connection, late)
