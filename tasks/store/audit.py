"""The invariants as an auditor checks them, from the rows alone: one function per invariant returns what breaks it.

Most invariants are also held by a CHECK, a UNIQUE or a trigger. Those look at one table; the audit compares it with the
tables it follows from. Every frame has the columns fault and subject (str), expected and found (int64), and is empty
when the invariant holds.
"""

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    case,
    cast,
    distinct,
    func,
    literal,
    or_,
    select,
    union_all,
)

from tasks.domain.sites.sites import Cart
from tasks.domain.states import (
    AllocationState,
    Condition,
    Disposition,
    ImportState,
    MessageState,
    MoveKind,
    PickState,
)
from tasks.store.database.frames import read
from tasks.store.schema import (
    allocations,
    carts,
    imports,
    locations,
    merchants,
    messages,
    order_lines,
    orders,
    picks,
    products,
    quarantined_rows,
    refunds,
    return_lines,
    returns,
    stock_levels,
    stock_moves,
    warehouses,
    waves,
)

_FACTS = ("subject", "expected", "found")
_OPEN = allocations.c.state == AllocationState.OPEN
_CONSUMED = allocations.c.state == AllocationState.CONSUMED
_PLANNED = picks.c.state != PickState.CANCELLED
_AVAILABLE = literal(str(Condition.AVAILABLE))
Units = Select[Any]  # subject, units


def broken_records(
    connection: Connection, site_carts: Mapping[str, Sequence[Cart]], idle_since: datetime | None = None
) -> pd.DataFrame:
    """Every record that breaks one of I1 to I7: invariant, fault, subject, expected, found.

    `site_carts`: the kinds of cart of each warehouse. `idle_since`: as in `messages_astray`; None while something may
    be sending.
    """
    faults = {
        "I1": rows_unaccounted(connection),
        "I2": levels_off_the_ledger(connection),
        "I3": promises_without_stock(connection),
        "I4": messages_astray(connection, idle_since),
        "I5": waves_off_the_floor(connection, site_carts),
        "I6": lines_ahead(connection),
        "I7": returns_above_sales(connection),
    }
    named = [rows.assign(invariant=name)[["invariant", "fault", *_FACTS]] for name, rows in faults.items()]
    return pd.concat(named, ignore_index=True)


def rows_unaccounted(connection: Connection) -> pd.DataFrame:
    """I1: rows in = rows loaded + unchanged + quarantined, and every quarantined row is kept."""
    file = imports.c
    subject = file.kind + literal(" ") + file.file_name + literal(" #") + cast(file.id, String)
    is_loaded = file.state == ImportState.LOADED
    rows_in = select(subject, file.rows_in).where(is_loaded)
    sums = select(subject, file.rows_loaded + file.rows_unchanged + file.rows_quarantined).where(is_loaded)
    kept_rows = select(subject, func.count()).join(quarantined_rows, quarantined_rows.c.import_id == file.id)
    quarantined = select(subject, file.rows_quarantined)
    return _together(
        _unequal(connection, "rows of the file are unaccounted for", rows_in, sums),
        _unequal(connection, "quarantined rows are missing", quarantined, kept_rows.group_by(file.id)),
    )


def levels_off_the_ledger(connection: Connection) -> pd.DataFrame:
    """I2: the units on hand at a place are the sum of its moves."""
    moved = _at_place(stock_moves, stock_moves.c.quantity, stock_moves.c.condition)
    levels = _at_place(stock_levels, stock_levels.c.on_hand, stock_levels.c.condition)
    return _unequal(connection, "on hand differs from the sum of the moves", moved, levels)


def promises_without_stock(connection: Connection) -> pd.DataFrame:
    """I3: the units allocated at a place are the sum of its open allocations, and are on hand and available."""
    level = stock_levels.c
    promised = _at_place(allocations, allocations.c.quantity, _AVAILABLE).where(_OPEN)
    stored = _at_place(stock_levels, level.allocated, level.condition)
    most = case((and_(level.condition == _AVAILABLE, level.on_hand > 0), level.on_hand), else_=0)
    above = _at_place(stock_levels, level.allocated - most, level.condition).where(level.allocated > most)
    return _together(
        _unequal(connection, "allocated differs from the open allocations", promised, stored),
        _unequal(connection, "more is allocated than is on hand", None, above),
    )


def messages_astray(connection: Connection, idle_since: datetime | None) -> pd.DataFrame:
    """I4: no message was sent twice, none is stuck half sent, none has waited since `idle_since`.

    `idle_since`: when the sender last had the time to send everything; with None, while it may be sending, no message
    counts as stuck.
    """
    message = messages.c
    key = cast(message.dedupe_key, String)
    has_left = message.state.in_((MessageState.SENT, MessageState.DELIVERED, MessageState.BOUNCED))
    content = [message.kind, message.merchant_id, message.order_id, message.recipient, message.facts]
    repeats = select(func.min(key), func.count()).where(has_left).group_by(*content).having(func.count() > 1)
    is_undated = and_(message.state == MessageState.SENT, message.sent_at.is_(None))
    faults = [
        _unequal(connection, "the same message was sent more than once", None, repeats),
        _unequal(connection, "a sent message has no moment", None, select(key, literal(1)).where(is_undated)),
    ]
    if idle_since is not None:
        waits = and_(message.state == MessageState.QUEUED, message.created_at < idle_since)
        stuck = select(key, literal(1)).where(or_(message.state == MessageState.SENDING, waits))
        faults.insert(1, _unequal(connection, "a message is stuck", None, stuck))
    return _together(*faults)


def waves_off_the_floor(connection: Connection, site_carts: Mapping[str, Sequence[Cart]]) -> pd.DataFrame:
    """I5: an allocation is in one wave at most, a cart's stops are 1, 2, 3 …, and some kind of cart holds them all.

    `site_carts`: the kinds of cart of each warehouse.
    """
    subject, cart = cast(allocations.c.id, String), waves.c.code + literal(" cart ") + cast(carts.c.number, String)
    is_pick = picks.c.allocation_id == allocations.c.id
    repeats = select(subject, func.count()).join(picks, is_pick).where(_PLANNED)
    repeats = repeats.group_by(allocations.c.id).having(func.count() > 1)
    off = select(subject, picks.c.quantity - allocations.c.quantity).join(picks, is_pick)
    off = off.where(picks.c.state == PickState.OPEN, _OPEN, picks.c.quantity != allocations.c.quantity)
    key = waves.c.code, carts.c.number
    stops = select(cart, func.count(distinct(picks.c.stop_number))).join_from(picks, carts).join(waves)
    last_stops = select(cart, func.max(picks.c.stop_number)).join_from(picks, carts).join(waves)
    return _together(
        _unequal(connection, "an allocation is in more than one wave", None, repeats),
        _unequal(connection, "a pick differs from its allocation", None, off),
        _unequal(connection, "stop numbers are missing", last_stops.group_by(*key), stops.group_by(*key)),
        _overfull_carts(connection, site_carts),
    )


def lines_ahead(connection: Connection) -> pd.DataFrame:
    """I6: shipped <= packed <= picked <= allocated <= ordered - cancelled, as the allocations and moves say too.

    A kit's line has allocations of its components: it is compared with the ledger only.
    """
    line = order_lines.c
    chain = (line.quantity_shipped, line.quantity_packed, line.quantity_picked, line.quantity_allocated,
             line.quantity_ordered - line.quantity_cancelled)  # fmt: skip
    excesses = [_by_line(low - high).where(low > high) for low, high in itertools.pairwise(chain)]
    consumed = _at_place(allocations, allocations.c.quantity, _AVAILABLE).where(_CONSUMED)
    moved = _at_place(stock_moves, -stock_moves.c.quantity, stock_moves.c.condition)
    return _together(
        *(_unequal(connection, "a quantity exceeds that of the step before", None, excess) for excess in excesses),
        _read(connection, "the allocated quantity differs from the allocations", _lines_off_their_allocations()),
        _unequal(connection, "shipped allocations differ from the ledger", consumed,
                 moved.where(stock_moves.c.kind == MoveKind.SHIP)),
    )  # fmt: skip


def returns_above_sales(connection: Connection) -> pd.DataFrame:
    """I7: returned <= shipped, an order's refunds <= its total, and each returned unit is booked once."""
    line, back, order = order_lines.c, return_lines.c, orders.c
    excess = line.quantity_returned - line.quantity_shipped
    overpaid = select(order.order_number, func.sum(refunds.c.amount_minor) - func.max(order.total_minor))
    overpaid = overpaid.join_from(refunds, orders, order.id == refunds.c.order_id)
    overpaid = overpaid.group_by(order.id, order.order_number)
    overpaid = overpaid.having(func.sum(refunds.c.amount_minor) > func.max(func.coalesce(order.total_minor, 0)))
    is_product = and_(products.c.merchant_id == returns.c.merchant_id, products.c.sku == back.sku)
    unit = returns.c.rma + literal(" ") + back.sku
    is_booked = and_(back.disposition.is_not(None), back.disposition != Disposition.NOT_RECEIVED, ~products.c.is_kit)
    received = select(unit, back.quantity_received).join_from(return_lines, returns)
    received = received.join(products, is_product).where(is_booked)
    moved = select(func.coalesce(stock_moves.c.document, "") + literal(" ") + products.c.sku, stock_moves.c.quantity)
    moved = moved.join(products, products.c.id == stock_moves.c.product_id)
    is_return = and_(stock_moves.c.kind == MoveKind.RETURN, stock_moves.c.cause.startswith("return:", autoescape=True))
    return _together(
        _unequal(connection, "more was returned than shipped", None, _by_line(excess).where(excess > 0)),
        _unequal(connection, "more was refunded than paid", None, overpaid),
        _unequal(connection, "returned goods differ from the ledger", received, moved.where(is_return)),
    )


# ── how they are compared ────────────────────────────────────────────────────────────────────────────────────────
def _unequal(connection: Connection, fault: str, expected: Units | None, actual: Units) -> pd.DataFrame:
    """Subjects whose units differ between the two queries; without `expected`, every subject of `actual`."""
    sides = [_side(actual, is_expected=False)]
    if expected is not None:
        sides.append(_side(expected, is_expected=True))
    both = union_all(*sides).subquery("both")
    sums = [cast(func.sum(both.c[name]), BigInteger).label(name) for name in ("expected", "found")]
    subjects = select(literal(fault).label("fault"), both.c.subject, *sums).group_by(both.c.subject)
    unequal = read(connection, subjects.having(func.sum(both.c.expected) != func.sum(both.c.found)))
    return unequal.sort_values("subject", ignore_index=True)


def _side(rows: Units, *, is_expected: bool) -> Units:
    side = rows.subquery("side")
    subject, units = list(side.c)
    expected, actual = (units, literal(0)) if is_expected else (literal(0), units)
    return select(subject.label("subject"), expected.label("expected"), actual.label("found"))


def _lines_off_their_allocations() -> Select[Any]:
    """Lines that ever had an allocation and whose quantity differs: subject, expected, found. Kits are left out."""
    line, allocation = order_lines.c, allocations.c
    units = cast(func.sum(case((or_(_OPEN, _CONSUMED), allocation.quantity), else_=0)), BigInteger).label("units")
    key = allocation.order_id, allocation.line_number
    allocated = select(*key, units).group_by(*key).subquery("allocated")
    is_line = and_(line.order_id == allocated.c.order_id, line.line_number == allocated.c.line_number)
    lines = _by_line(allocated.c.units).add_columns(line.quantity_allocated).join(allocated, is_line)
    return lines.where(allocated.c.units != line.quantity_allocated, products.c.is_kit.is_(False))


def _read(connection: Connection, fault: str, statement: Select[Any]) -> pd.DataFrame:
    """The rows of a statement of subject, expected and found, with the fault."""
    rows = statement.subquery("rows")
    columns = [column.label(name) for column, name in zip(rows.c, _FACTS, strict=True)]
    return read(connection, select(literal(fault).label("fault"), *columns).order_by(columns[0]))


def _together(*frames: pd.DataFrame) -> pd.DataFrame:
    rows = [frame for frame in frames if len(frame)]
    return pd.concat(rows, ignore_index=True) if rows else frames[0]


def _at_place(rows: Any, units: ColumnElement[int], condition: ColumnElement[str]) -> Units:
    """`units` of moves, levels or allocations by their place, goods, condition and lot."""
    words = [warehouses.c.code, literal("/"), locations.c.code, literal(" "), merchants.c.code, literal(" "),
             products.c.sku, literal(" "), condition, literal(" "), rows.c.lot]  # fmt: skip
    return (
        select(_joined(words), units)
        .join_from(rows, products, products.c.id == rows.c.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id)
        .join(locations, locations.c.id == rows.c.location_id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
    )


def _by_line(units: ColumnElement[int]) -> Units:
    """`units` of order lines, by merchant, order and line number; their products beside them."""
    line = order_lines.c
    words = [merchants.c.code, literal(" "), orders.c.order_number, literal(" "), cast(line.line_number, String)]
    is_product = and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == line.sku)
    lines = select(_joined(words), units).select_from(order_lines).join(orders, orders.c.id == line.order_id)
    return lines.join(merchants, merchants.c.id == orders.c.merchant_id).join(products, is_product, isouter=True)


def _joined(words: Sequence[ColumnElement[str]]) -> ColumnElement[str]:
    text: ColumnElement[str] = words[0]
    for word in words[1:]:
        text = text + word
    return text


def _overfull_carts(connection: Connection, site_carts: Mapping[str, Sequence[Cart]]) -> pd.DataFrame:
    """Carts whose picks no kind of cart of their warehouse can take; found is the number of lines on it."""
    units = picks.c.quantity
    loads = read(
        connection,
        select(
            warehouses.c.code.label("warehouse"),
            (waves.c.code + literal(" cart ") + cast(carts.c.number, String)).label("subject"),
            func.count(distinct(allocations.c.order_id)).label("positions"), func.count().label("lines_max"),
            cast(func.sum(units * func.coalesce(products.c.weight_g, 0)), BigInteger).label("weight_g_max"),
            cast(func.sum(units * func.coalesce(products.c.volume_ml, 0)), BigInteger).label("volume_ml_max"),
        )
        .join_from(picks, carts).join(waves).join(warehouses)
        .join(allocations, allocations.c.id == picks.c.allocation_id)
        .join(products, products.c.id == allocations.c.product_id)
        .where(_PLANNED)
        .group_by(warehouses.c.code, waves.c.code, carts.c.number),
    )  # fmt: skip
    limits = ("positions", "lines_max", "weight_g_max", "volume_ml_max")
    fits = pd.Series(data=False, index=loads.index)
    for code, kinds in site_carts.items():
        is_site = loads["warehouse"] == code
        for cart in kinds:
            fits |= is_site & (loads[list(limits)] <= [getattr(cart, name) for name in limits]).all(axis="columns")
    overfull = loads[~fits]
    return pd.DataFrame({"subject": overfull["subject"], "expected": 0, "found": overfull["lines_max"]}).assign(
        fault="a cart holds more than it can take"
    )[["fault", *_FACTS]]
