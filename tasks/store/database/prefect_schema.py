"""A schema of its own for Prefect's tables, in the PostgreSQL database that holds the data."""

from sqlalchemy import Engine, text

from config.prefect_environment import SCHEMA


def make_prefect_schema(engine: Engine) -> None:
    """Create the schema if it does not exist; on SQLite Prefect has a file of its own.

    The version table of Prefect's migrations is created with it: without one, Prefect would find ours, which has the
    same name.
    """
    if engine.dialect.name != "postgresql":
        return
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        connection.execute(
            text(f"CREATE TABLE IF NOT EXISTS {SCHEMA}.alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        )
