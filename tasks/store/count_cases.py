"""Counted places on their way to a decision: what is compared, and what is written down of it."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    exists,
    func,
    literal,
    select,
)

from tasks.domain.states import COUNT_SETTLED, AllocationState, CountLineState, MoveKind, PickState
from tasks.store.frames import read, staged
from tasks.store.schema import (
    allocations,
    count_lines,
    counts,
    locations,
    merchants,
    picks,
    products,
    shipments,
    stock_levels,
    stock_moves,
    stock_snapshots,
    warehouses,
)
from tasks.store.stock import PLACE

OPEN = (CountLineState.COUNTED, CountLineState.RECOUNT)


def open_lines(connection: Connection, warehouse: str | None, as_of: datetime) -> pd.DataFrame:
    """Counts that wait for a decision, and the earlier counts of the same place and document they are compared with.

    line_id, count_id, warehouse_id, warehouse, code, round, location_id, location, product_id and merchant_id
    Int64, merchant, sku,
    condition, lot, quantity, counter, counted_at, state, known bool, unit_minor Int64, currency, abc_class.
    """
    line, waiting = count_lines.c, count_lines.alias("waiting")
    document, other = counts.c, counts.alias("other")
    same = and_(
        waiting.c.location_id == line.location_id, waiting.c.sku == line.sku, waiting.c.condition == line.condition,
        waiting.c.lot == line.lot, waiting.c.product_id.is_not_distinct_from(line.product_id),
    )  # fmt: skip
    new = exists().where(
        waiting.c.state == CountLineState.COUNTED, waiting.c.counted_at <= as_of, same,
        waiting.c.count_id == other.c.id, other.c.warehouse_id == document.warehouse_id, other.c.code == document.code,
    )  # fmt: skip
    mine = warehouses.c.code == warehouse if warehouse else literal(value=True)
    found = read(connection, _lines().where(line.state.in_(OPEN), line.counted_at <= as_of, new, mine))
    return found.assign(known=found["product_id"].notna())


def _lines() -> Select[Any]:
    line = count_lines.c
    unit = func.coalesce(products.c.unit_cost_minor, products.c.unit_price_minor).label("unit_minor")
    return (
        select(line.id.label("line_id"), line.count_id, warehouses.c.id.label("warehouse_id"),
               warehouses.c.code.label("warehouse"), counts.c.code, counts.c.round, line.location_id,
               locations.c.code.label("location"), line.product_id, merchants.c.id.label("merchant_id"),
               merchants.c.code.label("merchant"), line.sku,
               line.condition, line.lot, line.quantity, line.counter, line.counted_at, line.state, unit,
               products.c.currency, products.c.abc_class)
        .join_from(count_lines, counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(locations, locations.c.id == line.location_id)
        .join(products, products.c.id == line.product_id, isouter=True)
        .join(merchants, merchants.c.id == products.c.merchant_id, isouter=True)
        .order_by(line.id)
    )  # fmt: skip


def _at(moves: Any, line: Table) -> ColumnElement[bool]:
    """The same place, product, condition and lot."""
    return and_(*(moves.c[name] == line.c[name] for name in PLACE))


def book(connection: Connection, lines: pd.DataFrame) -> pd.DataFrame:
    """What is known of each line's place.

    `lines`: line_id, the place, counted_at. Gives line_id, ledger int64 (the moves effective by counted_at), export
    Int64 (what the last stock export said), on_hand and allocated int64 (now), held int64 (picked units of
    open allocations), closed_at (when the place was last counted and closed).
    """
    with staged(connection, lines[["line_id", *PLACE, "counted_at"]], like=count_lines) as line:
        by_then = and_(_at(stock_moves, line), stock_moves.c.effective_at <= line.c.counted_at)
        moved = _sum(stock_moves.c.quantity, by_then)
        said = select(stock_snapshots.c.on_hand).where(_at(stock_snapshots, line)).scalar_subquery()
        now = [_sum(column, _at(stock_levels, line)) for column in (stock_levels.c.on_hand, stock_levels.c.allocated)]
        return read(connection, select(
            line.c.line_id, moved.label("ledger"), said.label("export"), now[0].label("on_hand"),
            now[1].label("allocated"), _held(line).label("held"), _closed(line).label("closed_at"),
        ).order_by(line.c.line_id))  # fmt: skip


def _sum(column: ColumnElement[int], where: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.coalesce(func.sum(column), 0)).where(where).scalar_subquery()


def _held(line: Table) -> ColumnElement[int]:
    one = allocations.c
    taken = picks.join(allocations, one.id == picks.c.allocation_id)
    place = and_(one.location_id == line.c.location_id, one.product_id == line.c.product_id, one.lot == line.c.lot,
                 line.c.condition == "available", one.state == AllocationState.OPEN)  # fmt: skip
    still = case((picks.c.quantity_picked < one.quantity, picks.c.quantity_picked), else_=one.quantity)
    picked = select(func.coalesce(func.sum(still), 0)).select_from(taken).where(place, picks.c.quantity_picked > 0)
    return picked.scalar_subquery()


def _closed(line: Table) -> ColumnElement[Any]:
    other = count_lines.alias("closed")
    last = select(func.max(other.c.counted_at)).where(_at(other, line), other.c.state.in_(COUNT_SETTLED))
    return last.scalar_subquery()


def picks_at(connection: Connection, lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What was picked at the lines' places, and what left the ledger from there with a carrier.

    Both as `tasks.domain.counts.picked_units` takes them.
    """
    with staged(connection, lines[list(PLACE[:2])].drop_duplicates(), like=count_lines) as place:
        return read(connection, _picks(place)), read(connection, _shipped(place))


def _picks(place: Table) -> Select[Any]:
    one = allocations.c
    return (
        select(one.order_id, one.location_id, one.product_id, one.lot, picks.c.quantity_picked.label("quantity"),
               picks.c.picked_at, one.closed_at)
        .join_from(picks, allocations, one.id == picks.c.allocation_id)
        .join(place, and_(place.c.location_id == one.location_id, place.c.product_id == one.product_id))
        .where(picks.c.quantity_picked > 0, picks.c.picked_at.is_not(None), picks.c.state != PickState.CANCELLED)
        .order_by(picks.c.picked_at, picks.c.id)
    )  # fmt: skip


def _shipped(place: Table) -> Select[Any]:
    """Ship moves name their parcel, and so their order."""
    move = stock_moves.c
    parcel = and_(shipments.c.parcel == move.document, shipments.c.merchant_id == products.c.merchant_id)
    return (
        select(shipments.c.order_id, move.location_id, move.product_id, move.lot, (-move.quantity).label("quantity"),
               move.effective_at.label("shipped_at"))
        .join_from(stock_moves, place, and_(place.c.location_id == move.location_id,
                                            place.c.product_id == move.product_id))
        .join(products, products.c.id == move.product_id)
        .join(shipments, parcel)
        .where(move.kind == MoveKind.SHIP, shipments.c.order_id.is_not(None))
        .order_by(move.effective_at, move.id)
    )  # fmt: skip


def open_allocations(connection: Connection, places: pd.DataFrame) -> pd.DataFrame:
    """Open promises at `places` (location_id, product_id, lot), newest first.

    allocation_id, location_id, product_id, lot, quantity, picked int64.
    """
    one = allocations.c
    picked = select(func.coalesce(func.sum(picks.c.quantity_picked), 0)).where(picks.c.allocation_id == one.id)
    with staged(connection, places[["location_id", "product_id", "lot"]], like=allocations) as place:
        here = and_(*(place.c[name] == one[name] for name in ("location_id", "product_id", "lot")))
        names = ("location_id", "product_id", "lot", "quantity")
        found = select(
            one.id.label("allocation_id"), *(one[name] for name in names), picked.scalar_subquery().label("picked")
        )
        found = found.join_from(allocations, place, here).where(one.state == AllocationState.OPEN)
        return read(connection, found.order_by(one.allocated_at.desc(), one.id.desc()))
