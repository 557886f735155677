"""The quarantine sheet of a file, drafted while the database merges its good rows."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd

from config.settings import settings
from tasks.connectors.tables import write_xlsx
from tasks.domain.exports import Kind
from tasks.domain.intake import quarantine_sheet, refused_once
from tasks.intaking import Opened, Tally

SHEET = "correct and drop back"


class Draft:
    """A sheet of the rows refused so far; thrown away unless it is taken."""

    def __init__(self, kind: Kind, file: Opened, tally: Tally) -> None:
        self._path = settings().folder(".staging") / f"{os.getpid()}-{file.delivery.sha256}.xlsx"
        self._clerk = ThreadPoolExecutor(1)
        self._writing = self._clerk.submit(self._write, kind, file.delivery.sha256, tuple(tally.refused))
        self._taken = False

    def _write(self, kind: Kind, sha256: str, refused: Sequence[pd.DataFrame]) -> Path | None:
        rows = refused_once(refused)
        return (
            write_xlsx(self._path, {SHEET: quarantine_sheet(kind, rows.assign(sha256=sha256))}) if len(rows) else None
        )

    def take(self) -> Path | None:
        """The sheet, to be moved where it belongs; nothing when no row was refused."""
        self._taken = True
        return self._writing.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._clerk.shutdown()
        if error or not self._taken:
            self._path.unlink(missing_ok=True)
