"""The audit trail: what each step took and left; the same step on the same input is written once."""

from datetime import datetime

from sqlalchemy import Connection

from tasks.store.database.frames import changed, insert_into
from tasks.store.schema import run_log


def log(
    connection: Connection,
    *,
    flow: str,
    step: str,
    as_of: datetime,
    fingerprint: str,
    rows_in: int,
    rows_out: int,
    duration_ms: int = 0,
) -> bool:
    """Write one step of one run; True when it is new, False when the trail holds it already."""
    row = {
        "flow": flow, "step": step, "as_of": as_of, "fingerprint": fingerprint,
        "rows_in": rows_in, "rows_out": rows_out, "duration_ms": duration_ms,
    }  # fmt: skip
    return changed(connection, insert_into(connection, run_log).values(row).on_conflict_do_nothing()) > 0
