"""How a run ends, as Prefect's server knows it: its state, its log, its artifact, as a worker starts it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import copytree
from typing import Any
from uuid import UUID

import pytest
from inbox_run import as_csv, order, put
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterKey,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness
from project import ROOT

from config.read import ConfigError
from flows.receive_exports import receive_exports
from flows.reconcile_counts import Reconciled, reconcile_counts
from flows.report_kpis import report_kpis
from tasks.domain.reporting.findings import Finding, FindingKind
from tasks.runs.operation import note, noting, result_of

MOMENT = "2026-03-06T18:00:00+00:00"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' and Prefect's own


@dataclass(frozen=True)
class Ended:
    """A run as the server knows it: its state, its log in order, the page of its artifact."""

    run: FlowRun
    log: list[tuple[int, str]]
    page: str
    printed: str

    @property
    def errors(self) -> list[str]:
        """The lines of the log that are errors, as an analyst reads them."""
        return [line for level, line in self.log if level >= 40]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Prefect's server for the tests of this file."""
    with prefect_test_harness(server_startup_timeout=240):
        yield str(PREFECT_API_URL.value())


@pytest.fixture
def serve(server: str, home: Path) -> Callable[..., Ended]:
    """Run a flow as a worker does: in a process of its own, of a run the server knows already."""

    def run(flow: Flow[..., Any], config: Path = ROOT / "config", **parameters: object) -> Ended:
        stem = flow.name.replace("-", "_")
        with get_client(sync_client=True) as client:
            made = client.create_flow_run(flow, parameters=parameters).id
        done = subprocess.run(
            [sys.executable, "-m", "prefect.engine", str(made)],
            cwd=ROOT,
            env={**os.environ, "PREFECT_API_URL": server, "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
                 "PREFECT__FLOW_ENTRYPOINT": f"flows/{stem}.py:{stem}", "FULFILMENT_HOME": str(home),
                 "FULFILMENT_CONFIG": str(config)},
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        return look(made, done.stdout + done.stderr)

    return run


def look(run: UUID, printed: str) -> Ended:
    """What the server says of a run."""
    with get_client(sync_client=True) as client:
        logs = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run])))
        pages = client.read_artifacts(artifact_filter=ArtifactFilter(
            flow_run_id=ArtifactFilterFlowRunId(any_=[run]), key=ArtifactFilterKey(any_=["outcome"])))  # fmt: skip
        lines = [(one.level, one.message) for one in sorted(logs, key=lambda one: one.timestamp)]
        return Ended(client.read_flow_run(run), lines, str(pages[0].data) if pages else "", printed)


def state(ended: Ended) -> tuple[str, str]:
    """Type and name of the state of a run."""
    assert ended.run.state is not None, ended.printed
    return ended.run.state.type.value, ended.run.state.name or ""


def message(ended: Ended) -> str:
    """What the state of a run says."""
    assert ended.run.state is not None, ended.printed
    return ended.run.state.message or ""


def broken(folder: Path, path: str, old: str, new: str) -> Path:
    """The repository's configuration with a mistake in it."""
    config = copytree(ROOT / "config", folder / "config")
    text = (config / path).read_text(encoding="utf-8")
    assert old in text
    (config / path).write_text(text.replace(old, new), encoding="utf-8")
    return config


def test_a_refused_file_makes_the_run_red(serve: Callable[..., Ended], home: Path) -> None:
    """The good file is in, the run is red, says so in a sentence, and its page says what to do."""
    put(home, "orders", as_csv([order("#1"), order("#2", quantity="Jane Roe, 2 Elm Row")]), "orders.csv")
    put(home, "orders", "Jane Roe,2 Elm Row\nx,y\n", "note|.csv")
    ended = serve(receive_exports, as_of=MOMENT)
    assert state(ended) == ("FAILED", "Failed with findings"), ended.printed
    assert message(ended) == "1 file was refused, 1 row waits in quarantine."
    assert ended.errors == [message(ended)]
    assert "Traceback" not in ended.printed
    assert ended.page.startswith(f"**{message(ended)}**")
    assert r"| note\|.csv | refused file | 1 |" in ended.page
    assert "| orders.csv | quarantined rows | 1 | by column: quantity 1 |" in ended.page
    assert r"Correct the rows in data/quarantine/orders/orders.csv.2.xlsx and drop" in ended.page.replace("\\", "")
    assert (home / "quarantine" / "orders" / "orders.csv.2.xlsx").exists()
    assert "Jane" not in ended.page


def test_rows_in_quarantine_are_findings_and_nothing_is_red(serve: Callable[..., Ended], home: Path) -> None:
    """Completed, by another name; the log warns, and the run after it has nothing new."""
    put(home, "orders", as_csv([order("#1"), order("#2", quantity="two")]), "orders.csv")
    ended = serve(receive_exports, as_of=MOMENT)
    assert state(ended) == ("COMPLETED", "Completed with findings"), ended.printed
    assert message(ended) == "1 row waits in quarantine."
    assert (30, message(ended)) in ended.log
    assert ended.errors == []
    again = serve(receive_exports, as_of=MOMENT)
    assert (state(again), message(again)) == (("COMPLETED", "Completed"), "Nothing new.")
    assert again.page == "**Nothing new.**\n\n### What was done\n\n" + "\n".join(
        f"- {name}: 0" for name in ("files loaded", "files known already", "files refused", "rows in", "rows loaded",
                                    "rows unchanged", "rows quarantined", "places adrift")
    )  # fmt: skip


def test_a_wrong_rule_ends_the_run_in_one_sentence(serve: Callable[..., Ended], tmp_path: Path) -> None:
    """State, log, page and screen say file, key, what was found and expected; no traceback anywhere."""
    config = broken(tmp_path, "rules/gates.yaml", "shares_from_rows", "share_from_rows")
    ended = serve(receive_exports, config, as_of=MOMENT)
    said = f"{config}/rules/gates.yaml: shares_from_rows: found nothing, expected a whole number"
    assert state(ended) == ("FAILED", "Failed"), ended.printed
    assert message(ended) == f"{said} (and 1 more: see the log)"
    [line] = ended.errors
    assert line.splitlines()[0] == said
    assert ended.page.replace("\\", "") == f"**{message(ended)}**"
    assert "Traceback" not in ended.printed


def test_a_wrong_rule_of_a_step_is_told_by_the_run_alone(serve: Callable[..., Ended], tmp_path: Path) -> None:
    """The step that failed logs no traceback and no error before the run's own sentence."""
    ended = serve(report_kpis, broken(tmp_path, "rules/kpis.yaml", "window_days: ", "windw_days: "), as_of=MOMENT)
    assert state(ended) == ("FAILED", "Failed"), ended.printed
    [line] = ended.errors
    assert "rules/kpis.yaml: window_days: found nothing, expected a whole number" in line
    assert "Traceback" not in ended.printed


def test_a_wrong_parameter_ends_the_run_in_one_sentence(serve: Callable[..., Ended]) -> None:
    """Prefect's own check of the parameters says no more than ours."""
    ended = serve(report_kpis, day="soon", as_of=MOMENT)
    assert state(ended) == ("FAILED", "Failed"), ended.printed
    assert message(ended).startswith("day: found 'soon', expected ")
    assert ended.errors == [message(ended)]
    assert "Traceback" not in ended.printed
    assert "Parameter validation failed" not in ended.printed


def test_an_error_nobody_foresaw_keeps_its_traceback_below(serve: Callable[..., Ended], home: Path) -> None:
    """First the sentence, then the traceback, once; the page and the state quote nothing of it."""
    (home / "fulfilment.db").write_bytes(b"no database at all " * 100)
    ended = serve(report_kpis, as_of=MOMENT)
    assert state(ended) == ("FAILED", "Failed"), ended.printed
    assert message(ended) == "The run stopped on an unexpected error (DatabaseError). The log shows where."
    first, second = ended.errors
    assert first == message(ended)
    assert second.startswith("Traceback (most recent call last)")
    assert sum("Traceback" in line for _, line in ended.log) == 1


def test_a_run_inside_another_hands_on_what_it_found(server: str, home: Path) -> None:
    """The run that was clicked has the page, with a link; what it called gave its counts all the same."""
    put(home, "counts", "no,count\n1,2\n", "monday.csv")
    ended = reconcile_counts(as_of=datetime.fromisoformat(MOMENT), return_state=True)
    assert (ended.type.value, ended.name) == ("FAILED", "Failed with findings")
    counts, error = result_of(ended)
    assert error is None
    assert counts.places_counted == 0
    assert isinstance(reconcile_counts(as_of=datetime.fromisoformat(MOMENT)), Reconciled)
    assert ended.state_details.flow_run_id is not None
    outer = look(ended.state_details.flow_run_id, "")
    link = re.search(r"\[receive exports: [^]]+\]\((\S+)/runs/flow-run/([\w-]+)\)", outer.page)
    assert link, outer.page
    inner = look(UUID(link[2]), "")
    assert (state(inner), message(inner)) == (("FAILED", "Failed with findings"), "1 file was refused.")
    assert inner.page == ""


def test_an_error_inside_another_run_is_raised_as_it_is(server: str, home: Path, tmp_path: Path,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """The caller gets the error itself; both runs end with its sentence."""
    put(home, "counts", "no,count\n1,2\n", "monday.csv")
    monkeypatch.setenv("FULFILMENT_CONFIG", str(broken(tmp_path, "rules/gates.yaml", "default:", "defaults:")))
    with pytest.raises(ConfigError, match="default: found nothing, expected a mapping"):
        reconcile_counts(as_of=datetime.fromisoformat(MOMENT))


def test_what_is_noted_outside_a_run_is_nobodys() -> None:
    """Steps called by themselves note into the air."""
    note([Finding(FindingKind.DRIFT, 1, "stock.csv", "", "")])
    with noting() as findings:
        note([Finding(FindingKind.DRIFT, 2, "stock.csv", "", "")])
    assert [one.count for one in findings] == [2]
