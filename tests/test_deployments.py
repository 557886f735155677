"""prefect.yaml against the flows, and one real server with every deployment, a worker and the watch over the inbox."""

import inspect
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml
from counted_floor import lay_out, moment, sheet
from sqlalchemy import create_engine, select

from config.prefect_environment import POOL
from tasks.domain.exports import KINDS
from tasks.store.engine import engine
from tasks.store.migrate import migrate
from tasks.store.schema import variances

ROOT = Path(__file__).parent.parent
FLOWS = sorted(path.stem for path in (ROOT / "flows").glob("[!_]*.py"))
DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
ARRIVED = "fulfilment.file.arrived"
READY_SECONDS_MAX = 180
RUN_SECONDS_MAX = 90

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Prefect's own imports


def _name(deployment: dict[str, Any]) -> str:
    return str(deployment["name"])


def _flow(deployment: dict[str, Any]) -> Any:
    module = deployment["entrypoint"].partition(":")[0].removesuffix(".py").replace("/", ".")
    return getattr(import_module(module), deployment["entrypoint"].partition(":")[2])


each = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=_name)


def test_every_flow_has_one_deployment_and_every_deployment_a_flow() -> None:
    """One file is one flow is one deployment, all of one name."""
    assert sorted(one["name"].replace("-", "_") for one in DEPLOYMENTS) == FLOWS


@each
def test_a_deployment_is_named_like_its_flow_and_file(deployment: dict[str, Any]) -> None:
    """receive-exports is flows/receive_exports.py:receive_exports."""
    stem = deployment["name"].replace("-", "_")
    assert deployment["entrypoint"] == f"flows/{stem}.py:{stem}"
    assert _flow(deployment).name == deployment["name"]


@each
def test_a_deployment_says_what_it_does_and_runs_one_at_a_time(deployment: dict[str, Any]) -> None:
    """Description and tags for the analyst; a second run waits for the first."""
    assert deployment["description"].endswith(".")
    assert deployment["tags"]
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
    assert deployment["work_pool"] == {"name": POOL}


@each
def test_parameters_in_prefect_yaml_are_the_flows_own(deployment: dict[str, Any]) -> None:
    """Defaults, schedules and triggers pass only parameters the flow has, and all it cannot do without."""
    from prefect.utilities.callables import parameter_schema

    flow = _flow(deployment)
    known = set(inspect.signature(flow.fn).parameters)
    given = set(deployment.get("parameters", {}))
    for start in [*deployment.get("schedules", []), *deployment.get("triggers", [])]:
        passed = given | set(start.get("parameters", {}))
        assert passed <= known
        assert set(parameter_schema(flow).required) <= passed


@each
def test_every_parameter_is_described_in_the_form(deployment: dict[str, Any]) -> None:
    """The form of the UI has words beside each field, and words above them all."""
    from prefect.utilities.callables import parameter_schema

    flow = _flow(deployment)
    schema = parameter_schema(flow)
    for name, field in schema.properties.items():
        referred = field.get("$ref", "") or str(field.get("allOf", ""))
        model = next((one for key, one in schema.definitions.items() if f"/{key}" in referred), None)
        assert field.get("description") or (model and model.get("description")), f"{flow.name}: {name}"
    assert flow.description


@each
def test_a_choice_is_a_list_and_nothing_is_called_none(deployment: dict[str, Any]) -> None:
    """What the configuration names is chosen from a list, with a word for all; the usual is a word, never a null."""
    from prefect.utilities.callables import parameter_schema

    form = parameter_schema(_flow(deployment)).properties
    for name, field in form.items():
        assert "null" not in str(field), name
        assert field["default"] is not None, name
        words = field.get("enum") or field.get("items", {}).get("enum")
        assert (words is not None) == (name in {"warehouse", "carrier", "kinds"}), name
        assert field["default"] == ([] if name == "kinds" else "all") or words is None, name
    assert form["as_of"]["default"] == "now"
    assert {"title": "another moment", "type": "string", "format": "date-time"} in form["as_of"]["anyOf"]
    assert "clock" in form["as_of"]["description"]


@each
def test_schedules_say_when_and_on_whose_clock(deployment: dict[str, Any]) -> None:
    """Each schedule is a cron line that can be read, in a named zone, with a slug to know it by."""
    from prefect.client.schemas.schedules import CronSchedule

    schedules = deployment.get("schedules", [])
    for schedule in schedules:
        assert CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"]).timezone == "Europe/London"
    assert len({schedule["slug"] for schedule in schedules}) == len(schedules)


@each
def test_triggers_are_understood_word_for_word(deployment: dict[str, Any]) -> None:
    """Prefect ignores a misspelt key: each key is one it knows, each inbox kind one that exists."""
    from prefect.events import DeploymentEventTrigger

    for trigger in deployment.get("triggers", []):
        assert set(trigger) <= set(DeploymentEventTrigger.model_fields)
        DeploymentEventTrigger.model_validate(trigger)
        if ARRIVED in trigger["expect"]:
            assert trigger["match"]["prefect.resource.id"].removeprefix("fulfilment.inbox.") in KINDS


def test_what_arrives_starts_its_flow() -> None:
    """A count sheet or an answer starts reconcile-counts, a pack scan inspect-parcels, a request process-returns."""
    started = {
        trigger["match"]["prefect.resource.id"].removeprefix("fulfilment.inbox."): one["name"]
        for one in DEPLOYMENTS
        for trigger in one.get("triggers", [])
        if ARRIVED in trigger["expect"]
    }
    assert started == {
        "counts": "reconcile-counts",
        "approvals": "reconcile-counts",
        "packs": "inspect-parcels",
        "return_requests": "process-returns",
    }


# ── for real ─────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple["subprocess.Popen[str]", str, Path]]:
    """`python -m flows serve` on a free port and a data folder of its own: process, address, folder."""
    home = tmp_path_factory.mktemp("served") / "data"
    home.mkdir()
    with pytest.MonkeyPatch.context() as surroundings:
        surroundings.setenv("FULFILMENT_HOME", str(home))
        migrate(engine())
        lay_out(home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "FULFILMENT_"))
    }
    with subprocess.Popen(
        [sys.executable, "-m", "flows", "serve", "--port", str(port)],
        cwd=ROOT,
        env=environment | {"FULFILMENT_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("ready: "), first + process.stdout.read()
        yield process, f"http://127.0.0.1:{port}/api", home
        process.send_signal(signal.SIGINT)


def _wait(ask: Any, seconds_max: float) -> Any:
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.5)
    return None


def _runs(client: httpx.Client, flow: str, *states: str) -> list[dict[str, Any]]:
    """The runs of a flow in these states."""
    wanted = {"flows": {"name": {"any_": [flow]}}, "sort": "START_TIME_ASC"}
    runs = client.post("/flow_runs/filter", json=wanted).raise_for_status().json()
    return [run for run in runs if run["state_type"] in states]


def test_a_run_that_waits_for_a_person_takes_nobodys_turn(served: tuple["subprocess.Popen[str]", str, Path]) -> None:
    """Two roles are asked at once, though one run of a flow goes at a time; an answer in the form posts."""
    _, api, home = served
    with httpx.Client(base_url=api, timeout=30) as client:
        places = [
            ("A-02", "VASE", 10),
            ("B-02", "JUG", 10),
        ]  # 9,000.00: finance; 600.00: inventory manager
        sheet(home, "CC-1", places, moment(2, "09:30"))
        waiting = _wait(lambda: len(runs := _runs(client, "approve-counts", "PAUSED")) == len(places) and runs,
                        2 * RUN_SECONDS_MAX)  # fmt: skip
        assert waiting, (home / ".prefect" / "worker.log").read_text(encoding="utf-8")
        assert [run["state_name"] for run in waiting] == ["Suspended", "Suspended"]
        vase = next(run["id"] for run in waiting if run["parameters"]["role"] == "finance")
        nameless = client.post(f"/flow_runs/{vase}/resume", json={"run_input": {"rest": "approve", "answered_by": ""}})
        assert nameless.json()["status"] == "REJECT"
        said = {"answered_by": "Ann", "rest": "approve", "comment": "seen it myself"}
        client.post(f"/flow_runs/{vase}/resume", json={"run_input": said}).raise_for_status()
        done = _wait(lambda: _runs(client, "approve-counts", "COMPLETED", "FAILED", "CRASHED"), RUN_SECONDS_MAX)
        assert [run["state_name"] for run in done or ()] == ["Completed"]
        assert [run["state_name"] for run in _runs(client, "approve-counts", "PAUSED")] == ["Suspended"]
    with create_engine(f"sqlite:///{home / 'fulfilment.db'}").connect() as connection:
        told = select(variances.c.answer, variances.c.answered_by, variances.c.comment, variances.c.decision)
        assert [tuple(row) for row in connection.execute(told.order_by(variances.c.id))] == [
            ("approved", "Ann", "seen it myself", "posted"), (None, None, None, "review")]  # fmt: skip
    (adjusted,) = (home / "outgoing" / "reconcile-counts").rglob("adjustments.csv")
    assert "VASE" in adjusted.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("flow", "told", "words"),
    [
        ("plan-waves", {"warehouse": "NOWHERE"}, "'NOWHERE' is not one of ['all', 'MAIN', 'NORTH']"),
        ("plan-waves", {"carrier": "Pigeon"}, "'Pigeon' is not one of ['all', 'DPD', 'Royal Mail']"),
        ("receive-exports", {"kinds": ["nonsense"]}, "'nonsense' is not one of ['products', "),
    ],
)
def test_a_run_with_an_unknown_choice_is_not_made(
    served: tuple["subprocess.Popen[str]", str, Path], flow: str, told: dict[str, Any], words: str
) -> None:
    """Prefect's API refuses it, and says what it knows: no run waits for what is not there."""
    with httpx.Client(base_url=served[1], timeout=30) as client:
        deployment = client.get(f"/deployments/name/{flow}/{flow}").raise_for_status().json()["id"]
        refused = client.post(f"/deployments/{deployment}/create_flow_run", json={"parameters": told})
        assert refused.status_code == httpx.codes.CONFLICT
        assert words in refused.json()["detail"]


@pytest.mark.skipif(
    sorted(one["name"].replace("-", "_") for one in DEPLOYMENTS) != FLOWS, reason="prefect.yaml and flows/ differ"
)
def test_a_count_sheet_in_the_inbox_starts_its_flow(served: tuple["subprocess.Popen[str]", str, Path]) -> None:
    """Server, worker, watch and trigger work together; Ctrl-C leaves no process behind."""
    process, api, home = served
    with httpx.Client(base_url=api, timeout=30) as client:
        deployed = client.post("/deployments/filter", json={}).raise_for_status().json()
        assert sorted(one["name"] for one in deployed) == sorted(map(_name, DEPLOYMENTS))
        automations = {one["name"] for one in client.post("/automations/filter", json={}).raise_for_status().json()}
        assert "Mark lost runs as crashed" in automations
        assert "reconcile-counts when a count sheet arrives" in automations

        empty = home / "inbox" / "counts" / "monday.csv"
        empty.write_text("count_id,warehouse,location,sku,quantity\n", encoding="utf-8")
        ended = ("COMPLETED", "FAILED", "CRASHED")
        runs = _wait(lambda: not empty.exists() and _runs(client, "reconcile-counts", *ended), RUN_SECONDS_MAX)
        log = (home / ".prefect" / "worker.log").read_text(encoding="utf-8")
        assert runs, log
        assert {run["state_type"] for run in runs} == {"COMPLETED"}, log

    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert [child for child in psutil.wait_procs(children, timeout=10)[1] if child.is_running()] == []
