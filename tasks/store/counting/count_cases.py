"""Counted places on their way to a decision: what is compared, and what is written down of it."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)

from tasks.domain.counting.expected_units import out_of_bin, picked_units
from tasks.domain.states import COUNT_SETTLED, AllocationState, CountLineState, MoveKind, PickState
from tasks.store.database.frames import read, staged
from tasks.store.ledger import PLACE
from tasks.store.schema import (
    allocations,
    count_lines,
    counts,
    locations,
    lots,
    merchants,
    picks,
    products,
    shipments,
    stock_levels,
    stock_moves,
    stock_snapshots,
    variances,
    warehouses,
)
from tasks.store.sql_rules import UNIT_VALUE_MINOR

OPEN = (CountLineState.COUNTED, CountLineState.RECOUNT)


def open_lines(connection: Connection, warehouse: str | None, as_of: datetime) -> pd.DataFrame:
    """Counts that wait for a decision, and the earlier counts of the same place and document they are compared with.

    line_id, count_id, warehouse_id, warehouse, time_zone, code, round, location_id Int64 (missing: not known), location
    (as the sheet calls it), product_id and merchant_id Int64 (missing: not known), merchant, sku, condition, lot,
    quantity, counter, counted_at, state, unit_minor Int64, currency, abc_class, expires_on and lot_expires_on.
    """
    line, waiting = count_lines.c, count_lines.alias("waiting")
    document, other = counts.c, counts.alias("other")
    is_same_place = and_(
        waiting.c.location_id == line.location_id, waiting.c.sku == line.sku, waiting.c.condition == line.condition,
        waiting.c.lot == line.lot, waiting.c.product_id.is_not_distinct_from(line.product_id),
    )  # fmt: skip
    is_counted_again = exists().where(
        waiting.c.state == CountLineState.COUNTED, waiting.c.counted_at <= as_of, is_same_place,
        waiting.c.count_id == other.c.id, other.c.warehouse_id == document.warehouse_id, other.c.code == document.code,
    )  # fmt: skip
    is_site = warehouses.c.code == warehouse if warehouse else literal(value=True)
    new = or_(line.state == CountLineState.COUNTED, and_(line.state == CountLineState.RECOUNT, is_counted_again))
    lines = read(connection, _lines().where(line.state.in_(OPEN), line.counted_at <= as_of, new, is_site))
    return lines.astype(dict.fromkeys(("location_id", "product_id", "merchant_id", "unit_minor"), "Int64"))


def lines_of(connection: Connection, line_ids: pd.Series) -> pd.DataFrame:
    """These lines, in the columns of `open_lines`."""
    with staged(connection, pd.DataFrame({"line_id": line_ids})) as chosen:
        lines = read(connection, _lines().where(count_lines.c.id.in_(select(chosen.c.line_id))))
    return lines.astype(dict.fromkeys(("location_id", "product_id", "merchant_id", "unit_minor"), "Int64"))


def _lines() -> Select[Any]:
    line = count_lines.c
    unit = UNIT_VALUE_MINOR.label("unit_minor")
    known_lot = and_(lots.c.product_id == line.product_id, lots.c.lot == line.lot)
    return (
        select(line.id.label("line_id"), line.count_id, warehouses.c.id.label("warehouse_id"),
               warehouses.c.code.label("warehouse"), warehouses.c.time_zone, counts.c.code, counts.c.round,
               line.location_id, func.coalesce(locations.c.code, line.location_code).label("location"),
               line.product_id, merchants.c.id.label("merchant_id"),
               merchants.c.code.label("merchant"), line.sku,
               line.condition, line.lot, line.quantity, line.counter, line.counted_at, line.state, unit,
               products.c.currency, products.c.abc_class, cast(line.expires_on, Text).label("expires_on"),
               cast(lots.c.expires_on, Text).label("lot_expires_on"))
        .join_from(count_lines, counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(locations, locations.c.id == line.location_id, isouter=True)
        .join(products, products.c.id == line.product_id, isouter=True)
        .join(merchants, merchants.c.id == func.coalesce(products.c.merchant_id, line.merchant_id), isouter=True)
        .join(lots, known_lot, isouter=True)
        .order_by(line.id)
    )  # fmt: skip


def expected(connection: Connection, lines: pd.DataFrame) -> pd.DataFrame:
    """Add what each count should have found: the ledger when it was made, less picked units still in the building.

    `lines`: line_id, PLACE, counted_at.
    """
    units = picked_units(*picks_at(connection, lines))
    ledger = _ledger(connection, lines).reindex(lines["line_id"], fill_value=0).astype("int64").set_axis(lines.index)
    return lines.assign(ledger=ledger, expected=ledger - out_of_bin(lines, units))


def book(connection: Connection, lines: pd.DataFrame) -> pd.DataFrame:
    """Add what else is known of each line's place.

    `lines`: line_id, the place, code, product_id and warehouse. Adds export Int64 (what the last stock export said),
    on_hand and allocated int64 (now), held int64 (picked units of open allocations), sku_minor Int64 (value of the
    SKU's differences posted in the document before), closed_at (when the place was last counted and closed).
    """
    with staged(connection, lines[["line_id", *PLACE]], like=count_lines) as line:
        is_level, is_snapshot = _at(stock_levels, line), _at(stock_snapshots, line)
        now = read(connection, select(line.c.line_id, stock_levels.c.on_hand, stock_levels.c.allocated,
                                      stock_snapshots.c.on_hand.label("export"))
                   .join_from(line, stock_levels, is_level, isouter=True)
                   .join(stock_snapshots, is_snapshot, isouter=True))  # fmt: skip
        held_units, closed = (_by_line(connection, statement) for statement in (_units_in_hand(line), _closed(line)))
    known_lines = lines.merge(now, on="line_id", validate="1:1")
    known_lines = known_lines.merge(
        _posted_before(connection, lines), on=["warehouse_id", "code", "product_id"], how="left"
    )
    units = {name: known_lines[name].fillna(0).astype("int64") for name in ("on_hand", "allocated")}
    held_units = held_units.reindex(known_lines["line_id"], fill_value=0).astype("int64").set_axis(known_lines.index)
    moments = closed.reindex(known_lines["line_id"]).set_axis(known_lines.index)
    export = known_lines["export"].astype("Int64")
    return known_lines.assign(**units, held=held_units, closed_at=moments, export=export)


def _by_line(connection: Connection, statement: Select[Any]) -> pd.Series:
    """The second column by the first, line_id."""
    rows = read(connection, statement)
    return rows.set_index("line_id").iloc[:, 0]


def _at(moves: Any, line: Table) -> ColumnElement[bool]:
    """The same place, product, condition and lot."""
    return and_(*(moves.c[name] == line.c[name] for name in PLACE))


def _ledger(connection: Connection, lines: pd.DataFrame) -> pd.Series:
    """The sum of the moves of each line's place that were effective by counted_at, by line_id."""
    with staged(connection, lines[["line_id", *PLACE, "counted_at"]], like=count_lines) as line:
        by_then = and_(_at(stock_moves, line), stock_moves.c.effective_at <= line.c.counted_at)
        moved = func.sum(stock_moves.c.quantity).label("ledger")
        sums = select(line.c.line_id, moved).join_from(line, stock_moves, by_then).group_by(line.c.line_id)
        return _by_line(connection, sums)


def _units_in_hand(line: Table) -> Select[Any]:
    one = allocations.c
    place = and_(one.location_id == line.c.location_id, one.product_id == line.c.product_id, one.lot == line.c.lot,
                 line.c.condition == "available", one.state == AllocationState.OPEN)  # fmt: skip
    still = case((picks.c.quantity_picked < one.quantity, picks.c.quantity_picked), else_=one.quantity)
    return (
        select(line.c.line_id, func.sum(still).label("held"))
        .join_from(line, allocations, place)
        .join(picks, picks.c.allocation_id == one.id)
        .where(picks.c.quantity_picked > 0)
        .group_by(line.c.line_id)
    )


def _closed(line: Table) -> Select[Any]:
    other = count_lines.alias("closed")
    last = select(line.c.line_id, func.max(other.c.counted_at).label("closed_at"))
    last = last.join_from(line, other, _at(other, line)).where(other.c.state.in_(COUNT_SETTLED))
    return last.group_by(line.c.line_id)


def _posted_before(connection: Connection, lines: pd.DataFrame) -> pd.DataFrame:
    """What was posted of each SKU in the lines' documents before: warehouse_id, code, product_id, sku_minor Int64."""
    document, line = counts.c, count_lines.c
    with staged(connection, lines[["warehouse_id", "code"]].drop_duplicates(), like=counts) as documents:
        is_document = and_(document.warehouse_id == documents.c.warehouse_id, document.code == documents.c.code)
        key = document.warehouse_id, document.code, line.product_id
        sums = select(*key, func.sum(variances.c.value_minor).label("sku_minor"))
        sums = sums.join_from(documents, counts, is_document).join(count_lines, line.count_id == document.id)
        sums = sums.join(variances, variances.c.count_line_id == line.id).where(variances.c.decision == "posted")
        posted = read(connection, sums.where(line.product_id.is_not(None)).group_by(*key))
    return posted.astype({"sku_minor": "Int64", "product_id": "Int64"})


def picks_at(connection: Connection, lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What was picked at the lines' places, and what left the ledger from there with a carrier.

    Both as `tasks.domain.counting.expected_units.picked_units` takes them.
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
        is_place = and_(*(place.c[name] == one[name] for name in ("location_id", "product_id", "lot")))
        names = ("location_id", "product_id", "lot", "quantity")
        promises = select(
            one.id.label("allocation_id"), *(one[name] for name in names), picked.scalar_subquery().label("picked")
        )
        promises = promises.join_from(allocations, place, is_place).where(one.state == AllocationState.OPEN)
        return read(connection, promises.order_by(one.allocated_at.desc(), one.id.desc()))
