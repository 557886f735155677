"""Compare counts with the book at the moment of the count."""

from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from flows.receive_exports import receive_exports
from tasks.clock import NOW, moment
from tasks.domain.counting.count_states import CountDecision
from tasks.runs.artifact_tables import records, shown
from tasks.runs.operation import operation
from tasks.runs.parameters import ALL, Moment, WarehouseChoice, specific
from tasks.runs.run_names import named
from tasks.steps.counting.approve_counts import look_what_waits
from tasks.steps.counting.ask_for_approval import ask_people
from tasks.steps.counting.reconcile_counts import carry_out_answers, reconcile
from tasks.steps.counting.write_count_documents import write_count_documents
from tasks.steps.prepare_database import prepare_database
from tasks.steps.receiving.receive_exports import find_files


@dataclass(frozen=True)
class Reconciled:
    """What was decided of the counted places."""

    places_counted: int
    matched: int
    posted: int
    to_recount: int
    to_review: int
    superseded: int
    refused: int
    units_adjusted: int
    value_adjusted: str
    units_released: int
    approved: int
    rejected: int
    waiting: int
    documents: int


@operation(name="reconcile-counts", flow_run_name=named("reconcile counts", warehouse=" in {}", as_of=" as of {}"))
def reconcile_counts(warehouse: WarehouseChoice = ALL, as_of: Moment = NOW, *, ask: bool = False) -> Reconciled:
    """Compare each counted place with the ledger at the moment of the count, and settle the difference.

    Within tolerance it is posted, dated at the count. Outside, another person recounts. A difference of high value, or
    one that stays disputed, waits for approval in approvals.xlsx or in Prefect's UI. Count sheets, answers and
    movements in the inbox are received first. A second run decides nothing, changes no row and writes no document.

    Args:
        warehouse: The warehouse whose counts to reconcile.
        as_of: The moment to take as now. Later counts wait. A time without a zone is in the warehouse's time zone.
        ask: Start runs of approve-counts that ask in Prefect's UI about waiting differences.

    Returns:
        The number of places by decision, and what was adjusted.
    """
    as_of = moment(as_of, warehouse)
    prepare_database()
    if find_files(["counts", "approvals"]):
        receive_exports(["movements", "counts", "approvals"], as_of)
    decided, answered = reconcile(specific(warehouse), as_of), carry_out_answers(as_of)
    documents, waiting = write_count_documents("reconcile-counts"), look_what_waits()
    create_table_artifact(
        shown(records(decided.table())), key="variances", description="Counted places that differ from the book"
    )
    create_table_artifact(
        shown(records(waiting.table())), key="approvals", description="Differences awaiting an answer"
    )
    if ask:
        ask_people(as_of)
    return Reconciled(
        places_counted=len(decided.findings), refused=len(decided.refused), waiting=len(waiting),
        matched=decided.number_of(CountDecision.MATCHED), posted=decided.number_of(CountDecision.POSTED),
        to_recount=decided.number_of(CountDecision.RECOUNT), to_review=decided.number_of(CountDecision.REVIEW),
        superseded=decided.number_of(CountDecision.SUPERSEDED), units_adjusted=decided.units_adjusted(),
        value_adjusted=decided.value_adjusted(), units_released=decided.units_released + answered.units_released,
        approved=answered.number_of(CountDecision.POSTED), rejected=answered.number_of(CountDecision.REJECTED),
        documents=len(documents),
    )  # fmt: skip
