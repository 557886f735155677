"""Promises of stock to order lines: made, released, and the quantities that follow from them.

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
from tasks.store.stock.places import product_parts
from tasks.store.stock.post_moves import correct_counts

PROMISE_KEY = ("order_id", "line_number", "location_id", "product_id", "lot")
LINE_KEY = ("order_id", "line_number")
_IS_OPEN = allocations.c.state == AllocationState.OPEN
_IS_KEPT = allocations.c.state.in_((AllocationState.OPEN, AllocationState.CONSUMED))


def promise(connection: Connection, promised: pd.DataFrame, served: pd.DataFrame, as_of: datetime) -> int:
    """Promise units of places to lines; a promise that a line has at a place already grows.

    `promised`: order_id, line_number, location_id, product_id, lot, quantity; each place of a line once. `served`:
    order_id, line_number, quantity, the units of the line that the promises serve (of a kit, kits). Returns the number
    of promises. A place cannot be promised twice: the CHECK of its level refuses it (I3).
    """
    if promised.empty:
        return 0
    exclusive(connection, "allocations")
    exclusive(connection, "stock")
    # Sorted as the tables are kept: quicker.
    promised, served = promised.sort_values(list(PROMISE_KEY)), served.sort_values(list(LINE_KEY))
    _move_allocated(connection, promised, 1)
    with staged(connection, promised[[*PROMISE_KEY, "quantity"]], like=allocations) as new:
        has_promise = and_(_IS_OPEN, *(allocations.c[name] == new.c[name] for name in PROMISE_KEY))
        rows = select(new, literal(as_of, allocations.c.allocated_at.type))
        if _any_is_promised(connection, new):
            grown = update(allocations).where(has_promise)
            connection.execute(grown.values(quantity=allocations.c.quantity + new.c.quantity, allocated_at=as_of))
            rows = rows.where(~exists().where(has_promise))
        names = [*PROMISE_KEY, "quantity", "allocated_at"]
        connection.execute(insert(allocations).from_select(names, rows))
    _serve_lines(connection, served)
    return len(promised)


def _any_is_promised(connection: Connection, rows: Table) -> bool:
    """Whether any of the lines has an open promise."""
    line = and_(*(allocations.c[name] == rows.c[name] for name in LINE_KEY))
    return bool(connection.scalar(select(exists(select(1).select_from(rows).join(allocations, line).where(_IS_OPEN)))))


def _serve_lines(connection: Connection, served: pd.DataFrame) -> None:
    with staged(connection, served[[*LINE_KEY, "quantity"]], like=order_lines) as rows:
        line = and_(*(order_lines.c[name] == rows.c[name] for name in LINE_KEY))
        sums = order_lines.c.quantity_allocated + rows.c.quantity
        connection.execute(update(order_lines).where(line).values(quantity_allocated=sums))


def release(connection: Connection, promises: pd.DataFrame, reason: str, as_of: datetime) -> int:
    """Release promises, each once: the units are free again, and the lines' quantities follow.

    `promises`: allocation_id, quantity (at most what is promised). A promise released whole has its open pick
    cancelled; of one released in part the rest stays, and a row in state released has the quantity that was. Only
    open promises are touched. Returns the number of promises released, whole or in part.
    """
    if promises.empty:
        return 0
    exclusive(connection, "allocations")
    exclusive(connection, "stock")
    released = _open_promises(connection, promises)
    _move_allocated(connection, released, -1)
    with staged(connection, released, like=allocations) as rows:
        _close(connection, rows, reason, as_of)
        note(connection, ORDER, select(rows.c.order_id))
        note(connection, PRODUCT, select(rows.c.product_id))
        _settle_lines(connection, rows)
        places = read(connection, _places_put_back(rows))
    correct_counts(connection, places.assign(since=pd.Timestamp(as_of)), pd.Timestamp(as_of))
    return len(released)


def _places_put_back(released: Table) -> Select[Any]:
    """Places that picked units go back to: a count at this very moment found them there."""
    place = [released.c.location_id, released.c.product_id, released.c.lot]
    condition = literal(Condition.AVAILABLE.value).label("condition")
    picked = select(*place, condition).join(picks, picks.c.allocation_id == released.c.allocation_id)
    return picked.where(picks.c.quantity_picked > 0).distinct()


def _open_promises(connection: Connection, promises: pd.DataFrame) -> pd.DataFrame:
    """The open ones of `promises`: allocation_id, quantity, promised, PROMISE_KEY."""
    with staged(connection, promises[["allocation_id", "quantity"]].astype("int64")) as rows:
        query = (
            select(rows.c.allocation_id, rows.c.quantity, allocations.c.quantity.label("promised"),
                   *(allocations.c[name] for name in PROMISE_KEY))
            .join(allocations, allocations.c.id == rows.c.allocation_id)
            .where(_IS_OPEN, rows.c.quantity > 0)
            .order_by(rows.c.allocation_id)
        )  # fmt: skip
        return read(connection, query)


def _close(connection: Connection, released: Table, reason: str, as_of: datetime) -> None:
    """Close promises and their open picks; of what is released in part the rest stays open."""
    is_row, is_whole = allocations.c.id == released.c.allocation_id, released.c.quantity == released.c.promised
    remaining = released.c.promised - released.c.quantity
    closing = {"state": AllocationState.RELEASED, "closed_at": as_of, "closed_reason": reason}
    parts = select(
        *(released.c[name] for name in PROMISE_KEY), released.c.quantity, allocations.c.allocated_at,
        *(literal(value, allocations.c[name].type) for name, value in closing.items()),
    ).join(allocations, is_row).where(remaining > 0).order_by(released.c.allocation_id)  # fmt: skip
    names = [*PROMISE_KEY, "quantity", "allocated_at", *closing]
    connection.execute(insert(allocations).from_select(names, parts))
    connection.execute(update(allocations).where(is_row, is_whole).values(**closing))
    connection.execute(update(allocations).where(is_row, ~is_whole).values(quantity=remaining))
    is_planned = and_(picks.c.allocation_id == released.c.allocation_id, picks.c.state == PickState.OPEN)
    connection.execute(update(picks).where(is_planned, is_whole).values(state=PickState.CANCELLED))
    connection.execute(update(picks).where(is_planned, ~is_whole).values(quantity=remaining))


def _move_allocated(connection: Connection, rows: pd.DataFrame, sign: int) -> None:
    place = ["location_id", "product_id", "lot"]
    sums = (sign * rows.groupby(place)["quantity"].sum()).reset_index()
    with staged(connection, sums, like=allocations) as moved:
        is_place = and_(*(stock_levels.c[name] == moved.c[name] for name in place))
        levels = update(stock_levels).where(is_place, stock_levels.c.condition == Condition.AVAILABLE)
        count = changed(connection, levels.values(allocated=stock_levels.c.allocated + moved.c.quantity))
    if count != len(sums):
        raise LookupError(f"{len(sums)} places are promised, found {count} of them in stock")


def settle_lines(connection: Connection, lines: pd.DataFrame) -> None:
    """Bring quantity_allocated and quantity_picked of `lines` (order_id, line_number) up to date.

    A kit counts as often as each of its components is there.
    """
    with staged(connection, lines[list(LINE_KEY)].drop_duplicates(), like=order_lines) as rows:
        _settle_lines(connection, rows)


def _settle_lines(connection: Connection, lines: Table) -> None:
    chosen = select(*(lines.c[name] for name in LINE_KEY)).distinct().subquery("chosen_lines")
    sums, part = _part_units(chosen).subquery("sums"), product_parts()
    key = [chosen.c[name] for name in LINE_KEY]
    is_part = and_(sums.c.product_id == part.c.part_id, *(sums.c[name] == chosen.c[name] for name in LINE_KEY))
    is_line = and_(*(order_lines.c[name] == chosen.c[name] for name in LINE_KEY))
    is_product = and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == order_lines.c.sku)
    whole = (
        select(*key, _kits(sums.c.promised, part).label("allocated"), _kits(sums.c.picked, part).label("picked"))
        .join_from(chosen, order_lines, is_line)
        .join(orders, orders.c.id == chosen.c.order_id)
        .join(products, is_product)
        .join(part, part.c.product_id == products.c.id)
        .join(sums, is_part, isouter=True)
        .group_by(*key)
        .subquery("whole")
    )
    is_changed_line = and_(*(order_lines.c[name] == whole.c[name] for name in LINE_KEY))
    now = {"quantity_allocated": whole.c.allocated, "quantity_picked": whole.c.picked}
    differs = or_(*(order_lines.c[name] != value for name, value in now.items()))
    connection.execute(update(order_lines).where(is_changed_line, differs).values(**now))


def _kits(units: ColumnElement[int], part: Any) -> ColumnElement[int]:
    return func.min(func.coalesce(units, 0) // part.c.quantity)


def _part_units(lines: Any) -> Select[Any]:
    """Units promised and picked of each component of each line."""
    taken = case((picks.c.state != PickState.CANCELLED, func.coalesce(picks.c.quantity_picked, 0)), else_=0)
    picked = select(picks.c.allocation_id, func.sum(taken).label("units")).group_by(picks.c.allocation_id)
    picked_units = picked.where(picks.c.quantity_picked > 0).subquery("picked")
    key = [allocations.c[name] for name in (*LINE_KEY, "product_id")]
    return (
        select(*key, func.sum(allocations.c.quantity).label("promised"),
               cast(func.sum(func.coalesce(picked_units.c.units, 0)), BigInteger).label("picked"))
        .join_from(lines, allocations, and_(*(allocations.c[name] == lines.c[name] for name in LINE_KEY)))
        .join(picked_units, picked_units.c.allocation_id == allocations.c.id, isouter=True)
        .where(_IS_KEPT)
        .group_by(*key)
    )  # fmt: skip


def promises_of_run(connection: Connection, as_of: datetime) -> pd.DataFrame:
    """The promises of one run, for people: merchant, order, line, sku, warehouse, location, lot, quantity."""
    query = (
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
    return read(connection, query)
