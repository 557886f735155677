"""Findings that wait for a person: who is asked what since when, and what was answered, once."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, and_, func, literal, null, select, update
from sqlalchemy.types import TypeEngine

from tasks.domain.counting.count_states import CountDecision
from tasks.store.counting.count_reports import findings
from tasks.store.database.frames import changed, read, staged
from tasks.store.schema import count_lines, variances

ANSWER = ("finding", "answer", "answered_by", "comment", "reason_code")
_REVIEW = variances.c.decision == CountDecision.REVIEW


def asked(connection: Connection) -> pd.DataFrame:
    """What somebody was asked about: finding, decision, difference, answer, answered_by, answered_at."""
    one = variances.c
    names = (one.decision, one.difference, one.answer, one.answered_by, one.answered_at)
    known = one.asked_at.is_not(None) | one.answer.is_not(None) | _REVIEW
    return read(connection, select(one.id.label("finding"), *names).where(known).order_by(one.id))


def answer(connection: Connection, answers: pd.DataFrame, as_of: datetime) -> int:
    """Write answers (ANSWER) to findings that wait for one. Returns how many were written."""
    if answers.empty:
        return 0
    numbered = answers[list(ANSWER)].astype({"finding": "int64"}).rename(columns={"finding": "id"})
    with staged(connection, numbered, like=variances) as new:
        mine = variances.c.id == new.c.id, _REVIEW, variances.c.answer.is_(None)
        said = {name: new.c[name] for name in ("answer", "comment", "reason_code")}
        values = {**said, "answered_by": func.trim(new.c.answered_by), "answered_at": literal(as_of, _moment())}
        return changed(connection, update(variances).where(*mine).values(values))


def _moment() -> TypeEngine[Any]:
    return variances.c.answered_at.type


def waiting(connection: Connection, asked_at: datetime | None = None, role: str | None = None) -> pd.DataFrame:
    """What waits for an answer, as `tasks.store.counting.count_reports.findings`: of one asking, or everything."""
    waits = findings().where(_REVIEW, variances.c.answer.is_(None))
    if asked_at is not None:
        waits = waits.where(variances.c.asked_at == asked_at, func.coalesce(variances.c.role, "") == (role or ""))
    return read(connection, waits)


def of_asking(connection: Connection, asked_at: datetime, role: str | None) -> pd.DataFrame:
    """The findings of one asking, answered or not, as `tasks.store.counting.count_reports.findings`."""
    mine = variances.c.asked_at == asked_at, func.coalesce(variances.c.role, "") == (role or "")
    return read(connection, findings().where(*mine))


def askings(connection: Connection) -> pd.DataFrame:
    """The moments and roles of what waits for an answer: asked_at, role (may be missing), findings int64."""
    one = variances.c
    rows = select(one.asked_at, one.role, func.count().label("findings"))
    rows = rows.where(_REVIEW, one.answer.is_(None), one.asked_at.is_not(None))
    return read(connection, rows.group_by(one.asked_at, one.role).order_by(one.asked_at, one.role))


def in_review(connection: Connection) -> pd.DataFrame:
    """Findings in review, answered or not: line_id, finding, expected_then, asked_at, answer, answered_by."""
    one = variances.c
    names = (one.count_line_id.label("line_id"), one.id.label("finding"), one.expected.label("expected_then"),
             one.asked_at, one.answer, one.answered_by)  # fmt: skip
    return read(connection, select(*names).where(_REVIEW).order_by(one.id))


def ask_anew(connection: Connection, again: pd.DataFrame, as_of: datetime) -> int:
    """Ask about findings again, with the figures of now (`counting.approvals.changed`); an answer is taken back."""
    if again.empty:
        return 0
    with staged(connection, again.rename(columns={"finding": "id"}), like=variances) as new:
        mine = and_(variances.c.id == new.c.id, _REVIEW)
        figures = {name: new.c[name] for name in ("expected", "difference", "value_minor")}
        nobody = dict.fromkeys(("answer", "answered_by", "answered_at", "comment", "reason_code"), null())
        asked_at = literal(as_of, _moment())
        done = changed(connection, update(variances).where(mine).values(asked_at=asked_at, **figures, **nobody))
        line = update(count_lines).where(count_lines.c.id == new.c.line_id, new.c.reason.is_not(None))
        connection.execute(line.values(reason=new.c.reason))
        return done
