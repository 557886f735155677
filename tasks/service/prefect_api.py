"""Prefect's API for a flow run from a shell.

It is the one the environment names, otherwise the one `make serve` runs for this data folder, otherwise a temporary
server in a thread of this process, which ends with the process in any case.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING

from config.prefect_environment import temporary_server
from tasks.service.running_server import served_api

if TYPE_CHECKING:
    from uvicorn import Server

START_SECONDS_MAX = 180
STOP_SECONDS_MAX = 10


class NoServerError(RuntimeError):
    """Prefect's temporary server did not start."""


@contextmanager
def prefect_api(home: Path) -> Iterator[None]:
    """Within the block, Prefect's clients reach an API. `home`: the data folder."""
    from prefect.settings import PREFECT_API_URL

    if PREFECT_API_URL.value():
        yield
    elif address := served_api(home):
        _use(address)
        yield
    else:
        with _temporary_api():
            yield


@contextmanager
def _temporary_api() -> Iterator[None]:
    """A server that records flow runs, their states and their artifacts, on a free local port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for name, value in temporary_server().items():
            os.environ.setdefault(name, value)
        _use(f"http://127.0.0.1:{listening.getsockname()[1]}/api")
        from prefect.events.clients import NullEventsClient
        from prefect.events.worker import EventsWorker

        EventsWorker.set_client_override(NullEventsClient)  # nobody listens to events
        with _serving(listening):
            try:
                yield
            finally:
                _flush_logs()


@contextmanager
def _serving(listening: socket.socket) -> Iterator[None]:
    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app(ephemeral=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on", timeout_graceful_shutdown=1))
    thread = Thread(target=server.run, args=([listening],), name="prefect-server", daemon=True)
    thread.start()
    try:
        _wait_for(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS_MAX)


def _wait_for(server: "Server", thread: Thread) -> None:
    end = monotonic() + START_SECONDS_MAX
    while not server.started:
        if not thread.is_alive() or monotonic() > end:
            raise NoServerError(
                f"Prefect's temporary server did not start; its files are in {os.environ['PREFECT_HOME']}"
            )
        sleep(0.02)


def _use(address: str) -> None:
    """Set the address for Prefect's clients, here and in child processes."""
    from prefect.context import refresh_global_settings_context

    os.environ["PREFECT_API_URL"] = address
    refresh_global_settings_context()


def _flush_logs() -> None:
    """Send the log lines that have not reached the server yet."""
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=STOP_SECONDS_MAX)
