"""Open orders and what they still need."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, exists, func, or_, select, update
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.notices import NoticeKind
from tasks.domain.states import AllocationState, HoldReason, PickState
from tasks.store.database.bulk import read_bulk
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import allocations, locations, merchants, messages, order_lines, orders, picks, products
from tasks.store.stock.places import parts

NEED = order_lines.c.quantity_ordered - order_lines.c.quantity_cancelled - order_lines.c.quantity_allocated
_LINE_OF = and_(
    allocations.c.order_id == order_lines.c.order_id, allocations.c.line_number == order_lines.c.line_number
)
_GOODS = and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == order_lines.c.sku)
_REFUNDED = and_(orders.c.refunded_minor > 0, orders.c.refunded_minor >= orders.c.total_minor)


def open_lines(connection: Connection, of: Table | None = None) -> pd.DataFrame:
    """Every line of an order neither cancelled nor fulfilled that still needs stock, whatever the order waits for.

    `of`: a table of order_id, where only those are asked for.

    Columns: order_id, line_number, merchant_id, merchant, order_number, sku, product_id (Int64), need,
    quantity_allocated, unit_price_minor (Int64), created_at, paid_at, ship_by, service_level, hold_reason, hold_until,
    refunded_minor, total_minor (Int64).
    """
    o, line = orders.c, order_lines.c
    header = select(
        o.id.label("order_id"), o.merchant_id, o.order_number, o.created_at, o.paid_at, o.ship_by, o.service_level,
        o.hold_reason, o.hold_until, o.refunded_minor, o.total_minor,
    ).where(o.cancelled_at.is_(None), o.fulfilled_at.is_(None))  # fmt: skip
    asking = select(
        line.order_id, line.line_number, line.sku, NEED.label("need"), line.quantity_allocated, line.unit_price_minor
    ).where(line.requires_shipping, NEED > 0)
    headers = _rows_of(connection, header, o.id, of)
    rows = _rows_of(connection, asking, line.order_id, of)
    found = _joined(headers, rows, _goods(connection, of), merchant_codes(connection))
    return found.astype({"product_id": "Int64", "total_minor": "Int64", "unit_price_minor": "Int64"})


def _rows_of(connection: Connection, statement: Select[Any], key: Any, of: Table | None) -> pd.DataFrame:
    return read_bulk(connection, statement if of is None else statement.join_from(key.table, of, of.c.order_id == key))


def _goods(connection: Connection, of: Table | None) -> pd.DataFrame:
    every = select(products.c.merchant_id, products.c.sku, products.c.id.label("product_id"))
    if of is None:
        return read_bulk(connection, every)
    mine = every.join_from(of, orders, orders.c.id == of.c.order_id)
    mine = mine.join(order_lines, order_lines.c.order_id == orders.c.id).join(products, _GOODS)
    return read_bulk(connection, mine.distinct())


def _joined(headers: pd.DataFrame, rows: pd.DataFrame, goods: pd.DataFrame, codes: pd.Series) -> pd.DataFrame:
    """Lines beside their orders and products: by position, for there may be millions."""
    headers = headers.sort_values("order_id", ignore_index=True)
    at = np.searchsorted(headers["order_id"], rows["order_id"])
    known = at < len(headers)
    known[known] = headers["order_id"].to_numpy()[at[known]] == rows["order_id"].to_numpy()[known]
    rows, at = rows[known], at[known]
    found = pd.concat([rows.reset_index(drop=True),
                       headers.drop(columns="order_id").take(at).reset_index(drop=True)], axis=1)  # fmt: skip
    merchant = found["merchant_id"].map(codes).astype("str")
    return found.assign(product_id=_product_ids(found, goods), merchant=merchant)


def _product_ids(rows: pd.DataFrame, goods: pd.DataFrame) -> ExtensionArray:
    """The product each merchant calls so; missing where it calls none so."""
    skus = pd.Index(goods["sku"].unique())
    own = 1 + max(goods["merchant_id"].max() if len(goods) else 0, rows["merchant_id"].max() if len(rows) else 0)
    known = pd.Series(goods["product_id"].to_numpy(), skus.get_indexer(goods["sku"]) * own + goods["merchant_id"])
    codes, said = pd.factorize(rows["sku"])
    place = np.append(skus.get_indexer(pd.Index(said)), -1)[codes]
    at = known.index.get_indexer(pd.Index(np.where(place < 0, -1, place * own + rows["merchant_id"])))
    ids = np.append(known.to_numpy(dtype="int64"), 0)[at]
    return pd.arrays.IntegerArray(ids, at < 0)


def merchant_codes(connection: Connection) -> pd.Series:
    """Code by merchant_id."""
    found = read(connection, select(merchants.c.id, merchants.c.code).order_by(merchants.c.id))
    return found.set_index("id")["code"]


def promised_parts(connection: Connection, of: Table | None = None) -> pd.DataFrame:
    """What orders that still need stock have: order_id, line_number, product_id, warehouse_id, units (int64).

    `of`: a table of order_id, where only those are asked for.
    """
    key = [allocations.c[name] for name in ("order_id", "line_number", "product_id")] + [locations.c.warehouse_id]
    needing = select(order_lines.c.order_id).where(NEED > 0) if of is None else select(of.c.order_id)
    statement = (
        select(*key, func.sum(allocations.c.quantity).label("units"))
        .join_from(allocations, locations, locations.c.id == allocations.c.location_id)
        .where(allocations.c.state != AllocationState.RELEASED, allocations.c.order_id.in_(needing))
        .group_by(*key)
    )
    names = ["order_id", "line_number", "product_id", "warehouse_id"]
    return read_bulk(connection, statement).astype("int64").sort_values(names, ignore_index=True)


def places_in_waves(connection: Connection, of: Table | None = None) -> pd.DataFrame:
    """Open promises of lines that still need stock, whose picking is under way or done: they cannot grow.

    `of`: a table of order_id, where only those are asked for.

    Columns: order_id, line_number, location_id, product_id, lot.
    """
    key = [allocations.c[name] for name in ("order_id", "line_number", "location_id", "product_id", "lot")]
    statement = (
        select(*key)
        .join_from(allocations, order_lines, _LINE_OF)
        .join(picks, and_(picks.c.allocation_id == allocations.c.id, picks.c.state != PickState.CANCELLED))
        .where(allocations.c.state == AllocationState.OPEN, NEED > 0)
        .order_by(*key)
    )
    return read(
        connection, statement if of is None else statement.where(allocations.c.order_id.in_(select(of.c.order_id)))
    )


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
        .where(allocations.c.state == AllocationState.OPEN, ~begun, or_(orders.c.cancelled_at.is_not(None), _REFUNDED))
        .order_by(allocations.c.id)
    )  # fmt: skip
    found = read(connection, statement)
    cancelled = found.pop("cancelled").astype(bool)
    return found.assign(reason=cancelled.map({True: "cancelled", False: "refunded"}).astype("str"))


def cancel_lines(connection: Connection) -> pd.DataFrame:
    """Count what cancelled orders will not get as cancelled, once; returns the orders that changed (as `_told`)."""
    open_ = and_(order_lines.c.order_id == orders.c.id, NEED > 0)
    found = read(connection, _told().where(orders.c.cancelled_at.is_not(None), exists().where(open_)))
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


def _told() -> Select[Any]:
    """An order as its notices need it."""
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
    waits = or_(o.cancelled_at.is_not(None), o.fulfilled_at.is_not(None), o.hold_reason.is_not(None), _REFUNDED)
    return read(connection, _told().where(o.paid_at.is_not(None), func.coalesce(waits, False).is_(False), ~told))


def untold(connection: Connection, order_ids: pd.Series, kind: NoticeKind) -> pd.DataFrame:
    """The orders of those ids whose customers were never told of `kind`, as their notices need them."""
    with staged(connection, pd.DataFrame({"order_id": order_ids.unique()})) as those:
        mine = orders.c.id.in_(select(those.c.order_id))
        return read(connection, _told().where(mine, ~_told_before(kind)))


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


def lift_payment_holds(connection: Connection) -> int:
    """Let go the orders that waited for a payment which has come; says how many."""
    paid = and_(orders.c.hold_reason == HoldReason.PAYMENT, orders.c.paid_at.is_not(None))
    return changed(connection, update(orders).where(paid).values(hold_reason=None, hold_until=None))


def without_ship_by(connection: Connection) -> pd.DataFrame:
    """Paid open orders nobody has promised a day: order_id, paid_at, service_level."""
    o = orders.c
    statement = select(o.id.label("order_id"), o.paid_at, o.service_level).order_by(o.id)
    return read(connection, statement.where(o.paid_at.is_not(None), o.ship_by.is_(None), o.cancelled_at.is_(None)))


def promise_ship_by(connection: Connection, promised: pd.DataFrame) -> int:
    """Write ship_by of orders that have none (order_id, ship_by); says how many."""
    with staged(connection, promised.dropna(), like=orders) as new:
        same = and_(orders.c.id == new.c.order_id, orders.c.ship_by.is_(None))
        return changed(connection, update(orders).where(same).values(ship_by=new.c.ship_by))


def demand_since(connection: Connection, since: datetime, until: datetime) -> pd.Series:
    """Units asked for in the period, cancelled ones not counted, by product_id; a kit asks for its components."""
    part: Subquery = parts()
    units = func.sum((order_lines.c.quantity_ordered - order_lines.c.quantity_cancelled) * part.c.quantity)
    statement = (
        select(part.c.part_id.label("product_id"), units.label("units"))
        .join_from(order_lines, orders, orders.c.id == order_lines.c.order_id)
        .join(products, _GOODS)
        .join(part, part.c.product_id == products.c.id)
        .where(orders.c.created_at > since, orders.c.created_at <= until, orders.c.cancelled_at.is_(None))
        .group_by(part.c.part_id)
        .order_by(part.c.part_id)
    )
    found = read(connection, statement).astype("int64")
    return found.set_index("product_id")["units"]
