"""Serving beyond one process on one machine: PostgreSQL, other addresses, and each part as a command of its own."""

import base64
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from installation import ENDED, clean_environment, installation, wait
from project import ROOT
from sqlalchemy import create_engine, inspect, text

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Prefect's own imports
PASSWORD = "operations:a-password-of-the-test"
COUNTED = "count_id,warehouse,location,sku,quantity,counted_at\nCC-1,MAIN,A-01,MUG,1,2026-03-03 10:00:00 +0000\n"


def test_prefect_lives_beside_the_data_on_postgresql(tmp_path: Path, postgresql_server: str) -> None:
    """Its tables are in a schema of their own, ours stay where they were, and a dropped file is taken in."""
    server = postgresql_server.replace("postgresql:", "postgresql+psycopg:")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE served"))
    admin.dispose()
    address = f"{postgresql_server.rsplit('/', 1)[0]}/served"
    with installation(tmp_path / "data", FULFILMENT_DATABASE_URL=address) as served:
        path = served.drop("counts", "monday.csv", COUNTED)
        runs = wait(lambda: served.runs("receive-exports", *ENDED))
        assert not path.exists(), served.logs()
        assert {run["state_type"] for run in runs or ()} == {"COMPLETED"}, served.logs()
        assert wait(lambda: served.command("health").returncode == 0, 60), served.command("health").stdout
    ours = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    assert "flow_run" in inspect(ours).get_table_names("prefect")
    assert {"orders", "stock_moves"} < set(inspect(ours).get_table_names("public"))
    assert "flow_run" not in inspect(ours).get_table_names("public")
    ours.dispose()
    assert not (tmp_path / "data" / ".prefect" / "prefect.db").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "warehouse.example"])
def test_other_machines_are_let_in_with_a_password_only(tmp_path: Path, host: str) -> None:
    """Without one the command refuses in one sentence that says what to set; nothing is started."""
    done = _flows(tmp_path, "serve", "--host", host)
    assert done.returncode == 2
    assert done.stderr.startswith(f"serve: --host {host} lets other machines in: set PREFECT_SERVER_API_AUTH_STRING")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".prefect" / "server.log").exists()


def test_a_taken_port_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """Another program listens there: choose another port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = _flows(tmp_path, "serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "choose another with --port" in done.stderr


def test_the_ui_works_from_another_address_and_asks_for_the_password(tmp_path: Path) -> None:
    """The page speaks to the address it came from; the API answers whoever has the password, and nobody else."""
    with installation(tmp_path / "data", host="0.0.0.0", PREFECT_SERVER_API_AUTH_STRING=PASSWORD) as served:
        elsewhere = served.api.replace("127.0.0.1", "127.0.0.2")  # another of this machine's addresses
        assert httpx.get(elsewhere.removesuffix("/api") + "/ui-settings").json()["api_url"] == "/api"
        assert httpx.get(f"{elsewhere}/flows/count").status_code in {401, 405}
        assert httpx.post(f"{elsewhere}/flow_runs/filter", json={}).status_code == 401
        key = {"Authorization": "Basic " + base64.b64encode(PASSWORD.encode()).decode()}
        assert httpx.post(f"{elsewhere}/flow_runs/filter", json={}, headers=key).status_code == 200
        served.client.headers.update(key)
        served.drop("counts", "monday.csv", COUNTED)
        runs = wait(lambda: served.runs("receive-exports", *ENDED))
        assert {run["state_type"] for run in runs or ()} == {"COMPLETED"}, served.logs()
        assert "password" not in served.logs()


@pytest.mark.parametrize("command", ["deploy", "worker", "watch"])
def test_a_part_without_a_server_says_what_is_missing(tmp_path: Path, command: str) -> None:
    """One sentence, exit code 2; nothing waits for a server that nobody named."""
    done = _flows(tmp_path, command)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"{command}: no server serves this data folder: set PREFECT_API_URL, or start one with make serve"
    ]


def test_each_part_is_a_command_of_its_own(tmp_path: Path) -> None:
    """Against a server that is there already: deploy, worker and watch; a dropped file is taken in; health is well."""
    with ExitStack() as stack:
        port = stack.enter_context(_prefect_server(tmp_path / "elsewhere"))
        around = {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
        deployed = _flows(tmp_path / "data", "deploy", **around)
        assert deployed.returncode == 0, deployed.stderr
        assert "flows are deployed" in deployed.stdout
        for command in ("worker", "watch"):
            stack.enter_context(_running(tmp_path / "data", command, **around))
        with httpx.Client(base_url=around["PREFECT_API_URL"], timeout=30) as client:
            path = tmp_path / "data" / "inbox" / "counts" / "monday.csv"
            assert wait(path.parent.is_dir, 60)
            path.write_text(COUNTED, encoding="utf-8")
            wanted = {
                "flows": {"name": {"any_": ["receive-exports"]}},
                "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
            }
            assert wait(lambda: client.post("/flow_runs/filter", json=wanted).json())
            assert not path.exists()
        said = _flows(tmp_path / "data", "health", **around)
        assert said.returncode == 0, said.stdout + said.stderr


@contextmanager
def _prefect_server(home: Path) -> Iterator[int]:
    """Prefect's own server, as an installation of several machines has one somewhere."""
    home.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = clean_environment() | {
        "PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "log").open("wb") as log, _process(command, environment, log.fileno()):
        assert wait(lambda: httpx.get(f"http://127.0.0.1:{port}/api/health").status_code == 200, 120)
        yield port


@contextmanager
def _running(home: Path, command: str, **environment: str) -> Iterator[None]:
    home.mkdir(exist_ok=True)
    around = clean_environment() | {"FULFILMENT_HOME": str(home)} | environment
    flows = [sys.executable, "-m", "flows", command]
    with (home / f"{command}.log").open("wb") as log, _process(flows, around, log.fileno()):
        yield


@contextmanager
def _process(command: list[str], environment: dict[str, str], log: int) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _flows(home: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    around = clean_environment() | {"FULFILMENT_HOME": str(home)} | environment
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        cwd=ROOT, env=around, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
