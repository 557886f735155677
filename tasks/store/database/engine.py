"""One engine a database: SQLite (WAL, foreign keys on, writers queue) or PostgreSQL."""

import hashlib
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select, text
from sqlalchemy.engine import make_url

from config.settings import settings

BUSY_SECONDS = 120
CACHE_KIB, APPENDING_KIB = 128 << 10, 16 << 10
STATISTICS_FROM_ROWS = 20_000
_LOST = ("40001", "40P01", "55P03")  # PostgreSQL: could not serialize, deadlock, lock not to be had


def engine() -> Engine:
    """The engine of the configured database. `with engine().begin() as connection:` is one transaction."""
    return engine_of(settings().database)


def reading() -> Engine:
    """The same database for a transaction that only reads: on SQLite it does not wait for a writer."""
    return engine().execution_options(reading=True)


@cache
def engine_of(address: str) -> Engine:
    """The engine of `address`; parameters of statements are kept out of error messages."""
    url = make_url(address)
    if url.get_backend_name() == "postgresql":
        return create_engine(url.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True)
    made = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
    event.listen(made, "connect", _prepare_sqlite)
    event.listen(made, "begin", _begin_sqlite)
    event.listen(made, "checkin", _leave_as_found)
    return made


def exclusive(connection: Connection, name: str) -> None:
    """Wait until no other transaction holds `name`; released with the transaction.

    SQLite has one writer at a time already; PostgreSQL takes an advisory lock.
    """
    if connection.dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(key)))


def lost_a_race(error: BaseException) -> bool:
    """Whether a transaction failed because of another one only: done again, it may succeed."""
    cause = getattr(error, "orig", None) or error
    return getattr(cause, "sqlstate", None) in _LOST or getattr(cause, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def gather_statistics(connection: Connection) -> None:
    """After a bulk load: let PostgreSQL's planner know the tables this transaction made much larger.

    Autovacuum would see to it a minute later; a plan made for the empty table may then run for a minute itself.
    """
    if connection.dialect.name == "postgresql":
        touched = text("SELECT relname FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd >= :rows"
                       " AND relid IN (SELECT oid FROM pg_class WHERE relpersistence = 'p')")  # fmt: skip
        for name in connection.scalars(touched, {"rows": STATISTICS_FROM_ROWS}).all():
            connection.exec_driver_sql(f'ANALYZE "{name}"')


def only_append(connection: Connection) -> None:
    """The transaction only appends rows: SQLite puts finished pages to its log at once, not all at the commit."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size=-{APPENDING_KIB}")


def _prepare_sqlite(raw: Any, _record: Any) -> None:
    raw.isolation_level = None  # BEGIN is ours to say
    cursor = raw.cursor()
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL", f"cache_size=-{CACHE_KIB}",
                   "temp_store=MEMORY"):  # fmt: skip
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    mode = "DEFERRED" if connection.get_execution_options().get("reading") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")


def _leave_as_found(raw: Any, _record: Any) -> None:
    """A connection goes back to the pool with its usual cache, without the files that were attached to it."""
    if raw is not None:
        raw.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        attached = [name for _, name, _ in raw.execute("PRAGMA database_list") if name not in {"main", "temp"}]
        for name in attached:
            raw.execute(f'DETACH DATABASE "{name}"')
