"""The invariants as an auditor asks them, from the rows alone: one function an invariant, each gives what breaks it.

Most are held by a CHECK, a UNIQUE or a trigger as well; what is said of one table there is compared with the tables
it follows from here. Every frame has the columns fault and subject (str), expected and found (int64), and is empty
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

COLUMNS = ("fault", "subject", "expected", "found")
_OPEN = allocations.c.state == AllocationState.OPEN
_CONSUMED = allocations.c.state == AllocationState.CONSUMED
_PLANNED = picks.c.state != PickState.CANCELLED
_AVAILABLE = literal(str(Condition.AVAILABLE))
Units = Select[Any]  # subject, units


def rows_unaccounted(connection: Connection) -> pd.DataFrame:
    """I1: rows in = rows loaded + unchanged + quarantined, and every quarantined row is kept."""
    one = imports.c
    subject = one.kind + literal(" ") + one.file_name + literal(" #") + cast(one.id, String)
    loaded = one.state == ImportState.LOADED
    sums = select(subject, one.rows_loaded + one.rows_unchanged + one.rows_quarantined).where(loaded)
    kept = select(subject, func.count()).join(quarantined_rows, quarantined_rows.c.import_id == one.id)
    return _all(
        _unequal(connection, "rows in are rows told of", select(subject, one.rows_in).where(loaded), sums),
        _unequal(connection, "quarantined rows are kept", select(subject, one.rows_quarantined), kept.group_by(one.id)),
    )


def levels_off_the_ledger(connection: Connection) -> pd.DataFrame:
    """I2: what is on hand at a place is the sum of its moves."""
    moved = _at_place(stock_moves, stock_moves.c.quantity, stock_moves.c.condition)
    levels = _at_place(stock_levels, stock_levels.c.on_hand, stock_levels.c.condition)
    return _unequal(connection, "on hand is the sum of moves", moved, levels)


def promises_without_stock(connection: Connection) -> pd.DataFrame:
    """I3: what is promised at a place is the sum of its open promises, and lies there, fit to be sold."""
    level = stock_levels.c
    promised = _at_place(allocations, allocations.c.quantity, _AVAILABLE).where(_OPEN)
    stored = _at_place(stock_levels, level.allocated, level.condition)
    most = case((and_(level.condition == _AVAILABLE, level.on_hand > 0), level.on_hand), else_=0)
    above = _at_place(stock_levels, level.allocated - most, level.condition).where(level.allocated > most)
    return _all(
        _unequal(connection, "allocated is the sum of open promises", promised, stored),
        _unequal(connection, "allocated is on hand", None, above),
    )


def messages_astray(connection: Connection, idle_since: datetime) -> pd.DataFrame:
    """I4: no message was sent twice, none is stuck half sent, none has waited since `idle_since`.

    To be asked while nothing sends; `idle_since`: when the sender last had the time to send everything.
    """
    one = messages.c
    key = cast(one.dedupe_key, String)
    gone = one.state.in_((MessageState.SENT, MessageState.DELIVERED, MessageState.BOUNCED))
    news = [one.kind, one.merchant_id, one.order_id, one.recipient, one.facts]
    twice = select(func.min(key), func.count()).where(gone).group_by(*news).having(func.count() > 1)
    stuck = or_(one.state == MessageState.SENDING, and_(one.state == MessageState.QUEUED, one.created_at < idle_since))
    unsaid = and_(one.state == MessageState.SENT, one.sent_at.is_(None))
    return _all(
        _unequal(connection, "sent once", None, twice),
        _unequal(connection, "none waits", None, select(key, literal(1)).where(stuck)),
        _unequal(connection, "what was sent says when", None, select(key, literal(1)).where(unsaid)),
    )


def waves_off_the_floor(connection: Connection, kinds: Mapping[str, Sequence[Cart]]) -> pd.DataFrame:
    """I5: a promise is in one wave at most, a cart's stops are walked 1, 2, 3 …, and some kind of cart holds it all.

    `kinds`: the carts of each warehouse.
    """
    promise, cart = cast(allocations.c.id, String), waves.c.code + literal(" cart ") + cast(carts.c.number, String)
    often = select(promise, func.count()).join(picks, picks.c.allocation_id == allocations.c.id)
    often = often.where(_PLANNED).group_by(allocations.c.id).having(func.count() > 1)
    more = select(promise, picks.c.quantity - allocations.c.quantity).join(
        picks, picks.c.allocation_id == allocations.c.id
    )
    more = more.where(picks.c.state == PickState.OPEN, _OPEN, picks.c.quantity != allocations.c.quantity)
    walked = select(cart, func.count(distinct(picks.c.stop_number))).join_from(picks, carts).join(waves)
    last = select(cart, func.max(picks.c.stop_number)).join_from(picks, carts).join(waves)
    by_cart = [waves.c.code, carts.c.number]
    return _all(
        _unequal(connection, "a promise is in one wave", None, often),
        _unequal(connection, "a pick takes what is promised", None, more),
        _unequal(connection, "stops are walked in turn", last.group_by(*by_cart), walked.group_by(*by_cart)),
        _overfull_carts(connection, kinds),
    )


def lines_ahead(connection: Connection) -> pd.DataFrame:
    """I6: shipped <= packed <= picked <= allocated <= ordered - cancelled, and the promises and moves say the same.

    A kit's line has promises of its components: it is compared in the ledger only.
    """
    line = order_lines.c
    chain = (line.quantity_shipped, line.quantity_packed, line.quantity_picked, line.quantity_allocated,
             line.quantity_ordered - line.quantity_cancelled)  # fmt: skip
    ahead = [_of_line(low - high).where(low > high) for low, high in itertools.pairwise(chain)]
    consumed = _at_place(allocations, allocations.c.quantity, _AVAILABLE).where(_CONSUMED)
    moved = _at_place(stock_moves, -stock_moves.c.quantity, stock_moves.c.condition)
    return _all(
        *(_unequal(connection, "no quantity is ahead of the one before", None, one) for one in ahead),
        _read(connection, "a line is promised what is promised", _promised_otherwise()),
        _unequal(connection, "what was promised and left is in the ledger", consumed,
                 moved.where(stock_moves.c.kind == MoveKind.SHIP)),
    )  # fmt: skip


def returns_above_sales(connection: Connection) -> pd.DataFrame:
    """I7: returned <= shipped, refunds of an order <= what was paid, and each unit that came back is booked once."""
    line, back, paid = order_lines.c, return_lines.c, orders.c
    above = line.quantity_returned - line.quantity_shipped
    given = select(paid.order_number, func.sum(refunds.c.amount_minor) - func.max(paid.total_minor))
    given = given.join_from(refunds, orders, paid.id == refunds.c.order_id).group_by(paid.id, paid.order_number)
    given = given.having(func.sum(refunds.c.amount_minor) > func.max(func.coalesce(paid.total_minor, 0)))
    goods = and_(products.c.merchant_id == returns.c.merchant_id, products.c.sku == back.sku)
    unit = returns.c.rma + literal(" ") + back.sku
    booked = and_(back.disposition.is_not(None), back.disposition != Disposition.NOT_RECEIVED, ~products.c.is_kit)
    came = select(unit, back.quantity_received).join_from(return_lines, returns).join(products, goods).where(booked)
    moved = select(func.coalesce(stock_moves.c.document, "") + literal(" ") + products.c.sku, stock_moves.c.quantity)
    moved = moved.join(products, products.c.id == stock_moves.c.product_id)
    ours = and_(stock_moves.c.kind == MoveKind.RETURN, stock_moves.c.cause.startswith("return:", autoescape=True))
    return _all(
        _unequal(connection, "returned is shipped", None, _of_line(above).where(above > 0)),
        _unequal(connection, "refunded is paid", None, given),
        _unequal(connection, "what came back is booked once", came, moved.where(ours)),
    )


# ── how they are compared ────────────────────────────────────────────────────────────────────────────────────────
def _unequal(connection: Connection, fault: str, expected: Units | None, found: Units) -> pd.DataFrame:
    """Subjects of which the two say different units; without `expected`, everything found."""
    sides = [(0, expected), (1, found)]
    both = [_side(rows, is_found=number) for number, rows in sides if rows is not None]
    every = union_all(*both).subquery("every")
    sums = [cast(func.sum(every.c[name]), BigInteger).label(name) for name in ("expected", "found")]
    grouped = select(literal(fault).label("fault"), every.c.subject, *sums).group_by(every.c.subject)
    told = read(connection, grouped.having(func.sum(every.c.expected) != func.sum(every.c.found)))
    return told.sort_values("subject", ignore_index=True)


def _side(rows: Units, *, is_found: int) -> Units:
    side = rows.subquery("side")
    subject, units = list(side.c)
    zero = literal(0)
    pair = (zero, units) if is_found else (units, zero)
    return select(subject.label("subject"), pair[0].label("expected"), pair[1].label("found"))


def _promised_otherwise() -> Select[Any]:
    """Lines that were ever promised anything, and do not say how much; subject, expected, found. Kits are left out."""
    line, one = order_lines.c, allocations.c
    kept = cast(func.sum(case((or_(_OPEN, _CONSUMED), one.quantity), else_=0)), BigInteger).label("kept")
    promised = select(one.order_id, one.line_number, kept).group_by(one.order_id, one.line_number).subquery("promised")
    same = and_(line.order_id == promised.c.order_id, line.line_number == promised.c.line_number)
    lines = _of_line(promised.c.kept).add_columns(line.quantity_allocated).join(promised, same)
    return lines.where(promised.c.kept != line.quantity_allocated, products.c.is_kit.is_(False))


def _read(connection: Connection, fault: str, told: Select[Any]) -> pd.DataFrame:
    """Rows of subject, expected and found, as every audit gives them."""
    rows = told.subquery("told")
    named = [column.label(name) for column, name in zip(rows.c, COLUMNS[1:], strict=True)]
    return read(connection, select(literal(fault).label("fault"), *named).order_by(named[0]))


def _all(*found: pd.DataFrame) -> pd.DataFrame:
    told = [one for one in found if len(one)]
    return pd.concat(told, ignore_index=True) if told else found[0]


def _at_place(rows: Any, units: ColumnElement[int], condition: ColumnElement[str]) -> Units:
    """`units` of moves, levels or promises by their place, goods, condition and lot."""
    words = [warehouses.c.code, literal("/"), locations.c.code, literal(" "), merchants.c.code, literal(" "),
             products.c.sku, literal(" "), condition, literal(" "), rows.c.lot]  # fmt: skip
    return (
        select(_joined(words), units)
        .join_from(rows, products, products.c.id == rows.c.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id)
        .join(locations, locations.c.id == rows.c.location_id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
    )


def _of_line(units: ColumnElement[int]) -> Units:
    """`units` of order lines, by merchant, order and line number; their products beside them."""
    line = order_lines.c
    words = [merchants.c.code, literal(" "), orders.c.order_number, literal(" "), cast(line.line_number, String)]
    goods = and_(products.c.merchant_id == orders.c.merchant_id, products.c.sku == line.sku)
    found = select(_joined(words), units).select_from(order_lines).join(orders, orders.c.id == line.order_id)
    return found.join(merchants, merchants.c.id == orders.c.merchant_id).join(products, goods, isouter=True)


def _joined(words: Sequence[ColumnElement[str]]) -> ColumnElement[str]:
    said: ColumnElement[str] = words[0]
    for word in words[1:]:
        said = said + word
    return said


def _overfull_carts(connection: Connection, kinds: Mapping[str, Sequence[Cart]]) -> pd.DataFrame:
    """Carts whose picks no kind of cart of their warehouse takes: found is the lines on it."""
    line = picks.c.quantity
    loads = read(
        connection,
        select(
            warehouses.c.code.label("warehouse"),
            (waves.c.code + literal(" cart ") + cast(carts.c.number, String)).label("subject"),
            func.count(distinct(allocations.c.order_id)).label("positions"), func.count().label("lines_max"),
            cast(func.sum(line * func.coalesce(products.c.weight_g, 0)), BigInteger).label("weight_g_max"),
            cast(func.sum(line * func.coalesce(products.c.volume_ml, 0)), BigInteger).label("volume_ml_max"),
        )
        .join_from(picks, carts).join(waves).join(warehouses)
        .join(allocations, allocations.c.id == picks.c.allocation_id)
        .join(products, products.c.id == allocations.c.product_id)
        .where(_PLANNED)
        .group_by(warehouses.c.code, waves.c.code, carts.c.number),
    )  # fmt: skip
    limits = ("positions", "lines_max", "weight_g_max", "volume_ml_max")
    fits = pd.Series(data=False, index=loads.index)
    for code, of_site in kinds.items():
        for cart in of_site:
            mine = loads["warehouse"] == code
            fits |= mine & (loads[list(limits)] <= [getattr(cart, name) for name in limits]).all(axis="columns")
    over = loads[~fits]
    return pd.DataFrame(
        {"fault": "a cart holds what is on it", "subject": over["subject"], "expected": 0, "found": over["lines_max"]}
    )
