"""Rows on their way in, block by block: outside the tables, to be merged in one transaction.

SQLite: a scratch file without a journal, written by a bulk loader and attached to the transaction that merges it;
PostgreSQL: a temporary table of that transaction, filled by COPY. Either way nothing is seen before the commit, and
a process that dies leaves at most a scratch file that the next one removes.
"""

import io
import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
from sqlalchemy import BigInteger, Boolean, Column, Connection, Date, Float, MetaData, Table, Text
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import TypeEngine

from tasks.domain.exports import Kind, Type
from tasks.store.engine import engine
from tasks.store.types import Instant

_TYPES: dict[Type, TypeEngine[Any]] = {
    Type.INTEGER: BigInteger(),
    Type.MONEY: BigInteger(),
    Type.NUMBER: Float(),
    Type.INSTANT: Instant(),
    Type.DATE: Date(),
    Type.FLAG: Boolean(),
}


class Sink(ABC):
    """Where the typed rows of one kind go, a block at a time."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1)
        self._pending: Future[None] | None = None

    def add(self, typed: pd.DataFrame) -> None:
        """Take typed rows; they are written while the caller goes on to the next block."""
        self._settle()
        if len(typed):
            self._pending = self._worker.submit(self._write, typed)

    def finish(self) -> None:
        """Wait until all that was added is written."""
        self._settle()

    def _settle(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending.result()

    def close(self) -> None:
        """Take no more."""
        self._worker.shutdown()

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
            staged = _SqliteStaging(Scratch(scratch_file(scratch, stack), kind, extra, "staging"))
        try:
            yield staged
        finally:
            staged.close()


def _table(kind: Kind, extra: tuple[str, ...], schema: str | None = None) -> Table:
    columns = [Column("row_number", BigInteger), *(Column(name, BigInteger) for name in extra)]
    columns += [Column(field.column, _TYPES.get(field.type, Text())) for field in kind.fields]
    return Table(f"staged_{kind.name}", MetaData(schema=schema), *columns)


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


def copy_into(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """COPY the rows into the columns of `table` that they are named for (PostgreSQL)."""
    names = ", ".join(f'"{name}"' for name in frame.columns)
    raw: Any = connection.connection.driver_connection
    with raw.cursor().copy(f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT csv)') as copy:
        for batch in _arrow(frame, utc="Z").to_batches(max_chunksize=50_000):
            block = io.BytesIO()
            pyarrow.csv.write_csv(batch, block, pyarrow.csv.WriteOptions(include_header=False))
            copy.write(block.getbuffer())


# ── SQLite ───────────────────────────────────────────────────────────────────────────────────────────────────────
class Scratch:
    """A SQLite file for typed rows: written by a bulk loader, then closed and attached to a transaction as `schema`."""

    def __init__(self, path: Path, kind: Kind, extra: tuple[str, ...], schema: str) -> None:
        import adbc_driver_sqlite.dbapi  # a second SQLite library: only ever on the scratch file

        self.rows = _table(kind, extra, schema)
        self._path = path
        self._loader = adbc_driver_sqlite.dbapi.connect(f"file:{path}", autocommit=True)
        self._cursor = self._loader.cursor()
        for pragma in ("journal_mode=off", "synchronous=off"):
            self._cursor.execute(f"PRAGMA {pragma}")
            self._cursor.fetchall()
        local = self.rows.to_metadata(MetaData(), schema=None)  # type: ignore[arg-type]
        self._cursor.execute(str(CreateTable(local).compile(dialect=engine().dialect)))

    def write(self, typed: pd.DataFrame) -> None:
        """Add rows."""
        self._cursor.adbc_ingest(self.rows.name, _arrow(typed), mode="append")

    def close(self) -> None:
        """No more rows."""
        self._cursor.close()
        self._loader.close()

    def attach(self, connection: Connection) -> None:
        """Let `connection` see the rows, until it goes back to the pool; also within a transaction."""
        raw: Any = connection.connection.driver_connection
        raw.execute(f'ATTACH DATABASE ? AS "{self.rows.schema}"', (str(self._path),))


class _SqliteStaging(Staging):
    def __init__(self, scratch: Scratch) -> None:
        super().__init__(scratch.rows)
        self._scratch = scratch

    def _write(self, typed: pd.DataFrame) -> None:
        self._scratch.write(typed)

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


def _arrow(typed: pd.DataFrame, utc: str = "") -> pa.Table:
    """The rows with moments as text in UTC, `utc` behind each; as moments Arrow writes them ten times as slowly."""
    table = pa.Table.from_pandas(typed, preserve_index=False)
    for number, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            text = table.column(number).cast(pa.timestamp("s")).cast(pa.string())
            text = pyarrow.compute.binary_join_element_wise(text, utc, "") if utc else text
            table = table.set_column(number, field.name, text)
    return table
