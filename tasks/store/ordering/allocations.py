"""Promises of stock to order lines: made, given up, and the quantities that follow from them.

`stock_levels.allocated` and the lines' quantities are always brought up to date in the transaction of the promise.
"""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from tasks.domain.states import AllocationState, Condition, PickState
from tasks.store.database.engine import exclusive
from tasks.store.database.frames import changed, read, staged
from tasks.store.ordering.allocation_notes import ORDER, PRODUCT, note
from tasks.store.schema import (
    allocations,
    locations,
    merchants,
    order_lines,
    orders,
    picks,
    products,
    stock_levels,
    warehouses,
)
from tasks.store.stock.places import parts
from tasks.store.stock.post_moves import correct_counts

KEY = ("order_id", "line_number", "location_id", "product_id", "lot")
LINE = ("order_id", "line_number")
_OPEN = allocations.c.state == AllocationState.OPEN
_KEPT = allocations.c.state.in_((AllocationState.OPEN, AllocationState.CONSUMED))


def promise(connection: Connection, promised: pd.DataFrame, served: pd.DataFrame, as_of: datetime) -> int:
    """Promise units of places to lines; what a line has at a place already grows.

    `promised`: order_id, line_number, location_id, product_id, lot, quantity; each place of a line once. `served`:
    order_id, line_number, quantity, the units of the line that come of it (of a kit, kits). Returns how many promises
    there are. A place cannot be promised twice: the CHECK of its level refuses it (I3).
    """
    if promised.empty:
        return 0
    exclusive(connection, "allocations")
    exclusive(connection, "stock")
    promised, served = (
        promised.sort_values(list(KEY)),
        served.sort_values(list(LINE)),
    )  # as the tables are kept: quicker
    _move_allocated(connection, promised, 1)
    with staged(connection, promised[[*KEY, "quantity"]], like=allocations) as new:
        same = and_(_OPEN, *(allocations.c[name] == new.c[name] for name in KEY))
        rows = select(new, literal(as_of, allocations.c.allocated_at.type))
        if _any_has_some(connection, new):
            grown = update(allocations).where(same)
            connection.execute(grown.values(quantity=allocations.c.quantity + new.c.quantity, allocated_at=as_of))
            rows = rows.where(~exists().where(same))
        names = [*KEY, "quantity", "allocated_at"]
        connection.execute(insert(allocations).from_select(names, rows))
    _serve_lines(connection, served)
    return len(promised)


def _any_has_some(connection: Connection, rows: Table) -> bool:
    """Whether any of the lines has an open promise."""
    line = and_(*(allocations.c[name] == rows.c[name] for name in LINE))
    return bool(connection.scalar(select(exists(select(1).select_from(rows).join(allocations, line).where(_OPEN)))))


def _serve_lines(connection: Connection, served: pd.DataFrame) -> None:
    with staged(connection, served[[*LINE, "quantity"]], like=order_lines) as more:
        line = and_(*(order_lines.c[name] == more.c[name] for name in LINE))
        sums = order_lines.c.quantity_allocated + more.c.quantity
        connection.execute(update(order_lines).where(line).values(quantity_allocated=sums))


def release(connection: Connection, given_up: pd.DataFrame, reason: str, as_of: datetime) -> int:
    """Give up promises, each once: the units are free again, and the lines' quantities follow.

    `given_up`: allocation_id, quantity (at most what is promised). A promise given up whole is released, and its
    open pick cancelled; of one given up in part the rest stays, and a released row says what was given up. Only
    open promises are touched. Returns how many were given up, whole or in part.
    """
    if given_up.empty:
        return 0
    exclusive(connection, "allocations")
    exclusive(connection, "stock")
    gone = _open_of(connection, given_up)
    _move_allocated(connection, gone, -1)
    with staged(connection, gone, like=allocations) as new:
        _close(connection, new, reason, as_of)
        note(connection, ORDER, select(new.c.order_id))
        note(connection, PRODUCT, select(new.c.product_id))
        _settle_lines(connection, new)
        put_back = read(connection, _put_back(new))
    correct_counts(connection, put_back.assign(since=pd.Timestamp(as_of)), pd.Timestamp(as_of))
    return len(gone)


def _put_back(gone: Table) -> Select[Any]:
    """Places that picked units came back to: a count at this very moment found them there."""
    place = [gone.c.location_id, gone.c.product_id, gone.c.lot]
    condition = literal(Condition.AVAILABLE.value).label("condition")
    picked = select(*place, condition).join(picks, picks.c.allocation_id == gone.c.allocation_id)
    return picked.where(picks.c.quantity_picked > 0).distinct()


def _open_of(connection: Connection, given_up: pd.DataFrame) -> pd.DataFrame:
    """The open promises among them: allocation_id, quantity, promised, and the key of each."""
    with staged(connection, given_up[["allocation_id", "quantity"]].astype("int64")) as asked:
        statement = (
            select(asked.c.allocation_id, asked.c.quantity, allocations.c.quantity.label("promised"),
                   *(allocations.c[name] for name in KEY))
            .join(allocations, allocations.c.id == asked.c.allocation_id)
            .where(_OPEN, asked.c.quantity > 0)
            .order_by(asked.c.allocation_id)
        )  # fmt: skip
        return read(connection, statement)


def _close(connection: Connection, gone: Table, reason: str, as_of: datetime) -> None:
    same, whole = allocations.c.id == gone.c.allocation_id, gone.c.quantity == gone.c.promised
    closed = {"state": AllocationState.RELEASED, "closed_at": as_of, "closed_reason": reason}
    part = select(
        *(gone.c[name] for name in KEY), gone.c.quantity, allocations.c.allocated_at,
        *(literal(value, allocations.c[name].type) for name, value in closed.items()),
    )  # fmt: skip
    part = part.join(allocations, same).where(gone.c.quantity < gone.c.promised).order_by(gone.c.allocation_id)
    names = [*KEY, "quantity", "allocated_at", *closed]
    connection.execute(insert(allocations).from_select(names, part))
    connection.execute(update(allocations).where(same, whole).values(**closed))
    connection.execute(update(allocations).where(same, ~whole).values(quantity=gone.c.promised - gone.c.quantity))
    planned = and_(picks.c.allocation_id == gone.c.allocation_id, picks.c.state == PickState.OPEN)
    connection.execute(update(picks).where(planned, whole).values(state=PickState.CANCELLED))
    connection.execute(update(picks).where(planned, ~whole).values(quantity=gone.c.promised - gone.c.quantity))


def _move_allocated(connection: Connection, rows: pd.DataFrame, sign: int) -> None:
    place = ["location_id", "product_id", "lot"]
    sums = (sign * rows.groupby(place)["quantity"].sum()).reset_index()
    with staged(connection, sums, like=allocations) as more:
        here = and_(*(stock_levels.c[name] == more.c[name] for name in place))
        statement = update(stock_levels).where(here, stock_levels.c.condition == Condition.AVAILABLE)
        moved = changed(connection, statement.values(allocated=stock_levels.c.allocated + more.c.quantity))
    if moved != len(sums):
        raise LookupError(f"{len(sums)} places are promised, found {moved} of them in stock")


def settle_lines(connection: Connection, lines: pd.DataFrame) -> None:
    """Bring quantity_allocated and quantity_picked of `lines` (order_id, line_number) up to date.

    A kit counts as often as each of its components is there.
    """
    with staged(connection, lines[list(LINE)].drop_duplicates(), like=order_lines) as those:
        _settle_lines(connection, those)


def _settle_lines(connection: Connection, lines: Table) -> None:
    each = select(*(lines.c[name] for name in LINE)).distinct().subquery("each")
    sums, part = _units_of(each).subquery("sums"), parts()
    own = [each.c[name] for name in LINE]
    have = and_(sums.c.product_id == part.c.part_id, *(sums.c[name] == each.c[name] for name in LINE))
    line = and_(*(order_lines.c[name] == each.c[name] for name in LINE))
    goods = and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == order_lines.c.sku)
    whole = (
        select(*own, _kits(sums.c.promised, part).label("allocated"), _kits(sums.c.picked, part).label("picked"))
        .join_from(each, order_lines, line)
        .join(orders, orders.c.id == each.c.order_id)
        .join(products, goods)
        .join(part, part.c.product_id == products.c.id)
        .join(sums, have, isouter=True)
        .group_by(*own)
        .subquery("whole")
    )
    same = and_(*(order_lines.c[name] == whole.c[name] for name in LINE))
    now = {"quantity_allocated": whole.c.allocated, "quantity_picked": whole.c.picked}
    differs = or_(*(order_lines.c[name] != value for name, value in now.items()))
    connection.execute(update(order_lines).where(same, differs).values(**now))


def _kits(units: ColumnElement[int], part: Any) -> ColumnElement[int]:
    return func.min(func.coalesce(units, 0) // part.c.quantity)


def _units_of(each: Any) -> Select[Any]:
    """Units promised and picked of each component of each line."""
    taken = case((picks.c.state != PickState.CANCELLED, func.coalesce(picks.c.quantity_picked, 0)), else_=0)
    picked = select(picks.c.allocation_id, func.sum(taken).label("units")).group_by(picks.c.allocation_id)
    done = picked.where(picks.c.quantity_picked > 0).subquery("done")
    key = [allocations.c[name] for name in (*LINE, "product_id")]
    return (
        select(*key, func.sum(allocations.c.quantity).label("promised"),
               cast(func.sum(func.coalesce(done.c.units, 0)), BigInteger).label("picked"))
        .join_from(each, allocations, and_(*(allocations.c[name] == each.c[name] for name in LINE)))
        .join(done, done.c.allocation_id == allocations.c.id, isouter=True)
        .where(_KEPT)
        .group_by(*key)
    )  # fmt: skip


def made_at(connection: Connection, as_of: datetime) -> pd.DataFrame:
    """The promises of one run, for people: merchant, order, line, sku, warehouse, location, lot, quantity."""
    statement = (
        select(
            merchants.c.code.label("merchant"), orders.c.order_number.label("order"), allocations.c.line_number,
            products.c.sku, warehouses.c.code.label("warehouse"), locations.c.code.label("location"), allocations.c.lot,
            allocations.c.quantity, orders.c.ship_by, orders.c.service_level,
        )
        .join_from(allocations, orders, orders.c.id == allocations.c.order_id)
        .join(merchants, merchants.c.id == orders.c.merchant_id)
        .join(products, products.c.id == allocations.c.product_id)
        .join(locations, locations.c.id == allocations.c.location_id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
        .where(allocations.c.allocated_at == as_of, allocations.c.state != AllocationState.RELEASED)
        .order_by(merchants.c.code, orders.c.order_number, allocations.c.line_number, warehouses.c.code,
                  locations.c.code, products.c.sku, allocations.c.lot)
    )  # fmt: skip
    return read(connection, statement)
