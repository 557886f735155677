"""Steps of run-day: copy a folder's files to the inbox, and find which tables the day changed."""

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
    """The schema of day.yaml in a folder of exports: the moment to take as now for them."""

    as_of: datetime


@task(task_run_name="determine the day")
def day_of(source: str, as_of: datetime | Literal["now"]) -> datetime | Literal["now"]:
    """`as_of`; if it is now and the source has a day.yaml, the moment given there."""
    day = Path(source) / "day.yaml"
    if as_of != NOW or not source or not day.is_file():
        return as_of
    return read(day.resolve(), Day).as_of


@task(task_run_name="copy the files to the inbox")
def fill_inbox(source: str) -> int:
    """Copy every file in `source`/inbox/<kind> to the inbox. Returns the number of files."""
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


@task(task_run_name="take digests of the tables")
def table_digests() -> dict[str, str]:
    """The digest of the contents of each table."""
    with reading().connect() as connection:
        return footprint(connection)


def tables_changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables whose contents changed."""
    return sorted(name for name in after if before.get(name) != after[name])
