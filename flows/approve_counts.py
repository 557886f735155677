"""Ask a person about count differences that may not be posted without one, and carry out the answers."""

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
    askings_that_wait: int = 0


@operation(name="approve-counts", flow_run_name=named("approve counts", role=": {}", asked_at=", asked {}"))
def approve_counts(asked_at: Asking = ALL, role: str = "", as_of: Moment = NOW) -> Approved:
    """Wait for a person's answers in Prefect's UI, and post, close or count again what they say.

    reconcile-counts starts one run for each list of differences and role. The run is suspended: no process waits, and
    other runs go on. With each answer it starts anew; what was answered already, here or in a sheet, stays as it is.
    Findings that are left waiting are asked about again in the same run; those that changed meanwhile in a new one.

    Args:
        asked_at: Leave it at all: every list that waits without a run is asked about again, in a run of its own.
            reconcile-counts names the list by the moment it was asked.
        role: Leave it empty: reconcile-counts names who is asked about its list.
        as_of: The moment the run takes for now. A time without a zone is on the warehouse's clock.

    Returns:
        How many findings were posted, rejected and sent to be counted again.
    """
    as_of = moment(as_of)
    prepare_database()
    if isinstance(asked_at, str):
        return Approved(askings_that_wait=ask_people(as_of, again=True))
    asked_at = moment(asked_at)
    turn, problems, waiting = 1, list[str](), look_what_waits(asked_at, role)
    while len(waiting) or answered_before(f"answer-{turn}"):
        create_table_artifact(
            shown(records(waiting.table())), key="approvals", description="Differences that wait for an answer"
        )
        answers = suspend_flow_run(wait_for_input=form(waiting.sentences(), problems), key=f"answer-{turn}")
        problems = write_down(answers, asked_at, role, as_of)
        carry_out_answers(as_of)
        write_count_documents("reconcile-counts")
        turn, waiting = turn + 1, look_what_waits(asked_at, role)
    answered = look_what_was_answered(asked_at, role)
    create_table_artifact(
        shown(records(answered.table())), key="answered", description="What was answered, by whom and when"
    )
    return Approved(
        posted=answered.number_of(CountDecision.POSTED), rejected=answered.number_of(CountDecision.REJECTED),
        to_recount=answered.number_of(CountDecision.RECOUNT), askings_that_wait=ask_people(as_of),
    )  # fmt: skip
