"""Rows all of which are new go into their tables block by block, in one transaction, while later blocks are judged.

PostgreSQL: each block is copied into the tables. SQLite: blocks go to scratch files by a bulk loader, and file after
file is attached to the transaction and inserted from. Either way nothing is seen before the commit; on SQLite other
writers wait meanwhile, hardly longer than the rows take to be judged.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pandas as pd
from sqlalchemy import Connection, Insert, Table
from sqlalchemy.exc import IntegrityError

from tasks.domain.exports import Kind
from tasks.store.staging import Scratch, Sink, copy_into, scratch_file

PARTS_MAX = 8  # SQLite attaches ten files at most


class New(Protocol):
    """What blocks of typed rows, all of them new, make in which tables."""

    kind: Kind
    extra: tuple[str, ...]  # their integer columns beside the kind's own

    def frames(self, typed: pd.DataFrame) -> Iterable[tuple[Table, pd.DataFrame]]:
        """The rows of each table."""

    def inserts(self, rows: Table) -> Iterable[Insert]:
        """The same from a table of the typed rows."""


class KnownRowsError(Exception):
    """Of the rows said to be new some are known, or break another rule of their table; the transaction is lost."""


@contextmanager
def straight(connection: Connection, new: New, scratch: Path) -> Iterator[Sink]:
    """Rows go into the tables at once, in the transaction of `connection`; scratch files lie in `scratch`.

    Raises KnownRowsError when a table refuses them.
    """
    with ExitStack() as stack:
        if connection.dialect.name == "postgresql":
            sink: _Copied | _Inserted = _Copied(connection, new)
        else:
            sink = _Inserted(connection, new, scratch, stack)
        stack.callback(sink.close)
        try:
            yield sink
            sink.finish()
        except (IntegrityError, connection.dialect.loaded_dbapi.IntegrityError) as error:
            raise KnownRowsError from error


class _Copied(Sink):
    def __init__(self, connection: Connection, new: New) -> None:
        super().__init__()
        self._connection = connection
        self._new = new

    def _write(self, typed: pd.DataFrame) -> None:
        for table, frame in self._new.frames(typed):
            copy_into(self._connection, table, frame)


class _Inserted(Sink):
    """Each part is half as large as all before it, so that eight do for any file and the last is never most of it."""

    def __init__(self, connection: Connection, new: New, scratch: Path, stack: ExitStack) -> None:
        super().__init__()
        self._connection = connection
        self._new = new
        self._scratch, self._stack = scratch, stack
        self._inserter = ThreadPoolExecutor(1)
        self._inserting: list[Future[None]] = []
        self._part: Scratch | None = None
        self._blocks = self._before = 0  # in this part, in those before it

    def _write(self, typed: pd.DataFrame) -> None:
        self._raise_early()
        if self._part is None:
            path = scratch_file(self._scratch, self._stack)
            self._part = Scratch(path, self._new.kind, self._new.extra, f"part{len(self._inserting)}")
        self._part.write(typed)
        self._blocks += 1
        if self._blocks > self._before // 2 and len(self._inserting) < PARTS_MAX - 1:
            self._hand_on()

    def _raise_early(self) -> None:
        for each in self._inserting:
            if each.done():
                each.result()

    def _hand_on(self) -> None:
        if self._part is not None:
            self._part.close()
            self._inserting.append(self._inserter.submit(self._insert, self._part))
            self._part, self._before, self._blocks = None, self._before + self._blocks, 0

    def _insert(self, part: Scratch) -> None:
        part.attach(self._connection)
        for statement in self._new.inserts(part.rows):
            self._connection.execute(statement)

    def finish(self) -> None:
        super().finish()
        self._hand_on()
        for each in self._inserting:
            each.result()

    def close(self) -> None:
        super().close()
        self._inserter.shutdown(cancel_futures=True)
        if self._part is not None:
            self._part.close()
