"""A served installation of a test's own: `python -m flows serve` on a free port, and what an analyst sees of it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from project import ROOT

ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
RUN_SECONDS_MAX = 180  # a machine may be busy; seconds are measured by `python -m benchmarks arrivals`


class Installation:
    """The process, its data folder, and Prefect's API."""

    def __init__(self, process: "subprocess.Popen[str]", home: Path, api: str, environment: Mapping[str, str]) -> None:
        self.process, self.home, self.api, self.environment = process, home, api, environment
        self.client = httpx.Client(base_url=api, timeout=30)

    def post(self, path: str, **body: Any) -> Any:
        """What the API answers."""
        return self.client.post(path, json=body).raise_for_status().json()

    def deployment(self, name: str) -> str:
        """The id of a flow's deployment."""
        return str(self.client.get(f"/deployments/name/{name}/{name}").raise_for_status().json()["id"])

    def runs(self, flow: str, *states: str) -> list[dict[str, Any]]:
        """The runs of a flow in these states, in any when there are none; the oldest first."""
        found: list[dict[str, Any]] = self.post(
            "/flow_runs/filter", flows={"name": {"any_": [flow]}}, sort="EXPECTED_START_TIME_ASC"
        )
        return [run for run in found if not states or run["state_type"] in states]

    def is_idle(self) -> bool:
        """Whether no run is under way or due."""
        due = {"before_": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        live = [{"state": {"type": {"any_": ["RUNNING", "PENDING"]}}},
                {"state": {"type": {"any_": ["SCHEDULED"]}}, "next_scheduled_start_time": due}]  # fmt: skip
        return not any(self.post("/flow_runs/filter", flow_runs=one) for one in live)

    def run(self, run_id: str) -> dict[str, Any]:
        """One run as it is now."""
        found: dict[str, Any] = self.client.get(f"/flow_runs/{run_id}").raise_for_status().json()
        return found

    def drop(self, kind: str, name: str, text: str) -> Path:
        """Lay a file in the inbox."""
        path = self.home / "inbox" / kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def part(self, words: str) -> int:
        """The process number of the part whose command line holds these words; of the warm process, not its forks."""
        return min(pid for pid, line in self.processes().items() if words in line)

    def processes(self) -> dict[int, str]:
        """Every process below the command, with its command line."""
        import psutil

        lines = {}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                lines[child.pid] = " ".join(child.cmdline())
        return lines

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`python -m flows …` beside it."""
        return subprocess.run(
            [sys.executable, "-m", "flows", *arguments],
            cwd=ROOT, env=dict(self.environment), capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip

    def logs(self) -> str:
        """What the parts wrote, for a test that failed."""
        return "\n".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in self.home.glob(".prefect/*.log"))


@contextmanager
def installation(home: Path, *options: str, host: str = "127.0.0.1", **environment: str) -> Iterator[Installation]:
    """Serve `home` until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    around = clean_environment() | {"FULFILMENT_HOME": str(home)} | environment
    with subprocess.Popen(
        [sys.executable, "-m", "flows", "serve", "--host", host, "--port", str(port), *options],
        cwd=ROOT, env=around, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("ready: "), first + process.stdout.read()
        one = Installation(process, home, f"http://127.0.0.1:{port}/api", around)
        try:
            with one.client:
                yield one
        finally:
            process.send_signal(signal.SIGINT)


def clean_environment() -> dict[str, str]:
    """The environment without anything that tells Prefect or the project where to look."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "FULFILMENT_"))}


def wait(ask: Callable[[], Any], seconds_max: float = RUN_SECONDS_MAX) -> Any:
    """The first answer that is not nothing; None when there is none in time."""
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if answer := ask():
                return answer
        time.sleep(0.3)
    return None
