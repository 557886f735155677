"""Which Prefect server a run from a shell is recorded on, and that its own one never outlives it."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import psutil
import pytest
from project import ROOT

from tasks.service.running_server import served_api

COMMAND = [sys.executable, "-m", "flows", "receive-exports"]
SECONDS_MAX = 240


def _surroundings(home: Path, **more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | {
        "FULFILMENT_HOME": str(home)
    } | more  # fmt: skip


def _runs(database: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(
            "SELECT flow.name, flow_run.state_type FROM flow_run JOIN flow ON flow.id = flow_run.flow_id"
        ).fetchall()


def _left_of(group: int) -> list[int]:
    """The processes of the group that are still there."""
    return [one.pid for one in psutil.process_iter() if _group(one.pid) == group]


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


class _Healthy(BaseHTTPRequestHandler):
    """What a Prefect server says of its health."""

    def do_GET(self) -> None:
        """Well at /api/health, lost elsewhere."""
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Not a word."""


@contextmanager
def _healthy() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Healthy) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()
        thread.join()


def _note(home: Path, address: str, pid: int) -> None:
    (home / ".prefect").mkdir(exist_ok=True)
    (home / ".prefect" / "server.json").write_text(json.dumps({"api_url": address, "pid": pid}), encoding="utf-8")


def test_a_run_is_recorded_and_leaves_no_process(home: Path) -> None:
    """Where no server runs, one comes and goes with the command, password or not; its records stay."""
    surroundings = _surroundings(
        home, PREFECT_SERVER_API_AUTH_STRING="ann:secret", PREFECT_API_AUTH_STRING="ann:secret"
    )
    with subprocess.Popen(COMMAND, cwd=ROOT, env=surroundings, start_new_session=True) as run:
        assert run.wait(SECONDS_MAX) == 0
    assert _left_of(run.pid) == []
    assert _runs(home / ".prefect" / "prefect.db") == [("receive-exports", "COMPLETED")]


def test_a_killed_run_leaves_no_server(home: Path) -> None:
    """Even after kill -9 nothing listens and no process is left."""
    with subprocess.Popen(COMMAND, cwd=ROOT, env=_surroundings(home), start_new_session=True) as run:
        ports = _listened(run)
        run.kill()
        run.wait(SECONDS_MAX)
    assert ports
    assert _left_of(run.pid) == []
    assert not ports & {one.laddr.port for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN}


def _listened(run: "subprocess.Popen[bytes]") -> set[int]:
    """The ports the command listens on, once there are any."""
    end = time.monotonic() + SECONDS_MAX
    while run.poll() is None and time.monotonic() < end:
        ports = {
            one.laddr.port
            for process in [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
            for one in process.net_connections("tcp")
            if one.status == psutil.CONN_LISTEN
        }
        if ports:
            return ports
        time.sleep(0.05)
    return set()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A Prefect server with a database of its own: address and process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app", "--port", port]
    surroundings = _surroundings(tmp_path, PREFECT_HOME=str(tmp_path / "server"), PREFECT__SERVER_EPHEMERAL="1")
    with subprocess.Popen(command, cwd=ROOT, env=surroundings) as running:
        yield f"http://127.0.0.1:{port}/api", running.pid
        running.terminate()


def test_a_running_server_is_used_and_none_is_started(home: Path, tmp_path: Path, server: tuple[str, int]) -> None:
    """The run is recorded on the server `make serve` left a note of; the data folder gets no Prefect database."""
    address, pid = server
    _note(home, address, pid)
    end = time.monotonic() + SECONDS_MAX
    while served_api(home) is None and time.monotonic() < end:
        time.sleep(0.2)
    done = subprocess.run(COMMAND, cwd=ROOT, env=_surroundings(home), timeout=SECONDS_MAX, check=False)
    assert done.returncode == 0
    assert _runs(tmp_path / "server" / "prefect.db") == [("receive-exports", "COMPLETED")]
    assert not (home / ".prefect" / "prefect.db").exists()


def test_a_note_of_a_server_that_is_gone_is_not_believed(home: Path) -> None:
    """Its process must live and its API must answer."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    with _healthy() as address:
        assert served_api(home) is None
        _note(home, address, os.getpid())
        assert served_api(home) == address
        _note(home, f"{address}/elsewhere", os.getpid())
        assert served_api(home) is None
        _note(home, address, gone.pid)
        assert served_api(home) is None
    _note(home, address, os.getpid())
    assert served_api(home) is None
