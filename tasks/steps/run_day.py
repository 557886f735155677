"""Steps of run-day: lay a folder's files in the inbox, and tell whether the day changed anything."""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from prefect import task

from config.read import read
from config.settings import settings
from tasks.clock import NOW
from tasks.domain.receiving.export_kinds import KINDS
from tasks.store.database.engine import reading
from tasks.store.footprint import footprint

STOCK_AND_ORDERS = [
    "products", "locations", "stock", "incoming", "movements", "orders", "counts", "holds", "supply",
]  # fmt: skip


@dataclass(frozen=True)
class Day:
    """`day.yaml` of a folder of exports: the moment they are to be looked at, where that is not now."""

    as_of: datetime


@task(task_run_name="find out which day it is")
def day_of(source: str, as_of: datetime | Literal["now"]) -> datetime | Literal["now"]:
    """`as_of`; for now, what the source's day.yaml says, where there is one."""
    day = Path(source) / "day.yaml"
    if as_of != NOW or not source or not day.is_file():
        return as_of
    return read(day.resolve(), Day).as_of


@task(task_run_name="copy the files to the inbox")
def fill_inbox(source: str) -> int:
    """Copy every file below `source`/inbox/<kind> to the inbox; the source keeps its own. Returns how many."""
    if not source:
        return 0
    folder = Path(source) / "inbox"
    files = [path for kind in KINDS for path in sorted((folder / kind).rglob("*")) if path.is_file()]
    for path in files:
        target = settings().folder("inbox") / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        shutil.copyfile(path, part)
        part.replace(target)
    return len(files)


@task(task_run_name="note what the tables hold")
def look() -> dict[str, str]:
    """What every table holds, as one digest a table."""
    with reading().connect() as connection:
        return footprint(connection)


def tables_changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables that hold something else now."""
    return sorted(name for name in after if before.get(name) != after[name])
