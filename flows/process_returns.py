"""Answer return requests, and book returned goods."""

from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from tasks.clock import NOW, moment
from tasks.domain.states import ReturnState
from tasks.runs.artifact_tables import shown
from tasks.runs.operation import operation
from tasks.runs.parameters import Moment
from tasks.runs.run_names import named
from tasks.steps.prepare_database import prepare_database
from tasks.steps.returns.answer_requests import decide_requests
from tasks.steps.returns.book_returned_goods import book_receipts
from tasks.steps.returns.returns_table import returns_shown


@dataclass(frozen=True)
class ReturnsProcessed:
    """The counts of a run."""

    approved: int
    rejected: int
    for_a_person: int
    products_received: int
    products_flagged: int
    refunds_proposed: int


@operation(name="process-returns", flow_run_name=named("process returns", as_of=" as of {}"))
def process_returns(as_of: Moment = NOW) -> ReturnsProcessed:
    """Answer return requests by the policy, book returned goods to stock, and propose refunds.

    Each decision names its rule. Each request is answered once, each received unit gets its disposition once and each
    refund is proposed once: a second run has nothing to do, changes nothing and writes no document.

    Args:
        as_of: The moment to take as now. A time without a zone is in the warehouse's time zone.

    Returns:
        The numbers of requests by answer, of products received and flagged, and of refunds proposed.
    """
    as_of = moment(as_of)
    prepare_database()
    decisions = decide_requests(as_of)
    booked = book_receipts(as_of)
    rows = returns_shown(decisions, booked)
    create_table_artifact(shown(rows), key="returns", description="Returns decided, received and refunded")
    states = decisions["state"].value_counts()
    return ReturnsProcessed(
        approved=int(states.get(ReturnState.APPROVED, 0)),
        rejected=int(states.get(ReturnState.REJECTED, 0)),
        for_a_person=int(states.get(ReturnState.MANUAL, 0)),
        products_received=len(booked.receipts),
        products_flagged=int((booked.receipts["flags"] != "").sum()),
        refunds_proposed=len(booked.refunds),
    )
