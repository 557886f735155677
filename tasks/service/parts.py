"""The processes of a served installation: started, watched, and stopped with all their children."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from config.settings import settings

ROOT = Path(__file__).parents[2]
STOP_SECONDS_MAX = 20
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
STARTS_MAX = 5  # within START_SECONDS
START_SECONDS = 600.0


class ServiceError(RuntimeError):
    """A part of the service did not start or does not keep running."""


@dataclass
class Part:
    """One process, restarted when it stops by itself, up to a limit."""

    name: str
    command: list[str]  # arguments of Python
    environment: Mapping[str, str]
    started: list[float] = field(default_factory=list)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it in its own process group, so that Ctrl-C reaches it only through us."""
        with log_of(self.name).open("ab" if self.started else "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command],
                env=dict(self.environment), cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - no thread is running that could hold a lock
            )  # fmt: skip
        self.started = [one for one in self.started if one > monotonic() - START_SECONDS] + [monotonic()]

    def runs(self) -> bool:
        """Whether the process is running."""
        return self.process is not None and self.process.poll() is None

    def keep_up(self) -> bool:
        """Restart the process if it stopped. Returns whether it had.

        Raises ServiceError when it stops too often.
        """
        if self.runs():
            return False
        if len(self.started) >= STARTS_MAX:
            raise ServiceError(f"the {self.name} stopped {STARTS_MAX} times in ten minutes: see {log_of(self.name)}")
        self.start()
        return True

    def stop(self) -> None:
        """Stop the process and its children: SIGTERM first, then SIGKILL."""
        if self.process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(STOP_SECONDS_MAX)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


def _end_with_parent() -> None:
    """In the new process, on Linux: ask for SIGTERM when the parent ends, even if it is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)


@contextmanager
def running(part: Part) -> Iterator[Part]:
    """Run the part within the block, and stop it at the end in any case."""
    part.start()
    try:
        yield part
    finally:
        part.stop()


def log_of(name: str) -> Path:
    """The log file of a part."""
    return settings().folder(".prefect") / f"{name}.log"


def say(line: str) -> None:
    """Print a line for whoever started the service, if the output is still open."""
    with suppress(BrokenPipeError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
