"""One engine per database: SQLite (WAL, foreign keys on, writers queue) or PostgreSQL."""

import hashlib
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select, text
from sqlalchemy.engine import make_url

from config.settings import settings

BUSY_SECONDS = 120
CACHE_KIB, APPENDING_KIB = 128 << 10, 16 << 10
STATISTICS_FROM_ROWS = 20_000
_RACE_STATES = ("40001", "40P01", "55P03")  # PostgreSQL: serialization failure, deadlock, lock not available


def engine() -> Engine:
    """The engine of the configured database. `with engine().begin() as connection:` is one transaction."""
    return engine_of(settings().database)


def reading() -> Engine:
    """The engine for transactions that only read: on SQLite they do not wait for a writer."""
    return engine().execution_options(reading=True)


@cache
def engine_of(address: str) -> Engine:
    """The engine for the database URL `address`; error messages do not show statement parameters."""
    url = make_url(address)
    if url.get_backend_name() == "postgresql":
        return create_engine(url.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True)
    sqlite_engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
    event.listen(sqlite_engine, "connect", _prepare_sqlite)
    event.listen(sqlite_engine, "begin", _begin_sqlite)
    event.listen(sqlite_engine, "checkin", _reset_sqlite)
    return sqlite_engine


def exclusive(connection: Connection, name: str) -> None:
    """Wait for the lock `name` and hold it until the transaction ends.

    PostgreSQL takes an advisory lock; SQLite needs none, as it has one writer at a time.
    """
    if connection.dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(key)))


def lost_a_race(error: BaseException) -> bool:
    """Whether a transaction failed only because of a concurrent one: a retry may succeed."""
    cause = getattr(error, "orig", None) or error
    return getattr(cause, "sqlstate", None) in _RACE_STATES or getattr(cause, "sqlite_errorname", "").startswith(
        "SQLITE_BUSY"
    )


def gather_statistics(connection: Connection) -> None:
    """ANALYZE the tables that this transaction made much larger, on PostgreSQL.

    Autovacuum would do so a minute later; until then a plan made for an empty table may run for a minute itself.
    """
    if connection.dialect.name == "postgresql":
        touched = text(
            "SELECT relname FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd >= :rows"
            " AND relid IN (SELECT oid FROM pg_class WHERE relpersistence = 'p')"
        )
        for name in connection.scalars(touched, {"rows": STATISTICS_FROM_ROWS}).all():
            connection.exec_driver_sql(f'ANALYZE "{name}"')


def only_append(connection: Connection) -> None:
    """Prepare a transaction that only appends: SQLite then writes finished pages to its log before the commit."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size=-{APPENDING_KIB}")


def _prepare_sqlite(raw: Any, _record: Any) -> None:
    raw.isolation_level = None  # the begin event sends BEGIN
    cursor = raw.cursor()
    for pragma in (
        "foreign_keys=ON",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"cache_size=-{CACHE_KIB}",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    mode = "DEFERRED" if connection.get_execution_options().get("reading") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")


def _reset_sqlite(raw: Any, _record: Any) -> None:
    """Before a connection returns to the pool: its usual cache size, and no attached files."""
    if raw is not None:
        raw.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        attached = [name for _, name, _ in raw.execute("PRAGMA database_list") if name not in {"main", "temp"}]
        for name in attached:
            raw.execute(f'DETACH DATABASE "{name}"')
