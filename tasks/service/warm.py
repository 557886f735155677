"""A process that has imported everything a flow needs, and forks a flow run from itself whenever one is due.

A new Python process takes seconds to import Prefect, pandas and the flows; a fork has them at once. Each run still has
its own process, which can be cancelled, killed or lost alone; `tasks/service/launch.py` represents it to Prefect's
worker. The warm process only imports and forks: it has no threads and no open connections.

    python -m tasks.service.warm      started by tasks/service/worker.py; it ends with SIGTERM
"""

import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from config.settings import settings
from tasks.service.launch import NUMBER, SOCKET

READY = "warm"  # printed once everything is imported
ENGINE = ("prefect.engine", "prefect.flow_engine", "prefect.task_engine", "prefect.deployments.steps",
          "prefect.events.worker", "prefect.logging.handlers", "prefect.artifacts")  # fmt: skip
SLOW = ("great_expectations", "matplotlib.pyplot", "reportlab.platypus", "xlsxwriter", "numba",
        "scipy.sparse", "highspy", "sendgrid", "adbc_driver_sqlite.dbapi")  # fmt: skip
HANDOVER_SECONDS_MAX = 5
KILLED = 128  # plus the number of the signal, as a shell reports a killed process


@dataclass(frozen=True)
class Request:
    """A run to start: its output, working folder and environment."""

    outputs: tuple[int, int]
    folder: str
    environment: dict[str, str]


def main() -> None:
    """Import, then fork until SIGTERM. A forked run returns here and becomes Prefect's engine."""
    _import_all()
    request = _Forks(_listen(settings().folder(".prefect"))).serve()
    if request is not None:
        _become(request)


def _import_all() -> None:
    flows = Path(__file__).parents[2] / "flows"
    for module in (*ENGINE, *SLOW, *(f"flows.{path.stem}" for path in sorted(flows.glob("[!_]*.py")))):
        import_module(module)
    gc.collect()
    gc.freeze()  # what is imported is shared by all runs; a collection would copy it


def _listen(home: Path) -> socket.socket:
    """A socket in the data folder that only this user may open; bound from there because its path must be short."""
    listener, folder = socket.socket(socket.AF_UNIX), Path.cwd()
    os.chdir(home)
    Path(SOCKET).unlink(missing_ok=True)
    before = os.umask(0o177)
    listener.bind(SOCKET)
    os.umask(before)
    os.chdir(folder)
    listener.listen()
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    return listener


class _Forks:
    """The runs under way, each with the connection to its launcher."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.runs: dict[int, socket.socket] = {}
        self.ready = selectors.DefaultSelector()
        self.ended, child_ended = socket.socketpair()
        for one in (self.ended, child_ended):
            one.setblocking(False)
        self.child_ended = child_ended
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(child_ended.fileno(), warn_on_full_buffer=False)
        self.ready.register(listener, selectors.EVENT_READ)
        self.ready.register(self.ended, selectors.EVENT_READ)

    def serve(self) -> Request | None:
        """Start and end runs for ever; in a forked run, return its request."""
        while True:
            for key, _ in self.ready.select():
                if key.fileobj is self.listener:
                    if (request := self._start()) is not None:
                        return request
                elif key.fileobj is self.ended:
                    self._reap()
                else:
                    self._abandon(key.data)

    def _start(self) -> Request | None:
        connection, _ = self.listener.accept()
        connection.settimeout(HANDOVER_SECONDS_MAX)
        try:
            request = _read(connection)
        except (OSError, ValueError):
            connection.close()
            return None
        run = os.fork()
        if run == 0:
            connection.close()
            self._leave()
            return request
        for output in request.outputs:
            os.close(output)
        self.runs[run] = connection
        self.ready.register(connection, selectors.EVENT_READ, run)
        _send(connection, run)
        return None

    def _leave(self) -> None:
        """In a forked run: close what belongs to the parent, and reset its signals."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.ready.close()
        for one in (self.listener, self.ended, self.child_ended, *self.runs.values()):
            one.close()

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            while self.ended.recv(4096):
                pass
        while self.runs:
            run, status = os.waitpid(-1, os.WNOHANG)
            if run == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            _send(self.runs[run], KILLED - code if code < 0 else code)
            self._close(run)

    def _abandon(self, run: int) -> None:
        """Kill the run: its launcher is gone."""
        if run in self.runs:
            with suppress(ProcessLookupError):
                os.kill(run, signal.SIGKILL)
            self.ready.unregister(self.runs[run])

    def _close(self, run: int) -> None:
        connection = self.runs.pop(run)
        with suppress(KeyError):
            self.ready.unregister(connection)
        connection.close()


def _read(connection: socket.socket) -> Request:
    first, outputs, _, _ = socket.recv_fds(connection, NUMBER.size, 2)
    (size,) = NUMBER.unpack(first)
    request: dict[str, Any] = json.loads(connection.recv(size, socket.MSG_WAITALL))
    return Request((outputs[0], outputs[1]), request["folder"], request["environment"])


def _send(connection: socket.socket, number: int) -> None:
    with suppress(OSError):
        connection.sendall(NUMBER.pack(number))


def _become(request: Request) -> None:
    """Continue as `python -m prefect.engine` does in a new process."""
    from prefect.context import refresh_global_settings_context

    for number, output in enumerate(request.outputs, start=1):
        os.dup2(output, number)
        os.close(output)
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    sys.argv = ["prefect.engine"]
    refresh_global_settings_context()
    sys.modules.pop(ENGINE[0])  # it is about to be the main program
    gc.unfreeze()
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
