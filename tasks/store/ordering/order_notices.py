"""Orders whose customers are to be told something, once each."""

from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, exists, or_, select

from tasks.domain.notices import NoticeKind
from tasks.store.database.frames import read, staged
from tasks.store.schema import merchants, messages, order_lines, orders
from tasks.store.sql_rules import NEEDS_NOTHING


def noticed_orders() -> Select[Any]:
    """Orders as their notices need them: names, money, dates, and how to reach the customer."""
    o = orders.c
    told = select(
        o.id.label("order_id"), o.merchant_id, merchants.c.code.label("merchant"), o.order_number, o.channel, o.email,
        o.language, o.customer_name, o.currency, o.total_minor, o.refunded_minor, o.paid_at,
        o.cancelled_at, o.ship_by,
    )  # fmt: skip
    of_merchant = told.join_from(orders, merchants, merchants.c.id == o.merchant_id)
    return of_merchant.order_by(merchants.c.code, o.order_number)


def unconfirmed(connection: Connection) -> pd.DataFrame:
    """Paid open orders whose customers were never told so."""
    o, told = orders.c, _told_before(NoticeKind.ORDER_CONFIRMED)
    waits = or_(NEEDS_NOTHING, o.hold_reason.is_not(None))
    return read(connection, noticed_orders().where(o.paid_at.is_not(None), ~waits, ~told))


def untold(connection: Connection, order_ids: pd.Series, kind: NoticeKind) -> pd.DataFrame:
    """The orders of those ids whose customers were never told of `kind`, as their notices need them."""
    with staged(connection, pd.DataFrame({"order_id": order_ids.unique()})) as those:
        mine = orders.c.id.in_(select(those.c.order_id))
        return read(connection, noticed_orders().where(mine, ~_told_before(kind)))


def _told_before(kind: NoticeKind) -> ColumnElement[bool]:
    return exists().where(messages.c.order_id == orders.c.id, messages.c.kind == kind)


def contents(connection: Connection, order_ids: pd.Series) -> pd.Series:
    """What each order holds, as a list of sku, name and quantity, by order_id."""
    line = order_lines.c
    with staged(connection, pd.DataFrame({"order_id": order_ids.unique()})) as those:
        rows = read(
            connection,
            select(line.order_id, line.sku, line.name, line.quantity_ordered.label("quantity"))
            .where(line.order_id.in_(select(those.c.order_id)))
            .order_by(line.order_id, line.line_number),
        )
    rows["name"] = rows["name"].astype(object).where(rows["name"].notna(), rows["sku"])
    held: dict[int, list[dict[str, object]]] = {}
    for one in rows.to_dict("records"):
        held.setdefault(one.pop("order_id"), []).append({str(name): value for name, value in one.items()})
    return pd.Series(held, dtype=object)
