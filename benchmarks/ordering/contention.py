"""Processes that sell, allocate, release, adjust and receive at once: is anything ever oversold, lost or undone?"""

import argparse
import multiprocessing
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, event, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from benchmarks.databases import empty_database
from config.prefect_environment import in_process
from tasks.store import schema
from tasks.store.database.engine import engine, engine_of, exclusive, lost_a_race

AS_OF = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
SKUS, PLACES = 20, 2
SALES = 40  # so many times orders come in
TRIES_MAX = 20
Deed = tuple[str, int, int]  # what is done, the seed of its particulars, and how many orders it brings
_LOG = "CREATE TABLE contention_log (id {} PRIMARY KEY, deed TEXT NOT NULL, seed BIGINT NOT NULL, orders INT NOT NULL)"


@dataclass(frozen=True)
class ContentionResult:
    """What the processes saw; `seconds` are those of the writers together, not of the serial run."""

    oversold: int
    commits: int
    retried: int
    seconds: float
    lost: int
    promises: int
    serial: bool
    deeds: Counter[str]


def main(arguments: list[str]) -> int:
    """Run every seed and print what was found; 1 where anything was oversold, lost or equal to no serial order."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks contention", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1, help="how often, each time with other particulars (1)")
    parser.add_argument("--orders", type=int, default=1_000, help="orders of each time, a multiple of 40 (1,000)")
    parser.add_argument("--writers", type=int, default=8, help="processes that write (8)")
    parser.add_argument("--database", help="address of a PostgreSQL server to work on; SQLite when left out")
    options = parser.parse_args(arguments)
    bad = 0
    for seed, result in enumerate(contend(options.database, options.writers, options.orders, range(options.seeds))):
        wrong = result.oversold + result.lost + (not result.serial)
        bad += bool(wrong)
        print(
            f"  seed {seed}: {result.seconds:6.1f} s, {result.commits:,} commits, {result.promises:,} promises, "
            f"{result.retried} retried, {result.oversold} oversold, {result.lost} lost, "
            f"{'equal to its serial order' if result.serial else 'EQUAL TO NO SERIAL ORDER'}",
            flush=True,
        )
    print(f"{options.seeds} seeds, {options.writers} writers, {options.orders:,} orders each: {bad} went wrong")
    return int(bad > 0)


def contend(
    server: str | None, writers: int, orders: int, seeds: Iterable[int], sales: int = SALES
) -> Iterator[ContentionResult]:
    """For each seed: let the writers loose on one database, then do the same deeds in their order of commit on another.

    The writers are forked from a process that has imported everything, and stay for the next seed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["benchmarks.ordering.contention", "tasks.steps.ordering.allocate_orders", "psycopg"]
    )
    with ProcessPoolExecutor(writers, context) as pool:
        for seed in seeds:
            with (
                tempfile.TemporaryDirectory(prefix="contention-") as folder,
                empty_database(folder, server, "together") as address,
                empty_database(folder, server, "alone") as other,
            ):
                yield _contend_once(pool, folder, (address, other), deeds(orders, seed, sales), writers)


def _contend_once(
    pool: Executor, folder: str, databases: tuple[str, str], every: list[Deed], writers: int
) -> ContentionResult:
    together, alone = databases
    for address in databases:
        _open(address)
    started = time.perf_counter()
    shares = [pool.submit(_run, folder, together, every[number::writers]) for number in range(writers)]
    commits, retried, oversold = (sum(part) for part in zip(*(share.result() for share in shares), strict=True))
    seconds, log = time.perf_counter() - started, _log_of(together)
    pool.submit(_run, folder, alone, log).result()
    result = ContentionResult(
        oversold, commits, retried, seconds,
        lost=sum(brings for deed, _, brings in every if deed == "sell") - _count(together, schema.orders),
        promises=_count(together, schema.allocations),
        serial=_state(together) == _state(alone), deeds=Counter(deed for deed, *_ in log),
    )  # fmt: skip
    for address in databases:
        engine_of(address).dispose()
    return result


def deeds(orders: int, seed: int, sales: int) -> list[Deed]:
    """What is to be done, in an order nobody keeps to."""
    random_ = random.Random(seed)  # noqa: S311 - a seed makes the same particulars
    every = ["sell"] * sales + ["allocate", "receive", "adjust", "release"] * (sales // 2)
    random_.shuffle(every)
    every = ["receive", *every, "receive", "allocate"]
    return [(deed, seed * 1_000_000 + number, orders // sales) for number, deed in enumerate(every)]


def _open(address: str) -> None:
    """An empty shop: two merchants with the same SKUs, a few places each, little stock."""
    target = engine_of(address)
    schema.metadata.create_all(target)
    with target.begin() as connection:
        connection.execute(text(_LOG.format("INTEGER" if target.dialect.name == "sqlite" else "BIGSERIAL")))
        for code in ("HEARTH", "OTHER"):
            connection.execute(insert(schema.merchants).values(code=code, name=code))
        for code in ("MAIN", "NORTH"):
            site = {"code": code, "name": code, "time_zone": "Europe/London", "country": "GB"}
            connection.execute(insert(schema.warehouses).values(**site))
        goods = [{"merchant_id": n % 2 + 1, "sku": f"SKU-{n // 2}"} for n in range(2 * SKUS)]
        connection.execute(insert(schema.products), goods)
        places = [{"warehouse_id": n % 2 + 1, "code": f"P-{n}"} for n in range(2 * PLACES)]
        connection.execute(insert(schema.locations), places)


def _run(folder: str, address: str, own_deeds: list[Deed]) -> tuple[int, int, int]:
    """Do deeds one after the other; says how many committed and were retried, and what was oversold after any."""
    os.environ |= in_process(Path(folder)) | {"FULFILMENT_HOME": folder, "FULFILMENT_DATABASE_URL": address}
    current: list[Deed] = []
    event.listen(engine(), "commit", lambda connection: _log(connection, current))
    retried = oversold = 0
    for deed in own_deeds:
        retried += _do(deed, current)
        oversold += oversold_now(engine())
    engine().dispose()
    engine_of.cache_clear()
    return len(own_deeds), retried, oversold


def _do(deed: Deed, current: list[Deed]) -> int:
    """Do a deed; says how often it lost a race and was tried again, as Prefect would try a step."""
    for attempt in range(TRIES_MAX):
        current[:] = [deed]
        try:
            DEEDS[deed[0]](*deed[1:])
        except DBAPIError as error:
            if not lost_a_race(error):
                raise
            time.sleep(0.05 * attempt)
        else:
            return attempt
    raise TimeoutError(f"{deed} was tried {TRIES_MAX} times")


def _log(connection: Connection, current: list[Deed]) -> None:
    """Note the deed in its own transaction: under its locks, so the notes are in the order of commits."""
    if current:
        deed, seed, orders = current.pop()
        connection.exec_driver_sql(
            f"INSERT INTO contention_log (deed, seed, orders) VALUES ('{deed}', {seed}, {orders})"
        )


def _log_of(address: str) -> list[Deed]:
    with engine_of(address).connect() as connection:
        log = connection.execute(text("SELECT deed, seed, orders FROM contention_log ORDER BY id"))
        return [(row[0], row[1], row[2]) for row in log]


def oversold_now(database: Engine) -> int:
    """Units promised beyond what lies there, from the open promises themselves, as one reader sees them now (I3)."""
    level, one = schema.stock_levels.c, schema.allocations.c
    key = ("location_id", "product_id", "lot")
    place = [one[name] for name in key]
    opened = select(*place, func.sum(one.quantity).label("units")).where(one.state == "open")
    promised = opened.group_by(*place).subquery()
    is_same_place = [level[name] == promised.c[name] for name in key]
    sums = select(promised.c.units, func.coalesce(level.on_hand, 0)).join_from(
        promised,
        schema.stock_levels,
        (level.condition == "available") & is_same_place[0] & is_same_place[1] & is_same_place[2],
        isouter=True,
    )
    with database.execution_options(reading=True).connect() as connection:
        return sum(max(0, units - max(0, on_hand)) for units, on_hand in connection.execute(sums))


def sell(seed: int, orders: int) -> None:
    """Orders come in."""
    random_ = random.Random(seed)  # noqa: S311
    with engine().begin() as connection:
        for name in ("allocations", "stock", "receive"):
            exclusive(connection, name)
        new_orders = [{"merchant_id": random_.randint(1, 2), "order_number": f"{seed}-{number:04}", "currency": "GBP",
                 "created_at": AS_OF - timedelta(minutes=random_.randint(1, 5000)), "paid_at": AS_OF,
                 "total_minor": 1000} for number in range(orders)]  # fmt: skip
        new = insert(schema.orders).returning(schema.orders.c.id, sort_by_parameter_order=True)
        lines = [
            {"order_id": order, "line_number": n, "sku": f"SKU-{sku}", "quantity_ordered": random_.randint(1, 3)}
            for order in connection.scalars(new, new_orders).all()
            for n, sku in enumerate(random_.sample(range(SKUS), random_.randint(1, 2)), 1)
        ]
        connection.execute(insert(schema.order_lines), lines)


def allocate(*_: int) -> None:
    """The step of allocate-orders."""
    from tasks.steps.ordering.allocate_orders import allocate_stock

    allocate_stock.fn(AS_OF)


def receive(seed: int, orders: int) -> None:
    """Goods come in, in the end fewer than are asked for."""
    _move(seed, lambda random_, _: random_.randint(1, 2 * orders), "receipt")


def adjust(seed: int, *_: int) -> None:
    """A place is found to hold less than the book says; what is promised there stays."""
    _move(seed, lambda random_, free: -min(free, random_.randint(1, 9)), "adjust")


def _move(seed: int, units: Any, kind: str) -> None:
    from tasks.store.stock.post_moves import post_moves

    random_ = random.Random(seed)  # noqa: S311
    level = schema.stock_levels.c
    with engine().begin() as connection:
        for name in ("allocations", "stock"):
            exclusive(connection, name)
        rows = []
        for product in random_.sample(range(1, 2 * SKUS + 1), SKUS):
            place = random_.randint(1, 2 * PLACES)
            is_same_place = select(level.on_hand - level.allocated)
            free = connection.scalar(is_same_place.where(level.product_id == product, level.location_id == place))
            quantity = units(random_, int(free or 0))
            rows.append({"product_id": product, "location_id": place, "condition": "available", "lot": "",
                         "quantity": quantity, "kind": kind, "reason": None, "document": None,
                         "effective_at": pd.Timestamp(AS_OF), "recorded_at": pd.Timestamp(AS_OF),
                         "cause": f"{kind}:{seed}:{product}"})  # fmt: skip
        post_moves(connection, pd.DataFrame([row for row in rows if row["quantity"]]))


def release(seed: int, *_: int) -> None:
    """Some promises are given up: an order in seven, whichever they are."""
    from tasks.store.database.frames import read
    from tasks.store.ordering import allocations

    one, order = schema.allocations.c, schema.orders.c
    with engine().begin() as connection:
        for name in ("allocations", "stock"):
            exclusive(connection, name)
        open_promises = select(one.id.label("allocation_id"), one.quantity, order.order_number)
        open_promises = open_promises.join_from(schema.allocations, schema.orders, order.id == one.order_id).where(
            one.state == "open"
        )
        rows = read(connection, open_promises)
        chosen = rows["order_number"].map(lambda number: random.Random(f"{seed}{number}").random() < 1 / 7).astype(bool)  # noqa: S311
        allocations.release(connection, rows[chosen], "test", AS_OF)


DEEDS: dict[str, Callable[[int, int], None]] = {
    "sell": sell,
    "allocate": allocate,
    "receive": receive,
    "adjust": adjust,
    "release": release,
}


def _state(address: str) -> list[list[tuple[Any, ...]]]:
    """What the database holds, in words that do not depend on who came first to a sequence."""
    one, order, line, level = schema.allocations.c, schema.orders.c, schema.order_lines.c, schema.stock_levels.c
    promises = select(order.order_number, one.line_number, one.location_id, one.product_id, one.quantity, one.state)
    promises = promises.join_from(schema.allocations, schema.orders, order.id == one.order_id)
    lines = select(order.order_number, line.line_number, line.sku, line.quantity_ordered, line.quantity_allocated)
    lines = lines.join_from(schema.order_lines, schema.orders, order.id == line.order_id)
    levels = select(level.location_id, level.product_id, level.on_hand, level.allocated)
    with engine_of(address).connect() as connection:
        return [sorted(tuple(row) for row in connection.execute(each)) for each in (promises, lines, levels)]


def _count(address: str, table: Any) -> int:
    with engine_of(address).connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)
