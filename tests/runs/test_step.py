"""A step that lost a race against another transaction is tried again; one that is wrong is not."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from prefect.states import exception_to_failed_state
from project import ROOT
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tasks.steps.ordering.allocate_orders import allocate_stock

FIRST, SECOND = (f"UPDATE merchants SET name = 'x' WHERE id = {number}" for number in (1, 2))
MERCHANTS = "INSERT INTO merchants (id, code, name) VALUES (1, 'A', 'A'), (2, 'B', 'B')"


def tried_again(error: BaseException) -> bool:
    """Whether Prefect would run the step again after it failed so."""
    ask: Any = allocate_stock.retry_condition_fn
    return bool(ask(allocate_stock, None, asyncio.run(exception_to_failed_state(error))))


def deadlocked(store: Engine) -> DBAPIError:
    """What the loser of two transactions is told that wait for each other."""
    both, lost = threading.Barrier(2), []

    def cross(one: str, other: str) -> None:
        try:
            with store.begin() as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
                connection.execute(text(one))
                both.wait()
                connection.execute(text(other))
        except DBAPIError as error:
            lost.append(error)

    threads = [threading.Thread(target=cross, args=pair) for pair in ((FIRST, SECOND), (SECOND, FIRST))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return lost[0]


def locked_out(store: Engine) -> DBAPIError:
    """What a writer is told that waited for another one long enough."""
    impatient = create_engine(store.url, connect_args={"timeout": 0})
    with store.begin(), pytest.raises(DBAPIError) as told, impatient.begin() as connection:
        connection.execute(text(FIRST))
    impatient.dispose()
    return told.value


def test_a_lost_race_is_run_again_and_a_mistake_is_not(store: Engine) -> None:
    """A deadlock and a database that stayed locked come right by themselves; a broken rule does not."""
    with store.begin() as connection:
        connection.execute(text(MERCHANTS))
    lost = deadlocked(store) if store.dialect.name == "postgresql" else locked_out(store)
    assert tried_again(lost)
    with pytest.raises(IntegrityError) as wrong, store.begin() as connection:
        connection.execute(text(MERCHANTS))
    assert not tried_again(wrong.value)
    assert not tried_again(ValueError("no such warehouse"))


@pytest.mark.parametrize("path", sorted((ROOT / "tasks" / "steps").rglob("*.py")), ids=lambda p: p.name)
def test_whatever_writes_is_tried_again(path: Path) -> None:
    """A task that opens a writing transaction is a step, and so tried again; Prefect's plain task is for the others."""
    told = path.read_text(encoding="utf-8")
    assert "engine().begin()" not in told or "from prefect import task" not in told
