"""Orders that were cancelled or refunded, and the promises and lines they no longer need."""

import pandas as pd
from sqlalchemy import Connection, and_, exists, func, or_, select, update

from tasks.domain.states import AllocationState, PickState
from tasks.store.database.frames import read, staged
from tasks.store.ordering.open_lines import NEED
from tasks.store.ordering.order_notices import noticed_orders
from tasks.store.schema import allocations, merchants, order_lines, orders, picks
from tasks.store.sql_rules import IS_REFUNDED


def releasable_promises(connection: Connection) -> pd.DataFrame:
    """Open promises of cancelled and refunded orders that nobody has begun to pick.

    Columns: allocation_id, quantity, order_id, line_number, reason (cancelled or refunded).
    """
    is_begun = exists().where(
        picks.c.allocation_id == allocations.c.id, picks.c.state.in_((PickState.PICKED, PickState.SHORT))
    )
    query = (
        select(allocations.c.id.label("allocation_id"), allocations.c.quantity, allocations.c.order_id,
               allocations.c.line_number, orders.c.cancelled_at.is_not(None).label("cancelled"))
        .join_from(allocations, orders, orders.c.id == allocations.c.order_id)
        .where(allocations.c.state == AllocationState.OPEN, ~is_begun)
        .where(or_(orders.c.cancelled_at.is_not(None), IS_REFUNDED))
        .order_by(allocations.c.id)
    )  # fmt: skip
    promises = read(connection, query)
    is_cancelled = promises.pop("cancelled").astype(bool)
    return promises.assign(reason=is_cancelled.map({True: "cancelled", False: "refunded"}).astype("str"))


def cancel_lines(connection: Connection) -> pd.DataFrame:
    """Cancel what cancelled orders still need, once. Returns these orders, columns as in `noticed_orders`."""
    has_open_line = exists().where(and_(order_lines.c.order_id == orders.c.id, NEED > 0))
    cancelled = read(connection, noticed_orders().where(orders.c.cancelled_at.is_not(None), has_open_line))
    if len(cancelled):
        with staged(connection, cancelled[["order_id"]]) as chosen_orders:
            unpromised = order_lines.c.quantity_ordered - order_lines.c.quantity_allocated
            lines = update(order_lines).where(order_lines.c.order_id.in_(select(chosen_orders.c.order_id)))
            connection.execute(lines.where(NEED > 0).values(quantity_cancelled=unpromised))
    return cancelled


def cancelled_after_pick(connection: Connection) -> pd.DataFrame:
    """Cancelled orders with picked units that have not been shipped: order_number, merchant_id, merchant, units."""
    units = func.sum(order_lines.c.quantity_picked - order_lines.c.quantity_shipped).label("units")
    code = merchants.c.code.label("merchant")
    query = (
        select(orders.c.order_number, orders.c.merchant_id, code, units)
        .join_from(orders, order_lines, order_lines.c.order_id == orders.c.id)
        .join(merchants, merchants.c.id == orders.c.merchant_id)
        .where(orders.c.cancelled_at.is_not(None), order_lines.c.quantity_picked > order_lines.c.quantity_shipped)
        .group_by(orders.c.order_number, orders.c.merchant_id, merchants.c.code)
        .order_by(merchants.c.code, orders.c.order_number)
    )
    return read(connection, query)
