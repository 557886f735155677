"""Orders that were cancelled or refunded, and what they give up."""

import pandas as pd
from sqlalchemy import Connection, and_, exists, func, or_, select, update

from tasks.domain.states import AllocationState, PickState
from tasks.store.database.frames import read, staged
from tasks.store.ordering.open_lines import NEED
from tasks.store.ordering.order_notices import noticed_orders
from tasks.store.schema import allocations, merchants, order_lines, orders, picks
from tasks.store.sql_rules import IS_REFUNDED


def given_up(connection: Connection) -> pd.DataFrame:
    """Open promises nobody has picked, of orders that were cancelled or refunded.

    Columns: allocation_id, quantity, order_id, line_number, reason (cancelled or refunded).
    """
    begun = exists().where(
        picks.c.allocation_id == allocations.c.id, picks.c.state.in_((PickState.PICKED, PickState.SHORT))
    )
    statement = (
        select(allocations.c.id.label("allocation_id"), allocations.c.quantity, allocations.c.order_id,
               allocations.c.line_number, orders.c.cancelled_at.is_not(None).label("cancelled"))
        .join_from(allocations, orders, orders.c.id == allocations.c.order_id)
        .where(allocations.c.state == AllocationState.OPEN, ~begun)
        .where(or_(orders.c.cancelled_at.is_not(None), IS_REFUNDED))
        .order_by(allocations.c.id)
    )  # fmt: skip
    found = read(connection, statement)
    cancelled = found.pop("cancelled").astype(bool)
    return found.assign(reason=cancelled.map({True: "cancelled", False: "refunded"}).astype("str"))


def cancel_lines(connection: Connection) -> pd.DataFrame:
    """Count what cancelled orders will not get as cancelled, once; returns those orders as `noticed_orders`."""
    open_ = and_(order_lines.c.order_id == orders.c.id, NEED > 0)
    found = read(connection, noticed_orders().where(orders.c.cancelled_at.is_not(None), exists().where(open_)))
    if len(found):
        with staged(connection, found[["order_id"]]) as those:
            rest = order_lines.c.quantity_ordered - order_lines.c.quantity_allocated
            lines = update(order_lines).where(order_lines.c.order_id.in_(select(those.c.order_id)))
            connection.execute(lines.where(NEED > 0).values(quantity_cancelled=rest))
    return found


def cancelled_after_pick(connection: Connection) -> pd.DataFrame:
    """Cancelled orders with picked goods that have not left: order_number, merchant_id, merchant, units."""
    units = func.sum(order_lines.c.quantity_picked - order_lines.c.quantity_shipped).label("units")
    code = merchants.c.code.label("merchant")
    statement = (
        select(orders.c.order_number, orders.c.merchant_id, code, units)
        .join_from(orders, order_lines, order_lines.c.order_id == orders.c.id)
        .join(merchants, merchants.c.id == orders.c.merchant_id)
        .where(orders.c.cancelled_at.is_not(None), order_lines.c.quantity_picked > order_lines.c.quantity_shipped)
        .group_by(orders.c.order_number, orders.c.merchant_id, merchants.c.code)
        .order_by(merchants.c.code, orders.c.order_number)
    )
    return read(connection, statement)
