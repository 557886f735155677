"""Prefect's server and UI in one process, on a database of SQLite or PostgreSQL.

    python -m tasks.service.prefect_server HOST PORT      started by tasks/service/server.py; it ends with SIGTERM

It does what `prefect server start` does, and fixes one problem. Prefect's transactions on SQLite read first and write
later. If another transaction has written in between, SQLite refuses the write at once, whatever its timeout: requests
are answered with 503 and events are lost to "database is locked". Here each transaction takes the write lock when it
begins, and waits for its turn.
"""

import sys

import uvicorn
from prefect.server.api.server import create_app
from prefect.server.database.configurations import SQLITE_BEGIN_MODE, AioSqliteConfiguration
from prefect.server.database.dependencies import MODELS_DEPENDENCIES
from prefect.settings import get_current_settings
from sqlalchemy import Connection

PING_SECONDS = 20.0


class SerialSqlite(AioSqliteConfiguration):
    """SQLite with its transactions one after another."""

    def begin_sqlite_stmt(self, conn: Connection) -> None:
        """Begin with the write lock; reads without a transaction do not wait."""
        if SQLITE_BEGIN_MODE.get() is not None:
            conn.exec_driver_sql("BEGIN IMMEDIATE")


def main(host: str, port: int) -> None:
    """Serve until told to stop."""
    settings = get_current_settings().server
    address = settings.database.connection_url
    if address is not None and address.get_secret_value().startswith("sqlite"):
        MODELS_DEPENDENCIES["database_config"] = SerialSqlite(connection_url=address.get_secret_value())
    uvicorn.run(
        create_app(final=True), host=host, port=port, timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=PING_SECONDS, ws_ping_timeout=PING_SECONDS, log_level=settings.logging_level.lower(),
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
