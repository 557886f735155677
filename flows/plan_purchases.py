"""Say what to buy: reorder points from demand and lead time, and a proposal a supplier."""

from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from tasks.clock import NOW, moment
from tasks.runs.artifact_tables import records, shown
from tasks.runs.operation import operation
from tasks.runs.parameters import Moment
from tasks.runs.run_names import named
from tasks.steps.plan_purchases import LISTED, propose_purchases, set_targets
from tasks.steps.prepare_database import prepare_database


@dataclass(frozen=True)
class Purchases:
    """What a run changed and proposed."""

    reorder_points_changed: int
    products_to_buy: int
    units_to_buy: int
    suppliers: int


@operation(name="plan-purchases", flow_run_name=named("plan purchases", as_of=" as of {}"))
def plan_purchases(as_of: Moment = NOW) -> Purchases:
    """Set reorder points from demand, service level and lead time, and propose what to buy from whom.

    Nothing is ordered. A proposal is a file a supplier in outgoing/plan-purchases, in the layout of goods on their way:
    once it is ordered it can be dropped in the inbox as it is, and covers the alerts of its goods. A second run on the
    same day with the same data changes and writes nothing.

    Args:
        as_of: The moment to take as now. A time without a zone is in the warehouse's time zone.

    Returns:
        How many reorder points changed, and how many products and units are proposed.
    """
    as_of = moment(as_of)
    prepare_database()
    changed = set_targets(as_of)
    proposed = propose_purchases(as_of)
    create_table_artifact(
        shown(records(proposed[list(LISTED)])), key="purchases", description="What to buy now, and from whom"
    )
    return Purchases(changed, len(proposed), int(proposed["quantity"].sum()), int(proposed["document"].nunique()))
