"""Places a count may be planned for, what is sold, and the planned counts themselves."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    Connection,
    Select,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.sql.selectable import FromClause

from tasks.domain.states import (
    COUNT_SETTLED,
    AllocationState,
    Condition,
    CountLineState,
    CountState,
    MoveKind,
    PickState,
)
from tasks.store.counting.count_findings import waiting_at, withdraw
from tasks.store.database.frames import changed, read, staged
from tasks.store.ledger import PLACE
from tasks.store.schema import (
    allocations,
    count_lines,
    counts,
    imports,
    locations,
    merchants,
    order_lines,
    orders,
    picks,
    products,
    stock_levels,
    stock_moves,
    stock_snapshots,
    variances,
)
from tasks.store.sql_rules import UNIT_VALUE_MINOR

LINE = ("location_id", "product_id", "sku", "condition", "lot", "reason")
CORRECTIONS = (MoveKind.OPENING, MoveKind.COUNT, MoveKind.ADJUST)  # the record changed, no goods moved


def is_planned(connection: Connection, warehouse_id: int, prefix: str) -> bool:
    """Whether the warehouse has planned counts whose code starts like that."""
    is_code = counts.c.warehouse_id == warehouse_id, counts.c.code.startswith(prefix, autoescape=True)
    return bool(connection.scalar(select(exists().where(*is_code, counts.c.planned_at.is_not(None)))))


def countable_places(connection: Connection, warehouse_id: int, sheets_valid_since: datetime) -> pd.DataFrame:
    """Places that are not being counted, with all that `counting.count_reasons` looks at but the accuracies.

    Also merchant, location, zone, aisle, bay, level, sku, abc_class. A place on a sheet older than
    `sheets_valid_since` that did not come back is free again. Each fact is one pass of its own over its table: in one
    statement the database's planner would have to guess how many rows eight of them give.
    """
    places = read(connection, _places_query(warehouse_id))
    for fact in (_counted, _unsettled, _moved, _picked):
        places = places.merge(read(connection, fact(warehouse_id)), on=list(PLACE), how="left")
    active = read(connection, _active(warehouse_id, sheets_valid_since))
    free = places.merge(active, on=list(PLACE), how="left", indicator="free")
    free = free[free.pop("free") == "left_only"].reset_index(drop=True)
    units = ["units_moved", "units_later", "short_picks", "zero_picks", "in_building"]
    free = free.assign(**free[units].astype("Int64").fillna(0).astype("int64"))
    return free.assign(export_off=free["export_units"] - free["on_hand"] + free["units_later"])


def _places_query(warehouse_id: int) -> Select[Any]:
    """What the ledger or the last stock export knows of."""
    keys = [
        select(*(table.c[name] for name in PLACE)).where(table.c.location_id.in_(_within(warehouse_id)))
        for table in (stock_levels, stock_snapshots)
    ]
    place, shelf, snapshot = union(*keys).subquery("place"), locations.c, stock_snapshots.c
    return (
        select(*(place.c[name] for name in PLACE), merchants.c.code.label("merchant"), products.c.sku,
               products.c.abc_class,
               UNIT_VALUE_MINOR.label("unit_minor"),
               shelf.code.label("location"), shelf.zone, shelf.aisle, shelf.bay, shelf.level,
               func.coalesce(stock_levels.c.on_hand, 0).label("on_hand"), snapshot.on_hand.label("export_units"),
               snapshot.snapshot_at.label("export_at"))
        .join_from(place, locations, shelf.id == place.c.location_id)
        .join(products, products.c.id == place.c.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id)
        .join(stock_levels, _is_same_place(stock_levels, place), isouter=True)
        .join(stock_snapshots, _is_same_place(stock_snapshots, place), isouter=True)
    )  # fmt: skip


def _within(warehouse_id: int) -> Select[Any]:
    return select(locations.c.id).where(locations.c.warehouse_id == warehouse_id)


def _is_same_place(table: FromClause, place: FromClause) -> Any:
    return and_(*(table.c[name] == place.c[name] for name in PLACE))


# ── what is known of a place: a row each ───────────────────────────────────────────────────────
def _counted(warehouse_id: int) -> Select[Any]:
    """counted_at: when it was last counted and the count closed."""
    line = count_lines.c
    key = [line[name] for name in PLACE]
    closed = select(*key, func.max(line.counted_at).label("counted_at")).where(line.state.in_(COUNT_SETTLED))
    return closed.where(line.location_id.in_(_within(warehouse_id))).group_by(*key)


def _unsettled(warehouse_id: int) -> Select[Any]:
    """unsettled_at: the last count that was refused, or rejected without another of its document standing for it."""
    line, key = count_lines.c, [count_lines.c[name] for name in PLACE]
    came = func.coalesce(line.counted_at, imports.c.received_at)
    lost = func.max(case((line.state.in_((CountLineState.REFUSED, CountLineState.REJECTED)), came)))
    settled = func.max(case((line.state.in_(COUNT_SETTLED), line.counted_at)))
    cases = (
        select(*key, lost.label("at"))
        .join_from(count_lines, counts, counts.c.id == line.count_id)
        .join(imports, imports.c.id == line.import_id, isouter=True)
        .where(line.location_id.in_(_within(warehouse_id)))
        .group_by(*key, counts.c.code)
        .having(settled.is_(None))
        .subquery("cases")
    )
    key_of_case = [cases.c[name] for name in PLACE]
    return select(*key_of_case, func.max(cases.c.at).label("unsettled_at")).group_by(*key_of_case)


def _moved(warehouse_id: int) -> Select[Any]:
    """What the ledger says happened there.

    units_moved since the last count; arrived_at: the last transfer in, otherwise the first move that opened no ledger;
    shipped_at, issued_at: the last move out, with a parcel and otherwise; units_later: units since the export was made.
    """
    move, snapshot, counted = stock_moves.c, stock_snapshots, _counted(warehouse_id).subquery("counted")
    key = [move[name] for name in PLACE]
    goods = move.kind.not_in(CORRECTIONS)
    since = or_(counted.c.counted_at.is_(None), move.effective_at > counted.c.counted_at)
    out = and_(goods, move.quantity < 0)
    later = func.sum(case((move.effective_at > snapshot.c.snapshot_at, move.quantity), else_=0))
    first = func.min(move.effective_at)
    opened = func.min(case((move.kind == MoveKind.OPENING, move.effective_at)))
    new = case((or_(opened.is_(None), opened > first), first))
    by_transfer = func.max(case((and_(move.kind == MoveKind.TRANSFER, move.quantity > 0), move.effective_at)))
    return (
        select(
            *key,
            func.sum(case((and_(goods, since), func.abs(move.quantity)), else_=0)).label("units_moved"),
            func.coalesce(by_transfer, new).label("arrived_at"),
            func.max(case((and_(out, move.kind == MoveKind.SHIP), move.effective_at))).label("shipped_at"),
            func.max(case((and_(out, move.kind != MoveKind.SHIP), move.effective_at))).label("issued_at"),
            later.label("units_later"),
        )
        .join_from(stock_moves, counted, _is_same_place(counted, stock_moves), isouter=True)
        .join(snapshot, _is_same_place(snapshot, stock_moves), isouter=True)
        .where(move.location_id.in_(_within(warehouse_id)))
        .group_by(*key)
    )


def _picked(warehouse_id: int) -> Select[Any]:
    """short_picks and, of those, zero_picks since the last count; picked_at; in_building: picked units still there."""
    one, counted = allocations.c, _counted(warehouse_id).subquery("counted")
    available = literal(Condition.AVAILABLE.value).label("condition")
    key = [one.location_id, one.product_id, one.lot]
    is_same_place = and_(
        counted.c.condition == Condition.AVAILABLE, *(counted.c[column.key] == column for column in key)
    )
    since = or_(counted.c.counted_at.is_(None), picks.c.picked_at > counted.c.counted_at)
    short = and_(picks.c.state == PickState.SHORT, since)
    some = picks.c.quantity_picked > 0
    still = case((picks.c.quantity_picked < one.quantity, picks.c.quantity_picked), else_=one.quantity)
    return (
        select(
            *key, available,
            func.sum(case((short, 1), else_=0)).label("short_picks"),
            func.sum(case((and_(short, ~some), 1), else_=0)).label("zero_picks"),
            func.max(case((some, picks.c.picked_at))).label("picked_at"),
            func.sum(case((and_(some, one.state == AllocationState.OPEN), still), else_=0)).label("in_building"),
        )
        .join_from(picks, allocations, one.id == picks.c.allocation_id)
        .join(counted, is_same_place, isouter=True)
        .where(one.location_id.in_(_within(warehouse_id)), picks.c.state != PickState.CANCELLED)
        .group_by(*key)
    )  # fmt: skip


def past_findings(connection: Connection, warehouse_id: int, since: datetime) -> pd.DataFrame:
    """What closed counts since then found, the earliest first: the place, zone, is_right bool."""
    line, finding = count_lines.c, variances.c
    is_right = and_(finding.within_tolerance, or_(finding.expected > 0, finding.difference == 0)).label("is_right")
    return read(
        connection,
        select(*(line[name] for name in PLACE), locations.c.zone, is_right)
        .join_from(variances, count_lines, line.id == finding.count_line_id)
        .join(locations, locations.c.id == line.location_id)
        .where(line.state.in_(COUNT_SETTLED), line.counted_at > since, locations.c.warehouse_id == warehouse_id)
        .order_by(line.counted_at, line.id),
    )


def _active(warehouse_id: int, valid_since: datetime) -> Select[Any]:
    """Places on a sheet that is out, or whose count nobody has settled."""
    line = count_lines.c
    fresh = and_(line.state == CountLineState.READY, counts.c.planned_at > valid_since)
    waiting = line.state.in_((CountLineState.COUNTED, CountLineState.RECOUNT, CountLineState.REVIEW))
    active = select(*(line[name] for name in PLACE)).join_from(count_lines, counts, counts.c.id == line.count_id)
    is_live = counts.c.warehouse_id == warehouse_id, counts.c.state != CountState.CANCELLED
    return active.where(*is_live, or_(fresh, waiting), line.product_id.is_not(None)).distinct()


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
    """Open the planned documents and their lines. Returns the lines.

    `places`: code, counter (whom the sheet is addressed to; may be missing) and LINE, in walking order.
    """
    documents = [
        {"warehouse_id": warehouse_id, "code": code, "round": 1, "reason": "plan", "planned_at": as_of,
         "counter": None if pd.isna(counter) else counter}
        for code, counter in places[["code", "counter"]].drop_duplicates("code").itertuples(index=False)
    ]  # fmt: skip
    withdraw(connection, waiting_at(connection, places), "planned again on a later sheet")
    connection.execute(insert(counts), documents)
    with staged(connection, places[["code", *LINE]].assign(position=range(len(places))), like=count_lines) as new:
        is_document = and_(counts.c.code == new.c.code, counts.c.warehouse_id == warehouse_id, counts.c.round == 1)
        lines: Select[Any] = select(counts.c.id, *(new.c[name] for name in LINE)).join_from(new, counts, is_document)
        ready = insert(count_lines).from_select(["count_id", *LINE], lines.order_by(new.c.position))
        return changed(connection, ready)
