"""Counts that lack something: the time of day, a place or a product the shop knows."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    cast,
    delete,
    exists,
    or_,
    select,
    update,
)

from tasks.domain.counting.count_sheets import dated, day_bounds
from tasks.domain.counting.count_states import CountDecision, CountFinding
from tasks.domain.states import CountLineState
from tasks.store.database.frames import read, staged
from tasks.store.ledger import PLACE
from tasks.store.schema import (
    allocations,
    count_lines,
    counts,
    locations,
    picks,
    products,
    stock_moves,
    variances,
    warehouses,
)

UNDECIDED = (CountLineState.READY, CountLineState.COUNTED, CountLineState.REFUSED, CountLineState.REVIEW)


def date_lines(connection: Connection, as_of: datetime) -> int:
    """Give counts that name a day and no time of day their moment, or refuse them (`counting.count_sheets.dated`).

    Those refused before are looked at again: the day is over now. Returns how many have a moment now.
    """
    line = count_lines.c
    untimed = line.counted_at.is_(None), line.counted_on.is_not(None), line.quantity.is_not(None)
    untimed_lines = read(
        connection,
        select(line.id.label("line_id"), *(line[name] for name in PLACE), warehouses.c.time_zone,
               cast(line.counted_on, Text).label("day"))
        .join_from(count_lines, counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .where(*untimed, line.state.in_((CountLineState.COUNTED, CountLineState.REFUSED))),
    )  # fmt: skip
    if untimed_lines.empty:
        return 0
    starts, ends = day_bounds(untimed_lines["day"], untimed_lines["time_zone"])
    lines = untimed_lines.assign(starts_at=starts, ends_at=ends)
    moments = dated(lines.assign(moved=lines["line_id"].isin(_moved(connection, lines))), as_of)
    with staged(connection, moments, like=count_lines) as new:
        values = {name: new.c[name] for name in ("counted_at", "state", "reason")}
        connection.execute(update(count_lines).where(line.id == new.c.line_id).values(values))
    return int(moments["counted_at"].notna().sum())


def _moved(connection: Connection, lines: pd.DataFrame) -> pd.Series:
    """The lines (line_id) of whose place goods moved, or were picked, between starts_at and ends_at."""
    move, one = stock_moves.c, allocations.c
    with staged(connection, lines[["line_id", *PLACE, "starts_at", "ends_at"]], like=count_lines) as line:
        within = _within(move.effective_at, line)
        moved = exists().where(*(move[name] == line.c[name] for name in PLACE), within)
        is_place = and_(
            one.location_id == line.c.location_id, one.product_id == line.c.product_id, one.lot == line.c.lot
        )
        was_taken = or_(
            _within(picks.c.picked_at, line), and_(picks.c.quantity_picked > 0, _within(one.closed_at, line))
        )
        taken = exists().where(picks.c.allocation_id == one.id, is_place, was_taken, line.c.condition == "available")
        return read(connection, select(line.c.line_id).where(or_(moved, taken)))["line_id"]


def _within(moment: ColumnElement[Any], line: Table) -> ColumnElement[bool]:
    return and_(moment >= line.c.starts_at, moment < line.c.ends_at)


def resolve_unknown(connection: Connection) -> int:
    """Counts of a place or a SKU nobody knew, and that is known now, wait for a decision again. Returns how many."""
    line, document = count_lines.c, counts.c
    shelf = select(locations.c.id).join(counts, document.warehouse_id == locations.c.warehouse_id)
    shelf = shelf.where(document.id == line.count_id, locations.c.code == line.location_code)
    goods = select(products.c.id).where(products.c.merchant_id == line.merchant_id, products.c.sku == line.sku)
    for column, match in ((line.location_id, shelf), (line.product_id, goods)):
        match_id = match.correlate(count_lines).scalar_subquery()
        is_resolved = column.is_(None), line.state.in_(UNDECIDED), match.correlate(count_lines).exists()
        connection.execute(update(count_lines).where(*is_resolved).values({column.key: match_id}))
    in_review = select(variances.c.count_line_id).where(
        variances.c.decision == CountDecision.REVIEW,
        variances.c.finding.in_((CountFinding.UNKNOWN_SKU, CountFinding.UNKNOWN_LOCATION)),
    )
    is_complete = line.location_id.is_not(None), line.product_id.is_not(None), line.state == CountLineState.REVIEW
    lines = read(connection, select(line.id.label("line_id")).where(*is_complete, line.id.in_(in_review)))
    with staged(connection, lines) as again:
        resolved = select(again.c.line_id)
        connection.execute(delete(variances).where(variances.c.count_line_id.in_(resolved)))
        state = {"state": CountLineState.COUNTED, "reason": None}
        connection.execute(update(count_lines).where(line.id.in_(resolved)).values(state))
    return len(lines)
