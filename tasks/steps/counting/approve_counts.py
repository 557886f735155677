"""Steps of approve-counts: which findings wait for a person, what was answered, what changed since they were asked."""

from datetime import datetime

from prefect.context import FlowRunContext
from sqlalchemy import Connection

from tasks.domain.counting.approvals import (
    AnsweredFindings,
    WaitingFindings,
    changed_findings,
    form_answers,
    judge_answers,
)
from tasks.runs.step import step
from tasks.steps.counting.approval_form import Answers
from tasks.steps.counting.settle_counts import with_book
from tasks.store.counting import approvals, count_cases
from tasks.store.database.engine import engine, exclusive, reading


@step(task_run_name="look what waits for an answer")
def look_what_waits(asked_at: datetime | None = None, role: str | None = None) -> WaitingFindings:
    """The findings that wait for an answer: those of one asking, or all."""
    with reading().connect() as connection:
        return WaitingFindings(approvals.waiting_findings(connection, asked_at, role))


def answered_before(key: str) -> bool:
    """Whether this run was suspended under that key and has been resumed since. With each answer it starts anew."""
    run = getattr(FlowRunContext.get(), "flow_run", None)
    return run is not None and key in (run.empirical_policy.pause_keys or ())


def ask_again_what_changed(connection: Connection, as_of: datetime) -> int:
    """Compare findings in review with the book as it is known now, and ask again where the difference has changed.

    An answer that was not carried out yet was given to another question: it is withdrawn. The caller holds the locks.
    Returns the number of findings asked about again.
    """
    findings = approvals.findings_in_review(connection)
    if findings.empty:
        return 0
    lines = with_book(connection, count_cases.lines_of(connection, findings["line_id"]))
    return approvals.ask_anew(connection, changed_findings(lines.merge(findings, on="line_id")), as_of)


@step(task_run_name="write down what was answered")
def write_down(answers: Answers, asked_at: datetime, role: str | None, as_of: datetime) -> list[str]:
    """Write a form's answers to the findings of its asking; the first answer stands.

    Returns the problems, in words: who answered before and when, or what is wrong in the form.
    """
    with engine().begin() as connection:
        exclusive(connection, "receive")  # a sheet that says the same is read at another moment
        listed = approvals.asking_findings(connection, asked_at, role)["finding"]
        rows, problems = form_answers(listed, answers.rest, answers.named())
        rows = rows.assign(
            row_number=range(len(rows)), answered_by=answers.answered_by, comment=answers.comment, reason_code=None,
            difference=None,
        ).astype({"finding": "int64", "answer": "str", "reason_code": "str", "difference": "Int64"})  # fmt: skip
        judged = judge_answers(rows, approvals.questions(connection))
        approvals.write_answers(connection, judged.answers, as_of)
    return [*problems, *judged.refused["reason"]]


@step(task_run_name="look what was answered")
def look_what_was_answered(asked_at: datetime, role: str | None) -> AnsweredFindings:
    """The findings of one asking, with their answers and decisions."""
    with reading().connect() as connection:
        return AnsweredFindings(approvals.asking_findings(connection, asked_at, role))
