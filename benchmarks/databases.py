"""Empty databases for benchmarks."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url


@contextmanager
def empty_database(folder: str, server: str | None, name: str = "benchmark") -> Iterator[str]:
    """An empty database: a SQLite file, or a new one on the server that is dropped at the end."""
    if server is None:
        yield f"sqlite:///{folder}/{name}.db"
        return
    name = f"{name}_{os.getpid()}"
    url = make_url(server)
    admin = create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()
