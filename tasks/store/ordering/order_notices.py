"""Orders whose customers get a notice, once of each kind."""

from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, exists, or_, select

from tasks.domain.notices import NoticeKind
from tasks.store.database.frames import read, staged
from tasks.store.schema import merchants, messages, order_lines, orders
from tasks.store.sql_rules import NEEDS_NOTHING


def noticed_orders() -> Select[Any]:
    """Orders with what their notices say: names, money, dates, and how to reach the customer."""
    order = orders.c
    query = select(
        order.id.label("order_id"), order.merchant_id, merchants.c.code.label("merchant"), order.order_number,
        order.channel, order.email, order.language, order.customer_name, order.currency, order.total_minor,
        order.refunded_minor, order.paid_at, order.cancelled_at, order.ship_by,
    )  # fmt: skip
    query = query.join_from(orders, merchants, merchants.c.id == order.merchant_id)
    return query.order_by(merchants.c.code, order.order_number)


def orders_to_confirm(connection: Connection) -> pd.DataFrame:
    """Paid open orders that are not on hold and whose customers got no confirmation; as in `noticed_orders`."""
    order, is_notified = orders.c, _is_notified(NoticeKind.ORDER_CONFIRMED)
    is_excluded = or_(NEEDS_NOTHING, order.hold_reason.is_not(None))
    return read(connection, noticed_orders().where(order.paid_at.is_not(None), ~is_excluded, ~is_notified))


def orders_to_notify(connection: Connection, order_ids: pd.Series, kind: NoticeKind) -> pd.DataFrame:
    """The orders of `order_ids` whose customers got no notice of `kind`; columns as in `noticed_orders`."""
    with staged(connection, pd.DataFrame({"order_id": order_ids.unique()})) as chosen_orders:
        is_chosen = orders.c.id.in_(select(chosen_orders.c.order_id))
        return read(connection, noticed_orders().where(is_chosen, ~_is_notified(kind)))


def _is_notified(kind: NoticeKind) -> ColumnElement[bool]:
    return exists().where(messages.c.order_id == orders.c.id, messages.c.kind == kind)


def order_items(connection: Connection, order_ids: pd.Series) -> pd.Series:
    """The items of each order, as a list of sku, name and quantity, by order_id."""
    line = order_lines.c
    with staged(connection, pd.DataFrame({"order_id": order_ids.unique()})) as chosen_orders:
        rows = read(
            connection,
            select(line.order_id, line.sku, line.name, line.quantity_ordered.label("quantity"))
            .where(line.order_id.in_(select(chosen_orders.c.order_id)))
            .order_by(line.order_id, line.line_number),
        )
    rows["name"] = rows["name"].astype(object).where(rows["name"].notna(), rows["sku"])
    items: dict[int, list[dict[str, object]]] = {}
    for row in rows.to_dict("records"):
        items.setdefault(row.pop("order_id"), []).append({str(name): value for name, value in row.items()})
    return pd.Series(items, dtype=object)
