"""What was asked for and what lay there day by day, on which terms goods are bought, and what is on its way."""

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
    merchants,
    metadata,
    order_lines,
    orders,
    products,
    stock_moves,
    stock_targets,
    supply_terms,
)
from tasks.store.stock.places import parts

TARGET = (
    "reorder_point",
    "order_up_to",
    "safety_stock",
    "basis",
    "daily_units",
    "daily_deviation_units",
    "days_counted",
)
_GOODS = (products.c.merchant_id == orders.c.merchant_id) & (products.c.sku == order_lines.c.sku)


def _day(connection: Connection, moment: ColumnElement[Any], since: datetime) -> ColumnElement[int]:
    """On which day after `since` a moment lies: 0 is the first, days before are negative."""
    if connection.dialect.name == "postgresql":
        seconds = cast(func.floor(func.extract("epoch", moment)), BigInteger)
    else:
        seconds = cast(func.strftime("%s", moment), Integer)
    started = literal_column(str(int(since.timestamp())), BigInteger)  # no parameter: it is grouped by as well
    return (seconds - started) // literal_column("86400", Integer)


def daily_orders(connection: Connection, since: datetime, days: int) -> pd.DataFrame:
    """Units asked for on each day, cancelled ones not counted: product_id, day, units, all int64 and > 0.

    A kit asks for its components. A day is 24 hours, the first begins at `since`.
    """
    part = parts()
    day = _day(connection, orders.c.created_at, since)
    units = func.sum((order_lines.c.quantity_ordered - order_lines.c.quantity_cancelled) * part.c.quantity)
    placed = orders.c.created_at >= since, orders.c.created_at < since + timedelta(days=days)
    statement = (
        select(part.c.part_id.label("product_id"), day.label("day"), cast(units, BigInteger).label("units"))
        .join_from(order_lines, orders, orders.c.id == order_lines.c.order_id)
        .join(products, _GOODS)
        .join(part, part.c.product_id == products.c.id)
        .where(*placed, orders.c.cancelled_at.is_(None))
        .group_by(part.c.part_id, day)
        .having(units > 0)
    )
    return read(connection, statement).astype("int64")


def daily_stock(connection: Connection, since: datetime, days: int) -> pd.DataFrame:
    """What came and went of sellable goods: product_id, day, units, int64; day -1 sums up what was before `since`."""
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
    reorder_point, and those of `supply_terms`; what nobody said is missing.
    """
    p, terms = products.c, supply_terms.c
    said = [terms[name] for name in ("supplier", "supplier_sku", "lead_days", "lead_deviation_days", "service_level",
                                     "stock_min", "stock_max", "order_min", "order_multiple")]  # fmt: skip
    statement = (
        select(p.id.label("product_id"), p.merchant_id, merchants.c.code.label("merchant"), p.sku, p.name, p.abc_class,
               p.pack_quantity, p.is_kit, p.unit_cost_minor, p.currency, p.reorder_point, *said)
        .join_from(products, merchants, merchants.c.id == p.merchant_id)
        .outerjoin(supply_terms, terms.product_id == p.id)
        .order_by(merchants.c.code, p.sku)
    )  # fmt: skip
    return read(connection, statement)


def set_targets(connection: Connection, found: pd.DataFrame, as_of: datetime) -> int:
    """Write what `replenishment.targets` gives, and forget products that are not in it; says how many differ."""
    told = found.assign(computed_at=pd.Timestamp(as_of))
    with staged(connection, told, like=stock_targets) as new:
        known = exists().where(new.c.product_id == stock_targets.c.product_id)
        forgotten = changed(connection, delete(stock_targets).where(~known))
        differ = update_changed(connection, stock_targets, new, ("product_id",), TARGET)
        return forgotten + differ + insert_new(connection, stock_targets, select(new).order_by(new.c.product_id))


def stored_targets(connection: Connection) -> pd.DataFrame:
    """What `set_targets` wrote: product_id, TARGET."""
    one = stock_targets.c
    return read(connection, select(one.product_id, *(one[name] for name in TARGET)).order_by(one.product_id))


def ordered_units(connection: Connection) -> pd.DataFrame:
    """Goods on their way: product_id, units (int64, > 0), expected_at. None where no table tells of any."""
    lines = metadata.tables.get("incoming_lines")
    if lines is None:
        nothing = {"product_id": "int64", "units": "int64", "expected_at": "datetime64[s, UTC]"}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in nothing.items()})
    one = lines.c
    units = (one.quantity - one.quantity_received - one.quantity_cancelled).label("units")
    return read(connection, select(one.product_id, units, one.expected_at).where(units > 0).order_by(one.id))
