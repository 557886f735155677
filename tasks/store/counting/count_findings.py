"""Writes what counts led to: findings, the next round of places to count again, and the state of each document."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
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
    variances,
    warehouses,
)

FIGURES = ("expected", "counted", "difference", "value_minor", "currency", "within_tolerance", "finding", "rule",
           "reason_code", "role", "transfer_line_id", "decided_by")  # fmt: skip
FINDING = ("count_line_id", "book", "decision", "asked_at", "decided_at", *FIGURES)
SETTLED = (CountDecision.MATCHED, CountDecision.POSTED)
GOODS_KEY = ("condition", "lot", "location_id", "product_id", "sku")  # what a recount asks for
WAITING = (CountLineState.READY, CountLineState.COUNTED)
_CLOSED = (CountLineState.MATCHED, CountLineState.POSTED, CountLineState.APPROVED, CountLineState.REJECTED)
DOCUMENT_KEY = ("warehouse_id", "code", "round")


def write_findings(connection: Connection, decided: pd.DataFrame) -> int:
    """Write one finding per line and bring the lines' states up to date. Returns the number of new findings.

    `decided`: FINDING, state and reason. A line that has a finding keeps its figures, unless this decision settles its
    place or leaves it to a person: then the figures become those of the decision.
    """
    with staged(connection, decided[[*FINDING, "state", "reason"]], like=variances) as new:
        findings = select(*(new.c[name] for name in FINDING)).order_by(new.c.count_line_id)
        added = insert_new(connection, variances, findings)
        if added < len(decided):
            _update_findings(connection, new)
        line = update(count_lines).where(count_lines.c.id == new.c.count_line_id)
        connection.execute(line.values(state=new.c.state, reason=new.c.reason))
        return added


def _update_findings(connection: Connection, new: Table) -> None:
    """Bring findings whose decision changed up to date with the staged ones."""
    is_changed = and_(variances.c.count_line_id == new.c.count_line_id, variances.c.decision != new.c.decision)
    takes_figures = new.c.decision.in_((*SETTLED, CountDecision.REVIEW))
    figures: dict[str, Any] = {name: new.c[name] for name in (*FIGURES, "decision")}
    figures |= {name: func.coalesce(new.c[name], variances.c[name]) for name in ("role", "asked_at")}
    connection.execute(update(variances).where(is_changed, takes_figures).values(figures))
    connection.execute(update(variances).where(is_changed).values(decision=new.c.decision))


def open_recounts(connection: Connection, places: pd.DataFrame, as_of: datetime) -> int:
    """Open the next round for places that must be counted again; a place that waits for it already is not added twice.

    `places`: warehouse_id, code, round (the next one), assigned_to (who is to count; missing: anybody else) and
    GOODS_KEY. Returns the number of places added.
    """
    withdraw(connection, _waiting_on_other_sheets(connection, places), "a recount asks for the place")
    with staged(connection, places[[*DOCUMENT_KEY, "assigned_to", *GOODS_KEY]], like=count_lines) as new:
        _open_documents(connection, new, as_of)
        is_document = and_(*(counts.c[name] == new.c[name] for name in DOCUMENT_KEY))
        line = count_lines.alias("waiting_line")
        is_waiting = and_(line.c.count_id == counts.c.id, line.c.state.in_(WAITING),
                          *(line.c[name].is_not_distinct_from(new.c[name]) for name in GOODS_KEY))  # fmt: skip
        goods = [new.c[name] for name in GOODS_KEY]
        lines = select(counts.c.id.label("count_id"), *goods).join_from(new, counts, is_document)
        lines = lines.where(~exists().where(is_waiting)).order_by(counts.c.id, new.c.location_id, new.c.sku, new.c.lot)
        return changed(connection, insert(count_lines).from_select(["count_id", *GOODS_KEY], lines))


def _open_documents(connection: Connection, new: Table, as_of: datetime) -> None:
    """Open one document per DOCUMENT_KEY of the staged places, unless there is one."""
    key = [new.c[name] for name in DOCUMENT_KEY]
    documents = select(
        *key,
        literal("recount").label("reason"),
        literal(CountState.PLANNED.value).label("state"),
        literal(as_of, counts.c.planned_at.type).label("planned_at"),
        func.max(new.c.assigned_to).label("counter"),
    )
    insert_new(connection, counts, documents.group_by(*key))


def _waiting_on_other_sheets(connection: Connection, places: pd.DataFrame) -> pd.DataFrame:
    """The lines (line_id) that wait to be counted at `places` on sheets other than the one to be opened."""
    line = count_lines.c
    with staged(connection, places[[*DOCUMENT_KEY, *GOODS_KEY]], like=count_lines) as new:
        is_same_place = and_(*(line[name] == new.c[name] for name in PLACE))
        is_own_sheet = and_(*(counts.c[name] == new.c[name] for name in DOCUMENT_KEY))
        lines = select(line.id.label("line_id")).join_from(count_lines, new, is_same_place)
        lines = lines.join(counts, counts.c.id == line.count_id)
        return read(connection, lines.where(line.state == CountLineState.READY, ~is_own_sheet).distinct())


def withdraw(connection: Connection, lines: pd.DataFrame, reason: str) -> int:
    """Cancel lines that wait to be counted, so that another sheet may ask for their places. Returns their number.

    `lines`: line_id. A place is on one active sheet at most. If the old sheet comes back filled in, it is read like one
    that nobody planned.
    """
    with staged(connection, lines[["line_id"]]) as chosen:
        is_waiting = count_lines.c.id.in_(select(chosen.c.line_id)), count_lines.c.state == CountLineState.READY
        return changed(connection, update(count_lines).where(*is_waiting).values(state="cancelled", reason=reason))


def waiting_at(connection: Connection, places: pd.DataFrame) -> pd.DataFrame:
    """The lines (line_id) that wait to be counted at `places` (location_id, product_id, condition, lot)."""
    with staged(connection, places[list(PLACE)].drop_duplicates(), like=count_lines) as place:
        is_same_place = and_(*(count_lines.c[name] == place.c[name] for name in PLACE))
        lines = select(count_lines.c.id.label("line_id")).join(place, is_same_place)
        return read(connection, lines.where(count_lines.c.state == CountLineState.READY))


def settle_documents(connection: Connection, count_ids: pd.Series) -> None:
    """Bring the documents' states up to date with their lines, other rounds of the same document included."""
    with staged(connection, pd.DataFrame({"count_id": count_ids.unique()})) as touched:
        other_round = counts.alias("other_round")
        is_same_document = exists().where(
            other_round.c.warehouse_id == counts.c.warehouse_id, other_round.c.code == counts.c.code,
            other_round.c.id.in_(select(touched.c.count_id)),
        )  # fmt: skip
        state = case(
            (_has(CountLineState.REVIEW), CountState.REVIEW.value),
            (_has(CountLineState.RECOUNT), CountState.RECOUNT.value),
            (_has(CountLineState.COUNTED, CountLineState.REFUSED), CountState.COUNTED.value),
            (and_(_has(CountLineState.READY), ~_has(*_CLOSED)), CountState.PLANNED.value),
            (_has(CountLineState.READY), CountState.COUNTED.value),
            else_=CountState.COMPLETED.value,
        )
        is_live = counts.c.state != CountState.CANCELLED
        connection.execute(update(counts).where(is_same_document, is_live).values(state=state))


def _has(*states: CountLineState) -> ColumnElement[bool]:
    """Whether the document has a line in one of these states."""
    return exists().where(count_lines.c.count_id == counts.c.id, count_lines.c.state.in_(states))


def refused_lines(connection: Connection) -> pd.DataFrame:
    """Counts that were refused, one row per line: warehouse, count, location, sku, quantity, counter, reason."""
    line, location = count_lines.c, func.coalesce(locations.c.code, count_lines.c.location_code)
    return read(
        connection,
        select(warehouses.c.code.label("warehouse"), counts.c.code.label("count"), location.label("location"),
               line.sku, line.quantity, line.counter, line.reason)
        .join_from(count_lines, counts, counts.c.id == line.count_id)
        .join(warehouses, warehouses.c.id == counts.c.warehouse_id)
        .join(locations, locations.c.id == line.location_id, isouter=True)
        .where(line.state == CountLineState.REFUSED)
        .order_by(warehouses.c.code, counts.c.code, location, line.sku, line.id),
    )  # fmt: skip


def answered_findings(connection: Connection) -> pd.DataFrame:
    """Findings in review that a person answered, one row per finding.

    line_id, answer, answered_by, answered_at, reason_code, finding, rule, role, asked_at, within_tolerance,
    transfer_line_id. An answer for one place of a transfer is the answer for the other place too, unless it has its
    own.
    """
    finding, other = variances, variances.alias("other")
    is_pair = and_(other.c.count_line_id == finding.c.transfer_line_id, finding.c.answer.is_(None),
                   other.c.transfer_line_id == finding.c.count_line_id)  # fmt: skip
    answers = [
        func.coalesce(finding.c[name], other.c[name]).label(name)
        for name in ("answer", "answered_by", "answered_at", "reason_code")
    ]
    facts = ("finding", "rule", "role", "asked_at", "within_tolerance", "transfer_line_id")
    return read(
        connection,
        select(finding.c.count_line_id.label("line_id"), *answers, *(finding.c[name] for name in facts))
        .join_from(finding, other, is_pair, isouter=True)
        .where(finding.c.decision == CountDecision.REVIEW, func.coalesce(finding.c.answer, other.c.answer).is_not(None))
        .order_by(finding.c.count_line_id),
    )
