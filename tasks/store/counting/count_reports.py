"""What counts found and moved, read for documents: everything as it stood at one moment of the ledger."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Text, and_, case, cast, func, literal, or_, select

from tasks.domain.counting.count_states import NO_EVIDENCE
from tasks.domain.states import MoveKind
from tasks.store.database.frames import read, staged
from tasks.store.schema import (
    count_lines,
    counts,
    locations,
    lots,
    merchants,
    products,
    run_log,
    stock_moves,
    variances,
    warehouses,
)
from tasks.store.sql_rules import UNIT_VALUE_MINOR

WHERE = func.coalesce(locations.c.code, count_lines.c.location_code)


def undocumented(connection: Connection) -> pd.DataFrame:
    """Moments at which something was found, answered or posted that no document tells of: moment, fingerprint, rows.

    Documents are written from what was committed, so that a crash before they are written loses none.
    """
    move, one = stock_moves.c, variances.c
    posted = _events("moves", move.recorded_at, move.id).where(move.kind == MoveKind.COUNT)
    again = _events("recounts", counts.c.planned_at, counts.c.id).where(counts.c.round > 1)
    found, answered = _events("found", one.decided_at, one.id), _events("answered", one.answered_at, one.id)
    events = pd.concat([read(connection, source) for source in (found, answered, posted, again)], ignore_index=True)
    events["mark"] = events["what"] + events["rows"].astype("str") + "-" + events["last"].astype("str")
    events = events.sort_values(["moment", "what"])
    told = events.groupby("moment").agg(fingerprint=("mark", " ".join), rows=("rows", "sum")).reset_index()
    told = pd.concat([told, _asked_alone(connection, told["moment"])], ignore_index=True)
    mine = run_log.c.flow == "reconcile-counts", run_log.c.step == "documents"
    logged = read(connection, select(run_log.c.as_of.label("moment"), run_log.c.fingerprint).where(*mine))
    both = told.merge(logged, on=["moment", "fingerprint"], how="left", indicator="known")
    return both[both["known"] == "left_only"].sort_values("moment")[["moment", "fingerprint", "rows"]]


def _asked_alone(connection: Connection, moments: pd.Series) -> pd.DataFrame:
    """Moments at which nothing happened but that somebody was asked again; asked once more, they are no news."""
    asked = read(connection, _events("asked", variances.c.asked_at, variances.c.id))
    alone = asked[~asked["moment"].isin(moments)]
    return pd.DataFrame({"moment": alone["moment"], "fingerprint": "asked", "rows": alone["rows"]})


def _events(what: str, moment: Any, number: Any) -> Select[Any]:
    rows = func.count().label("rows"), func.max(number).label("last")
    return (
        select(literal(what).label("what"), moment.label("moment"), *rows).where(moment.is_not(None)).group_by(moment)
    )


def found_at(connection: Connection, moment: datetime) -> pd.DataFrame:
    """What was found, asked or answered at that moment, by place.

    finding (its number), line_id, kind (what the place turned out to be), decision, role, warehouse, time_zone,
    location, merchant, sku, name, condition, lot, abc_class, export, expected, counted, difference, value_minor,
    currency, unit_minor, within_tolerance, rule, reason_code, why, transfer_line_id, other_place, counter, counted_at,
    count, round, decided_by, asked_at, answer, answered_by, answered_at, comment.
    """
    told = or_(*(variances.c[name] == moment for name in ("decided_at", "asked_at", "answered_at")))
    return read(connection, findings().where(told))


def findings() -> Select[Any]:
    """Findings with what they are about, in the order of their places."""
    line, one = count_lines.c, variances.c
    there, bin_there = count_lines.alias("there"), locations.alias("bin_there")
    other = (
        select(func.coalesce(bin_there.c.code, there.c.location_code))
        .join_from(there, bin_there, bin_there.c.id == there.c.location_id, isouter=True)
        .where(there.c.id == one.transfer_line_id)
        .scalar_subquery()
    )
    return (
        select(one.id.label("finding"), line.id.label("line_id"), one.finding.label("kind"), one.decision, one.role,
               warehouses.c.code.label("warehouse"), warehouses.c.time_zone, WHERE.label("location"),
               merchants.c.code.label("merchant"), line.sku, products.c.name, line.condition, line.lot,
               products.c.abc_class, one.book.label("export"), one.expected, one.counted, one.difference,
               one.value_minor, one.currency, UNIT_VALUE_MINOR.label("unit_minor"), one.within_tolerance, one.rule,
               one.reason_code,
               line.reason.label("why"), one.transfer_line_id, other.label("other_place"), line.counter,
               line.counted_at, counts.c.code.label("count"), counts.c.round, one.decided_by, one.asked_at, one.answer,
               one.answered_by, one.answered_at, one.comment)
        .join_from(variances, count_lines, line.id == one.count_line_id)
        .join(counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(locations, locations.c.id == line.location_id, isouter=True)
        .join(products, products.c.id == line.product_id, isouter=True)
        .join(merchants, merchants.c.id == products.c.merchant_id, isouter=True)
        .order_by(warehouses.c.code, WHERE, line.sku, line.condition, line.lot, counts.c.code, counts.c.round,
                  line.counted_at, line.id)
    )  # fmt: skip


def adjusted_at(connection: Connection, moment: datetime) -> pd.DataFrame:
    """What counts moved in the ledger at that moment, late corrections of earlier counts included, by place.

    warehouse, location, merchant, sku, condition, lot, quantity_delta, reason, counted_at, count, unit_minor, currency.
    """
    move = stock_moves.c
    return read(
        connection,
        select(warehouses.c.code.label("warehouse"), locations.c.code.label("location"),
               merchants.c.code.label("merchant"), products.c.sku, move.condition, move.lot,
               move.quantity.label("quantity_delta"), move.reason, move.effective_at.label("counted_at"),
               move.document.label("count"), UNIT_VALUE_MINOR.label("unit_minor"), products.c.currency)
        .join_from(stock_moves, locations, locations.c.id == move.location_id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
        .join(products, products.c.id == move.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id)
        .where(move.kind == MoveKind.COUNT, move.recorded_at == moment)
        .order_by(warehouses.c.code, locations.c.code, merchants.c.code, products.c.sku, move.condition, move.lot,
                  move.effective_at, move.id),
    )  # fmt: skip


def levels_after(connection: Connection, adjusted: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    """What the ledger said, by what it knew at `moment`, of every place of the SKUs adjusted.

    warehouse, location, merchant, sku, condition, lot, on_hand, name, unit_cost_minor, currency, expires_on (text).
    """
    move = stock_moves.c
    with staged(connection, adjusted[["warehouse", "merchant", "sku"]].drop_duplicates()) as asked:
        mine = and_(merchants.c.code == asked.c.merchant, products.c.sku == asked.c.sku,
                    warehouses.c.code == asked.c.warehouse)  # fmt: skip
        key = [warehouses.c.code.label("warehouse"), locations.c.code.label("location"),
               merchants.c.code.label("merchant"), products.c.sku, move.condition, move.lot, products.c.name,
               products.c.unit_cost_minor, products.c.currency,
               cast(lots.c.expires_on, Text).label("expires_on")]  # fmt: skip
        found = (
            select(*key, func.sum(move.quantity).label("on_hand"))
            .join_from(stock_moves, products, products.c.id == move.product_id)
            .join(merchants, merchants.c.id == products.c.merchant_id)
            .join(locations, locations.c.id == move.location_id)
            .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
            .join(asked, mine)
            .join(lots, and_(lots.c.product_id == move.product_id, lots.c.lot == move.lot), isouter=True)
            .where(move.recorded_at <= moment)
            .group_by(*key)
            .order_by(*key[:6])
        )
        return read(connection, found).astype({"on_hand": "int64", "unit_cost_minor": "Int64"})


def counted_since(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """What was counted in that time, by warehouse, moment and currency, as `counting.count_reports.trend` asks."""
    one = variances.c
    hit = and_(one.within_tolerance, or_(one.expected > 0, one.difference == 0))
    unit = func.coalesce(UNIT_VALUE_MINOR, 0)
    book = case((one.expected > 0, one.expected), else_=0)
    key = _group(one.decided_at)
    rows = (
        select(*key, func.count().label("places"), func.sum(case((hit, 1), else_=0)).label("hits"),
               func.sum(book * unit).label("value_minor"), func.sum(func.abs(one.difference) * unit).label("off_minor"))
        .join_from(variances, count_lines, count_lines.c.id == one.count_line_id)
        .join(counts, counts.c.id == count_lines.c.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(products, products.c.id == count_lines.c.product_id, isouter=True)
        .where(one.decided_at > since, one.decided_at <= until, one.decision.not_in(NO_EVIDENCE))
        .group_by(*key)
    )  # fmt: skip
    return _whole(read(connection, rows), ["places", "hits", "value_minor", "off_minor"])


def adjusted_since(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """What counts moved in that time, by warehouse, moment and currency, as `counting.count_reports.trend` asks."""
    move = stock_moves.c
    value = move.quantity * func.coalesce(UNIT_VALUE_MINOR, 0)
    key = _group(move.recorded_at)
    rows = (
        select(*key, func.sum(value).label("net_minor"), func.sum(func.abs(value)).label("absolute_minor"))
        .join_from(stock_moves, locations, locations.c.id == move.location_id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
        .join(products, products.c.id == move.product_id)
        .where(move.kind == MoveKind.COUNT, move.recorded_at > since, move.recorded_at <= until)
        .group_by(*key)
    )
    return _whole(read(connection, rows), ["net_minor", "absolute_minor"])


def _group(moment: Any) -> list[Any]:
    return [warehouses.c.code.label("warehouse"), warehouses.c.time_zone, moment.label("moment"),
            func.coalesce(products.c.currency, "").label("currency")]  # fmt: skip


def _whole(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return rows.assign(**{name: rows[name].fillna(0).astype("int64") for name in names})
