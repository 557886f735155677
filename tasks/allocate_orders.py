"""Steps of allocate-orders: let go what is cancelled, promise a day, promise stock."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from prefect import task
from sqlalchemy import Connection

from config.read import read
from tasks.domain import allocation, availability
from tasks.domain.allocation import AllocationRules
from tasks.domain.notices import NoticeKind
from tasks.domain.orders import ship_by
from tasks.domain.sites import Warehouse
from tasks.domain.states import AlertKind
from tasks.store import allocations, demand
from tasks.store import availability as stock
from tasks.store.alerts import raise_alerts, resolve_alerts
from tasks.store.engine import engine, exclusive
from tasks.store.sites import warehouse_ids
from tasks.tell_customers import tell


@dataclass(frozen=True)
class Served:
    """What an allocation did: promises made, orders served, and the lines that wait (as of `allocation.waiting`).

    A refunded order waits for nothing.
    """

    promises: int
    orders: int
    waiting: pd.DataFrame


@task(task_run_name="give up promises of cancelled orders")
def release_cancelled(as_of: datetime) -> int:
    """Give up what cancelled and refunded orders were promised, once; says how many promises that were."""
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        gone = demand.given_up(connection)
        for reason, rows in gone.groupby("reason"):
            allocations.release(connection, rows, str(reason), as_of)
        cancelled = demand.cancel_lines(connection).assign(happened_at=lambda order: order["cancelled_at"])
        tell(connection, NoticeKind.ORDER_CANCELLED, cancelled, as_of)
        _warn_of_picked(connection, as_of)
    return len(gone)


def _warn_of_picked(connection: Connection, as_of: datetime) -> None:
    found = demand.cancelled_after_pick(connection)
    cause = "cancelled_after_pick:" + found["merchant"] + ":" + found["order_number"]
    detail = found["units"].astype("str") + " units are picked for a cancelled order: put them back"
    told = found.assign(cause=cause, kind=AlertKind.CANCELLED_AFTER_PICK, detail=detail, opened_at=pd.Timestamp(as_of))
    told = told.rename(columns={"order_number": "subject"})
    raise_alerts(connection, told[["cause", "kind", "subject", "detail", "merchant_id", "opened_at"]])
    resolve_alerts(connection, AlertKind.CANCELLED_AFTER_PICK, cause, as_of)


@task(task_run_name="say by when orders must leave")
def promise_days() -> int:
    """Say by when each paid order must leave whose export says nothing; returns how many were told a day.

    A hold for a payment that has come is lifted.
    """
    rules = read("rules/allocation.yaml", AllocationRules)
    first = read(f"warehouses/{rules.warehouses[0]}.yaml", Warehouse)
    with engine().begin() as connection:
        demand.lift_payment_holds(connection)
        orders = demand.without_ship_by(connection)
        days = orders[["order_id"]].assign(ship_by=ship_by(orders, first, rules.ship_by))
        return demand.promise_ship_by(connection, days)


@task(task_run_name="promise stock to orders")
def allocate_stock(as_of: datetime) -> Served:
    """Promise free stock to open orders in order of priority; a run that finds nothing new writes nothing."""
    rules = read("rules/allocation.yaml", AllocationRules)
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        exclusive(connection, "stock")
        lines = demand.open_lines(connection)
        lines = lines.assign(standing=allocation.standing(lines, as_of))
        lines = allocation.prioritised(lines, rules)
        places = free_places(connection, rules)
        wants = allocation.explode(lines, stock.read_parts(connection), demand.promised_parts(connection))
        taken_up, ids = demand.places_in_waves(connection), warehouse_ids(connection)
        warehouses = [ids[code] for code in rules.warehouses if code in ids]
        promised = allocation.allocate(lines, wants, places, warehouses, taken_up, rules)
        made = allocations.promise(connection, promised.promises, as_of)
    taken = promised.promises.groupby("product_id")["quantity"].sum()
    left = places.groupby("product_id")["units"].sum().sub(taken, fill_value=0).astype("int64")
    waits = allocation.waiting(lines, wants, promised.served, left, rules)
    return Served(made, int(promised.promises["order_id"].nunique()), waits[waits["standing"] != "refunded"])


def free_places(connection: Connection, rules: AllocationRules) -> pd.DataFrame:
    """Places and the units each may still promise, in the order in which they are emptied."""
    buffer = availability.buffers(stock.catalogue(connection), rules.buffer)
    return availability.promisable(stock.places(connection), buffer, rules.purposes, rules.places)
