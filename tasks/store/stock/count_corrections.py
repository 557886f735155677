"""Counts that were settled before all the facts were there."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Table, and_, func, select

from tasks.domain.counting.count_postings import corrections
from tasks.domain.states import COUNT_SETTLED, MoveKind
from tasks.store.counting import count_cases
from tasks.store.database.frames import read, staged
from tasks.store.ledger import PLACE
from tasks.store.schema import count_lines, counts, locations, merchants, products, stock_moves, warehouses


def corrections_of(connection: Connection, places: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The moves that make every settled count true again, as far as facts at `places` (PLACE, since) touched it."""
    with staged(connection, places[[*PLACE, "since"]], like=stock_moves) as touched:
        settled = read(connection, _settled(touched))
    if settled.empty:
        return corrections(settled.assign(expected=0, posted=0), as_of)
    last = settled.drop_duplicates([*PLACE, "counted_at"], keep="last")
    expected = count_cases.expected(connection, last)
    return corrections(expected.merge(_posted(connection, last), on="line_id"), as_of)


def last_settled(connection: Connection, places: pd.DataFrame) -> pd.DataFrame:
    """When each of `places` (PLACE) was last counted and the count settled: PLACE and counted_at, where it was."""
    line = count_lines.c
    with staged(connection, places[list(PLACE)].drop_duplicates(), like=count_lines) as place:
        counted = select(*(place.c[name] for name in PLACE), func.max(line.counted_at).label("counted_at"))
        counted = counted.join(count_lines, and_(*(line[name] == place.c[name] for name in PLACE)))
        return read(connection, counted.where(line.state.in_(COUNT_SETTLED)).group_by(*(place.c[n] for n in PLACE)))


def _settled(touched: Table) -> Select[Any]:
    line = count_lines.c
    is_same_place = and_(*(line[name] == touched.c[name] for name in PLACE))
    return (
        select(line.id.label("line_id"), *(line[name] for name in PLACE), line.counted_at, line.quantity,
               products.c.sku, counts.c.code, counts.c.round, warehouses.c.code.label("warehouse"),
               locations.c.code.label("location"), merchants.c.code.label("merchant"))
        .join_from(touched, count_lines, is_same_place)
        .join(counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(locations, locations.c.id == line.location_id)
        .join(products, products.c.id == line.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id)
        .where(line.state.in_(COUNT_SETTLED), line.counted_at >= touched.c.since)
        .order_by(line.id)
    )  # fmt: skip


def _posted(connection: Connection, settled: pd.DataFrame) -> pd.DataFrame:
    """How many moves each count has made: line_id, posted int64."""
    move = stock_moves.c
    with staged(connection, settled[["line_id", *PLACE, "counted_at"]], like=count_lines) as line:
        is_own_move = and_(move.kind == MoveKind.COUNT, move.effective_at == line.c.counted_at,
                    *(move[name] == line.c[name] for name in PLACE))  # fmt: skip
        number = func.count(move.id).label("posted")
        moves = select(line.c.line_id, number).join_from(line, stock_moves, is_own_move, isouter=True)
        return read(connection, moves.group_by(line.c.line_id))
