"""A run's documents, in a folder of its own named after its moment, written only when they say something new."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd

from tasks.documents.tables import write_csv


def add_rows(path: Path, rows: pd.DataFrame, key: Sequence[str]) -> None:
    """Write rows, if any, to a run's document, beside those an earlier run as of the same moment wrote."""
    if rows.empty:
        return
    fresh = write_csv(path.with_name(path.name + ".fresh"), rows)
    if path.exists():
        both = pd.concat([pd.read_csv(one, dtype="str", keep_default_na=False) for one in (path, fresh)])
        both.drop_duplicates(list(key), keep="last").to_csv(fresh, index=False, lineterminator="\n", encoding="utf-8")
    fresh.replace(path)


def write_changed(
    home: Path, flow: str, of_run: Mapping[str, pd.DataFrame], of_now: Mapping[str, pd.DataFrame], as_of: datetime
) -> int:
    """Write a run's tables below home/outgoing/flow, unless each was written before, byte for byte; says how many.

    `of_run` is what the run did, and is written with the run; `of_now` is what is true now, and is compared with the
    last that was written. A table without rows that was never written is nothing to tell.
    """
    folder = home / "outgoing" / flow
    target = folder / f"{as_of:%Y%m%dT%H%M%SZ}"
    tables = {**of_now, **of_run}
    fresh = {name: write_csv(home / ".staging" / flow / name, table) for name, table in tables.items()}
    last_written = {name: target / name if name in of_run else _last(folder, target, name) for name in fresh}
    if all(_is_known(fresh[name], last_written[name], empty=tables[name].empty) for name in fresh):
        return 0
    for name, file in fresh.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        file.replace(target / name)
    return len(fresh)


def _last(folder: Path, target: Path, name: str) -> Path | None:
    """The newest file of that name, up to the run's own."""
    runs = (one for one in sorted(folder.glob("*Z"), reverse=True) if one <= target)
    return next((run / name for run in runs if (run / name).is_file()), None)


def _is_known(fresh: Path, last: Path | None, *, empty: bool) -> bool:
    if last is None or not last.is_file():
        return empty
    return fresh.read_bytes() == last.read_bytes()
