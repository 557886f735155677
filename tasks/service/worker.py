"""The worker: takes runs that are due from the server and starts them, in a fork of the warm process."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from time import sleep

from config.prefect_environment import POOL
from tasks.service.parts import Part, running, say


def worker_parts(runs_at_once: int, environment: Mapping[str, str]) -> list[Part]:
    """The warm process and the worker, in the order in which they start."""
    worker = ["-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process", "--limit", str(runs_at_once)]
    quiet = {**environment, "PREFECT_LOGGING_LOGGERS_PREFECT_FLOW_RUNS_LEVEL": "WARNING"}  # each run writes its own log
    return [Part("warm", ["-m", "tasks.service.warm"], environment), Part("worker", worker, quiet)]


def work(runs_at_once: int) -> None:
    """Run a worker on this machine until it is stopped."""
    with ExitStack() as stack:
        parts = [stack.enter_context(running(part)) for part in worker_parts(runs_at_once, os.environ)]
        say("the worker takes runs; Ctrl-C stops it")
        while True:
            for part in parts:
                if part.keep_up():
                    say(f"the {part.name} had stopped and was restarted")
            sleep(1)
