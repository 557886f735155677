"""Runs of receiving in processes of their own, which can be killed at any moment.

They are forked from a server that imported everything once, so that a run starts in milliseconds.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.forkserver import ensure_running
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from inbox_run import receive
from project import ROOT
from sqlalchemy import Engine, event

PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Stop:
    """Where a process kills itself: at the `number`th of its events of a sort, or at the first event `after` that."""

    sort: str
    number: int
    after: bool = False

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.sort} {self.number}"


def context() -> ForkServerContext:
    """What starts processes from the server: one for all tests, whoever asks first."""
    found = multiprocessing.get_context("forkserver")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    found.set_forkserver_preload(["pytest", "psycopg", "benchmarks.ordering.contention", "killed_runs", "warm_imports"])
    ensure_running()
    return found


def start(home: Path, address: str, stop: Stop | None = None, together: Barrier | None = None) -> ForkServerProcess:
    """A process that receives the inbox of `home`; killed at `stop`, or let go with the others of `together`."""
    process = context().Process(target=_run, args=(str(home), address, stop, together))
    process.start()
    return process


def finish(process: ForkServerProcess) -> int:
    """Wait for the end of a process; negative is the signal that killed it."""
    process.join(PATIENCE_SECONDS)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError("a run of receiving hangs")
    return process.exitcode


def run(home: Path, address: str, stop: Stop | None = None) -> int:
    """A process from its start to its end."""
    return finish(start(home, address, stop))


def kill_after(home: Path, address: str, seconds: float) -> bool:
    """Kill a run after so many seconds; whether it was still running."""
    process = start(home, address)
    process.join(seconds)
    process.kill()
    return finish(process) == -signal.SIGKILL


def events(home: Path) -> Counter[str]:
    """What the last run that was not stopped did, by sort."""
    return Counter((home / "events").read_text(encoding="utf-8").split())


def _run(home: str, address: str, stop: Stop | None, together: Barrier | None) -> None:
    os.environ |= {"FULFILMENT_HOME": home, "FULFILMENT_DATABASE_URL": address,
                   "FULFILMENT_CONFIG": str(ROOT / "config")}  # fmt: skip
    done: list[str] = []
    seen: Counter[str] = Counter()

    def note(sort: str) -> None:
        done.append(sort)
        seen[sort] += 1
        if stop and seen[stop.sort] >= stop.number + (stop.after and sort == stop.sort):
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(PATIENCE_SECONDS)  # the signal may be a moment on its way

    _listen(note, home)
    if together:
        together.wait()
    receive()
    Path(home, "events").write_text("\n".join(done), encoding="utf-8")


def _listen(note: Any, home: str) -> None:
    """Statements, commits, and what changes a file below `home`."""
    event.listen(Engine, "before_cursor_execute", lambda *_: note("statement"))
    event.listen(Engine, "commit", lambda _: note("commit"))

    def audit(name: str, args: tuple[Any, ...]) -> None:
        if name == "os.rename":
            note("rename")
        elif name == "open" and str(args[0]).startswith(home) and isinstance(args[1], str) and "w" in args[1]:
            note("write")

    sys.addaudithook(audit)
