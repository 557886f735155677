"""Release allocated orders to the floor: waves, carts and the tour of each cart."""

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
    """What a run released, and the carts under way that it replanned."""

    waves: int
    carts: int
    orders: int
    picks: int
    metres_to_walk: int
    orders_left_out: int
    carts_replanned: int
    places_off_the_floor: int
    documents: int


@operation(
    name="plan-waves", flow_run_name=named("plan waves", warehouse=" in {}", carrier=" for {}", as_of=" as of {}")
)
def plan_waves(warehouse: WarehouseChoice = ALL, carrier: CarrierChoice = ALL, as_of: Moment = NOW) -> Waved:
    """Put every order that can be picked into one wave per warehouse and carrier, on carts with the shortest tours.

    Each order left out has a reason. A cart under way changes only if one of its orders was cancelled, or if other
    units were promised for one of its short picks; it gets a revised list. A second run has nothing to release or
    change and writes nothing. Lists that an interrupted run did not print are printed by the next run.

    Args:
        warehouse: The warehouse to plan for.
        carrier: The carrier whose pickup to plan for.
        as_of: The moment to take as now. A time without a zone is in the warehouse's time zone.

    Returns:
        The numbers of waves, carts, orders and picks released, the metres to walk, and the numbers of orders left out,
        of carts replanned and of places no tour can reach.
    """
    as_of = moment(as_of, warehouse)
    prepare_database()
    changed = replan_carts(as_of)
    planned = release_waves(specific(warehouse), specific(carrier), as_of)
    documents = write_pick_lists(planned, as_of)
    waves, left_out = planned.waves, planned.left_out["reason"].value_counts().sort_index()
    rows = records(waves) + [{"wave": f"left out: {why}", "orders": int(count)} for why, count in left_out.items()]
    rows += [{"wave": "carts replanned", "carts": changed.carts}] * bool(changed.carts)
    create_table_artifact(shown(rows), key="waves", description="Waves released, and why orders were left out")
    return Waved(
        waves=len(waves),
        carts=int(waves["carts"].sum()),
        orders=int(waves["orders"].sum()),
        picks=int(waves["picks"].sum()),
        metres_to_walk=round(waves["walk_m"].sum()),
        orders_left_out=len(planned.left_out),
        carts_replanned=changed.carts,
        places_off_the_floor=len(planned.off_floor),
        documents=documents,
    )
