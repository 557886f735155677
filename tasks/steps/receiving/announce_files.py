"""Tells Prefect which kinds of files were loaded: the triggers of prefect.yaml start the flows that depend on them."""

from collections.abc import Collection

from prefect import task
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.events import Event, RelatedResource, Resource

from tasks.steps.receiving.file_job import FileState, Outcome

RECEIVED = "fulfilment.received"


@task(task_run_name="announce received files", retries=3, retry_delay_seconds=2)
def announce_files(outcomes: Collection[Outcome]) -> list[str]:
    """Send one event with every kind of which a file was loaded. Returns these kinds.

    A flow that was called by another flow sends no event, as its caller runs what follows. If an event is lost, the
    schedule of each flow makes up for it.
    """
    kinds = sorted({outcome.kind for outcome in outcomes if outcome.state is FileState.LOADED})
    run = FlowRunContext.get()
    if kinds and run is not None and run.flow_run is not None and run.flow_run.parent_task_run_id is None:
        with get_client(sync_client=True) as client:
            client.request("POST", "/events", json=[_event(kinds).model_dump(mode="json")]).raise_for_status()
    return kinds


def _event(kinds: list[str]) -> Event:
    return Event(
        event=RECEIVED,
        resource=Resource({"prefect.resource.id": "fulfilment.inbox", "prefect.resource.name": "inbox"}),
        related=[
            RelatedResource(
                {
                    "prefect.resource.id": f"fulfilment.inbox.{kind}",
                    "prefect.resource.role": "kind",
                    "prefect.resource.name": kind,
                }
            )
            for kind in kinds
        ],
    )
