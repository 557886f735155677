"""The documents of plan-waves: a pick list a wave, the rows a picker fills in, and who was left out."""

from datetime import datetime
from pathlib import Path

import pandas as pd
from prefect import task

from config.settings import settings
from tasks.connectors.pick_lists import picker_rows, write_pick_list
from tasks.connectors.run_documents import write_changed
from tasks.connectors.tables import write_csv
from tasks.plan_waves import Planned
from tasks.store import waves
from tasks.store.engine import reading

FLOW = "plan-waves"


@task(task_run_name="print pick lists")
def write_pick_lists(planned: Planned, as_of: datetime) -> int:
    """Print the lists of every open wave that has none yet, and who is left out where that changed; how many files."""
    files = write_changed(settings().home, FLOW, {}, {"left-out.csv": planned.left_out}, as_of)
    with reading().connect() as connection:
        for at in waves.released_at(connection):
            target = settings().documents(FLOW, at)
            if not (target / "pick-list.csv").exists():
                files += _write_lists(target, waves.pick_list(connection, at))
    return files


def _write_lists(target: Path, stops: pd.DataFrame) -> int:
    for code, of_wave in stops.groupby("wave"):
        write_pick_list(target / f"{code}.pdf", of_wave)
    write_csv(target / "pick-list.csv", picker_rows(stops))  # last: while it is missing, the lists are written again
    return stops["wave"].nunique() + 1
