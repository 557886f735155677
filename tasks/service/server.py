"""Prefect's server and UI, a worker, every deployment and the inbox watch, started and stopped together."""

import ipaddress
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from prefect.client.orchestration import SyncPrefectClient, get_client

from config.prefect_environment import SERVER_FILE
from config.settings import settings
from tasks.service.deployment import deploy
from tasks.service.health import problems
from tasks.service.parts import Part, ServiceError, log_of, running, say
from tasks.service.runs import make_up_missed_runs
from tasks.service.watch import watch
from tasks.service.worker import worker_parts
from tasks.store.database.engine import engine
from tasks.store.database.prefect_schema import make_prefect_schema
from tasks.store.migrate import migrate

START_SECONDS_MAX = 180
HEALTH_SECONDS = 60.0
AUTH = "PREFECT_SERVER_API_AUTH_STRING"


def serve(host: str, port: int, runs_at_once: int) -> None:
    """Run everything until Ctrl-C or SIGTERM; `python -m flows serve` has set Prefect's address in the environment."""
    _refuse_open_access(host)
    _refuse_taken_port(host, port)
    migrate(engine())
    make_prefect_schema(engine())
    server = Part("server", ["-m", "tasks.service.prefect_server", host, str(port)], os.environ)
    warm, worker = worker_parts(runs_at_once, os.environ)
    with ExitStack() as stack, get_client(sync_client=True) as client:
        stack.enter_context(running(warm))
        stack.enter_context(running(server))
        _wait_for(client, server)
        stack.enter_context(_announced())
        deploy(client)
        make_up_missed_runs(client)
        stack.enter_context(running(worker))
        say(f"ready: http://{host}:{port} shows every flow, its schedule and its runs; Ctrl-C stops it")
        try:
            _keep_up(client, [server, warm, worker])
        finally:
            say("stopping: runs under way are ended, which takes up to half a minute")


def _keep_up(client: SyncPrefectClient, parts: list[Part]) -> None:
    """Watch the inbox, restart parts that stopped, and report each problem once, and once when it is solved."""
    checked_at, reported = time.monotonic(), set[str]()
    for _ in watch(client):
        for part in parts:
            if part.keep_up():
                say(f"the {part.name} had stopped and was restarted: see {log_of(part.name)}")
        if time.monotonic() - checked_at > HEALTH_SECONDS:
            current = set(problems())
            for line in sorted(current - reported):
                say(f"problem: {line}")
            for line in sorted(reported - current):
                say(f"solved: {line}")
            reported, checked_at = current, time.monotonic()


@contextmanager
def _announced() -> Iterator[None]:
    """Leave the server's address in a file, for flows run from a shell and for the health command."""
    file = settings().folder(".prefect") / SERVER_FILE
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"api_url": os.environ["PREFECT_API_URL"], "pid": os.getpid()}), encoding="utf-8")
    part.replace(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _refuse_open_access(host: str) -> None:
    """Whoever reaches the server can start runs: other machines are let in only with a password."""
    if not _is_loopback(host) and not os.environ.get(AUTH):
        raise ServiceError(
            f"--host {host} lets other machines in: set {AUTH} to a name and a password first, such as "
            f"operations:<a long password>; browsers and other machines are then asked for it"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_taken_port(host: str, port: int) -> None:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise ServiceError(f"{host}:{port} cannot be served ({error.strerror}): choose another with --port") from None


def _wait_for(client: SyncPrefectClient, server: Part) -> None:
    """Wait until the server answers; its first start creates its database."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while client.api_healthcheck() is not None:
        if not server.runs() or time.monotonic() > deadline:
            raise ServiceError(f"Prefect's server did not start: see {log_of('server')}")
        time.sleep(0.2)
