"""Release allocated orders to the floor: waves, carts and the way each is walked."""

from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from tasks.clock import NOW, moment
from tasks.runs.artifact_tables import records, shown
from tasks.runs.operation import operation
from tasks.runs.parameters import ALL, CarrierChoice, Moment, WarehouseChoice, specific
from tasks.runs.run_names import named
from tasks.steps.picking.plan_waves import release_waves
from tasks.steps.picking.print_pick_lists import write_pick_lists
from tasks.steps.picking.replan_carts import replan_carts
from tasks.steps.prepare_database import prepare_database


@dataclass(frozen=True)
class Waved:
    """What a run released, and which carts under way it planned again."""

    waves: int
    carts: int
    orders: int
    picks: int
    metres_to_walk: int
    orders_left_out: int
    carts_planned_again: int
    places_off_the_floor: int
    documents: int


@operation(
    name="plan-waves", flow_run_name=named("plan waves", warehouse=" in {}", carrier=" for {}", as_of=" as of {}")
)
def plan_waves(warehouse: WarehouseChoice = ALL, carrier: CarrierChoice = ALL, as_of: Moment = NOW) -> Waved:
    """Put every order that can be picked into one wave a warehouse and carrier, on carts walked the shortest way.

    Each order left out has a reason. Of carts under way only those change from which an order was cancelled or for a
    short pick of which other units were promised; each gets a revised list. A second run finds nothing left to release
    or to change and writes nothing; lists that a broken-off run did not print are printed by the next.

    Args:
        warehouse: Which warehouse to plan for.
        carrier: Whose pickup to plan for.
        as_of: The moment the run takes for now. A time without a zone is on the warehouse's clock.

    Returns:
        How many waves, carts, orders and picks were released, the metres walked, and how many orders were left out; how
        many carts were planned again, and how many places no tour can reach.
    """
    as_of = moment(as_of, warehouse)
    prepare_database()
    changed = replan_carts(as_of)
    planned = release_waves(specific(warehouse), specific(carrier), as_of)
    documents = write_pick_lists(planned, as_of)
    waves, left_out = planned.waves, planned.left_out["reason"].value_counts().sort_index()
    rows = records(waves) + [{"wave": f"left out: {why}", "orders": int(count)} for why, count in left_out.items()]
    rows += [{"wave": "carts planned again", "carts": changed.carts}] * bool(changed.carts)
    create_table_artifact(shown(rows), key="waves", description="Waves released, and why orders were left out")
    return Waved(
        waves=len(waves),
        carts=int(waves["carts"].sum()),
        orders=int(waves["orders"].sum()),
        picks=int(waves["picks"].sum()),
        metres_to_walk=round(waves["walk_m"].sum()),
        orders_left_out=len(planned.left_out),
        carts_planned_again=changed.carts,
        places_off_the_floor=len(planned.off_floor),
        documents=documents,
    )
