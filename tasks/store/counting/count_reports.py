"""What counts found and moved, for documents: everything as it was at one moment of the ledger."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Text, and_, case, cast, func, literal, or_, select

from tasks.domain.counting.count_states import NO_EVIDENCE
from tasks.domain.states import MoveKind
from tasks.store import run_log
from tasks.store.database.frames import read, staged
from tasks.store.schema import (
    count_lines,
    counts,
    locations,
    lots,
    merchants,
    products,
    stock_moves,
    variances,
    warehouses,
)
from tasks.store.sql_rules import UNIT_VALUE_MINOR

LOCATION = func.coalesce(locations.c.code, count_lines.c.location_code)  # as the warehouse calls it, else the sheet


def undocumented_results(connection: Connection) -> pd.DataFrame:
    """Moments at which something was found, answered or posted and not documented yet: moment, fingerprint, rows."""
    move, finding = stock_moves.c, variances.c
    sources = [
        _events("found", finding.decided_at, finding.id),
        _events("answered", finding.answered_at, finding.id),
        _events("moves", move.recorded_at, move.id).where(move.kind == MoveKind.COUNT),
        _events("recounts", counts.c.planned_at, counts.c.id).where(counts.c.round > 1),
    ]
    events = pd.concat([read(connection, source) for source in sources], ignore_index=True)
    events["mark"] = events["what"] + events["rows"].astype("str") + "-" + events["last"].astype("str")
    events = events.sort_values(["moment", "what"])
    moments = events.groupby("moment").agg(fingerprint=("mark", " ".join), rows=("rows", "sum")).reset_index()
    moments = pd.concat([moments, _only_questions(connection, moments["moment"])], ignore_index=True)
    return run_log.undocumented(connection, "reconcile-counts", moments)


def _only_questions(connection: Connection, moments: pd.Series) -> pd.DataFrame:
    """Moments, not among `moments`, at which a person was asked again and nothing else happened.

    Their fingerprint is always the same: asking once more is not worth another document.
    """
    questions = read(connection, _events("asked", variances.c.asked_at, variances.c.id))
    questions = questions[~questions["moment"].isin(moments)]
    return pd.DataFrame({"moment": questions["moment"], "fingerprint": "asked", "rows": questions["rows"]})


def _events(what: str, moment: Any, number: Any) -> Select[Any]:
    rows = func.count().label("rows"), func.max(number).label("last")
    return (
        select(literal(what).label("what"), moment.label("moment"), *rows).where(moment.is_not(None)).group_by(moment)
    )


def findings_at(connection: Connection, moment: datetime) -> pd.DataFrame:
    """The findings that were decided, asked about or answered at that moment: one row per counted place.

    finding (its number), line_id, kind (what the place turned out to be), decision, role, warehouse, time_zone,
    location, merchant, sku, name, condition, lot, abc_class, export, expected, counted, difference, value_minor,
    currency, unit_minor, within_tolerance, rule, reason_code, why, transfer_line_id, other_place, counter, counted_at,
    count, round, decided_by, asked_at, answer, answered_by, answered_at, comment.
    """
    is_at_moment = or_(*(variances.c[name] == moment for name in ("decided_at", "asked_at", "answered_at")))
    return read(connection, findings_query().where(is_at_moment))


def findings_query() -> Select[Any]:
    """Every finding with the columns of `findings_at`, in the order of the places."""
    line, finding = count_lines.c, variances.c
    other_line, other_location = count_lines.alias("other_line"), locations.alias("other_location")
    other_place = (
        select(func.coalesce(other_location.c.code, other_line.c.location_code))
        .join_from(other_line, other_location, other_location.c.id == other_line.c.location_id, isouter=True)
        .where(other_line.c.id == finding.transfer_line_id)
        .scalar_subquery()
    )
    return (
        select(finding.id.label("finding"), line.id.label("line_id"), finding.finding.label("kind"), finding.decision,
               finding.role, warehouses.c.code.label("warehouse"), warehouses.c.time_zone, LOCATION.label("location"),
               merchants.c.code.label("merchant"), line.sku, products.c.name, line.condition, line.lot,
               products.c.abc_class, finding.book.label("export"), finding.expected, finding.counted,
               finding.difference, finding.value_minor, finding.currency, UNIT_VALUE_MINOR.label("unit_minor"),
               finding.within_tolerance, finding.rule, finding.reason_code, line.reason.label("why"),
               finding.transfer_line_id, other_place.label("other_place"), line.counter, line.counted_at,
               counts.c.code.label("count"), counts.c.round, finding.decided_by, finding.asked_at, finding.answer,
               finding.answered_by, finding.answered_at, finding.comment)
        .join_from(variances, count_lines, line.id == finding.count_line_id)
        .join(counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(locations, locations.c.id == line.location_id, isouter=True)
        .join(products, products.c.id == line.product_id, isouter=True)
        .join(merchants, merchants.c.id == products.c.merchant_id, isouter=True)
        .order_by(warehouses.c.code, LOCATION, line.sku, line.condition, line.lot, counts.c.code, counts.c.round,
                  line.counted_at, line.id)
    )  # fmt: skip


def adjusted_at(connection: Connection, moment: datetime) -> pd.DataFrame:
    """What counts moved in the ledger at that moment, late corrections of earlier counts included: one row per move.

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
    """The stock of every place of the adjusted SKUs, from the moves recorded by `moment`: one row per place.

    warehouse, location, merchant, sku, condition, lot, on_hand, name, unit_cost_minor, currency, expires_on (text).
    """
    move = stock_moves.c
    with staged(connection, adjusted[["warehouse", "merchant", "sku"]].drop_duplicates()) as adjusted_sku:
        is_adjusted = and_(merchants.c.code == adjusted_sku.c.merchant, products.c.sku == adjusted_sku.c.sku,
                           warehouses.c.code == adjusted_sku.c.warehouse)  # fmt: skip
        key = [warehouses.c.code.label("warehouse"), locations.c.code.label("location"),
               merchants.c.code.label("merchant"), products.c.sku, move.condition, move.lot, products.c.name,
               products.c.unit_cost_minor, products.c.currency,
               cast(lots.c.expires_on, Text).label("expires_on")]  # fmt: skip
        levels = (
            select(*key, func.sum(move.quantity).label("on_hand"))
            .join_from(stock_moves, products, products.c.id == move.product_id)
            .join(merchants, merchants.c.id == products.c.merchant_id)
            .join(locations, locations.c.id == move.location_id)
            .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
            .join(adjusted_sku, is_adjusted)
            .join(lots, and_(lots.c.product_id == move.product_id, lots.c.lot == move.lot), isouter=True)
            .where(move.recorded_at <= moment)
            .group_by(*key)
            .order_by(*key[:6])
        )
        return read(connection, levels).astype({"on_hand": "int64", "unit_cost_minor": "Int64"})


def counted_since(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """Places counted in that time, one row per warehouse, moment and currency.

    warehouse, time_zone, moment, currency, places, hits (record right), value_minor and off_minor, all int64.
    """
    finding = variances.c
    is_hit = and_(finding.within_tolerance, or_(finding.expected > 0, finding.difference == 0))
    unit = func.coalesce(UNIT_VALUE_MINOR, 0)
    book = case((finding.expected > 0, finding.expected), else_=0)
    key = _warehouse_moment_currency(finding.decided_at)
    rows = (
        select(*key, func.count().label("places"), func.sum(case((is_hit, 1), else_=0)).label("hits"),
               func.sum(book * unit).label("value_minor"),
               func.sum(func.abs(finding.difference) * unit).label("off_minor"))
        .join_from(variances, count_lines, count_lines.c.id == finding.count_line_id)
        .join(counts, counts.c.id == count_lines.c.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(products, products.c.id == count_lines.c.product_id, isouter=True)
        .where(finding.decided_at > since, finding.decided_at <= until, finding.decision.not_in(NO_EVIDENCE))
        .group_by(*key)
    )  # fmt: skip
    return _integers(read(connection, rows), ["places", "hits", "value_minor", "off_minor"])


def adjusted_since(connection: Connection, since: datetime, until: datetime) -> pd.DataFrame:
    """What counts adjusted in that time, one row per warehouse, moment and currency.

    warehouse, time_zone, moment, currency, net_minor and absolute_minor int64.
    """
    move = stock_moves.c
    value = move.quantity * func.coalesce(UNIT_VALUE_MINOR, 0)
    key = _warehouse_moment_currency(move.recorded_at)
    rows = (
        select(*key, func.sum(value).label("net_minor"), func.sum(func.abs(value)).label("absolute_minor"))
        .join_from(stock_moves, locations, locations.c.id == move.location_id)
        .join(warehouses, warehouses.c.id == locations.c.warehouse_id)
        .join(products, products.c.id == move.product_id)
        .where(move.kind == MoveKind.COUNT, move.recorded_at > since, move.recorded_at <= until)
        .group_by(*key)
    )
    return _integers(read(connection, rows), ["net_minor", "absolute_minor"])


def _warehouse_moment_currency(moment: Any) -> list[Any]:
    """The key of a trend: warehouse, time_zone, moment, currency (empty where none is known)."""
    return [warehouses.c.code.label("warehouse"), warehouses.c.time_zone, moment.label("moment"),
            func.coalesce(products.c.currency, "").label("currency")]  # fmt: skip


def _integers(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return rows.assign(**{name: rows[name].fillna(0).astype("int64") for name in names})
