"""The database brought up to date before anything reads it."""

from prefect import task

from tasks.store.database.engine import engine
from tasks.store.migrate import migrate


@task(task_run_name="bring the database up to date")
def prepare_database() -> bool:
    """Run the migrations the configured database lacks. Returns whether there were any."""
    return migrate(engine())
