"""Holds: who keeps which order from being served, since when, until when, and how it ended."""

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
_OPEN = order_holds.c.ended_at.is_(None)
LINE_OF_ORDER = order_lines.c.order_id == orders.c.id


def hold(connection: Connection, found: pd.DataFrame, as_of: datetime) -> int:
    """Hold orders, each for one cause at a time: a hold that is open is replaced. Says how many were held.

    `found`: order_id, cause (known ones are passed over), reason, detail, set_by, until, comment.
    """
    if found.empty:
        return 0
    with staged(connection, found, like=order_holds) as all_:
        known = exists().where(order_holds.c.cause == all_.c.cause)
        new = read(connection, select(all_).where(~known))
    with staged(connection, new.assign(set_at=pd.Timestamp(as_of)), like=order_holds) as those:
        mine = and_(_OPEN, order_holds.c.order_id == those.c.order_id)
        connection.execute(update(order_holds).where(mine).values(ended_at=as_of, ended_by=those.c.set_by))
        names = [str(column.key) for column in those.columns]
        connection.execute(insert(order_holds).from_select(names, select(those).order_by(those.c.cause)))
        order = update(orders).where(orders.c.id == those.c.order_id)
        return changed(connection, order.values(hold_reason=those.c.reason, hold_until=those.c.until))


def release(connection: Connection, wanted: pd.DataFrame, as_of: datetime) -> int:
    """Let orders go: order_id, row_number, hold_now, set_by, comment. What an export had held is kept as ended."""
    if wanted.empty:
        return 0
    with staged(connection, wanted[["order_id", "hold_now", "set_by", "comment"]], like=order_holds) as those:
        mine = and_(_OPEN, order_holds.c.order_id == those.c.order_id)
        now = literal(as_of, order_holds.c.set_at.type)
        cause = literal("released:") + cast(those.c.order_id, String) + literal(f":{as_of:%Y%m%dT%H%M%SZ}")
        unknown = select(
            those.c.order_id, cause, those.c.hold_now, literal(EXPORT), now, now, those.c.set_by, those.c.comment
        ).where(~exists().where(mine))
        names = ["order_id", "cause", "reason", "set_by", "set_at", "ended_at", "ended_by", "comment"]
        connection.execute(insert(order_holds).from_select(names, unknown))
        ended = {"ended_at": as_of, "ended_by": those.c.set_by}
        told = func.coalesce(those.c.comment, order_holds.c.comment)
        connection.execute(update(order_holds).where(mine).values(**ended, comment=told))
        order = update(orders).where(orders.c.id == those.c.order_id)
        return changed(connection, order.values(hold_reason=null(), hold_until=null()))


def open_holds(connection: Connection) -> pd.DataFrame:
    """Holds that have not ended: hold_id, order_id, reason, set_at, until; and hold_now, what holds the order."""
    h = order_holds.c
    now = orders.c.hold_reason.label("hold_now"), IS_CLOSED.label("closed")
    told = select(h.id.label("hold_id"), h.order_id, h.reason, h.set_at, h.until, *now)
    return read(connection, told.join(orders, orders.c.id == h.order_id).where(_OPEN).order_by(h.id))


def end(connection: Connection, ended: pd.DataFrame, as_of: datetime) -> int:
    """Close holds (hold_id, order_id, ended_by, lets_go bool) and let go the orders they held; says how many."""
    if ended.empty:
        return 0
    with staged(connection, ended, like=order_holds) as those:
        over = update(order_holds).where(_OPEN, order_holds.c.id == those.c.hold_id)
        done = changed(connection, over.values(ended_at=as_of, ended_by=those.c.ended_by))
        free = update(orders).where(orders.c.id == those.c.order_id, those.c.lets_go)
        connection.execute(free.values(hold_reason=null(), hold_until=null()))
        return done


def end_dated(connection: Connection, as_of: datetime) -> int:
    """Let go the orders whose hold has come to its date; says how many."""
    over = update(orders).where(orders.c.hold_reason.is_not(None), orders.c.hold_until <= as_of)
    return changed(connection, over.values(hold_reason=null(), hold_until=null()))


def _customer() -> Any:
    o = orders.c
    address = func.lower(o.customer_name + o.address1 + o.postal_code)
    return func.coalesce(func.lower(o.email), o.customer_reference, address)


def suspects(connection: Connection, since: datetime) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Paid orders since then of customers with several, and their lines, as `domain.holds.duplicates` has them."""
    o = orders.c
    live = o.paid_at.is_not(None), o.cancelled_at.is_(None), ~IS_REFUNDED, o.created_at >= since
    together = func.count().over(partition_by=(o.merchant_id, _customer()))  # a join by customer would have no index
    own = select(o.id, _customer().label("customer"), together.label("together")).where(*live).subquery("own")
    begun = exists().where(LINE_OF_ORDER, order_lines.c.quantity_picked > 0)
    told = (
        select(o.id.label("order_id"), merchants.c.code.label("merchant"), o.order_number, own.c.customer,
               o.channel, o.created_at, or_(o.fulfilled_at.is_not(None), begun).label("begun"))
        .join(own, own.c.id == o.id).join(merchants, merchants.c.id == o.merchant_id)
        .where(own.c.together > 1, own.c.customer.is_not(None)).order_by(merchants.c.code, o.order_number)
    )  # fmt: skip
    found = read(connection, told)
    line, units = order_lines.c, order_lines.c.quantity_ordered - order_lines.c.quantity_cancelled
    with staged(connection, found[["order_id"]], like=order_lines) as those:
        asked = select(line.order_id, line.sku, units.label("units")).where(line.requires_shipping, units > 0)
        return found, read(connection, asked.join(those, those.c.order_id == line.order_id))


def unheld(connection: Connection, order_ids: pd.Series) -> set[int]:
    """Which of the orders nothing holds yet."""
    with staged(connection, pd.DataFrame({"order_id": order_ids})) as those:
        free = select(orders.c.id).join(those, those.c.order_id == orders.c.id).where(orders.c.hold_reason.is_(None))
        return set(connection.scalars(free))


def unpaid(connection: Connection) -> pd.DataFrame:
    """Orders nobody has paid, held for no other reason, nothing picked for them: order_id, channel, created_at."""
    o = orders.c
    waits = or_(o.hold_reason.is_(None), o.hold_reason == HoldReason.PAYMENT)
    begun = exists().where(LINE_OF_ORDER, order_lines.c.quantity_picked > 0)
    return read(connection, select(o.id.label("order_id"), o.channel, o.created_at).where(
        o.paid_at.is_(None), ~IS_CLOSED, waits, ~begun).order_by(o.id))  # fmt: skip


def expire(connection: Connection, order_ids: pd.Series, as_of: datetime) -> int:
    """Give up orders nobody paid, with all of their lines nothing was promised for; says how many."""
    with staged(connection, pd.DataFrame({"order_id": order_ids})) as those:
        ids = select(those.c.order_id)
        left = order_lines.c.quantity_ordered - order_lines.c.quantity_allocated
        lines = update(order_lines).where(order_lines.c.order_id.in_(ids))
        connection.execute(lines.where(order_lines.c.quantity_cancelled < left).values(quantity_cancelled=left))
        given_up = update(orders).where(orders.c.id.in_(ids), orders.c.expired_at.is_(None))
        gone = {"cancelled_at": as_of, "expired_at": as_of, "hold_reason": null(), "hold_until": null()}
        return changed(connection, given_up.values(gone))


def paid_after_expiry(connection: Connection) -> pd.DataFrame:
    """Orders given up and paid after all, and not paid back: merchant_id, merchant, order_number, paid_at."""
    o = orders.c
    told: Select[Any] = select(o.merchant_id, merchants.c.code.label("merchant"), o.order_number, o.paid_at)
    late = and_(o.expired_at.is_not(None), o.paid_at.is_not(None))
    told = told.join_from(orders, merchants, merchants.c.id == o.merchant_id).where(late, ~IS_REFUNDED)
    return read(connection, told.order_by(merchants.c.code, o.order_number))


def held(connection: Connection) -> pd.DataFrame:
    """Orders on hold that are still to be sent.

    Columns: merchant, order_number, hold_reason, hold_until, detail, held_since, ship_by.
    """
    o, h = orders.c, order_holds.c
    waits = exists().where(LINE_OF_ORDER, order_lines.c.quantity_shipped < order_lines.c.quantity_ordered
                           - order_lines.c.quantity_cancelled)  # fmt: skip
    since = func.coalesce(h.set_at, o.created_at, type_=o.created_at.type).label("held_since")
    named = merchants.c.code.label("merchant")
    told = select(named, o.order_number, o.hold_reason, o.hold_until, h.detail, since, o.ship_by)
    told = told.join_from(orders, merchants, merchants.c.id == o.merchant_id)
    told = told.outerjoin(order_holds, and_(h.order_id == o.id, _OPEN))
    told = told.where(o.hold_reason.is_not(None), ~IS_CLOSED, waits)
    return read(connection, told.order_by(merchants.c.code, o.order_number))
