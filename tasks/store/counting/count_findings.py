"""What counts led to, written down: findings, recounts asked for, promises given back, documents closed."""

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
    insert,
    literal,
    select,
    update,
)

from tasks.domain.counting.count_states import CountDecision
from tasks.domain.states import CountLineState, CountState
from tasks.store.database.frames import changed, read, staged
from tasks.store.database.upserts import insert_new
from tasks.store.ledger import PLACE
from tasks.store.schema import (
    count_lines,
    counts,
    locations,
    merchants,
    products,
    run_log,
    variances,
    warehouses,
)
from tasks.store.sql_rules import UNIT_VALUE_MINOR

FIGURES = ("expected", "counted", "difference", "value_minor", "currency", "within_tolerance", "finding", "rule",
           "reason_code", "role", "transfer_line_id", "decided_by")  # fmt: skip
FINDING = ("count_line_id", "book", "decision", "asked_at", "decided_at", *FIGURES)
SETTLED = (CountDecision.MATCHED, CountDecision.POSTED)
LINE = ("condition", "lot", "location_id", "product_id", "sku")
WAITING = (CountLineState.READY, CountLineState.COUNTED)


def write_findings(connection: Connection, told: pd.DataFrame) -> int:
    """Keep a finding for each line and bring the lines' states up to date. Returns how many findings are new.

    `told`: FINDING, with state and reason. A line found before keeps its figures, unless it is what settles its place
    or waits for a person now: then they are those it was decided by.
    """
    with staged(connection, told[[*FINDING, "state", "reason"]], like=variances) as new:
        known = variances.c.count_line_id == new.c.count_line_id
        found = insert_new(connection, variances, _finding(new))
        if found < len(told):
            again = known, variances.c.decision != new.c.decision
            stands = new.c.decision.in_((*SETTLED, CountDecision.REVIEW))
            figures: dict[str, Any] = {name: new.c[name] for name in (*FIGURES, "decision")}
            figures |= {name: func.coalesce(new.c[name], variances.c[name]) for name in ("role", "asked_at")}
            connection.execute(update(variances).where(*again, stands).values(figures))
            connection.execute(update(variances).where(*again).values(decision=new.c.decision))
        line = update(count_lines).where(count_lines.c.id == new.c.count_line_id)
        connection.execute(line.values(state=new.c.state, reason=new.c.reason))
        return found


def _finding(new: Table) -> Select[Any]:
    return select(*(new.c[name] for name in FINDING)).order_by(new.c.count_line_id)


def ask_again(connection: Connection, places: pd.DataFrame, as_of: datetime) -> int:
    """Open the next round for places that must be counted again; one that waits for it already is not asked twice.

    `places`: warehouse_id, code, round (the next), assigned_to (who is to count; missing: anybody else) and LINE.
    Returns how many places were asked for.
    """
    withdraw(connection, _elsewhere(connection, places), "a recount asks for the place")
    document = ["warehouse_id", "code", "round", "assigned_to"]
    with staged(connection, places[[*document, *LINE]], like=count_lines) as new:
        at = literal(as_of, counts.c.planned_at.type).label("planned_at")
        why, state = literal("recount").label("reason"), literal(CountState.PLANNED.value).label("state")
        key = new.c.warehouse_id, new.c.code, new.c.round
        opened = select(*key, why, state, at, func.max(new.c.assigned_to).label("counter"))
        insert_new(connection, counts, opened.group_by(*key))
        of = and_(*(counts.c[name] == new.c[name] for name in ("warehouse_id", "code", "round")))
        line = count_lines.alias("asked")
        same = and_(line.c.count_id == counts.c.id, line.c.state.in_(WAITING),
                    *(line.c[name].is_not_distinct_from(new.c[name]) for name in LINE))  # fmt: skip
        asked = select(counts.c.id.label("count_id"), *(new.c[name] for name in LINE)).join_from(new, counts, of)
        asked = asked.where(~exists().where(same)).order_by(counts.c.id, new.c.location_id, new.c.sku, new.c.lot)
        return changed(connection, insert(count_lines).from_select(["count_id", *LINE], asked))


def _elsewhere(connection: Connection, places: pd.DataFrame) -> pd.DataFrame:
    """What waits to be counted at `places`, on other sheets than the one that is about to ask."""
    line = count_lines.c
    with staged(connection, places[["warehouse_id", "code", "round", *LINE]], like=count_lines) as new:
        same = and_(*(line[name] == new.c[name] for name in PLACE))
        own = and_(*(counts.c[name] == new.c[name] for name in ("warehouse_id", "code", "round")))
        found = (
            select(line.id.label("line_id"))
            .join_from(count_lines, new, same)
            .join(counts, counts.c.id == line.count_id)
        )
        return read(connection, found.where(line.state == CountLineState.READY, ~own).distinct())


def withdraw(connection: Connection, lines: pd.DataFrame, reason: str) -> int:
    """Take places off the sheets they wait on, so that another may ask for them: one active count a place.

    `lines`: line_id. A sheet that comes back all the same is read like one nobody planned.
    """
    with staged(connection, lines[["line_id"]]) as gone:
        mine = count_lines.c.id.in_(select(gone.c.line_id)), count_lines.c.state == CountLineState.READY
        return changed(connection, update(count_lines).where(*mine).values(state="cancelled", reason=reason))


def waiting_at(connection: Connection, places: pd.DataFrame) -> pd.DataFrame:
    """The lines (line_id) that wait to be counted at `places` (location_id, product_id, condition, lot)."""
    with staged(connection, places[list(PLACE)].drop_duplicates(), like=count_lines) as here:
        same = and_(*(count_lines.c[name] == here.c[name] for name in PLACE))
        found = select(count_lines.c.id.label("line_id")).join(here, same)
        return read(connection, found.where(count_lines.c.state == CountLineState.READY))


def settle_documents(connection: Connection, count_ids: pd.Series) -> None:
    """Bring the documents' states up to date with their lines, other rounds of the same document included."""
    with staged(connection, pd.DataFrame({"count_id": count_ids.unique()})) as touched:
        given = counts.alias("given")
        same = and_(given.c.warehouse_id == counts.c.warehouse_id, given.c.code == counts.c.code)
        mine = exists().where(same, given.c.id.in_(select(touched.c.count_id)))
        state = case(
            (_has(CountLineState.REVIEW), CountState.REVIEW.value),
            (_has(CountLineState.RECOUNT), CountState.RECOUNT.value),
            (_has(CountLineState.COUNTED, CountLineState.REFUSED), CountState.COUNTED.value),
            (and_(_has(CountLineState.READY), ~_has(*_OVER)), CountState.PLANNED.value),
            (_has(CountLineState.READY), CountState.COUNTED.value),
            else_=CountState.COMPLETED.value,
        )
        connection.execute(update(counts).where(mine, counts.c.state != CountState.CANCELLED).values(state=state))


_OVER = (CountLineState.MATCHED, CountLineState.POSTED, CountLineState.APPROVED, CountLineState.REJECTED)


def _has(*states: CountLineState) -> Any:
    return exists().where(count_lines.c.count_id == counts.c.id, count_lines.c.state.in_(states))


def undocumented(connection: Connection, flow: str) -> pd.DataFrame:
    """Moments whose findings or sheets have no documents yet: moment, fingerprint str, rows int64.

    Documents are written from what was committed, so that a crash before they are written loses none.
    """
    found = read(connection, _decided() if flow == "reconcile-counts" else _planned())
    found["fingerprint"] = found["rows"].astype("str") + "-" + found["last"].astype("str")
    told = run_log.c.flow == flow, run_log.c.step == "documents"
    logged = read(connection, select(run_log.c.as_of.label("moment"), run_log.c.fingerprint).where(*told))
    both = found.merge(logged, on=["moment", "fingerprint"], how="left", indicator="known")
    return both[both["known"] == "left_only"].sort_values("moment")[["moment", "fingerprint", "rows"]]


def _decided() -> Select[Any]:
    moment = variances.c.decided_at
    rows = select(moment.label("moment"), func.count().label("rows"), func.max(variances.c.id).label("last"))
    return rows.group_by(moment)


def _planned() -> Select[Any]:
    """By sheet, not by line: goods found beside the planned ones do not make the sheets of that day anew."""
    moment = counts.c.planned_at
    rows = select(moment.label("moment"), func.count().label("rows"), func.max(counts.c.id).label("last"))
    return rows.where(moment.is_not(None), counts.c.round == 1).group_by(moment)


def _where() -> ColumnElement[str]:
    """The place as the warehouse calls it, otherwise as the sheet does."""
    return func.coalesce(locations.c.code, count_lines.c.location_code)


def findings_at(connection: Connection, decided_at: datetime) -> pd.DataFrame:
    """What was found at that moment, by place.

    warehouse, count, round, location, merchant, sku, condition, lot, abc_class, export, expected, counted,
    difference, value_minor, currency, unit_minor, within_tolerance, finding, decision, rule, role, reason_code, reason,
    counter, counted_at.
    """
    line, found = count_lines.c, variances.c
    unit = UNIT_VALUE_MINOR.label("unit_minor")
    return read(
        connection,
        select(warehouses.c.code.label("warehouse"), counts.c.code.label("count"), counts.c.round,
               _where().label("location"), merchants.c.code.label("merchant"), line.sku, line.condition,
               line.lot, products.c.abc_class, found.book.label("export"), found.expected, found.counted,
               found.difference, found.value_minor, found.currency, unit, found.within_tolerance, found.finding,
               found.decision, found.rule, found.role, found.reason_code, line.reason, line.counter, line.counted_at)
        .join_from(variances, count_lines, line.id == found.count_line_id)
        .join(counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(locations, locations.c.id == line.location_id, isouter=True)
        .join(products, products.c.id == line.product_id, isouter=True)
        .join(merchants, merchants.c.id == func.coalesce(products.c.merchant_id, line.merchant_id), isouter=True)
        .where(found.decided_at == decided_at)
        .order_by(warehouses.c.code, _where(), line.sku, line.condition, line.lot, counts.c.code,
                  counts.c.round, line.counted_at, line.id),
    )  # fmt: skip


def sheet_lines(connection: Connection, planned_at: datetime, *, recount: bool) -> pd.DataFrame:
    """Places to be counted that were put on sheets at that moment.

    code, round, counter (whom the sheet is addressed to), counted_before (who counted the place in earlier rounds),
    merchant, warehouse, location, zone, aisle, bay, level, sku, barcode, name, condition, lot.
    """
    line, place = count_lines.c, locations.c
    return read(
        connection,
        select(counts.c.code, counts.c.round, counts.c.counter, _counted_before().label("counted_before"),
               merchants.c.code.label("merchant"), warehouses.c.code.label("warehouse"), place.code.label("location"),
               place.zone, place.aisle, place.bay, place.level, line.sku, products.c.barcode, products.c.name,
               line.condition, line.lot)
        .join_from(count_lines, counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(locations, place.id == line.location_id)
        .join(products, products.c.id == line.product_id)
        .join(merchants, merchants.c.id == products.c.merchant_id)
        .where(counts.c.planned_at == planned_at, (counts.c.round > 1) if recount else (counts.c.round == 1))
        .order_by(counts.c.code, counts.c.round, place.code, line.sku, line.condition, line.lot),
    )  # fmt: skip


def _counted_before() -> Any:
    """The last person to have counted the place in the document."""
    earlier, document = count_lines.alias("earlier"), counts.alias("document")
    same = and_(earlier.c.location_id == count_lines.c.location_id, earlier.c.sku == count_lines.c.sku)
    return (
        select(func.max(earlier.c.counter))
        .join_from(earlier, document, document.c.id == earlier.c.count_id)
        .where(same, document.c.code == counts.c.code, document.c.warehouse_id == counts.c.warehouse_id,
               document.c.round < counts.c.round)
        .scalar_subquery()
    )  # fmt: skip


def refused_lines(connection: Connection) -> pd.DataFrame:
    """Counted places that are refused: warehouse, count, location, sku, quantity, counter, reason."""
    line = count_lines.c
    return read(
        connection,
        select(warehouses.c.code.label("warehouse"), counts.c.code.label("count"), _where().label("location"),
               line.sku, line.quantity, line.counter, line.reason)
        .join_from(count_lines, counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(locations, locations.c.id == line.location_id, isouter=True)
        .where(line.state == CountLineState.REFUSED)
        .order_by(warehouses.c.code, counts.c.code, _where(), line.sku, line.id),
    )  # fmt: skip


def answered(connection: Connection) -> pd.DataFrame:
    """Findings in review that a person answered: line_id, answer, answered_by, reason_code.

    What one answers for a place of a transfer is the answer for the other place too, unless it has its own.
    """
    one, other = variances, variances.alias("other")
    pair = and_(other.c.count_line_id == one.c.transfer_line_id, one.c.answer.is_(None),
                other.c.transfer_line_id == one.c.count_line_id)  # fmt: skip
    answer = func.coalesce(one.c.answer, other.c.answer)
    return read(
        connection,
        select(one.c.count_line_id.label("line_id"), answer.label("answer"),
               func.coalesce(one.c.answered_by, other.c.answered_by).label("answered_by"),
               func.coalesce(one.c.answered_at, other.c.answered_at).label("answered_at"),
               func.coalesce(one.c.reason_code, other.c.reason_code).label("reason_code"),
               one.c.finding, one.c.rule, one.c.role, one.c.asked_at, one.c.within_tolerance, one.c.transfer_line_id)
        .join_from(one, other, pair, isouter=True)
        .where(one.c.decision == CountDecision.REVIEW, answer.is_not(None))
        .order_by(one.c.count_line_id),
    )  # fmt: skip
