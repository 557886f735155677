"""The database brought to the newest migration; quick where it is there already."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from tasks.store.database.engine import exclusive

FOLDER = Path(__file__).parent / "migrations"


def migrate(database: Engine) -> bool:
    """Run the migrations that `database` lacks, all in one transaction; True when there were any.

    Two processes may do it at once: the second waits for the first and finds nothing to do.
    """
    if is_current(database):
        return False
    with database.begin() as connection:
        exclusive(connection, "migrations")
        if _revision(connection) == _newest():
            return False
        command.upgrade(configuration(connection), "head")
    return True


def is_current(database: Engine) -> bool:
    """Whether the database answers and lacks no migration."""
    with database.execution_options(reading=True).begin() as connection:
        return _revision(connection) == _newest()


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration: where the migrations are and which connection they run on."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


@cache
def _newest() -> str | None:
    """The newest migration there is: a day asks before each of its flows."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
