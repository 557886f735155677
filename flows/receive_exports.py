"""Take in what shops, warehouses, carriers and counters delivered."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from tasks.clock import NOW, moment
from tasks.domain.receiving.export_kinds import KINDS
from tasks.runs.artifact_tables import shown
from tasks.runs.operation import note, operation
from tasks.runs.parameters import KindChoice, Moment
from tasks.runs.run_names import named
from tasks.steps.ordering.send_alert_digest import tell_staff
from tasks.steps.prepare_database import prepare_database
from tasks.steps.receiving.announce_files import announce_files
from tasks.steps.receiving.receive_exports import (
    artifact_rows,
    expectations,
    find_files,
    findings,
    read_site,
    settle_orders,
    take_in_kind,
)
from tasks.steps.receiving.report_drift import report_drift
from tasks.steps.receiving.warn_of_imports import warn_of_imports


@dataclass(frozen=True)
class Received:
    """What a run took in."""

    files_loaded: int
    files_known_already: int
    files_refused: int
    rows_in: int
    rows_loaded: int
    rows_unchanged: int
    rows_quarantined: int
    places_adrift: int


@operation(name="receive-exports", flow_run_name=named("receive exports", kinds=": {}", as_of=" as of {}"))
def receive_exports(kinds: Sequence[KindChoice] = (), as_of: Moment = NOW) -> Received:
    """Take in every file of the inbox: recognised, judged row by row and as a whole, loaded or refused, archived.

    A file taken in before changes nothing, whatever its name. A file that is refused lies in the quarantine folder
    with the reason; rows that are refused wait in a spreadsheet there, to be corrected and dropped in the inbox again.
    The merchant's own people are told of both once, and the run ends as config/rules/outcomes.yaml says.

    Args:
        kinds: Which folders of the inbox to look into; all of them when none is chosen.
        as_of: The moment the run takes for now. A time without a zone is on the warehouse's clock.

    Returns:
        How many files and rows were taken in, refused and quarantined.
    """
    as_of = moment(as_of)
    prepare_database()
    site = read_site()
    outcomes = []
    with expectations(as_of) as gate:
        for kind, files in find_files(kinds or KINDS).items():
            outcomes += take_in_kind(kind, files, site, gate, as_of)
    settle_orders()
    drift = report_drift()
    announce_files(outcomes)
    warn_of_imports(as_of)
    tell_staff(as_of)
    note(findings(outcomes, drift, as_of))
    create_table_artifact(shown(artifact_rows(outcomes)), key="received", description="What became of each file")
    states = Counter(one.state for one in outcomes)
    return Received(
        files_loaded=states["loaded"], files_known_already=states["seen"], files_refused=states["refused"],
        rows_in=sum(one.rows_in for one in outcomes), rows_loaded=sum(one.rows_loaded for one in outcomes),
        rows_unchanged=sum(one.rows_unchanged for one in outcomes),
        rows_quarantined=sum(one.rows_quarantined for one in outcomes), places_adrift=len(drift),
    )  # fmt: skip
