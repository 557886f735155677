"""Prefect's server and UI, a worker, every deployment and the watch over the inbox, started and stopped together."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Event

from prefect.automations import Automation, EventTrigger, Posture, ResourceSpecification
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import StateType
from prefect.events import Event as PrefectEvent
from prefect.events import Resource
from prefect.events.actions import ChangeFlowRunState
from prefect.exceptions import ObjectAlreadyExists
from prefect.workers.process import ProcessWorker

from config.prefect_environment import POOL
from config.settings import settings
from tasks.connectors.inbox_watch import arrivals
from tasks.domain.exports import KINDS
from tasks.store.engine import engine
from tasks.store.migrate import migrate

ROOT = Path(__file__).parent.parent
ARRIVED = "fulfilment.file.arrived"
START_SECONDS_MAX = 180
STOP_SECONDS_MAX = 20
LOST_SECONDS = 120
ENDED = ("Completed", "Failed", "Cancelled", "Crashed", "Suspended")  # a run that waits for a person has no process


class ServeError(RuntimeError):
    """A part of the service did not start, or stopped by itself."""


def serve(host: str, port: int, runs_at_once: int) -> None:
    """Run everything until Ctrl-C or SIGTERM; `python -m flows serve` has told the environment where Prefect is."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell that starts us in the background has SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    surroundings = dict(os.environ)
    _refuse_a_taken_port(host, port)
    migrate(engine())
    with ExitStack() as parts, get_client(sync_client=True) as client:
        server = parts.enter_context(
            _part("server", ["server", "start", "--host", host, "--port", str(port)], surroundings)
        )
        _wait_for(client, server)
        _prepare(client, surroundings)
        worker = ["worker", "start", "--pool", POOL, "--type", "process", "--limit", str(runs_at_once)]
        started = {"server": server, "worker": parts.enter_context(_part("worker", worker, surroundings))}
        _say(f"ready: http://{host}:{port} shows every flow, its schedule and its runs; Ctrl-C stops it")
        try:
            _watch(client, started)
        finally:
            _say("stopping: runs under way are ended, which takes up to half a minute")


def _watch(client: SyncPrefectClient, parts: Mapping[str, "subprocess.Popen[bytes]"]) -> None:
    inbox = settings().folder("inbox")
    for kind in KINDS:
        (inbox / kind).mkdir(exist_ok=True)
    for kinds in arrivals(inbox, Event()):
        for name, part in parts.items():
            if part.poll() is not None:
                raise ServeError(f"the {name} stopped by itself: see {_log(name)}")
        if kinds:
            announce(client, [kind for kind in kinds if kind in KINDS])


def announce(client: SyncPrefectClient, kinds: list[str]) -> None:
    """Tell the server that files of these kinds have arrived; the triggers of prefect.yaml do the rest."""
    events = [
        PrefectEvent(
            event=ARRIVED,
            resource=Resource({"prefect.resource.id": f"fulfilment.inbox.{kind}", "prefect.resource.name": kind}),
            payload={"kind": kind},
        ).model_dump(mode="json")
        for kind in kinds
    ]
    client.request("POST", "/events", json=events).raise_for_status()
    _say(f"arrived: {', '.join(kinds)}")


def _prepare(client: SyncPrefectClient, surroundings: Mapping[str, str]) -> None:
    """The work pool, every deployment of prefect.yaml, and the automation for lost runs."""
    template = ProcessWorker.get_default_base_job_template()
    with suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process", base_job_template=template))
    with _log("deploy").open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
            env=surroundings, cwd=ROOT, stdout=log, stderr=log, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        raise ServeError(f"the deployments of prefect.yaml were refused: see {_log('deploy')}")
    if not any(one.name == LOST_RUNS.name for one in client.read_automations_by_name(LOST_RUNS.name)):
        LOST_RUNS.create()


LOST_RUNS = Automation(
    name="Mark lost runs as crashed",
    description=f"A run whose process is gone says nothing any more: after {LOST_SECONDS} s it is marked crashed.",
    trigger=EventTrigger(
        after={"prefect.flow-run.heartbeat"},
        expect={"prefect.flow-run.heartbeat", *(f"prefect.flow-run.{state}" for state in ENDED)},
        match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=timedelta(seconds=LOST_SECONDS),
    ),
    actions=[
        ChangeFlowRunState(
            name="Crashed", state=StateType.CRASHED, message="No sign of life from its process.", force=False
        )
    ],
)


@contextmanager
def _part(name: str, command: list[str], surroundings: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of its own group, so that Ctrl-C reaches it through us only, stopped at the end with all it started."""
    with _log(name).open("wb") as log:
        part = subprocess.Popen(
            [sys.executable, "-m", "prefect", *command],
            env=surroundings, cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield part
    finally:
        _stop(part)


def _stop(part: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(part.pid, number)
            part.wait(STOP_SECONDS_MAX)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _refuse_a_taken_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServeError(f"{host}:{port} cannot be served ({error.strerror}): choose another with --port") from None


def _wait_for(client: SyncPrefectClient, server: "subprocess.Popen[bytes]") -> None:
    """Until the server answers; a first start makes its database."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while client.api_healthcheck() is not None:
        if server.poll() is not None or time.monotonic() > deadline:
            raise ServeError(f"Prefect's server did not start: see {_log('server')}")
        time.sleep(0.5)


def _log(name: str) -> Path:
    return settings().folder(".prefect") / f"{name}.log"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
