"""Steps of allocate-orders: release what cancelled orders hold, set ship-by dates, promise stock."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from config.read import read
from tasks.domain.notices import NoticeKind
from tasks.domain.ordering.allocation import AllocationRules, Promises, allocate
from tasks.domain.ordering.ship_by import ship_by
from tasks.domain.sites.sites import Warehouse
from tasks.domain.states import AlertKind
from tasks.runs.step import step
from tasks.steps.messaging.notify_customers import notify_customers
from tasks.steps.ordering.open_demand import OpenDemand, free_places, open_demand, silence
from tasks.store.database.engine import engine, exclusive
from tasks.store.database.frames import id_table
from tasks.store.ordering import allocation_passes, allocations, cancellations
from tasks.store.ordering.promised_parts import places_in_waves
from tasks.store.ordering.ship_by import lift_payment_holds, orders_without_ship_by, set_ship_by
from tasks.store.sites import warehouse_ids
from tasks.store.stock.alerts import raise_alerts, resolve_alerts
from tasks.store.stock.places import stock_places


@dataclass(frozen=True)
class AllocationCounts:
    """How many promises a run made, and to how many orders."""

    promises: int
    orders: int


@step(task_run_name="give up promises of cancelled orders")
def release_cancelled(as_of: datetime) -> int:
    """Release what cancelled and refunded orders were promised, once. Returns the number of promises released."""
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        promises = cancellations.releasable_promises(connection)
        for reason, rows in promises.groupby("reason"):
            allocations.release(connection, rows, str(reason), as_of)
        cancelled = cancellations.cancel_lines(connection).assign(happened_at=lambda orders: orders["cancelled_at"])
        notify_customers(connection, NoticeKind.ORDER_CANCELLED, cancelled, as_of)
        _warn_of_picked(connection, as_of)
    return len(promises)


def _warn_of_picked(connection: Connection, as_of: datetime) -> None:
    orders = cancellations.cancelled_after_pick(connection)
    cause = "cancelled_after_pick:" + orders["merchant"] + ":" + orders["order_number"]
    detail = orders["units"].astype("str") + " units are picked for a cancelled order: put them back"
    alerts = orders.rename(columns={"order_number": "subject"}).assign(
        cause=cause, kind=AlertKind.CANCELLED_AFTER_PICK, detail=detail, opened_at=pd.Timestamp(as_of)
    )
    raise_alerts(connection, alerts[["cause", "kind", "subject", "detail", "merchant_id", "opened_at"]])
    resolve_alerts(connection, AlertKind.CANCELLED_AFTER_PICK, cause, as_of)


@step(task_run_name="say by when orders must leave")
def set_ship_by_dates() -> int:
    """Set the ship-by of each paid order whose export states none. Returns the number of orders that got one.

    A hold for a payment that has come is lifted.
    """
    rules = read("rules/allocation.yaml", AllocationRules)
    first_site = read(f"warehouses/{rules.warehouses[0]}.yaml", Warehouse)
    with engine().begin() as connection:
        lift_payment_holds(connection)
        orders = orders_without_ship_by(connection)
        dates = orders[["order_id"]].assign(ship_by=ship_by(orders, first_site, rules.ship_by))
        return set_ship_by(connection, dates)


@step(task_run_name="promise stock to orders")
def allocate_stock(as_of: datetime) -> AllocationCounts:
    """Promise free stock to open orders in order of priority; a run that finds nothing new writes nothing.

    Only orders for which something can have changed are looked at; who gets what is the same as if all were.
    """
    rules = read("rules/allocation.yaml", AllocationRules)
    with engine().begin() as connection:
        exclusive(connection, "allocations")
        exclusive(connection, "stock")
        terms = allocation_passes.terms_digest(rules, silence(connection, rules, as_of))
        due = allocation_passes.due_orders(connection, terms, as_of, rules.full_pass_h)
        demand = open_demand(connection, rules, as_of, due.orders)
        product_ids = None if due.orders is None else demand.wants["product_id"]
        with id_table(connection, "product_id", product_ids) as chosen_products:
            places = stock_places(connection, chosen_products)
        promises = _allocated(connection, demand, places, due, rules, as_of)
        lines = demand.lines
        served = lines.loc[promises.served.index, ["order_id", "line_number"]].assign(quantity=promises.served)
        count = allocations.promise(connection, promises.promises, served, as_of)
        again = pd.concat([pd.Series(promises.unsettled), lines.loc[lines["hold_until"].notna(), "order_id"]])
        allocation_passes.close_pass(connection, due, again, places.loc[places["blocked"], "product_id"])
    return AllocationCounts(count, int(promises.promises["order_id"].nunique()))


def _allocated(
    connection: Connection, demand: OpenDemand, places: pd.DataFrame, due: allocation_passes.DueOrders,
    rules: AllocationRules, as_of: datetime,
) -> Promises:  # fmt: skip
    with id_table(connection, "order_id", due.orders) as chosen_orders:
        in_waves = places_in_waves(connection, chosen_orders)
    ids = warehouse_ids(connection)
    warehouses = [ids[code] for code in rules.warehouses if code in ids]
    free = free_places(connection, rules, as_of, places)
    return allocate(demand.lines, demand.wants, free, warehouses, demand.promised, in_waves, rules)
