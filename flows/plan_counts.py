"""Choose the places to count today, and write blind count sheets."""

from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from tasks.clock import NOW, moment
from tasks.domain.counting.count_reasons import CountReason
from tasks.runs.artifact_tables import shown
from tasks.runs.operation import operation
from tasks.runs.parameters import ALL, AS_PLANNED, Counters, Moment, WarehouseChoice, specific
from tasks.runs.run_names import named
from tasks.steps.counting.plan_counts import plan
from tasks.steps.counting.write_count_documents import write_count_documents
from tasks.steps.prepare_database import prepare_database


@dataclass(frozen=True)
class CountsPlanned:
    """What is to be counted today; a place chosen by several rules appears in the number of each."""

    places_planned: int
    sheets: int
    warehouses_closed: int
    after_short_picks: int
    negative: int
    doubtful: int
    empty_bins: int
    inaccurate: int
    turned_over: int
    new_places: int
    periodic: int
    documents: int


@operation(name="plan-counts", flow_run_name=named("plan counts", warehouse=" in {}", as_of=" as of {}"))
def plan_counts(
    warehouse: WarehouseChoice = ALL,
    counters: Counters = AS_PLANNED,
    include_empty: bool = False,  # noqa: FBT001, FBT002 - a flow's parameters are a form
    closed_days_too: bool = False,  # noqa: FBT001, FBT002
    as_of: Moment = NOW,
) -> CountsPlanned:
    """Choose the places to count today, the most urgent first, and write one blind sheet per counter.

    config/rules/counts.yaml holds the rules that choose them and the capacity of the counters on a working day. A
    second run on the same day (of the warehouse) plans nothing more. Where nothing is due, no sheet is written. Drop
    filled sheets in inbox/counts as they are.

    Args:
        warehouse: The warehouse to plan for.
        counters: The number of people who count today. "As planned" is the number in config/rules/counts.yaml.
        include_empty: Whether to count places periodically that are empty by the book.
        closed_days_too: Whether to plan even on a day on which the warehouse is closed.
        as_of: The moment to take as now. A time without a zone is in the warehouse's time zone.

    Returns:
        The numbers of places planned, by rule, and of sheets.
    """
    as_of = moment(as_of, warehouse)
    prepare_database()
    planned = plan(specific(warehouse), specific(counters), as_of, empty=include_empty, closed_too=closed_days_too)
    documents = write_count_documents("plan-counts")
    create_table_artifact(shown(planned.rows()), key="counts-planned", description="Places to count today, and why")
    return CountsPlanned(
        places_planned=len(planned.places),
        sheets=planned.places["code"].nunique(),
        warehouses_closed=len(planned.closed),
        after_short_picks=planned.chosen_by(CountReason.SHORT_PICK),
        negative=planned.chosen_by(CountReason.NEGATIVE_STOCK),
        doubtful=planned.chosen_by(CountReason.DOUBTFUL_RECORD),
        empty_bins=planned.chosen_by(CountReason.EMPTY_BIN),
        inaccurate=planned.chosen_by(CountReason.LOW_ACCURACY),
        turned_over=planned.chosen_by(CountReason.TURNOVER),
        new_places=planned.chosen_by(CountReason.NEW_PLACE),
        periodic=planned.chosen_by(CountReason.PERIODIC),
        documents=len(documents),
    )
