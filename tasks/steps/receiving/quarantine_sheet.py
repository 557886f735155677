"""The quarantine sheet of a file, drafted while the database takes in its good rows."""

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd

from config.settings import settings
from tasks.documents.tables import OpenWorkbook
from tasks.domain.receiving.export_kinds import Kind
from tasks.domain.receiving.quarantine import quarantine_sheet, refused_once
from tasks.steps.receiving.file_job import Opened

SHEET = "correct and drop back"
ROWS_AT_ONCE = 500


class Draft:
    """A sheet of the refused rows; thrown away unless it is taken."""

    def __init__(self, kind: Kind, file: Opened) -> None:
        self._kind, self._sha256 = kind, file.delivery.sha256
        self._path = settings().folder(".staging") / f"{os.getpid()}-{self._sha256}.xlsx"
        self._waiting: deque[pd.DataFrame] = deque()
        self._book: OpenWorkbook | None = None
        self._clerk = ThreadPoolExecutor(1)
        self._finishing: Future[Path | None] | None = None
        self._taken = False

    def add(self, refused: pd.DataFrame) -> None:
        """Take refused rows, to be written when there is time."""
        rows = refused_once([refused]).assign(sha256=self._sha256)
        self._waiting.extend(rows.iloc[first : first + ROWS_AT_ONCE] for first in range(0, len(rows), ROWS_AT_ONCE))

    def write_some(self) -> bool:
        """Write a few of the rows that wait; false when none did."""
        if not self._waiting:
            return False
        if self._book is None:
            self._book = OpenWorkbook(self._path)
            self._sheet = self._book.sheet(SHEET)
        self._sheet.add(quarantine_sheet(self._kind, self._waiting.popleft()))
        return True

    def finish(self) -> None:
        """No more rows: what still waits is written while the caller goes on."""
        self._finishing = self._clerk.submit(self._finish)

    def _finish(self) -> Path | None:
        while self.write_some():
            pass
        return None if self._book is None else self._book.close()

    def take(self) -> Path | None:
        """The sheet, to be moved where it belongs; nothing when no row was refused."""
        self._taken = True
        return self._finishing.result() if self._finishing is not None else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._clerk.shutdown()
        if self._book is not None and self._finishing is None:
            self._book.discard()
        elif error or not self._taken:
            self._path.unlink(missing_ok=True)
