"""Choose the places to count today, and write blind sheets for the counters."""

from dataclasses import dataclass
from datetime import datetime

from prefect import flow
from prefect.artifacts import create_table_artifact

from tasks.clock import moment
from tasks.document_counts import write_documents
from tasks.plan_counts import plan, rows
from tasks.prepare_database import prepare_database
from tasks.run_names import named
from tasks.show_tables import shown


@dataclass(frozen=True)
class CountsPlanned:
    """What is to be counted today."""

    places_planned: int
    sheets: int
    after_short_picks: int
    negative_or_disputed: int
    periodic: int
    documents: int


@flow(name="plan-counts", flow_run_name=named("plan counts", warehouse=" in {}", as_of=" as of {}"))
def plan_counts(
    warehouse: str | None = None,
    counters: int | None = None,
    include_empty: bool = False,  # noqa: FBT001, FBT002 - a flow's parameters are a form
    as_of: datetime | None = None,
) -> CountsPlanned:
    """Choose the places to count today, the most urgent first, and write a blind sheet a counter.

    After short picks, where the book is negative or the stock export says otherwise, then what has not been counted
    for longer than its ABC class allows, up to what the counters can do. A second run on the same day (of the
    warehouse) plans nothing more; where nothing is due, no sheet is written. A filled sheet is dropped in
    inbox/counts as it is.

    Args:
        warehouse: Only this warehouse (its code); every one when empty.
        counters: How many people count today; as config/rules/counts.yaml says when empty.
        include_empty: Whether places the book has empty are counted periodically too.
        as_of: The moment the run takes for now; the clock's when empty.

    Returns:
        How many places were planned, on how many sheets, and why.
    """
    as_of = moment(as_of)
    prepare_database()
    planned = plan(warehouse, counters, as_of, empty=include_empty)
    documents = write_documents("plan-counts")
    create_table_artifact(shown(rows(planned)), key="counts-planned", description="Places to count today, and why")
    why = planned["reason"].value_counts()
    return CountsPlanned(
        places_planned=len(planned),
        sheets=planned["code"].nunique(),
        after_short_picks=int(why.get("short pick", 0)),
        negative_or_disputed=int(why.get("negative stock", 0) + why.get("stock export disagrees", 0)),
        periodic=int(why.get("periodic", 0)),
        documents=len(documents),
    )
