"""`python -m flows serve` when its parts and runs are killed: all comes back, and no file is missed or taken twice."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from installation import ENDED, Installation, wait
from project import ROOT
from sqlalchemy import create_engine, select

from tasks.store.schema import imports

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Prefect's own imports


def test_a_turn_is_given_back_when_the_server_was_killed_meanwhile(served: Installation) -> None:
    """A run holds its flow's only turn, the server dies and comes back: the next run of the flow gets its turn."""
    path = f"/deployments/{served.deployment('plan-purchases')}/create_flow_run"
    with _database_is_busy(served):
        first = served.post(path)["id"]
        assert wait(lambda: served.run(first)["state_type"] == "RUNNING"), served.logs()
        os.kill(served.part("tasks.service.prefect_server"), signal.SIGKILL)
        time.sleep(2)
    second = wait(lambda: served.post(path))["id"]
    assert wait(lambda: served.run(second)["state_type"] == "COMPLETED"), served.logs()
    assert wait(lambda: served.run(first)["state_type"] in ENDED), served.logs()


def test_a_killed_run_is_marked_and_its_turn_given_to_the_next(served: Installation) -> None:
    """Its process is gone: within seconds the run is Crashed and the next run of the flow is Completed."""
    with _database_is_busy(served):
        run = served.post(f"/deployments/{served.deployment('plan-purchases')}/create_flow_run")
        pid = wait(
            lambda: served.run(run["id"])["state_type"] == "RUNNING" and served.run(run["id"])["infrastructure_pid"]
        )
        assert pid, served.logs()
        os.kill(int(pid), signal.SIGKILL)
        assert wait(lambda: served.run(run["id"])["state_type"] == "CRASHED"), served.logs()
    again = served.post(f"/deployments/{served.deployment('plan-purchases')}/create_flow_run")
    assert wait(lambda: served.run(again["id"])["state_type"] == "COMPLETED"), served.logs()


def test_a_killed_shell_run_is_marked_too(served: Installation) -> None:
    """It runs under the server that is there, and nobody but its own process knows of it."""
    with _database_is_busy(served):
        command = [sys.executable, "-m", "flows", "plan-purchases"]
        with subprocess.Popen(command, cwd=ROOT, env=dict(served.environment)) as process:
            mine = wait(lambda: [run for run in served.runs("plan-purchases", "RUNNING")
                                 if not run["deployment_id"] and _has_lock(served, run["id"])])  # fmt: skip
            process.kill()
    assert mine, served.logs()
    assert wait(lambda: served.run(mine[0]["id"])["state_type"] == "CRASHED"), served.logs()


def _has_lock(served: Installation, run_id: str) -> bool:
    """Whether the run is known to live by now: it takes its lock as soon as its flow begins."""
    return (served.home / ".prefect" / "runs" / run_id).exists()


@contextmanager
def _database_is_busy(served: Installation) -> Iterator[None]:
    """Hold SQLite's one place for a writer: a flow that writes waits meanwhile. No other run is under way then."""
    wait(served.is_idle)
    connection = sqlite3.connect(served.home / "fulfilment.db", timeout=60, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@pytest.mark.parametrize("words", ["tasks.service.prefect_server", "worker start", "tasks.service.warm"])
def test_a_part_that_dies_is_started_again_and_no_file_is_missed(served: Installation, words: str) -> None:
    """Killed with files arriving, the service comes back by itself, and every file is taken in once."""
    part = words.replace(".", " ").split()[-1]
    paths = [_drop_count(served, f"{part}-1")]
    os.kill(served.part(words), signal.SIGKILL)
    paths += [_drop_count(served, f"{part}-2"), _drop_count(served, f"{part}-3")]
    assert wait(lambda: not any(path.exists() for path in paths)), served.logs()
    assert [_times_taken_in(served, path.name) for path in paths] == [1, 1, 1]


def _drop_count(served: Installation, name: str) -> Path:
    header = "count_id,warehouse,location,sku,quantity,counted_at\n"
    return served.drop("counts", f"{name}.csv", f"{header}{name},MAIN,A-01,MUG,200,2026-03-03 10:00:00 +0000\n")


def _times_taken_in(served: Installation, file: str) -> int:
    with create_engine(f"sqlite:///{served.home / 'fulfilment.db'}").connect() as connection:
        return len(connection.execute(select(imports.c.id).where(imports.c.file_name.like(f"%{file}"))).all())


def test_prefects_database_was_never_locked(served: Installation) -> None:
    """After all that went on here, no request and no event of the server's was refused by its own database."""
    assert "database is locked" not in (served.home / ".prefect" / "server.log").read_text(encoding="utf-8")
    assert not list((served.home / ".prefect" / "dlq").glob("*"))


def test_ctrl_c_leaves_no_process_behind(served: Installation) -> None:
    """Server, worker, warm process and runs are gone, and the health command says so."""
    children = psutil.Process(served.process.pid).children(recursive=True)
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(60) == 0
    assert [child for child in psutil.wait_procs(children, timeout=10)[1] if child.is_running()] == []
    said = served.command("health")
    assert said.returncode == 1
    assert "BAD  server: none serves this data folder" in said.stdout
