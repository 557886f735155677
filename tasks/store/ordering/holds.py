"""Holds of orders: who set each and why, since when and until when, and how it ended."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    Connection,
    Select,
    String,
    and_,
    cast,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)

from tasks.domain.states import HoldReason
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import merchants, order_holds, order_lines, orders
from tasks.store.sql_rules import IS_CLOSED, IS_REFUNDED

EXPORT = "an export"
_IS_OPEN = order_holds.c.ended_at.is_(None)
LINE_OF_ORDER = order_lines.c.order_id == orders.c.id
_IS_BEGUN = exists().where(LINE_OF_ORDER, order_lines.c.quantity_picked > 0)


def hold_orders(connection: Connection, order_rows: pd.DataFrame, as_of: datetime) -> int:
    """Hold orders, each for one cause at a time: an open hold is replaced. Returns the number of orders held.

    `order_rows`: order_id, cause (those known already are passed over), reason, detail, set_by, until, comment.
    """
    if order_rows.empty:
        return 0
    with staged(connection, order_rows, like=order_holds) as rows:
        is_known = exists().where(order_holds.c.cause == rows.c.cause)
        new = read(connection, select(rows).where(~is_known))
    with staged(connection, new.assign(set_at=pd.Timestamp(as_of)), like=order_holds) as rows:
        is_replaced = and_(_IS_OPEN, order_holds.c.order_id == rows.c.order_id)
        connection.execute(update(order_holds).where(is_replaced).values(ended_at=as_of, ended_by=rows.c.set_by))
        names = [str(column.key) for column in rows.columns]
        connection.execute(insert(order_holds).from_select(names, select(rows).order_by(rows.c.cause)))
        order = update(orders).where(orders.c.id == rows.c.order_id)
        return changed(connection, order.values(hold_reason=rows.c.reason, hold_until=rows.c.until))


def release_orders(connection: Connection, order_rows: pd.DataFrame, as_of: datetime) -> int:
    """End the hold of orders at a person's word. Returns the number of orders released.

    `order_rows`: order_id, hold_now, set_by, comment. A hold that an export set has no row: it is stored as ended.
    """
    if order_rows.empty:
        return 0
    with staged(connection, order_rows[["order_id", "hold_now", "set_by", "comment"]], like=order_holds) as rows:
        is_ended = and_(_IS_OPEN, order_holds.c.order_id == rows.c.order_id)
        now = literal(as_of, order_holds.c.set_at.type)
        cause = literal("released:") + cast(rows.c.order_id, String) + literal(f":{as_of:%Y%m%dT%H%M%SZ}")
        without_row = select(
            rows.c.order_id, cause, rows.c.hold_now, literal(EXPORT), now, now, rows.c.set_by, rows.c.comment
        ).where(~exists().where(is_ended))
        names = ["order_id", "cause", "reason", "set_by", "set_at", "ended_at", "ended_by", "comment"]
        connection.execute(insert(order_holds).from_select(names, without_row))
        ending = {"ended_at": as_of, "ended_by": rows.c.set_by}
        comment = func.coalesce(rows.c.comment, order_holds.c.comment)
        connection.execute(update(order_holds).where(is_ended).values(**ending, comment=comment))
        order = update(orders).where(orders.c.id == rows.c.order_id)
        return changed(connection, order.values(hold_reason=null(), hold_until=null()))


def open_holds(connection: Connection) -> pd.DataFrame:
    """Holds that have not ended.

    Columns: hold_id, order_id, reason, set_at, until, hold_now (the reason that holds the order now), closed (bool:
    the order is cancelled or fulfilled).
    """
    hold = order_holds.c
    order_facts = orders.c.hold_reason.label("hold_now"), IS_CLOSED.label("closed")
    query = select(hold.id.label("hold_id"), hold.order_id, hold.reason, hold.set_at, hold.until, *order_facts)
    query = query.join(orders, orders.c.id == hold.order_id).where(_IS_OPEN)
    return read(connection, query.order_by(hold.id))


def end_holds(connection: Connection, holds: pd.DataFrame, as_of: datetime) -> int:
    """End holds, and free the orders they held. Returns the number of holds ended.

    `holds`: hold_id, order_id, ended_by, frees_order (bool: the order is held by this hold).
    """
    if holds.empty:
        return 0
    with staged(connection, holds, like=order_holds) as rows:
        ended = update(order_holds).where(_IS_OPEN, order_holds.c.id == rows.c.hold_id)
        count = changed(connection, ended.values(ended_at=as_of, ended_by=rows.c.ended_by))
        freed = update(orders).where(orders.c.id == rows.c.order_id, rows.c.frees_order)
        connection.execute(freed.values(hold_reason=null(), hold_until=null()))
        return count


def end_dated_holds(connection: Connection, as_of: datetime) -> int:
    """Free the orders whose hold has come to its date. Returns their number."""
    freed = update(orders).where(orders.c.hold_reason.is_not(None), orders.c.hold_until <= as_of)
    return changed(connection, freed.values(hold_reason=null(), hold_until=null()))


def _customer() -> Any:
    """What two orders of one customer have in common: the address of mail, the shop's number, or name and address."""
    order = orders.c
    address = func.lower(order.customer_name + order.address1 + order.postal_code)
    return func.coalesce(func.lower(order.email), order.customer_reference, address)


def possible_duplicates(connection: Connection, since: datetime) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Paid orders placed `since` then by customers with several, and their lines, for `holds.duplicate_holds`."""
    order = orders.c
    is_paid_and_open = order.paid_at.is_not(None), order.cancelled_at.is_(None), ~IS_REFUNDED
    orders_of_customer = func.count().over(partition_by=(order.merchant_id, _customer()))  # no index for a join
    customers = select(order.id, _customer().label("customer"), orders_of_customer.label("order_count"))
    customers_of = customers.where(*is_paid_and_open, order.created_at >= since).subquery("customers")
    query = (
        select(order.id.label("order_id"), merchants.c.code.label("merchant"), order.order_number,
               customers_of.c.customer, order.channel, order.created_at,
               or_(order.fulfilled_at.is_not(None), _IS_BEGUN).label("begun"))
        .join(customers_of, customers_of.c.id == order.id).join(merchants, merchants.c.id == order.merchant_id)
        .where(customers_of.c.order_count > 1, customers_of.c.customer.is_not(None))
        .order_by(merchants.c.code, order.order_number)
    )  # fmt: skip
    order_rows = read(connection, query)
    line, units = order_lines.c, order_lines.c.quantity_ordered - order_lines.c.quantity_cancelled
    with staged(connection, order_rows[["order_id"]], like=order_lines) as chosen_orders:
        lines = select(line.order_id, line.sku, units.label("units")).where(line.requires_shipping, units > 0)
        lines = lines.join(chosen_orders, chosen_orders.c.order_id == line.order_id)
        return order_rows, read(connection, lines)


def unheld_orders(connection: Connection, order_ids: pd.Series) -> set[int]:
    """Those of `order_ids` that are not on hold."""
    with staged(connection, pd.DataFrame({"order_id": order_ids})) as chosen_orders:
        query = select(orders.c.id).join(chosen_orders, chosen_orders.c.order_id == orders.c.id)
        return set(connection.scalars(query.where(orders.c.hold_reason.is_(None))))


def unpaid_orders(connection: Connection) -> pd.DataFrame:
    """Open unpaid orders, held for no other reason and not begun to be picked: order_id, channel, created_at."""
    order = orders.c
    is_not_held = or_(order.hold_reason.is_(None), order.hold_reason == HoldReason.PAYMENT)
    query = select(order.id.label("order_id"), order.channel, order.created_at)
    query = query.where(order.paid_at.is_(None), ~IS_CLOSED, is_not_held, ~_IS_BEGUN)
    return read(connection, query.order_by(order.id))


def expire_orders(connection: Connection, order_ids: pd.Series, as_of: datetime) -> int:
    """Cancel orders nobody paid, with whatever of their lines is not promised. Returns the number of orders."""
    with staged(connection, pd.DataFrame({"order_id": order_ids})) as chosen_orders:
        ids = select(chosen_orders.c.order_id)
        unpromised = order_lines.c.quantity_ordered - order_lines.c.quantity_allocated
        lines = update(order_lines).where(order_lines.c.order_id.in_(ids))
        connection.execute(
            lines.where(order_lines.c.quantity_cancelled < unpromised).values(quantity_cancelled=unpromised)
        )
        expired = update(orders).where(orders.c.id.in_(ids), orders.c.expired_at.is_(None))
        values = {"cancelled_at": as_of, "expired_at": as_of, "hold_reason": null(), "hold_until": null()}
        return changed(connection, expired.values(values))


def paid_after_expiry(connection: Connection) -> pd.DataFrame:
    """Expired orders that were paid after all and not refunded: merchant_id, merchant, order_number, paid_at."""
    order = orders.c
    query: Select[Any] = select(
        order.merchant_id, merchants.c.code.label("merchant"), order.order_number, order.paid_at
    ).join_from(orders, merchants, merchants.c.id == order.merchant_id)
    query = query.where(order.expired_at.is_not(None), order.paid_at.is_not(None), ~IS_REFUNDED)
    return read(connection, query.order_by(merchants.c.code, order.order_number))


def orders_on_hold(connection: Connection) -> pd.DataFrame:
    """Orders on hold that are still to be sent.

    Columns: merchant, order_number, hold_reason, hold_until, detail, held_since, ship_by.
    """
    order, hold, line = orders.c, order_holds.c, order_lines.c
    has_unsent_line = exists().where(
        LINE_OF_ORDER, line.quantity_shipped < line.quantity_ordered - line.quantity_cancelled
    )
    held_since = func.coalesce(hold.set_at, order.created_at, type_=order.created_at.type).label("held_since")
    query = (
        select(merchants.c.code.label("merchant"), order.order_number, order.hold_reason, order.hold_until,
               hold.detail, held_since, order.ship_by)
        .join_from(orders, merchants, merchants.c.id == order.merchant_id)
        .outerjoin(order_holds, and_(hold.order_id == order.id, _IS_OPEN))
        .where(order.hold_reason.is_not(None), ~IS_CLOSED, has_unsent_line)
    )  # fmt: skip
    return read(connection, query.order_by(merchants.c.code, order.order_number))
