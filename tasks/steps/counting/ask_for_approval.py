"""Which runs of approve-counts wait in Prefect's UI: one for each moment and role of what was asked."""

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

    The run waits suspended, so it takes nobody's turn. It is started once: whoever cancels it has decided not to be
    asked, and answers in the sheet; `again` asks all the same. A run that crashed or failed has decided nothing: its
    question is asked again. Where nothing is deployed nobody is asked. Returns how many askings wait.
    """
    with reading().connect() as connection:
        open_ = approvals.askings(connection)
    with get_client(sync_client=True) as client:
        try:
            deployment = client.read_deployment_by_name(DEPLOYMENT).id
        except ObjectNotFound:
            return 0
        waiting, orphaned = _runs(client, deployment, *WAITING), _runs(client, deployment, *ENDED_BADLY)
        named = {_key(moment, role) for moment, role in zip(open_["asked_at"], open_["role"], strict=True)}
        for key, run in waiting.items():
            if key not in named and run.state_type == StateType.PAUSED:
                client.set_flow_run_state(run.id, Cancelled(message=ANSWERED))
        for moment, role in zip(open_["asked_at"], open_["role"], strict=True):
            key = _key(moment, role)
            if key not in waiting:
                mark = f"{key} again {as_of:%Y%m%dT%H%M%SZ}" if again else _mark(key, orphaned.get(key))
                _start(client, deployment, moment, role, mark)
    return len(open_)


def _mark(key: str, orphan: FlowRun | None) -> str:
    """What makes the run of a question the only one: a question is asked once, and once more for each lost run."""
    return f"{key} after {orphan.id}" if orphan else key


def _key(moment: datetime, role: str | float | None) -> str:
    return f"approve-counts {moment:%Y%m%dT%H%M%SZ} {role if isinstance(role, str) else ''}".strip()


def _runs(client: SyncPrefectClient, deployment: UUID, *states: StateType) -> dict[str, FlowRun]:
    """The last run in one of these states, by what it asks about."""
    mine = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
    wanted = FlowRunFilter.model_validate({"state": {"type": {"any_": list(states)}}})
    newest = FlowRunSort.EXPECTED_START_TIME_DESC
    runs = reversed(client.read_flow_runs(flow_run_filter=wanted, deployment_filter=mine, sort=newest))
    asked = [run for run in runs if run.parameters.get("asked_at", ALL) != ALL]
    return {_key(pd.Timestamp(run.parameters["asked_at"]), run.parameters.get("role")): run for run in asked}


def _start(
    client: SyncPrefectClient, deployment: UUID, moment: pd.Timestamp, role: str | None, mark: str
) -> None:  # fmt: skip
    said = {"asked_at": moment.isoformat(), "role": role if isinstance(role, str) else ""}
    client.create_flow_run_from_deployment(deployment, parameters=said, idempotency_key=mark)
