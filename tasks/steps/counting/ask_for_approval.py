"""Starts runs of approve-counts that wait in Prefect's UI: one for each asking, a moment and a role."""

from datetime import datetime
from uuid import UUID

import pandas as pd
from prefect import task
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId, FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled

from tasks.runs.parameters import ALL
from tasks.store.counting import approvals
from tasks.store.database.engine import reading

DEPLOYMENT = "approve-counts/approve-counts"
WAITING = (StateType.PAUSED, StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING)
ENDED_BADLY = (StateType.CRASHED, StateType.FAILED)
ANSWERED = "Answered from a sheet: nothing of this list waits any more."


@task(task_run_name="ask people in the interface")
def ask_people(as_of: datetime, *, again: bool = False) -> int:
    """Start a run of approve-counts for each asking that has none, and end those whose findings are all answered.

    The run waits suspended, so it blocks no other run. It is started once: whoever cancels it does not want to be
    asked here, and answers in the sheet; `again` asks all the same. A run that crashed or failed has decided nothing:
    its question is asked again. Where nothing is deployed, nobody is asked. Returns the number of askings that wait.
    """
    with reading().connect() as connection:
        askings = approvals.open_askings(connection)
    with get_client(sync_client=True) as client:
        try:
            deployment = client.read_deployment_by_name(DEPLOYMENT).id
        except ObjectNotFound:
            return 0
        waiting, orphaned = _runs(client, deployment, *WAITING), _runs(client, deployment, *ENDED_BADLY)
        keys = {_key(moment, role) for moment, role in zip(askings["asked_at"], askings["role"], strict=True)}
        for key, run in waiting.items():
            if key not in keys and run.state_type == StateType.PAUSED:
                client.set_flow_run_state(run.id, Cancelled(message=ANSWERED))
        for moment, role in zip(askings["asked_at"], askings["role"], strict=True):
            key = _key(moment, role)
            if key not in waiting:
                mark = f"{key} again {as_of:%Y%m%dT%H%M%SZ}" if again else _mark(key, orphaned.get(key))
                _start(client, deployment, moment, role, mark)
    return len(askings)


def _mark(key: str, orphan: FlowRun | None) -> str:
    """The idempotency key of a question's run: a question is asked once, and once more after each lost run."""
    return f"{key} after {orphan.id}" if orphan else key


def _key(moment: datetime, role: str | float | None) -> str:
    return f"approve-counts {moment:%Y%m%dT%H%M%SZ} {role if isinstance(role, str) else ''}".strip()


def _runs(client: SyncPrefectClient, deployment: UUID, *states: StateType) -> dict[str, FlowRun]:
    """The last run in one of these states, by what it asks about."""
    of_deployment = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
    in_states = FlowRunFilter.model_validate({"state": {"type": {"any_": list(states)}}})
    newest = FlowRunSort.EXPECTED_START_TIME_DESC
    runs = reversed(client.read_flow_runs(flow_run_filter=in_states, deployment_filter=of_deployment, sort=newest))
    with_asking = [run for run in runs if run.parameters.get("asked_at", ALL) != ALL]
    return {_key(pd.Timestamp(run.parameters["asked_at"]), run.parameters.get("role")): run for run in with_asking}


def _start(
    client: SyncPrefectClient, deployment: UUID, moment: pd.Timestamp, role: str | None, mark: str
) -> None:  # fmt: skip
    parameters = {"asked_at": moment.isoformat(), "role": role if isinstance(role, str) else ""}
    client.create_flow_run_from_deployment(deployment, parameters=parameters, idempotency_key=mark)
