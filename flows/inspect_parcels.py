"""Inspect packed parcels before they leave."""

from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from tasks.clock import NOW, moment
from tasks.domain.states import Verdict
from tasks.runs.artifact_tables import shown
from tasks.runs.operation import operation
from tasks.runs.parameters import Moment
from tasks.runs.run_names import named
from tasks.steps.parcels.inspect_parcels import inspection_table, judge_parcels, warn_of_held_parcels
from tasks.steps.prepare_database import prepare_database


@dataclass(frozen=True)
class Inspected:
    """The counts of a run."""

    parcels: int
    parcels_released: int
    parcels_held: int
    parcels_not_inspected: int
    findings: int
    by_hand: int
    alerts_opened: int
    alerts_closed: int


@operation(name="inspect-parcels", flow_run_name=named("inspect parcels", as_of=" as of {}"))
def inspect_parcels(as_of: Moment = NOW) -> Inspected:
    """Compare every packed parcel with its order, picks, weight and the packing procedure, and release or hold it.

    The parcels that a person opens by hand as well are sampled by ISO 2859-1 with a stored seed: from the orders of
    their wave, or from the parcels of this run where there is no wave. The findings of that person and the release of a
    held parcel are not recorded here: a held parcel leaves when a person sends it, and its manifest reports it.

    A parcel is judged once: a second run has nothing to do and writes nothing.

    Args:
        as_of: The moment to take as now. A time without a zone is in the warehouse's time zone.

    Returns:
        The numbers of parcels released, held and drawn for opening, and of findings.
    """
    as_of = moment(as_of)
    prepare_database()
    judged = judge_parcels(as_of)
    opened, closed = warn_of_held_parcels(as_of)
    create_table_artifact(
        shown(inspection_table(judged)), key="inspected", description="Parcels held or opened by hand, and why"
    )
    return Inspected(
        parcels=len(judged.parcels),
        parcels_released=judged.count(Verdict.RELEASE),
        parcels_held=judged.count(Verdict.HOLD),
        parcels_not_inspected=judged.count(Verdict.NOT_INSPECTED),
        findings=judged.findings,
        by_hand=int(judged.parcels["by_hand"].sum()),
        alerts_opened=opened,
        alerts_closed=closed,
    )
