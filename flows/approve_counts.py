"""Ask a person about count differences that need approval, and carry out the answers."""

from dataclasses import dataclass

from prefect.artifacts import create_table_artifact
from prefect.flow_runs import suspend_flow_run

from tasks.clock import NOW, moment
from tasks.domain.counting.count_states import CountDecision
from tasks.runs.artifact_tables import records, shown
from tasks.runs.operation import operation
from tasks.runs.parameters import ALL, Asking, Moment
from tasks.runs.run_names import named
from tasks.steps.counting.approval_form import form
from tasks.steps.counting.approve_counts import answered_before, look_what_waits, look_what_was_answered, write_down
from tasks.steps.counting.ask_for_approval import ask_people
from tasks.steps.counting.reconcile_counts import carry_out_answers
from tasks.steps.counting.write_count_documents import write_count_documents
from tasks.steps.prepare_database import prepare_database


@dataclass(frozen=True)
class Approved:
    """How the findings that were asked about were settled."""

    posted: int = 0
    rejected: int = 0
    to_recount: int = 0
    lists_waiting: int = 0


@operation(name="approve-counts", flow_run_name=named("approve counts", role=": {}", asked_at=", asked {}"))
def approve_counts(asked_at: Asking = ALL, role: str = "", as_of: Moment = NOW) -> Approved:
    """Wait for a person's answers in Prefect's UI, then post, reject or recount each difference accordingly.

    reconcile-counts starts one run for each list of differences and role. The run is suspended: no process waits, and
    other runs go on. Each answer resumes it from the start; earlier answers, here or in a sheet, are kept. Findings
    left unanswered are asked about again in the same run, findings that changed meanwhile in a new one.

    Args:
        asked_at: Leave it at "all" to ask again about every waiting list that has no run, each in its own run.
            reconcile-counts sets the moment at which its list was asked about.
        role: Leave it empty. reconcile-counts sets the role that is asked about its list.
        as_of: The moment to take as now. A time without a zone is in the warehouse's time zone.

    Returns:
        The numbers of findings posted, rejected and sent for a recount, and of lists that still wait.
    """
    as_of = moment(as_of)
    prepare_database()
    if isinstance(asked_at, str):
        return Approved(lists_waiting=ask_people(as_of, again=True))
    asked_at = moment(asked_at)
    turn, problems, waiting = 1, list[str](), look_what_waits(asked_at, role)
    while len(waiting) or answered_before(f"answer-{turn}"):
        create_table_artifact(
            shown(records(waiting.table())), key="approvals", description="Differences awaiting an answer"
        )
        answers = suspend_flow_run(wait_for_input=form(waiting.sentences(), problems), key=f"answer-{turn}")
        problems = write_down(answers, asked_at, role, as_of)
        carry_out_answers(as_of)
        write_count_documents("reconcile-counts")
        turn, waiting = turn + 1, look_what_waits(asked_at, role)
    answered = look_what_was_answered(asked_at, role)
    create_table_artifact(
        shown(records(answered.table())), key="answered", description="The answers, with who gave them and when"
    )
    return Approved(
        posted=answered.number_of(CountDecision.POSTED), rejected=answered.number_of(CountDecision.REJECTED),
        to_recount=answered.number_of(CountDecision.RECOUNT), lists_waiting=ask_people(as_of),
    )  # fmt: skip
