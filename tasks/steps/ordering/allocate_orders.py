"""Steps of allocate-orders: let go what is cancelled, promise a day, promise stock."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.domain.notices import NoticeKind
from tasks.domain.ordering import allocation
from tasks.domain.ordering.allocation import AllocationRules
from tasks.domain.ordering.ship_by import ship_by
from tasks.domain.sites.sites import Warehouse
from tasks.domain.states import AlertKind
from tasks.runs.step import step
from tasks.steps.messaging.notify_customers import notify_customers
from tasks.steps.ordering.open_demand import free_places, open_demand, silence
from tasks.store.database.engine import engine, exclusive
from tasks.store.database.frames import id_table
from tasks.store.ordering import allocation_passes, allocations, cancellations
from tasks.store.ordering.ship_by import lift_payment_holds, promise_ship_by, without_ship_by
from tasks.store.sites import warehouse_ids
from tasks.store.stock.alerts import raise_alerts, resolve_alerts
from tasks.store.stock.places import stock_places


@dataclass(frozen=True)
class Made:
    """What a run promised, and to how many orders."""

    promises: int
    orders: int


@step(task_run_name="give up promises of cancelled orders")
def release_cancelled(as_of: datetime) -> int:
    """Give up what cancelled and refunded orders were promised, once; says how many promises that were."""
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        gone = cancellations.given_up(connection)
        for reason, rows in gone.groupby("reason"):
            allocations.release(connection, rows, str(reason), as_of)
        cancelled = cancellations.cancel_lines(connection).assign(happened_at=lambda order: order["cancelled_at"])
        notify_customers(connection, NoticeKind.ORDER_CANCELLED, cancelled, as_of)
        _warn_of_picked(connection, as_of)
    return len(gone)


def _warn_of_picked(connection: Connection, as_of: datetime) -> None:
    found = cancellations.cancelled_after_pick(connection)
    cause = "cancelled_after_pick:" + found["merchant"] + ":" + found["order_number"]
    detail = found["units"].astype("str") + " units are picked for a cancelled order: put them back"
    told = found.assign(cause=cause, kind=AlertKind.CANCELLED_AFTER_PICK, detail=detail, opened_at=pd.Timestamp(as_of))
    told = told.rename(columns={"order_number": "subject"})
    raise_alerts(connection, told[["cause", "kind", "subject", "detail", "merchant_id", "opened_at"]])
    resolve_alerts(connection, AlertKind.CANCELLED_AFTER_PICK, cause, as_of)


@step(task_run_name="say by when orders must leave")
def promise_days() -> int:
    """Say by when each paid order must leave whose export says nothing; returns how many were told a day.

    A hold for a payment that has come is lifted.
    """
    rules = read("rules/allocation.yaml", AllocationRules)
    first = read(f"warehouses/{rules.warehouses[0]}.yaml", Warehouse)
    with engine().begin() as connection:
        lift_payment_holds(connection)
        orders = without_ship_by(connection)
        days = orders[["order_id"]].assign(ship_by=ship_by(orders, first, rules.ship_by))
        return promise_ship_by(connection, days)


@step(task_run_name="promise stock to orders")
def allocate_stock(as_of: datetime) -> Made:
    """Promise free stock to open orders in order of priority; a run that finds nothing new writes nothing.

    Only orders for which something can have changed are looked at; who gets what is the same as if all were.
    """
    rules = read("rules/allocation.yaml", AllocationRules)
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        exclusive(connection, "stock")
        terms = allocation_passes.digest(rules, silence(connection, rules, as_of))
        due = allocation_passes.due(connection, terms, as_of, rules.full_pass_h)
        asked = open_demand(connection, rules, as_of, due.orders)
        with id_table(connection, "product_id", None if due.orders is None else asked.wants["product_id"]) as of:
            places = stock_places(connection, of)
        free, ids = free_places(connection, rules, as_of, places), warehouse_ids(connection)
        warehouses = [ids[code] for code in rules.warehouses if code in ids]
        lines = asked.lines
        promised = allocation.allocate(lines, asked.wants, free, warehouses, asked.had, asked.taken_up, rules)
        served = lines.loc[promised.served.index, ["order_id", "line_number"]].assign(quantity=promised.served)
        made = allocations.promise(connection, promised.promises, served, as_of)
        again = pd.concat([pd.Series(promised.unsettled), lines.loc[lines["hold_until"].notna(), "order_id"]])
        allocation_passes.close(connection, due, again, places.loc[places["blocked"], "product_id"])
    return Made(made, int(promised.promises["order_id"].nunique()))
