"""Appends rows that are all new block by block, in one transaction, while later blocks are checked.

PostgreSQL: each block is copied into the tables. SQLite: a bulk loader writes blocks to scratch files, and one file
after the other is attached to the transaction and inserted from. Either way nothing is visible before the commit; on
SQLite other writers wait meanwhile, hardly longer than it takes to check the rows.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.exc import IntegrityError

from tasks.store.database.engine import only_append
from tasks.store.database.postgresql_copy import packed, send
from tasks.store.receiving.staging import BackgroundWorker, Scratch, Sink, scratch_file

TableRows = Callable[[pd.DataFrame], Iterable[tuple[Table, pd.DataFrame]]]  # typed rows -> the rows of each table
PARTS_MAX = 8  # SQLite attaches ten files at most


class KnownRowsError(Exception):
    """Some of the rows exist already, or break another constraint of their table; the transaction is lost."""


@contextmanager
def bulk_append(connection: Connection, table_rows: TableRows, scratch: Path) -> Iterator[Sink]:
    """A sink that appends rows within the transaction of `connection`; scratch files lie in the folder `scratch`.

    Raises KnownRowsError when a table refuses rows.
    """
    with ExitStack() as stack:
        if connection.dialect.name == "postgresql":
            sink: _CopySink | _AttachSink = _CopySink(connection, table_rows)
        else:
            only_append(connection)
            sink = _AttachSink(connection, table_rows, scratch, stack)
        stack.callback(sink.close)
        try:
            yield sink
            sink.finish()
        except (IntegrityError, connection.dialect.loaded_dbapi.IntegrityError) as error:
            raise KnownRowsError from error


class _CopySink(Sink):
    """Appends with COPY: the server stores one block while the next one is packed."""

    def __init__(self, connection: Connection, table_rows: TableRows) -> None:
        super().__init__()
        self._connection = connection
        self._table_rows = table_rows
        self._sender = BackgroundWorker()

    def _write(self, typed: pd.DataFrame) -> None:
        block = [(table, list(frame.columns), list(packed(table, frame))) for table, frame in self._table_rows(typed)]
        self._sender.start(self._send, block)

    def _send(self, block: list[tuple[Table, list[str], list[bytes]]]) -> None:
        for table, names, chunks in block:
            send(self._connection, table, names, chunks)

    def finish(self) -> None:
        super().finish()
        self._sender.wait()

    def close(self) -> None:
        super().close()
        self._sender.close()


class _AttachSink(Sink):
    """Appends from attached scratch files.

    Each file is half as large as all before it together, so that eight are enough for any delivery and the last one is
    never most of it.
    """

    def __init__(self, connection: Connection, table_rows: TableRows, scratch: Path, stack: ExitStack) -> None:
        super().__init__()
        self._connection = connection
        self._table_rows = table_rows
        self._scratch, self._stack = scratch, stack
        self._inserter = ThreadPoolExecutor(1)
        self._inserting: list[Future[None]] = []
        self._part: Scratch | None = None
        self._blocks = self._earlier_blocks = 0  # in this part, in those before it

    def _write(self, typed: pd.DataFrame) -> None:
        self._raise_early()
        if self._part is None:
            self._part = Scratch(scratch_file(self._scratch, self._stack), f"part{len(self._inserting)}")
        for table, frame in self._table_rows(typed):
            self._part.write(table, frame)
        self._blocks += 1
        if self._blocks > self._earlier_blocks // 2 and len(self._inserting) < PARTS_MAX - 1:
            self._insert_part()

    def _raise_early(self) -> None:
        for insertion in self._inserting:
            if insertion.done():
                insertion.result()

    def _insert_part(self) -> None:
        if self._part is not None:
            self._part.close()
            self._inserting.append(self._inserter.submit(self._insert, self._part))
            self._part, self._earlier_blocks, self._blocks = None, self._earlier_blocks + self._blocks, 0

    def _insert(self, part: Scratch) -> None:
        part.attach(self._connection)
        for target, rows in part.tables.items():
            names = list(rows.c.keys())
            self._connection.execute(insert(target).from_select(names, select(rows)))

    def finish(self) -> None:
        super().finish()
        self._insert_part()
        for insertion in self._inserting:
            insertion.result()

    def close(self) -> None:
        super().close()
        self._inserter.shutdown(cancel_futures=True)
        if self._part is not None:
            self._part.close()
