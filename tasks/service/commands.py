"""The commands of `python -m flows` that serve the flows; each may run on its own machine."""

import argparse
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from config.prefect_environment import in_process, served
from config.settings import settings
from tasks.service.running_server import served_api


class NotServedError(RuntimeError):
    """There is no server to connect to."""


@dataclass(frozen=True)
class Command:
    """A command: its description, what it does, and its options."""

    about: str
    run: Callable[[argparse.Namespace], int]
    options: tuple[str, ...] = ()


OPTIONS: Mapping[str, tuple[type, object, str]] = {
    "host": (str, "127.0.0.1", "the address the server listens on"),
    "port": (int, 4200, "the port the server listens on"),
    "runs": (int, 2, "the number of runs at once"),
}


def command(name: str, arguments: list[str]) -> int:
    """Run the command. Returns the exit code: 0 done, 1 unhealthy, 2 refused."""
    one = COMMANDS[name]
    parser = argparse.ArgumentParser(prog=f"python -m flows {name}", description=one.about)
    for option in one.options:
        kind, default, words = OPTIONS[option]
        parser.add_argument(f"--{option}", type=kind, default=default, help=f"{words} ({default})")
    chosen = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell ignores SIGINT for processes it starts in the background
        signal.signal(number, signal.default_int_handler)
    try:
        return one.run(chosen)
    except KeyboardInterrupt:
        with suppress(BrokenPipeError):
            print("stopped")
        return 0


def _serve(chosen: argparse.Namespace) -> int:
    _surround(served(settings().home, chosen.host, chosen.port, settings().database))
    os.environ["PREFECT_API_URL"] = served(settings().home, chosen.host, chosen.port, "")["PREFECT_API_URL"]
    from tasks.service.server import serve

    serve(chosen.host, chosen.port, chosen.runs)
    return 0


def _deploy(_chosen: argparse.Namespace) -> int:
    _join()
    from prefect.client.orchestration import get_client

    from tasks.service.deployment import deploy

    with get_client(sync_client=True) as client:
        print(f"{deploy(client)} flows are deployed")
    return 0


def _worker(chosen: argparse.Namespace) -> int:
    _join()
    from tasks.service.worker import work

    work(chosen.runs)
    return 0


def _watch(_chosen: argparse.Namespace) -> int:
    _join()
    from prefect.client.orchestration import get_client

    from tasks.service.watch import watch_alone

    with get_client(sync_client=True) as client:
        watch_alone(client)
    return 0


def _health(_chosen: argparse.Namespace) -> int:
    _surround(in_process(settings().home))
    from tasks.service.health import health

    checks = health()
    print("\n".join(check.line() for check in checks))
    return 0 if all(check.well for check in checks) else 1


COMMANDS: Mapping[str, Command] = {
    "serve": Command("run server, UI, worker and inbox watch, with every schedule", _serve, ("host", "port", "runs")),
    "deploy": Command("deploy every flow to the server at PREFECT_API_URL", _deploy),
    "worker": Command("start runs of the server at PREFECT_API_URL on this machine", _worker, ("runs",)),
    "watch": Command("watch the inbox for the server at PREFECT_API_URL", _watch),
    "health": Command("check that everything works, one line per part", _health),
}


def _join() -> None:
    """Connect to a running server: the one the environment names, or the one that serves the data folder."""
    address = os.environ.get("PREFECT_API_URL") or served_api(settings().home)
    if not address:
        raise NotServedError("no server serves this data folder: set PREFECT_API_URL, or start one with make serve")
    os.environ["PREFECT_API_URL"] = address
    _surround(served(settings().home, "127.0.0.1", 4200, settings().database))


def _surround(environment: Mapping[str, str]) -> None:
    """Make the data folder, and set variables that are not set yet: Prefect reads them when it is imported."""
    settings().home.mkdir(parents=True, exist_ok=True)
    os.environ["FULFILMENT_HOME"] = str(settings().home.resolve())
    if auth := os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        os.environ.setdefault("PREFECT_API_AUTH_STRING", auth)
    for name, value in environment.items():
        os.environ.setdefault(name, value)
