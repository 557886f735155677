"""Places a count may be planned for, what is sold, and the planned counts themselves."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Table, and_, exists, func, insert, or_, select, union
from sqlalchemy.sql.selectable import Subquery

from tasks.domain.states import CountLineState, CountState, PickState
from tasks.store.count_cases import CLOSED
from tasks.store.count_findings import waiting_at, withdraw
from tasks.store.frames import changed, read, staged
from tasks.store.schema import (
    allocations,
    count_lines,
    counts,
    locations,
    merchants,
    order_lines,
    orders,
    picks,
    products,
    stock_levels,
    stock_moves,
    stock_snapshots,
)
from tasks.store.stock import PLACE

LINE = ("location_id", "product_id", "sku", "condition", "lot", "reason")


def is_planned(connection: Connection, warehouse_id: int, prefix: str) -> bool:
    """Whether the warehouse has planned counts whose code starts like that."""
    mine = counts.c.warehouse_id == warehouse_id, counts.c.code.startswith(prefix, autoescape=True)
    return bool(connection.scalar(select(exists().where(*mine, counts.c.planned_at.is_not(None)))))


def countable(connection: Connection, warehouse_id: int, sheets_valid_since: datetime) -> pd.DataFrame:
    """Places that are not being counted, as `tasks.domain.count_plans.due` takes them.

    Also merchant, location, zone, aisle, bay, level and sku. A place on a sheet older than `sheets_valid_since` that
    did not come back is free again.
    """
    place = _places(warehouse_id)
    level, said = _same(stock_levels, place), _same(stock_snapshots, place)
    by_then = and_(_same(stock_moves, place), stock_moves.c.effective_at <= stock_snapshots.c.snapshot_at)
    book = select(func.coalesce(func.sum(stock_moves.c.quantity), 0)).where(by_then).scalar_subquery()
    shelf, short = locations.c, _short()
    found_short = and_(*(short.c[name] == place.c[name] for name in ("location_id", "product_id", "lot")),
                       place.c.condition == "available")  # fmt: skip
    return read(
        connection,
        select(*(place.c[name] for name in PLACE), merchants.c.code.label("merchant"), products.c.sku,
               products.c.abc_class, shelf.code.label("location"), shelf.zone, shelf.aisle, shelf.bay, shelf.level,
               func.coalesce(stock_levels.c.on_hand, 0).label("on_hand"), short.c.at.label("short_at"),
               _counted(place).label("counted_at"), stock_snapshots.c.snapshot_at.label("export_at"),
               (stock_snapshots.c.on_hand - book).label("export_off"))
        .join_from(place, locations, shelf.id == place.c.location_id)
        .join(products, products.c.id == place.c.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id)
        .join(stock_levels, level, isouter=True)
        .join(stock_snapshots, said, isouter=True)
        .join(short, found_short, isouter=True)
        .where(~_active(place, sheets_valid_since)),
    )  # fmt: skip


def _places(warehouse_id: int) -> Subquery:
    """What the ledger or the last stock export knows of."""
    mine = select(locations.c.id).where(locations.c.warehouse_id == warehouse_id)
    known = [
        select(*(table.c[name] for name in PLACE)).where(table.c.location_id.in_(mine))
        for table in (stock_levels, stock_snapshots)
    ]
    return union(*known).subquery("place")


def _same(table: Table, place: Subquery) -> Any:
    return and_(*(table.c[name] == place.c[name] for name in PLACE))


def _short() -> Subquery:
    """When each place (of available stock) was last found short by a picker: one pass over the short picks."""
    one = [allocations.c[name] for name in ("location_id", "product_id", "lot")]
    last = select(*one, func.max(picks.c.picked_at).label("at")).join(picks, picks.c.allocation_id == allocations.c.id)
    return last.where(picks.c.state == PickState.SHORT).group_by(*one).subquery("short")


def _counted(place: Subquery) -> Any:
    line = count_lines.c
    return select(func.max(line.counted_at)).where(_same(count_lines, place), line.state.in_(CLOSED)).scalar_subquery()


def _active(place: Subquery, valid_since: datetime) -> Any:
    line = count_lines.c
    fresh = and_(line.state == CountLineState.READY, counts.c.planned_at > valid_since)
    waiting = line.state.in_((CountLineState.COUNTED, CountLineState.RECOUNT, CountLineState.REVIEW))
    return exists().where(
        _same(count_lines, place), counts.c.id == line.count_id, counts.c.state != CountState.CANCELLED,
        or_(fresh, waiting),
    )  # fmt: skip


def demand(connection: Connection, since: datetime) -> pd.DataFrame:
    """What was ordered since then: product_id, value_minor int64 (units by price, or cost, as far as known)."""
    line = order_lines.c
    price = func.coalesce(line.unit_price_minor, products.c.unit_price_minor, products.c.unit_cost_minor, 0)
    value = func.sum((line.quantity_ordered - line.quantity_cancelled) * price).label("value_minor")
    goods = and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == line.sku)
    sold = (
        select(products.c.id.label("product_id"), value)
        .join_from(order_lines, orders, orders.c.id == line.order_id)
        .join(products, goods)
        .where(orders.c.created_at >= since)
        .group_by(products.c.id)
        .order_by(products.c.id)
    )
    return read(connection, sold).astype({"value_minor": "int64"})


def goods(connection: Connection) -> pd.DataFrame:
    """Every product: product_id, abc_class (missing where its export names none)."""
    return read(connection, select(products.c.id.label("product_id"), products.c.abc_class).order_by(products.c.id))


def plan(connection: Connection, places: pd.DataFrame, warehouse_id: int, as_of: datetime) -> int:
    """Open the planned documents and their lines. `places`: code and LINE, in walking order. Returns the lines."""
    documents = [
        {"warehouse_id": warehouse_id, "code": code, "round": 1, "reason": "plan", "planned_at": as_of}
        for code in places["code"].drop_duplicates()
    ]
    withdraw(connection, waiting_at(connection, places), "planned again on a later sheet")
    connection.execute(insert(counts), documents)
    with staged(connection, places[["code", *LINE]].assign(position=range(len(places))), like=count_lines) as new:
        mine = and_(counts.c.code == new.c.code, counts.c.warehouse_id == warehouse_id, counts.c.round == 1)
        lines: Select[Any] = select(counts.c.id, *(new.c[name] for name in LINE)).join_from(new, counts, mine)
        ready = insert(count_lines).from_select(["count_id", *LINE], lines.order_by(new.c.position))
        return changed(connection, ready)
