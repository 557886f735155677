"""Rows on their way in, block by block: outside the tables, to be merged in one transaction.

SQLite: a scratch file without a journal, written by a bulk loader and attached to the transaction that merges it;
PostgreSQL: a temporary table of that transaction, filled by COPY. Either way nothing is seen before the commit, and
a process that dies leaves at most a scratch file that the next one removes.
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
from tasks.store.database.copying import copy_into
from tasks.store.database.engine import engine
from tasks.store.database.types import Instant

_TYPES: dict[Type, TypeEngine[Any]] = {
    Type.INTEGER: BigInteger(),
    Type.MONEY: BigInteger(),
    Type.NUMBER: Float(),
    Type.INSTANT: Instant(),
    Type.DATE: Date(),
    Type.FLAG: Boolean(),
}


class Beside:
    """Does one thing at a time while the caller goes on."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1)
        self._doing: Future[None] | None = None

    def do(self, work: Callable[..., None], *about: object) -> None:
        """Begin with it as soon as what was begun before is done."""
        self.wait()
        self._doing = self._worker.submit(work, *about)

    def is_free(self) -> bool:
        """Whether the next thing would be begun with at once."""
        return self._doing is None or self._doing.done()

    def wait(self) -> None:
        """Until nothing is left to do. Raises what the work raised."""
        if self._doing is not None:
            doing, self._doing = self._doing, None
            doing.result()

    def close(self) -> None:
        """Do no more."""
        self._worker.shutdown()


class Sink(ABC):
    """Where the typed rows of one kind go, a block at a time."""

    def __init__(self) -> None:
        self._writer = Beside()

    def add(self, typed: pd.DataFrame) -> None:
        """Take typed rows; they are written while the caller goes on to the next block."""
        if len(typed):
            self._writer.do(self._write, typed)

    def is_free(self) -> bool:
        """Whether rows added now are begun with at once."""
        return self._writer.is_free()

    def finish(self) -> None:
        """Wait until all that was added is written."""
        self._writer.wait()

    def close(self) -> None:
        """Take no more."""
        self._writer.close()

    @abstractmethod
    def _write(self, typed: pd.DataFrame) -> None: ...


class Staging(Sink):
    """A place for the typed rows of one kind.

    `rows` is the staged table: row_number, the kind's typed columns, and `extra` integer columns.
    """

    def __init__(self, rows: Table) -> None:
        super().__init__()
        self.rows = rows

    @abstractmethod
    def merge(self) -> AbstractContextManager[Connection]:
        """One transaction that sees the staged rows; committed when the block ends without an exception."""


@contextmanager
def staging(kind: Kind, scratch: Path, extra: tuple[str, ...] = ()) -> Iterator[Staging]:
    """Stage rows of `kind`, with `extra` integer columns; `with staged.merge() as connection:` merges them."""
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
    """A SQLite file for rows on their way: written by a bulk loader, then closed and attached as `schema`.

    `tables`: for each table that rows are written for, the one in the file that holds them, with the same columns.
    """

    def __init__(self, path: Path, schema: str) -> None:
        import adbc_driver_sqlite.dbapi  # a second SQLite library: only ever on the scratch file

        self.tables: dict[Table, Table] = {}
        self._path, self._schema = path, schema
        self._loader = adbc_driver_sqlite.dbapi.connect(f"file:{path}", autocommit=True)
        self._cursor = self._loader.cursor()
        for pragma in ("journal_mode=off", "synchronous=off"):
            self._cursor.execute(f"PRAGMA {pragma}")
            self._cursor.fetchall()

    def add(self, target: Table) -> Table:
        """Make room for rows of `target`; what they leave out has its default. Gives the table in the file."""
        columns = [Column(each.name, each.type, server_default=each.server_default) for each in target.c]
        self._cursor.execute(
            str(CreateTable(Table(target.name, MetaData(), *columns)).compile(dialect=engine().dialect))
        )
        self.tables[target] = target.to_metadata(MetaData(), schema=self._schema)
        return self.tables[target]

    def write(self, target: Table, frame: pd.DataFrame) -> None:
        """Add rows of `target`."""
        if target not in self.tables:
            self.add(target)
        self._cursor.adbc_ingest(target.name, _arrow(frame), mode="append")

    def close(self) -> None:
        """No more rows."""
        self._cursor.close()
        self._loader.close()

    def attach(self, connection: Connection) -> None:
        """Let `connection` see the rows, until it goes back to the pool; also within a transaction."""
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
    """A new file name in `scratch`, removed at the end; what dead processes left there is removed now."""
    scratch.mkdir(parents=True, exist_ok=True)
    for left in scratch.glob("*-*.*"):
        if not _alive(int(left.name.partition("-")[0])):
            left.unlink(missing_ok=True)
    path = scratch / f"{os.getpid()}-{uuid.uuid4().hex}.db"
    stack.callback(path.unlink, missing_ok=True)
    return path


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _arrow(rows: pd.DataFrame) -> pa.Table:
    """The rows with moments as text in UTC, which is how SQLite holds them."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    for number, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            text = table.column(number).cast(pa.timestamp("s")).cast(pa.string())
            table = table.set_column(number, field.name, text)
    return table
