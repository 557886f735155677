"""Steps of approving: what waits for a person, what they answered, what changed since they were asked."""

from datetime import datetime

from prefect.context import FlowRunContext
from sqlalchemy import Connection

from tasks.domain.counting.approvals import Answered, Waiting, changed, judge_answers, of_form
from tasks.runs.step import step
from tasks.steps.counting.approval_form import Answers
from tasks.steps.counting.settle_counts import with_book
from tasks.store.counting import approvals, count_cases
from tasks.store.database.engine import engine, exclusive, reading


@step(task_run_name="look what waits for an answer")
def look_what_waits(asked_at: datetime | None = None, role: str | None = None) -> Waiting:
    """What waits for an answer: of one asking, or everything."""
    with reading().connect() as connection:
        return Waiting(approvals.waiting(connection, asked_at, role))


def answered_before(key: str) -> bool:
    """Whether this run was suspended under that key and has been resumed since: it starts anew with each answer."""
    run = getattr(FlowRunContext.get(), "flow_run", None)
    return run is not None and key in (run.empirical_policy.pause_keys or ())


def ask_again_what_changed(connection: Connection, as_of: datetime) -> int:
    """Compare what waits with the book as it is known now: where the difference is another one, it is asked anew.

    An answer that was not carried out yet was given to another question: it is taken back. The caller holds the locks.
    """
    waits = approvals.in_review(connection)
    if waits.empty:
        return 0
    lines = with_book(connection, count_cases.lines_of(connection, waits["line_id"]))
    return approvals.ask_anew(connection, changed(lines.merge(waits, on="line_id")), as_of)


@step(task_run_name="write down what was answered")
def write_down(said: Answers, asked_at: datetime, role: str | None, as_of: datetime) -> list[str]:
    """Write a form's answers to the findings of its asking; the first answer stands.

    Returns what could not be taken, in words: who answered before and when, or what the form got wrong.
    """
    with engine().begin() as connection:
        exclusive(connection, "receive")  # a sheet that says the same is read at another moment
        rows, problems = of_form(approvals.of_asking(connection, asked_at, role)["finding"], said.rest, said.named())
        rows = rows.assign(
            row_number=range(len(rows)), answered_by=said.answered_by, comment=said.comment, reason_code=None,
            difference=None,
        ).astype({"finding": "int64", "answer": "str", "reason_code": "str", "difference": "Int64"})  # fmt: skip
        judged = judge_answers(rows, approvals.asked(connection))
        approvals.answer(connection, judged.answers, as_of)
    return [*problems, *judged.refused["reason"]]


@step(task_run_name="look what was answered")
def look_what_was_answered(asked_at: datetime, role: str | None) -> Answered:
    """What became of the findings of one asking."""
    with reading().connect() as connection:
        return Answered(approvals.of_asking(connection, asked_at, role))
