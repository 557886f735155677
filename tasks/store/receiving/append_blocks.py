"""Rows all of which are new go into their tables block by block, in one transaction, while later blocks are judged.

PostgreSQL: each block is copied into the tables. SQLite: blocks go to scratch files by a bulk loader, and file after
file is attached to the transaction and inserted from. Either way nothing is seen before the commit; on SQLite other
writers wait meanwhile, hardly longer than the rows take to be judged.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.exc import IntegrityError

from tasks.store.database.copying import packed, send
from tasks.store.database.engine import only_append
from tasks.store.receiving.staging import Beside, Scratch, Sink, scratch_file

New = Callable[[pd.DataFrame], Iterable[tuple[Table, pd.DataFrame]]]  # of typed rows, the rows of each table
PARTS_MAX = 8  # SQLite attaches ten files at most


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
            only_append(connection)
            sink = _Inserted(connection, new, scratch, stack)
        stack.callback(sink.close)
        try:
            yield sink
            sink.finish()
        except (IntegrityError, connection.dialect.loaded_dbapi.IntegrityError) as error:
            raise KnownRowsError from error


class _Copied(Sink):
    """The server stores one block while the next is packed."""

    def __init__(self, connection: Connection, new: New) -> None:
        super().__init__()
        self._connection = connection
        self._new = new
        self._sender = Beside()

    def _write(self, typed: pd.DataFrame) -> None:
        block = [(table, list(frame.columns), list(packed(table, frame))) for table, frame in self._new(typed)]
        self._sender.do(self._send, block)

    def _send(self, block: list[tuple[Table, list[str], list[bytes]]]) -> None:
        for table, names, parts in block:
            send(self._connection, table, names, parts)

    def finish(self) -> None:
        super().finish()
        self._sender.wait()

    def close(self) -> None:
        super().close()
        self._sender.close()


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
            self._part = Scratch(scratch_file(self._scratch, self._stack), f"part{len(self._inserting)}")
        for table, frame in self._new(typed):
            self._part.write(table, frame)
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
        for target, rows in part.tables.items():
            names = list(rows.c.keys())
            self._connection.execute(insert(target).from_select(names, select(rows)))

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
