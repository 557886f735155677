"""The audit trail: how many rows each step of a run took and left; the same step on the same input is logged once."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, select

from tasks.store.database.frames import changed, insert_into, read
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
    """Write one step of one run. Returns True if it is new, False if the trail has it already."""
    row = {
        "flow": flow, "step": step, "as_of": as_of, "fingerprint": fingerprint,
        "rows_in": rows_in, "rows_out": rows_out, "duration_ms": duration_ms,
    }  # fmt: skip
    return changed(connection, insert_into(connection, run_log).values(row).on_conflict_do_nothing()) > 0


def undocumented(connection: Connection, flow: str, moments: pd.DataFrame) -> pd.DataFrame:
    """The rows of `moments` that `flow` has not logged as documented: moment, fingerprint, rows, the earliest first.

    `moments`: moment, fingerprint str (the same for the same rows of the database), rows int64. Documents are written
    from what was committed, so that a crash before they are written loses none.
    """
    is_documented = run_log.c.flow == flow, run_log.c.step == "documents"
    logged = read(connection, select(run_log.c.as_of.label("moment"), run_log.c.fingerprint).where(*is_documented))
    both = moments.merge(logged, on=["moment", "fingerprint"], how="left", indicator="origin")
    return both[both["origin"] == "left_only"].sort_values("moment")[["moment", "fingerprint", "rows"]]
