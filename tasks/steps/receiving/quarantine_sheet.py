"""The quarantine sheet of a file, written while the database is busy with the good rows."""

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
from tasks.domain.receiving.quarantine import merge_refused_rows, quarantine_sheet
from tasks.steps.receiving.file_job import OpenedFile

SHEET_NAME = "correct and drop back"
ROWS_AT_ONCE = 500


class DraftSheet:
    """A draft of the sheet with the refused rows; it is deleted unless `take` is called."""

    def __init__(self, kind: Kind, file: OpenedFile) -> None:
        self._kind, self._sha256 = kind, file.delivery.sha256
        self._path = settings().folder(".staging") / f"{os.getpid()}-{self._sha256}.xlsx"
        self._queue: deque[pd.DataFrame] = deque()
        self._book: OpenWorkbook | None = None
        self._writer = ThreadPoolExecutor(1)
        self._finishing: Future[Path | None] | None = None
        self._is_taken = False

    def add(self, refused: pd.DataFrame) -> None:
        """Queue refused rows for writing."""
        rows = merge_refused_rows([refused]).assign(sha256=self._sha256)
        self._queue.extend(rows.iloc[first : first + ROWS_AT_ONCE] for first in range(0, len(rows), ROWS_AT_ONCE))

    def write_some(self) -> bool:
        """Write up to ROWS_AT_ONCE queued rows; false when the queue was empty."""
        if not self._queue:
            return False
        if self._book is None:
            self._book = OpenWorkbook(self._path)
            self._sheet = self._book.sheet(SHEET_NAME)
        self._sheet.add(quarantine_sheet(self._kind, self._queue.popleft()))
        return True

    def finish(self) -> None:
        """Write the rest of the queue in the background; no rows may be added after this."""
        self._finishing = self._writer.submit(self._finish)

    def _finish(self) -> Path | None:
        while self.write_some():
            pass
        return None if self._book is None else self._book.close()

    def take(self) -> Path | None:
        """The path of the finished sheet, for the caller to move; None when no row was refused."""
        self._is_taken = True
        return self._finishing.result() if self._finishing is not None else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.shutdown()
        if self._book is not None and self._finishing is None:
            self._book.discard()
        elif error or not self._is_taken:
            self._path.unlink(missing_ok=True)
