"""Stages the rows of a file block by block, outside the tables, to be merged in one transaction.

SQLite: a scratch file without a journal, written by a bulk loader and attached to the transaction that merges it.
PostgreSQL: a temporary table of that transaction, filled by COPY. Either way nothing is visible before the commit, and
a process that dies leaves at most a scratch file, which the next one removes.
"""

import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import BigInteger, Boolean, Column, Connection, Date, Float, MetaData, Table, Text
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import TypeEngine

from tasks.domain.receiving.export_kinds import Kind, Type
from tasks.store.database.engine import engine
from tasks.store.database.postgresql_copy import copy_into
from tasks.store.database.types import Instant

_TYPES: dict[Type, TypeEngine[Any]] = {
    Type.INTEGER: BigInteger(),
    Type.MONEY: BigInteger(),
    Type.NUMBER: Float(),
    Type.INSTANT: Instant(),
    Type.DATE: Date(),
    Type.FLAG: Boolean(),
}


class BackgroundWorker:
    """A thread that does one job at a time while the caller continues."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1)
        self._running: Future[None] | None = None

    def start(self, job: Callable[..., None], *arguments: object) -> None:
        """Start a job; if another one is running, wait for it first. Raises what that one raised."""
        self.wait()
        self._running = self._worker.submit(job, *arguments)

    def is_free(self) -> bool:
        """Whether the next job would start at once."""
        return self._running is None or self._running.done()

    def wait(self) -> None:
        """Wait until no job is running. Raises what the job raised."""
        if self._running is not None:
            running, self._running = self._running, None
            running.result()

    def close(self) -> None:
        """Stop the thread."""
        self._worker.shutdown()


class Sink(ABC):
    """Writes the typed rows of one kind, a block at a time."""

    def __init__(self) -> None:
        self._writer = BackgroundWorker()

    def add(self, typed: pd.DataFrame) -> None:
        """Start to write typed rows; the caller may check the next block meanwhile."""
        if len(typed):
            self._writer.start(self._write, typed)

    def is_free(self) -> bool:
        """Whether added rows would be written at once."""
        return self._writer.is_free()

    def finish(self) -> None:
        """Wait until all added rows are written."""
        self._writer.wait()

    def close(self) -> None:
        """Stop writing."""
        self._writer.close()

    @abstractmethod
    def _write(self, typed: pd.DataFrame) -> None: ...


class Staging(Sink):
    """The staged rows of one kind.

    `rows` is the staged table: row_number, the kind's typed columns, and `extra` integer columns.
    """

    def __init__(self, rows: Table) -> None:
        super().__init__()
        self.rows = rows

    @abstractmethod
    def merge(self) -> AbstractContextManager[Connection]:
        """A transaction that sees the staged rows; it is committed when the block ends without an exception."""


@contextmanager
def staging(kind: Kind, scratch: Path, extra: tuple[str, ...] = ()) -> Iterator[Staging]:
    """A stage for rows of `kind` with `extra` integer columns; `with stage.merge() as connection:` merges them."""
    with ExitStack() as stack:
        if engine().dialect.name == "postgresql":
            staged: Staging = _PostgresqlStaging(stack.enter_context(engine().connect()), _table(kind, extra))
        else:
            staged = _SqliteStaging(Scratch(scratch_file(scratch, stack), "staging"), _table(kind, extra))
        try:
            yield staged
        finally:
            staged.close()


def _table(kind: Kind, extra: tuple[str, ...]) -> Table:
    columns = [Column("row_number", BigInteger), *(Column(name, BigInteger) for name in extra)]
    columns += [Column(field.column, _TYPES.get(field.type, Text())) for field in kind.fields]
    return Table(f"staged_{kind.name}", MetaData(), *columns)


# ── PostgreSQL ───────────────────────────────────────────────────────────────────────────────────────────────────
class _PostgresqlStaging(Staging):
    def __init__(self, connection: Connection, rows: Table) -> None:
        super().__init__(rows)
        self._connection = connection
        self._transaction = connection.begin()
        create = str(CreateTable(rows).compile(dialect=connection.dialect)).strip()
        connection.exec_driver_sql(create.replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1) + " ON COMMIT DROP")

    def _write(self, typed: pd.DataFrame) -> None:
        copy_into(self._connection, self.rows, typed)

    @contextmanager
    def merge(self) -> Iterator[Connection]:
        self.finish()
        self._connection.exec_driver_sql(f"ANALYZE {self.rows.name}")
        with self._transaction:
            yield self._connection


# ── SQLite ───────────────────────────────────────────────────────────────────────────────────────────────────────
class Scratch:
    """A SQLite file of staged rows: written by a bulk loader, then closed and attached as `schema`.

    `tables`: target table -> table in the file with the same columns, which holds its rows.
    """

    def __init__(self, path: Path, schema: str) -> None:
        import adbc_driver_sqlite.dbapi  # a second SQLite library: it must only open the scratch file

        self.tables: dict[Table, Table] = {}
        self._path, self._schema = path, schema
        self._loader = adbc_driver_sqlite.dbapi.connect(f"file:{path}", autocommit=True)
        self._cursor = self._loader.cursor()
        for pragma in ("journal_mode=off", "synchronous=off"):
            self._cursor.execute(f"PRAGMA {pragma}")
            self._cursor.fetchall()

    def add(self, target: Table) -> Table:
        """Create a table for rows of `target` with the same columns and defaults. Returns the table in the file."""
        columns = [Column(column.name, column.type, server_default=column.server_default) for column in target.c]
        self._cursor.execute(
            str(CreateTable(Table(target.name, MetaData(), *columns)).compile(dialect=engine().dialect))
        )
        self.tables[target] = target.to_metadata(MetaData(), schema=self._schema)
        return self.tables[target]

    def write(self, target: Table, frame: pd.DataFrame) -> None:
        """Append rows of `target`."""
        if target not in self.tables:
            self.add(target)
        self._cursor.adbc_ingest(target.name, _arrow(frame), mode="append")

    def close(self) -> None:
        """Close the file for the loader; it may be attached then."""
        self._cursor.close()
        self._loader.close()

    def attach(self, connection: Connection) -> None:
        """Attach the file to `connection` until it returns to the pool; also possible within a transaction."""
        raw: Any = connection.connection.driver_connection
        raw.execute(f'ATTACH DATABASE ? AS "{self._schema}"', (str(self._path),))


class _SqliteStaging(Staging):
    def __init__(self, scratch: Scratch, rows: Table) -> None:
        super().__init__(scratch.add(rows))
        self._scratch = scratch
        self._local = rows

    def _write(self, typed: pd.DataFrame) -> None:
        self._scratch.write(self._local, typed)

    def close(self) -> None:
        super().close()
        self._scratch.close()

    @contextmanager
    def merge(self) -> Iterator[Connection]:
        self.finish()
        self.close()
        with engine().connect() as connection:
            self._scratch.attach(connection)
            with connection.begin():
                yield connection


def scratch_file(scratch: Path, stack: ExitStack) -> Path:
    """A new file name in `scratch`, removed when `stack` closes. Files that dead processes left are removed now."""
    scratch.mkdir(parents=True, exist_ok=True)
    for path in scratch.glob("*-*.*"):
        if not _is_alive(int(path.name.partition("-")[0])):
            path.unlink(missing_ok=True)
    path = scratch / f"{os.getpid()}-{uuid.uuid4().hex}.db"
    stack.callback(path.unlink, missing_ok=True)
    return path


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _arrow(rows: pd.DataFrame) -> pa.Table:
    """The rows with moments as text in UTC, which is how SQLite stores them."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    for number, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            text = table.column(number).cast(pa.timestamp("s")).cast(pa.string())
            table = table.set_column(number, field.name, text)
    return table
