"""Follow parcels from the packing bench to the door."""

from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from tasks.clock import NOW, moment
from tasks.runs.artifact_tables import shown
from tasks.runs.operation import operation
from tasks.runs.parameters import Moment
from tasks.runs.run_names import named
from tasks.steps.parcels.track_shipments import follow_parcels, moved_parcels_table, ship_parcels, warn_of_parcels
from tasks.steps.prepare_database import prepare_database


@dataclass(frozen=True)
class Tracked:
    """The counts of a run."""

    shipped: int
    stock_moves: int
    moved: int
    delivered: int
    in_trouble: int
    notices: int
    alerts_opened: int
    alerts_closed: int


@operation(name="track-shipments", flow_run_name=named("track shipments", as_of=" as of {}"))
def track_shipments(as_of: Moment = NOW) -> Tracked:
    """Book parcels that left, update the state of those on their way, notify customers, and warn of trouble.

    A departed parcel is booked to the promises of its order once. Its state follows from all its events in the order in
    which they happened, so a late or repeated event never moves it back. For a lost or returned parcel the customer is
    notified and an alert is opened; a refund or a return to stock is decided elsewhere.

    A second run has nothing to do, changes nothing and writes no document.

    Args:
        as_of: The moment to take as now. A time without a zone is in the warehouse's time zone.

    Returns:
        The numbers of parcels that left, moved, were delivered and got into trouble, and of notices and alerts.
    """
    as_of = moment(as_of)
    prepare_database()
    left = ship_parcels(as_of)
    moved = follow_parcels(left, as_of)
    opened, closed = warn_of_parcels(as_of)
    create_table_artifact(
        shown(moved_parcels_table(moved)), key="tracked", description="Parcels that moved, those in trouble first"
    )
    return Tracked(
        shipped=len(left.parcels),
        stock_moves=left.stock_moves,
        moved=len(moved.parcels),
        delivered=moved.delivered,
        in_trouble=moved.in_trouble,
        notices=left.notices + moved.notices,
        alerts_opened=opened,
        alerts_closed=closed,
    )
