"""Findings that wait for a person: whom they were put to and when, and the one answer to each."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, func, literal, null, select, update

from tasks.domain.counting.count_states import CountDecision
from tasks.store.counting.count_reports import findings_query
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import count_lines, variances

ANSWER = ("finding", "answer", "answered_by", "comment", "reason_code")
_REVIEW = variances.c.decision == CountDecision.REVIEW
_MOMENT = variances.c.answered_at.type


def questions(connection: Connection) -> pd.DataFrame:
    """Findings that a person was ever asked about: finding, decision, difference, answer, answered_by, answered_at."""
    finding = variances.c
    facts = (finding.decision, finding.difference, finding.answer, finding.answered_by, finding.answered_at)
    is_question = finding.asked_at.is_not(None) | finding.answer.is_not(None) | _REVIEW
    return read(connection, select(finding.id.label("finding"), *facts).where(is_question).order_by(finding.id))


def write_answers(connection: Connection, answers: pd.DataFrame, as_of: datetime) -> int:
    """Write answers (ANSWER) to findings that wait for one. Returns the number of findings answered."""
    if answers.empty:
        return 0
    numbered = answers[list(ANSWER)].astype({"finding": "int64"}).rename(columns={"finding": "id"})
    with staged(connection, numbered, like=variances) as new:
        waits = variances.c.id == new.c.id, _REVIEW, variances.c.answer.is_(None)
        values: dict[str, Any] = {name: new.c[name] for name in ("answer", "comment", "reason_code")}
        values |= {"answered_by": func.trim(new.c.answered_by), "answered_at": literal(as_of, _MOMENT)}
        return changed(connection, update(variances).where(*waits).values(values))


def waiting_findings(connection: Connection, asked_at: datetime | None = None, role: str | None = None) -> pd.DataFrame:
    """Findings that wait for an answer, columns as in `count_reports.findings_at`: those of one asking, or all."""
    waiting = findings_query().where(_REVIEW, variances.c.answer.is_(None))
    return read(connection, waiting if asked_at is None else waiting.where(*_is_asking(asked_at, role)))


def asking_findings(connection: Connection, asked_at: datetime, role: str | None) -> pd.DataFrame:
    """The findings of one asking, answered or not, columns as in `count_reports.findings_at`."""
    return read(connection, findings_query().where(*_is_asking(asked_at, role)))


def _is_asking(asked_at: datetime, role: str | None) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return variances.c.asked_at == asked_at, func.coalesce(variances.c.role, "") == (role or "")


def open_askings(connection: Connection) -> pd.DataFrame:
    """Askings that wait for an answer, one row per moment and role: asked_at, role (may be missing), findings int64."""
    finding = variances.c
    askings = select(finding.asked_at, finding.role, func.count().label("findings"))
    askings = askings.where(_REVIEW, finding.answer.is_(None), finding.asked_at.is_not(None))
    key = finding.asked_at, finding.role
    return read(connection, askings.group_by(*key).order_by(*key))


def findings_in_review(connection: Connection) -> pd.DataFrame:
    """Findings in review, answered or not: line_id, finding, expected_then, asked_at, answer, answered_by."""
    finding = variances.c
    keys = finding.count_line_id.label("line_id"), finding.id.label("finding")
    facts = finding.expected.label("expected_then"), finding.asked_at, finding.answer, finding.answered_by
    return read(connection, select(*keys, *facts).where(_REVIEW).order_by(finding.id))


def ask_anew(connection: Connection, changed_findings: pd.DataFrame, as_of: datetime) -> int:
    """Ask about findings again, with the figures of now; an answer given before is withdrawn.

    `changed_findings` as `tasks.domain.counting.approvals.changed_findings` gives them. Returns their number.
    """
    if changed_findings.empty:
        return 0
    with staged(connection, changed_findings.rename(columns={"finding": "id"}), like=variances) as new:
        is_changed = and_(variances.c.id == new.c.id, _REVIEW)
        values: dict[str, Any] = {name: new.c[name] for name in ("expected", "difference", "value_minor")}
        values |= dict.fromkeys(("answer", "answered_by", "answered_at", "comment", "reason_code"), null())
        values["asked_at"] = literal(as_of, _MOMENT)
        asked_anew = changed(connection, update(variances).where(is_changed).values(values))
        line = update(count_lines).where(count_lines.c.id == new.c.line_id, new.c.reason.is_not(None))
        connection.execute(line.values(reason=new.c.reason))
        return asked_anew
