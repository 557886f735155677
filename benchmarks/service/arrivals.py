"""Count sheets dropped into the inbox of a served installation: how soon is each taken in, and reconciled?"""

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from sqlalchemy import create_engine, func, select

from tasks.store.schema import count_lines, imports

ROOT = Path(__file__).parents[2]
HEADER = "count_id,warehouse,location,sku,quantity,counted_at\n"
PAUSE_SECONDS = (3.0, 8.0)
WAIT_SECONDS_MAX = 180


@dataclass
class Sheet:
    """One dropped file: seconds since the epoch at which it lay there whole, and at which it was gone."""

    path: Path
    dropped: float
    gone: float | None = None


def main(arguments: list[str]) -> int:
    """Serve, drop, measure; 1 where a sheet was missed or taken in twice."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks arrivals", description=__doc__)
    parser.add_argument("--files", type=int, default=20, help="count sheets (20)")
    parser.add_argument("--restart", action=argparse.BooleanOptionalAction, default=True,
                        help="kill Prefect's server in the middle")  # fmt: skip
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="arrivals-") as folder:
        home = Path(folder) / "data"
        begun = time.time()
        with _served(home) as (process, api), httpx.Client(base_url=api, timeout=30) as client:
            print(f"  served after {time.time() - begun:.1f} s")
            sheets = _drop_all(home, process, options.files, options.files // 2 if options.restart else None)
            runs = _settled(client, sheets)
        return _tell(home, sheets, runs)


@contextmanager
def _served(home: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    around = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "FULFILMENT_"))}
    with subprocess.Popen(
        [sys.executable, "-m", "flows", "serve", "--port", str(port)],
        cwd=ROOT, env=around | {"FULFILMENT_HOME": str(home)}, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        if process.stdout is None or not process.stdout.readline().startswith("ready: "):
            raise RuntimeError("the service did not start")
        try:
            yield process, f"http://127.0.0.1:{port}/api"
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def _drop_all(home: Path, process: "subprocess.Popen[str]", files: int, killed_after: int | None) -> list[Sheet]:
    """One sheet after another with pauses as people make them; note when each is gone."""
    dice, sheets = random.Random(1), list[Sheet]()  # noqa: S311 - pauses, not secrets
    for number in range(files):
        path = home / "inbox" / "counts" / f"sheet-{number:02}.csv"
        part = path.with_suffix(".part")
        part.write_text(f"{HEADER}CC-{number},MAIN,A-01,MUG,{number},2026-03-03 10:00:00 +0000\n", encoding="utf-8")
        part.replace(path)
        sheets.append(Sheet(path, time.time()))
        if number == killed_after:
            _kill_server(process.pid)
        _look(sheets, time.time() + dice.uniform(*PAUSE_SECONDS))
    deadline = time.time() + WAIT_SECONDS_MAX
    while time.time() < deadline and any(one.gone is None for one in sheets):
        _look(sheets, time.time() + 1)
    return sheets


def _look(sheets: list[Sheet], until: float) -> None:
    while time.time() < until:
        for one in sheets:
            if one.gone is None and not one.path.exists():
                one.gone = time.time()
        time.sleep(0.05)


def _kill_server(parent: int) -> None:
    import psutil

    for child in psutil.Process(parent).children(recursive=True):
        if "tasks.service.prefect_server" in " ".join(child.cmdline()):
            os.kill(child.pid, signal.SIGKILL)


def _settled(client: httpx.Client, sheets: list[Sheet]) -> dict[str, list[dict[str, Any]]]:
    """The runs of both flows, once the last sheet was reconciled."""
    deadline = time.time() + WAIT_SECONDS_MAX
    while True:
        runs = {flow: _runs(client, flow) for flow in ("receive-exports", "reconcile-counts")}
        if all(_green(one, runs) for one in sheets) or time.time() > deadline:
            return runs
        time.sleep(1)


def _runs(client: httpx.Client, flow: str) -> list[dict[str, Any]]:
    wanted = {"flows": {"name": {"any_": [flow]}}, "sort": "START_TIME_ASC",
              "flow_runs": {"start_time": {"after_": "2000-01-01T00:00:00Z"}}}  # fmt: skip
    flow_runs: list[dict[str, Any]] = client.post("/flow_runs/filter", json=wanted).raise_for_status().json()
    return [run for run in flow_runs if run["start_time"]]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _taker(sheet: Sheet, runs: dict[str, list[dict[str, Any]]]) -> float | None:
    """When the run began that took the sheet: the last one before it was gone."""
    begun = [_seconds(run["start_time"]) for run in runs["receive-exports"]]
    return max((one for one in begun if sheet.gone and one <= sheet.gone), default=None)


def _green(sheet: Sheet, runs: dict[str, list[dict[str, Any]]]) -> float | None:
    """When the first run of reconcile-counts that began after that was completed."""
    taken = _taker(sheet, runs)
    ended = [_seconds(run["end_time"]) for run in runs["reconcile-counts"]
             if run["state_type"] == "COMPLETED" and taken and _seconds(run["start_time"]) >= taken]  # fmt: skip
    return min(ended, default=None)


def _tell(home: Path, sheets: list[Sheet], runs: dict[str, list[dict[str, Any]]]) -> int:
    begun = [max(0.0, taken - one.dropped) for one in sheets if (taken := _taker(one, runs))]
    green = [ended - one.dropped for one in sheets if (ended := _green(one, runs))]
    _line("dropped to run started", begun)
    _line("dropped to reconciled", green)
    database = create_engine(f"sqlite:///{home / 'fulfilment.db'}")
    with database.connect() as connection:
        taken = connection.scalar(select(func.count()).select_from(imports).where(imports.c.state == "loaded"))
        counted = connection.scalar(select(func.count()).select_from(count_lines))
    database.dispose()
    waits = sum(one.gone is None for one in sheets)
    print(f"  {len(sheets)} sheets: {taken} taken in, {waits} left in the inbox, {counted} places counted")
    return int(taken != len(sheets) or counted != len(sheets) or len(green) < len(sheets))


def _line(words: str, seconds: list[float]) -> None:
    print(f"  {words}: median {median(seconds):.1f} s, most {max(seconds):.1f} s, of {len(seconds)}")
