"""Watches the inbox, so that complete files are received within seconds, and does the housekeeping for runs."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from time import monotonic

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from config.prefect_environment import SLOT_SECONDS
from config.settings import settings
from tasks.clock import moment
from tasks.domain.receiving.export_kinds import KINDS
from tasks.inbox.watch import arrivals
from tasks.service.launch import LOCKS
from tasks.service.parts import say
from tasks.service.runs import forget_ended_runs, look_after, runs_in

RECEIVES = "receive-exports/receive-exports"
LOOK_SECONDS = 5.0
SIGN = "watch.alive"  # in $FULFILMENT_HOME/.prefect; touched whenever the watch has looked
LOST_SIGHT = (PrefectException, httpx.HTTPError)  # the server is away: work continues when it is back


def watch(client: SyncPrefectClient) -> Iterator[None]:
    """Watch for ever, one step about every second; the caller may do other work in between."""
    home = settings().folder(".prefect")
    inbox = settings().folder("inbox")
    for kind in KINDS:
        (inbox / kind).mkdir(exist_ok=True)
    waiting, looked = set[str](), 0.0
    for kinds in arrivals(inbox, Event()):
        waiting |= {kind for kind in kinds if kind in KINDS}
        try:
            with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):  # so that the caller gets to restart the server
                if waiting and receive(client):
                    say(f"arrived: {', '.join(sorted(waiting))}")
                waiting.clear()
                if monotonic() - looked > LOOK_SECONDS:
                    look_after(client, home)
                    forget_ended_runs(client, home / LOCKS)
                    looked = monotonic()
        except LOST_SIGHT:
            looked = monotonic()
        (home / SIGN).touch()
        yield


def receive(client: SyncPrefectClient) -> bool:
    """Make sure that a run of receive-exports starts after now. Returns whether one had to be created.

    A run that has not begun yet will find the files: however many arrive, at most one run waits.
    """
    deployment = client.read_deployment_by_name(RECEIVES)
    soon = moment() + timedelta(seconds=1 + SLOT_SECONDS)
    to_come = [
        *runs_in(client, StateType.PENDING, deployment=deployment.id),
        *runs_in(client, StateType.SCHEDULED, deployment=deployment.id, until=soon),
    ]
    if any(run.parameters == deployment.parameters for run in to_come):
        return False
    client.create_flow_run_from_deployment(deployment.id, name="receive exports: files arrived")
    return True


def watch_alone(client: SyncPrefectClient) -> None:
    """Watch the inbox and serve nothing else."""
    say(f"watching {Path(settings().folder('inbox'))}; Ctrl-C stops it")
    for _ in watch(client):
        pass
