"""Import the files of shops, warehouses, carriers and counters."""

from collections.abc import Sequence
from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from tasks.clock import NOW, moment
from tasks.domain.receiving.export_kinds import KINDS
from tasks.runs.artifact_tables import shown
from tasks.runs.operation import note, operation
from tasks.runs.parameters import KindChoice, Moment
from tasks.runs.run_names import named
from tasks.steps.ordering.send_alert_digest import send_alert_digest
from tasks.steps.prepare_database import prepare_database
from tasks.steps.receiving.announce_files import announce_files
from tasks.steps.receiving.receive_exports import (
    artifact_rows,
    expectations,
    find_files,
    findings,
    hold_incomplete_orders,
    read_site,
    receive_kind,
    run_counts,
)
from tasks.steps.receiving.report_drift import report_drift
from tasks.steps.receiving.warn_of_imports import warn_of_imports


@dataclass(frozen=True)
class Received:
    """The counts of one run."""

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
    """Import every file of the inbox: recognise it, check its rows and the whole file, load or refuse it, archive it.

    A file that was imported before changes nothing, whatever its name. A refused file is moved to the quarantine folder
    with the reason. Refused rows are written to a spreadsheet there, to be corrected and dropped in the inbox again.
    The merchant's own people are notified of both once, and the run ends as set in config/rules/outcomes.yaml.

    Args:
        kinds: The folders of the inbox to receive; all of them if none is chosen.
        as_of: The moment to take as now. A time without a zone is in the warehouse's time zone.

    Returns:
        The numbers of files and rows that were loaded, refused and quarantined.
    """
    as_of = moment(as_of)
    prepare_database()
    site = read_site()
    outcomes = []
    with expectations(as_of) as gate:
        for kind, files in find_files(kinds or KINDS).items():
            outcomes += receive_kind(kind, files, site, gate, as_of)
    hold_incomplete_orders()
    drift = report_drift()
    announce_files(outcomes)
    warn_of_imports(as_of)
    send_alert_digest(as_of)
    note(findings(outcomes, drift, as_of))
    create_table_artifact(shown(artifact_rows(outcomes)), key="received", description="Outcome of each file")
    return Received(**run_counts(outcomes), places_adrift=len(drift))
