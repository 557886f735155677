"""Daily demand and daily stock changes, the terms on which products are bought, their targets, and what is on order."""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    cast,
    delete,
    exists,
    func,
    literal_column,
    select,
)

from tasks.domain.states import Condition
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.upserts import insert_new, update_changed
from tasks.store.schema import (
    incoming_lines,
    merchants,
    order_lines,
    orders,
    products,
    stock_moves,
    stock_targets,
    supply_terms,
)
from tasks.store.stock.places import product_parts

TARGET_COLUMNS = (
    "reorder_point",
    "order_up_to",
    "safety_stock",
    "basis",
    "daily_units",
    "daily_deviation_units",
    "days_counted",
)
_IS_PRODUCT = (products.c.merchant_id == orders.c.merchant_id) & (products.c.sku == order_lines.c.sku)


def _day(connection: Connection, moment: ColumnElement[Any], since: datetime) -> ColumnElement[int]:
    """The number of the day after `since` in which a moment lies: 0 is the first, earlier days are negative."""
    if connection.dialect.name == "postgresql":
        seconds = cast(func.floor(func.extract("epoch", moment)), BigInteger)
    else:
        seconds = cast(func.strftime("%s", moment), Integer)
    started = literal_column(str(int(since.timestamp())), BigInteger)  # no parameter: it is grouped by as well
    return (seconds - started) // literal_column("86400", Integer)


def daily_orders(connection: Connection, since: datetime, days: int) -> pd.DataFrame:
    """Units ordered on each day, without cancelled ones: product_id, day, units, all int64, units > 0.

    A kit asks for its components. A day is 24 hours, the first begins at `since`.
    """
    part = product_parts()
    day = _day(connection, orders.c.created_at, since)
    units = func.sum((order_lines.c.quantity_ordered - order_lines.c.quantity_cancelled) * part.c.quantity)
    placed = orders.c.created_at >= since, orders.c.created_at < since + timedelta(days=days)
    statement = (
        select(part.c.part_id.label("product_id"), day.label("day"), cast(units, BigInteger).label("units"))
        .join_from(order_lines, orders, orders.c.id == order_lines.c.order_id)
        .join(products, _IS_PRODUCT)
        .join(part, part.c.product_id == products.c.id)
        .where(*placed, orders.c.cancelled_at.is_(None))
        .group_by(part.c.part_id, day)
        .having(units > 0)
    )
    return read(connection, statement).astype("int64")


def daily_stock(connection: Connection, since: datetime, days: int) -> pd.DataFrame:
    """Changes of sellable stock: product_id, day, units (int64); day -1 sums up what was before `since`."""
    move = stock_moves.c
    day = _day(connection, move.effective_at, since)
    within = move.effective_at >= since, move.effective_at < since + timedelta(days=days)
    sellable, units = move.condition == Condition.AVAILABLE, cast(func.sum(move.quantity), BigInteger).label("units")
    daily = select(move.product_id, day.label("day"), units).where(sellable, *within).group_by(move.product_id, day)
    before = select(move.product_id, units).where(sellable, move.effective_at < since).group_by(move.product_id)
    opening = read(connection, before).assign(day=-1)[["product_id", "day", "units"]]
    return pd.concat([opening, read(connection, daily)], ignore_index=True).astype("int64")


def purchased_products(connection: Connection) -> pd.DataFrame:
    """Every product with its terms.

    Columns: product_id, merchant_id, merchant, sku, name, abc_class, pack_quantity, is_kit, unit_cost_minor, currency,
    reorder_point, and those of `supply_terms`, missing where there are no terms.
    """
    product, terms = products.c, supply_terms.c
    term_columns = [terms[name] for name in (
        "supplier", "supplier_sku", "lead_days", "lead_deviation_days", "service_level",
                                     "stock_min", "stock_max", "order_min", "order_multiple")]  # fmt: skip
    statement = (
        select(product.id.label("product_id"), product.merchant_id, merchants.c.code.label("merchant"), product.sku,
               product.name, product.abc_class, product.pack_quantity, product.is_kit, product.unit_cost_minor,
               product.currency, product.reorder_point, *term_columns)
        .join_from(products, merchants, merchants.c.id == product.merchant_id)
        .outerjoin(supply_terms, terms.product_id == product.id)
        .order_by(merchants.c.code, product.sku)
    )  # fmt: skip
    return read(connection, statement)


def store_targets(connection: Connection, targets: pd.DataFrame, as_of: datetime) -> int:
    """Store the rows of `replenishment.targets` and delete those of other products. Returns the number that changed."""
    with staged(connection, targets.assign(computed_at=pd.Timestamp(as_of)), like=stock_targets) as new:
        has_target = exists().where(new.c.product_id == stock_targets.c.product_id)
        deleted = changed(connection, delete(stock_targets).where(~has_target))
        updated = update_changed(connection, stock_targets, new, ("product_id",), TARGET_COLUMNS)
        return deleted + updated + insert_new(connection, stock_targets, select(new).order_by(new.c.product_id))


def stored_targets(connection: Connection) -> pd.DataFrame:
    """What `store_targets` wrote: product_id, TARGET_COLUMNS."""
    target = stock_targets.c
    query = select(target.product_id, *(target[name] for name in TARGET_COLUMNS))
    return read(connection, query.order_by(target.product_id))


def ordered_units(connection: Connection) -> pd.DataFrame:
    """Goods on their way: product_id, units (int64, > 0), expected_at."""
    line = incoming_lines.c
    units = (line.quantity - line.quantity_received - line.quantity_cancelled).label("units")
    return read(connection, select(line.product_id, units, line.expected_at).where(units > 0).order_by(line.id))
