"""Health checks of a served installation: one line per part, and what is wrong with it."""

import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from sqlalchemy.exc import SQLAlchemyError

from config.prefect_environment import POOL
from config.settings import settings
from tasks.clock import moment
from tasks.service.running_server import served_api
from tasks.service.runs import PAGE, runs_in
from tasks.service.watch import SIGN
from tasks.store.database.engine import engine
from tasks.store.migrate import is_current

OVERDUE_SECONDS_MAX = 120
WATCH_SECONDS_MAX = 60
DISK_FREE_BYTES_MIN = 2_000_000_000
DISK_FREE_SHARE_MIN = 0.05
CONNECT_SECONDS_MAX = 5.0
NOT_REACHED = (PrefectException, httpx.HTTPError, OSError)


@dataclass(frozen=True)
class Check:
    """One part: its name, whether it works, and what was seen."""

    name: str
    well: bool
    seen: str

    def line(self) -> str:
        """As the health command prints it."""
        return f"{'ok  ' if self.well else 'BAD '} {self.name}: {self.seen}"


def health() -> list[Check]:
    """Run every check once: the service first, then what it depends on."""
    return [*_service(), _database(), _disk(), *_connections()]


def problems() -> list[str]:
    """The failed checks, in stable words: the same problem gives the same line."""
    return [f"{one.name}: {one.seen}" for one in health() if not one.well]


# ── the service ──────────────────────────────────────────────────────────────────────────────────────────────────
def served_at() -> str | None:
    """The address of the server: of the environment, otherwise of the server of this data folder."""
    return os.environ.get("PREFECT_API_URL") or served_api(settings().home)


def _service() -> Iterator[Check]:
    address = served_at()
    if address is None:
        yield Check("server", False, "none serves this data folder: start one with make serve")
        return
    at_once = {PREFECT_API_URL: address, PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(at_once), get_client(sync_client=True) as client:
        trouble = client.api_healthcheck()
        yield Check(
            "server", trouble is None, f"{address} answers" if trouble is None else f"{address} does not answer"
        )
        if trouble is not None:
            return
        for check in (_scheduler, _worker, _watch, _events):
            yield _tried(check.__name__.strip("_"), check, client)
        yield from _flows(client)


def _tried(name: str, check: Callable[[SyncPrefectClient], Check], client: SyncPrefectClient) -> Check:
    try:
        return check(client)
    except NOT_REACHED as error:
        return Check(name, False, f"the server did not answer ({type(error).__name__})")


def _scheduler(client: SyncPrefectClient) -> Check:
    """Every deployment with a schedule has upcoming runs, and none of them is overdue."""
    now = moment()
    deployed = [one for one in client.read_deployments(limit=PAGE) if _is_scheduled(one)]
    to_come = {run.deployment_id for run in runs_in(client, StateType.SCHEDULED)}
    without = sorted(one.name for one in deployed if one.id not in to_come)
    since = now - timedelta(seconds=OVERDUE_SECONDS_MAX)
    overdue = runs_in(client, StateType.SCHEDULED, until=since)  # a run that was created later is not late yet
    late = sorted({run.name for run in overdue if run.created and run.created < since})
    if not deployed:
        return Check("scheduler", False, "no flow is deployed: run python -m flows deploy")
    if without:
        return Check("scheduler", False, f"no upcoming run of {', '.join(without)}")
    if late:
        return Check("scheduler", False, f"overdue: {', '.join(late)}")
    return Check("scheduler", True, f"{len(deployed)} flows have upcoming runs, none is overdue")


def _is_scheduled(deployment: DeploymentResponse) -> bool:
    return not deployment.paused and any(one.active for one in deployment.schedules)


def _worker(client: SyncPrefectClient) -> Check:
    workers = client.read_workers_for_work_pool(POOL)
    online = [one for one in workers if one.status == "ONLINE"]
    seen = f"{len(online)} of {len(workers)} workers take runs" if online else "no worker takes runs: nothing starts"
    return Check("worker", bool(online), seen)


def _watch(_client: SyncPrefectClient) -> Check:
    sign = settings().home / ".prefect" / SIGN
    age = moment().timestamp() - sign.stat().st_mtime if sign.exists() else None
    well = age is not None and age < WATCH_SECONDS_MAX
    return Check(
        "watch", well, "watches the inbox" if well else "nothing watches the inbox: files wait for the schedule"
    )


def _events(_client: SyncPrefectClient) -> Check:
    """Events the server could not process are in a folder of Prefect's, or its log has the number it dropped."""
    home = settings().home / ".prefect"
    failed = len(list((home / "dlq").glob("*")))
    log = home / "server.log"
    for line in log.open(encoding="utf-8", errors="replace") if log.exists() else ():
        failed += sum(int(number) for number in re.findall(r"dropping (\d+) events", line))
    return Check(
        "events", not failed, f"{failed:,} failed, see .prefect/dlq and server.log" if failed else "none failed"
    )


def _flows(client: SyncPrefectClient) -> Iterator[Check]:
    for deployment in sorted(client.read_deployments(limit=PAGE), key=lambda one: one.name):
        green, last = (
            _last(client, deployment, "COMPLETED"),
            _last(client, deployment, "COMPLETED", "FAILED", "CRASHED"),
        )
        yield Check(deployment.name, last is None or last.state_type == StateType.COMPLETED, _story(green, last))


def _last(client: SyncPrefectClient, deployment: DeploymentResponse, *states: str) -> FlowRun | None:
    wanted = FlowRunFilter.model_validate(
        {"deployment_id": {"any_": [deployment.id]}, "state": {"type": {"any_": states}}}
    )
    runs = client.read_flow_runs(flow_run_filter=wanted, limit=1, sort=FlowRunSort.END_TIME_DESC)
    return runs[0] if runs else None


def _story(green: FlowRun | None, last: FlowRun | None) -> str:
    if last is None:
        return "no run has ended yet"
    well = f"last success {green.end_time:%Y-%m-%d %H:%M} UTC" if green and green.end_time else "no success yet"
    return well if last.state_type == StateType.COMPLETED else f"the last run is {last.state_name}: {last.name}; {well}"


# ── what it depends on ────────────────────────────────────────────────────────────────────────────────────────────
def _database() -> Check:
    name = engine().dialect.name
    try:
        current = is_current(engine())
    except SQLAlchemyError as error:
        return Check("database", False, f"{name} does not answer ({type(error).__name__})")
    return Check("database", current, f"{name} answers" if current else f"{name} lacks migrations: run any flow")


def _disk() -> Check:
    usage = shutil.disk_usage(settings().home)
    well = usage.free > max(DISK_FREE_BYTES_MIN, DISK_FREE_SHARE_MIN * usage.total)
    return Check("disk", well, "enough space is free" if well else f"less than {usage.free // 10**9 + 1} GB is free")


def _connections() -> Iterator[Check]:
    """The services the settings connect the flows to."""
    one = settings()
    if one.sender == "paper":
        yield Check("sender", True, "paper: messages are written to a folder")
    elif one.sendgrid_api_key is None:
        yield Check("sender", False, "sendgrid without SENDGRID_API_KEY: nothing can be sent")
    else:
        yield _reached("sender", one.sendgrid_host, 443)
    if one.dask and one.dask != "local":
        yield _reached("dask", one.dask, 8786)


def _reached(name: str, address: str, port: int) -> Check:
    parts = urlsplit(address if "//" in address else f"tcp://{address}")
    try:
        socket.create_connection((parts.hostname or "", parts.port or port), CONNECT_SECONDS_MAX).close()
    except OSError:
        return Check(name, False, f"{parts.hostname} cannot be reached")
    return Check(name, True, f"{parts.hostname} can be reached")
