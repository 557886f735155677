"""Housekeeping for the runs of a served installation: end lost runs, drop duplicates, name scheduled runs."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled, Crashed

from tasks.clock import moment
from tasks.service.launch import LOCKS

MADE_UP_SECONDS = (300, 600, 900)  # the latest run is looked for first
UNCLAIMED_SECONDS_MAX = 120  # how long a worker may take from claiming a run to starting its process
LOST = "Its process is gone. It is safe to run the flow again: nothing is done twice."
SUPERSEDED = "Another run of the same flow was due at the same time and does its work."
PAGE = 200


def look_after(client: SyncPrefectClient, home: Path) -> None:
    """Do all housekeeping once; called every few seconds."""
    end_lost_runs(client, home / LOCKS)
    deployed = {one.id: one for one in client.read_deployments(limit=PAGE)}
    drop_doubled_runs(client)
    name_scheduled_runs(client, deployed)


# ── lost runs ────────────────────────────────────────────────────────────────────────────────────────────────────
def end_lost_runs(client: SyncPrefectClient, locks: Path) -> list[UUID]:
    """Mark running and pending runs as crashed whose process is gone. Returns their ids.

    A process holds the lock of its run as long as it lives (`launch.py`). A run that waits for a person is suspended:
    it has no process and needs none. The state is read while the lock is held here, so no process can change it.
    """
    lost = []
    for run in runs_in(client, StateType.RUNNING, StateType.PENDING):
        with _lock(locks / str(run.id)) as free:
            state = client.read_flow_run(run.id).state if free else None
            if state is not None and _is_lost(state, had_process=(locks / str(run.id)).exists()):
                client.set_flow_run_state(run.id, Crashed(message=LOST))
                lost.append(run.id)
    return lost + _end_parts(client, lost)


def _end_parts(client: SyncPrefectClient, lost: list[UUID]) -> list[UUID]:
    """End the runs within lost runs: they ran in the same process."""
    if not lost:
        return []
    wanted = {"parent_flow_run_id": {"any_": lost}, "state": {"type": {"any_": [StateType.RUNNING, StateType.PENDING]}}}
    parts = client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(wanted), limit=PAGE)
    for part in parts:
        client.set_flow_run_state(part.id, Crashed(message=LOST))
    ids = [part.id for part in parts]
    return ids + _end_parts(client, ids)


def _is_lost(state: State[object], *, had_process: bool) -> bool:
    """Whether a run without a process is lost: at once if it had one, otherwise after a while."""
    claimed = moment() - state.timestamp
    if state.type == StateType.PENDING:
        return claimed > timedelta(seconds=UNCLAIMED_SECONDS_MAX)
    return state.type == StateType.RUNNING and had_process


@contextmanager
def _lock(path: Path) -> Iterator[bool]:
    """Whether the lock is free; if so, it is held within the block. A run without a lock file counts as free."""
    if not path.exists():
        yield True
        return
    lock = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(lock)


def forget_ended_runs(client: SyncPrefectClient, locks: Path) -> None:
    """Remove the lock files of runs that ended."""
    live = {str(run.id) for run in runs_in(client, *LIVE)}
    for path in locks.glob("*"):
        with _lock(path) as free:
            if free and path.name not in live:
                path.unlink()


# ── doubled runs ─────────────────────────────────────────────────────────────────────────────────────────────────
def drop_doubled_runs(client: SyncPrefectClient) -> list[UUID]:
    """Of due runs with the same flow and parameters keep the first: after a pause a flow runs once, not thirty times.

    Only runs that a schedule or a trigger created are dropped, never one that a person started. Returns their ids.
    """
    seen, dropped = set[str](), []
    for run in due_runs(client):
        work = f"{run.deployment_id} {sorted(run.parameters.items(), key=str)}"
        if work in seen and run.created_by is not None and run.created_by.type in {"SCHEDULE", "AUTOMATION"}:
            client.set_flow_run_state(run.id, Cancelled(message=SUPERSEDED))
            client.update_flow_run(run.id, name="dropped: another run does the same")
            dropped.append(run.id)
        seen.add(work)
    return dropped


def due_runs(client: SyncPrefectClient) -> list[FlowRun]:
    """The runs that are due and wait for a worker or for their turn, the oldest first."""
    now = moment()
    waiting = runs_in(client, StateType.SCHEDULED, until=now)
    return [run for run in waiting if run.deployment_id is not None]


# ── missed runs ──────────────────────────────────────────────────────────────────────────────────────────────────
def make_up_missed_runs(client: SyncPrefectClient) -> None:
    """Schedule the latest run of each flow that was missed in the last quarter of an hour, while no server ran.

    Older runs are not made up: nobody wants the afternoon's pick lists at night.
    """
    now = moment()
    for deployment in client.read_deployments(limit=PAGE):
        for seconds in MADE_UP_SECONDS:
            since = now - timedelta(seconds=seconds)
            if _was_due(client, deployment.id, since, now):
                break
            window = {"start_time": since.isoformat(), "end_time": now.isoformat()}
            path = f"/deployments/{deployment.id}/schedule"
            client.request("POST", path, json=window).raise_for_status()  # type: ignore[arg-type]


def _was_due(client: SyncPrefectClient, deployment: UUID, since: datetime, until: datetime) -> bool:
    """Whether a schedule created a run of the deployment in that time, whatever its result."""
    wanted = {"deployment_id": {"any_": [deployment]}, "expected_start_time": {"after_": since, "before_": until}}
    runs = client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(wanted), limit=PAGE)
    return any(run.auto_scheduled for run in runs)


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────
def name_scheduled_runs(client: SyncPrefectClient, deployed: dict[UUID, DeploymentResponse]) -> int:
    """Name scheduled runs, as in `receive exports, due Fri 27 Nov 09:15`. Returns the number of runs renamed."""
    named = 0
    for run in runs_in(client, StateType.SCHEDULED):
        deployment = deployed.get(run.deployment_id) if run.deployment_id else None
        if deployment is None or not run.auto_scheduled or run.expected_start_time is None:
            continue
        name = f"{deployment.name.replace('-', ' ')}, due {_on_the_clock(deployment, run.expected_start_time)}"
        if run.name != name:
            client.update_flow_run(run.id, name=name)
            named += 1
    return named


def _on_the_clock(deployment: DeploymentResponse, moment: datetime) -> str:
    zones = [zone for one in deployment.schedules if (zone := getattr(one.schedule, "timezone", None))]
    return f"{moment.astimezone(ZoneInfo(zones[0])) if zones else moment:%a %d %b %H:%M}"


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────
LIVE = (StateType.RUNNING, StateType.PENDING, StateType.SCHEDULED, StateType.PAUSED, StateType.CANCELLING)


def runs_in(
    client: SyncPrefectClient, *states: StateType, until: datetime | None = None, deployment: UUID | None = None
) -> list[FlowRun]:
    """Every run in one of these states, optionally due by `until` or of one deployment; the oldest first."""
    wanted: dict[str, object] = {"state": {"type": {"any_": list(states)}}}
    if deployment is not None:
        wanted["deployment_id"] = {"any_": [deployment]}
    if until is not None:
        wanted["next_scheduled_start_time"] = {"before_": until}
    runs: list[FlowRun] = []
    while len(runs) % PAGE == 0:
        page = client.read_flow_runs(
            flow_run_filter=FlowRunFilter.model_validate(wanted), limit=PAGE, offset=len(runs),
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,
        )  # fmt: skip
        runs += page
        if not page:
            break
    return runs
