"""Starts one flow run in the warm process if there is one, otherwise in a new process as Prefect does.

The worker runs this file as the command of each flow run. It imports nothing but the standard library, so it starts in
hundredths of a second, and it lives as long as the run. It forwards signals to the run and exits with the run's code.
It holds the lock of the run, by which `tasks/service/runs.py` knows that the run is not lost.
"""

import fcntl
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOCKET = "warm.sock"  # in $FULFILMENT_HOME/.prefect
LOCKS = "runs"  # in the same folder: one file per run, locked as long as its process lives
NUMBER = struct.Struct("!q")


def main() -> int:
    """Run the flow run that the environment names. Returns its exit code."""
    home = Path(os.environ["FULFILMENT_HOME"]) / ".prefect"
    hold_lock(home / LOCKS, os.environ["PREFECT__FLOW_RUN_ID"])
    try:
        warm = _connect(home)
    except OSError:
        os.execv(sys.executable, [sys.executable, "-m", "prefect.engine"])  # noqa: S606 - the same interpreter
    return _follow(warm)


def hold_lock(folder: Path, run_id: str) -> int:
    """Lock the file of a run until this process ends; the lock is inherited by what the process becomes."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / run_id, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.set_inheritable(lock, True)
    return lock


@contextmanager
def alive(folder: Path, run_id: str) -> Iterator[None]:
    """Hold the lock of a run in this process, and remove its file afterwards."""
    lock = hold_lock(folder, run_id)
    try:
        yield
    finally:
        (folder / run_id).unlink(missing_ok=True)
        os.close(lock)


def _connect(home: Path) -> socket.socket:
    """Hand the run over: output, folder, environment. Socket paths must be short, so it is opened from its folder."""
    folder, warm = Path.cwd(), socket.socket(socket.AF_UNIX)
    os.chdir(home)
    warm.connect(SOCKET)
    os.chdir(folder)
    request = json.dumps({"folder": str(folder), "environment": dict(os.environ)}).encode()
    socket.send_fds(warm, [NUMBER.pack(len(request))], [1, 2])
    warm.sendall(request)
    return warm


def _follow(warm: socket.socket) -> int:
    """Wait for the end of the run; if the warm process dies first, kill the run."""
    run = _number(warm)
    if run is None:
        return 1
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda number, _frame: os.kill(run, number))
    code = _number(warm)
    if code is None:
        os.kill(run, signal.SIGKILL)
        return 1
    return code


def _number(warm: socket.socket) -> int | None:
    received = warm.recv(NUMBER.size, socket.MSG_WAITALL)
    return int(NUMBER.unpack(received)[0]) if len(received) == NUMBER.size else None


if __name__ == "__main__":
    sys.exit(main())
